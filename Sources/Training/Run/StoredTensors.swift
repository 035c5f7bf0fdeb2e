import Checkpoints
import Torch
import TorchNN

/// Tensors of a checkpoint on their way into those of a run.
enum StoredTensors {
    /// Checks that there is exactly one stored tensor of the right shape for every target.
    ///
    /// - Throws: `CheckpointError` with all names and shapes that do not fit.
    static func check(
        _ stored: [String: Tensor],
        fit targets: [(name: String, tensor: Tensor)],
        file: String,
        hint: String
    ) throws(CheckpointError) {
        let names = Set(targets.map(\.name))
        let missing = targets.map(\.name).filter { stored[$0] == nil }
        let unexpected = stored.keys.filter { !names.contains($0) }.sorted()
        let shapes = targets.compactMap { name, tensor in
            stored[name].flatMap { value in
                value.shape == tensor.shape
                    ? nil
                    : CheckpointError.ShapeMismatch(
                        key: name,
                        expected: tensor.shape,
                        found: value.shape
                    )
            }
        }
        guard missing.isEmpty, unexpected.isEmpty, shapes.isEmpty else {
            throw .incompatible(
                file: file,
                missing: missing,
                unexpected: unexpected,
                shapes: shapes,
                hint: hint
            )
        }
    }

    /// Overwrites the targets with the stored tensors of the same names, once they were checked.
    static func copy(
        _ stored: [String: Tensor],
        into targets: [(name: String, tensor: Tensor)]
    ) throws(TorchError) {
        for (name, tensor) in targets {
            if let value = stored[name] { try tensor.copy(from: value) }
        }
    }

    /// Overwrites the tensors of a network with those of another of the same kind.
    ///
    /// - Throws: `CheckpointError` with all names and shapes that do not fit, `TorchError`.
    static func copy(
        _ source: Module,
        into network: Module,
        file: String,
        hint: String
    ) throws {
        let stored = Dictionary(
            source.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        let targets = network.namedTensors()
        try check(stored, fit: targets, file: file, hint: hint)
        try copy(stored, into: targets)
    }
}
