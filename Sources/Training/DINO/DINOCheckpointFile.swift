import Checkpoints
import Storage
import Torch
import TorchNN
import VisionModels

/// A full checkpoint in the form of DINO's own code: `student`, `teacher`, `dino_loss` and more in one PyTorch file.
///
/// ## Source
/// dino `main_dino.py`, `train_dino` (`save_dict`), and `utils.py`, `restart_from_checkpoint`. The student's keys begin
/// with `module.`, because it is wrapped for several processes; the teacher's do too where there is batch normalisation.
struct DINOCheckpointFile {
    /// The student's tensors, `backbone.…` and `head.…`.
    let student: [String: Tensor]
    /// The teacher's.
    let teacher: [String: Tensor]
    /// The centre, `[1, outDim]`; nil where the file has none.
    let center: Tensor?

    /// Reads a file; nil for anything that is not a PyTorch file with a student and a teacher.
    ///
    /// - Throws: `CheckpointError` where it is such a file, and damaged.
    static func read(_ path: String) throws -> DINOCheckpointFile? {
        guard let probe = try? PyTorchFile(path: path, stateDict: "student"),
            probe.stateDictNames.contains("teacher")
        else { return nil }
        let teacher = try PyTorchFile(path: path, stateDict: "teacher")
        var center: Tensor?
        if probe.stateDictNames.contains("dino_loss") {
            center = try tensors(PyTorchFile(path: path, stateDict: "dino_loss"))["center"]
        }
        return DINOCheckpointFile(
            student: try tensors(probe),
            teacher: try tensors(teacher),
            center: center
        )
    }

    private static func tensors(_ file: PyTorchFile) throws(CheckpointError) -> [String: Tensor] {
        var found: [String: Tensor] = [:]
        for tensor in file.tensors { found[ours(tensor.name)] = try file.read(tensor) }
        return found
    }

    /// The tensors of a network by the names of such a file.
    ///
    /// - Parameters:
    ///   - network: The student or the teacher.
    ///   - isWrapped: Whether it would be wrapped for several processes there.
    /// - Returns: Its tensors.
    static func state(_ network: MultiCropNetwork, isWrapped: Bool) -> PyTorchValue {
        let hasPlaces = network.head.mlp.count > 1
        return .stateDict(
            network.namedTensors().map { name, tensor in
                let theirs = hasPlaces ? nil : single.first { $0.value == name }?.key
                return ((isWrapped ? wrapper : "") + (theirs ?? name), tensor)
            }
        )
    }

    /// What begins the names of a network that is wrapped for several processes.
    private static let wrapper = "module."

    /// The names of a head of one layer, there and here; it has no places there.
    private static let single = [
        "head.mlp.weight": "head.mlp.0.weight", "head.mlp.bias": "head.mlp.0.bias",
    ]

    /// The name here of a tensor in such a file.
    static func ours(_ name: String) -> String {
        let name = name.hasPrefix(wrapper) ? String(name.dropFirst(wrapper.count)) : name
        return single[name] ?? name
    }
}
