import Storage
import Torch

/// The tensors of an archive whose names begin with a prefix, such as one of several networks in one file.
struct SelectedArchive: TensorArchive {
    /// The archive with all its tensors.
    let whole: any TensorArchive

    let tensors: [ArchivedTensor]

    /// What was left out, one sentence.
    let notes: [String]

    var path: String { whole.path }
    var metadata: [String: String] { whole.metadata }

    /// The tensors that a name represents; all of them without one.
    ///
    /// - Parameters:
    ///   - name: What the names begin with, without the dot.
    ///   - archive: The archive.
    /// - Returns: An archive of these tensors alone.
    /// - Throws: ``CheckpointError`` where there are none.
    static func select(
        _ name: String?,
        of archive: any TensorArchive
    ) throws(CheckpointError) -> any TensorArchive {
        guard let name else { return archive }
        let prefix = name + "."
        let tensors = archive.tensors.filter { $0.name.hasPrefix(prefix) }
        guard !tensors.isEmpty else {
            throw .unsupported(
                file: archive.path,
                reason:
                    "it has no tensors whose names begin with \"\(prefix)\", and no dictionaries to choose from"
            )
        }
        return SelectedArchive(
            whole: archive,
            tensors: tensors,
            notes: notes(prefix, leftOut: archive.tensors.count - tensors.count)
        )
    }

    /// The message about a selection.
    static func notes(_ prefix: String, leftOut: Int) -> [String] {
        guard !prefix.isEmpty else { return [] }
        return [
            "using the tensors under \"\(prefix.dropLast())\""
                + (leftOut > 0 ? "; \(leftOut) others are ignored" : "")
        ]
    }

    func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor {
        try whole.read(tensor)
    }

    func copy(_ tensor: ArchivedTensor, into target: Tensor) throws(CheckpointError) {
        try whole.copy(tensor, into: target)
    }
}
