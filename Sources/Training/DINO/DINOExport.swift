import Checkpoints
import Foundation
import Storage
public import Torch
import TorchNN
import VisionModels

/// A run of `deit pretrain dino` as a full checkpoint of DINO's own code, from which that code goes on.
///
/// ## Source
/// dino `main_dino.py`, `train_dino` (`save_dict`), and `utils.py`, `restart_from_checkpoint`.
@ModelActor
public enum DINOExport {
    /// What was written.
    public struct Report: Sendable {
        /// The epochs that are done.
        public let epoch: Int
        /// The tensors of student, teacher and centre.
        public let tensorCount: Int
        /// What a person should know.
        public let notes: [String]
    }

    /// Writes the last checkpoint of a run, or one of its checkpoints.
    ///
    /// The file has `student`, `teacher`, `optimizer`, `epoch`, `args` and `dino_loss`. `args` is a dictionary rather than
    /// a Namespace, which `torch.load` would refuse by default; DINO's code never reads it. What was written is read again
    /// and compared before it gets its name.
    ///
    /// - Parameters:
    ///   - path: The run's folder, or one of its checkpoints.
    ///   - output: The file to write.
    /// - Returns: What was written.
    /// - Throws: `CheckpointError` where it is not such a run or cannot be written, ``RunError`` where it is damaged.
    public static func run(_ path: String, to output: String) throws -> Report {
        let (run, checkpoint) = try folders(path)
        let manifest = try RunManifest.read(run + "/run.yaml")
        guard manifest.options.method == .dino else { throw noRun(path) }
        let networks = try DINONetworks(
            manifest.options,
            DINONetworks.description(manifest.options)
        )
        let optimizer = try networks.optimizer(manifest.options)
        let state = try TrainerCheckpoint.state(in: checkpoint)
        let targets = networks.namedState(optimizer)
        try StoredTensors.copy(
            TrainerCheckpoint.tensors(in: checkpoint, fit: targets),
            into: targets
        )
        let form = DINOCheckpointForm(manifest, networks, optimizer, state)
        try CheckpointError.translating {
            try AtomicFile.write(aside: output) { temporary in
                try PyTorchWriter.write(form.value(), to: temporary)
                try verify(temporary, networks, output)
            }
        }
        return Report(
            epoch: state.epoch,
            tensorCount: networks.namedTensors().count,
            notes: form.notes
        )
    }

    /// The folder of the run and that of the checkpoint.
    private static func folders(
        _ path: String
    ) throws(CheckpointError) -> (run: String, checkpoint: String) {
        let checkpoints = URL(fileURLWithPath: path).deletingLastPathComponent()
        let above = checkpoints.deletingLastPathComponent().path
        for (run, checkpoint) in [(path, path + "/checkpoints/last"), (above, path)] {
            let files = [run + "/run.yaml", checkpoint + "/trainer.json"]
            if files.allSatisfy(FileManager.default.fileExists) { return (run, checkpoint) }
        }
        throw noRun(path)
    }

    private static func noRun(_ path: String) -> CheckpointError {
        .unsupported(
            file: path,
            reason: "DINO's format contains student, teacher and optimizer, which only a run of "
                + "`deit pretrain dino` has: pass its directory"
        )
    }

    /// Reads what was written and compares every number of the networks and the centre.
    private static func verify(
        _ file: String,
        _ networks: DINONetworks,
        _ output: String
    ) throws {
        let found = try DINOCheckpointFile.read(file)
        var stored = ["center": found?.center].compactMapValues { $0 }
        for (prefix, tensors) in [("student", found?.student), ("teacher", found?.teacher)] {
            for (name, tensor) in tensors ?? [:] { stored["\(prefix).\(name)"] = tensor }
        }
        for (name, tensor) in networks.namedTensors() {
            let bytes = try tensor.withBytes { [UInt8]($0) }
            guard try stored[name]?.withBytes({ $0.elementsEqual(bytes) }) == true else {
                throw CheckpointError.unwritable(
                    path: output,
                    reason: "\(name) differs when it is read back"
                )
            }
        }
    }
}
