import Checkpoints
import Foundation
import Storage
import Torch
import TorchNN
import VisionModels

/// Weights that a run starts from, `--init`.
@ModelActor
enum DINOStart {
    /// Fills both networks from a checkpoint.
    ///
    /// A full checkpoint of DINO, of its own code or of a run here, gives student, teacher, heads and centre; any other
    /// gives the backbone of both.
    ///
    /// - Parameters:
    ///   - path: The checkpoint.
    ///   - networks: What is filled.
    /// - Returns: What was taken, for a person.
    /// - Throws: The errors of loading a checkpoint.
    static func load(_ path: String, into networks: DINONetworks) throws -> [String] {
        if let stored = try DINOCheckpointFile.read(path) {
            return try load(stored, path, into: networks)
        }
        if let own = ownState(path) {
            let targets = networks.namedTensors()
            let names = Set(targets.map(\.name))
            let stored = try Safetensors.read(own).filter { names.contains($0.key) }
            try StoredTensors.check(stored, fit: targets, file: own, hint: hint)
            try StoredTensors.copy(stored, into: targets)
            return ["student, teacher, heads and center are loaded from \(path)"]
        }
        let notes = try BackboneStart.load(
            path,
            for: networks.description.configuration,
            into: [networks.student.backbone, networks.teacher.backbone]
        )
        return ["both backbones are loaded from \(path), the heads are new"] + notes
    }

    private static let hint =
        "--model, --size, --out-dim, --head-layers, --head-hidden-dim, --head-bottleneck-dim and --use-bn-in-head "
        + "must have the values that it was trained with"

    private static func load(
        _ stored: DINOCheckpointFile,
        _ path: String,
        into networks: DINONetworks
    ) throws -> [String] {
        for (network, tensors) in [
            (networks.student, stored.student), (networks.teacher, stored.teacher),
        ] {
            let targets = network.namedTensors()
            try StoredTensors.check(tensors, fit: targets, file: path, hint: hint)
            try StoredTensors.copy(tensors, into: targets)
        }
        var notes = ["student, teacher and heads are loaded from \(path)"]
        if let center = stored.center {
            try StoredTensors.check(
                ["center": center],
                fit: [("center", networks.center)],
                file: path,
                hint: hint
            )
            try networks.center.copy(from: center)
        } else {
            notes.append("\(path) has no center: it starts at 0")
        }
        return notes
    }

    /// The trainer's state of a run or of one of its checkpoints, where the path is one of DINO's.
    private static func ownState(_ path: String) -> String? {
        [path + "/checkpoints/last/trainer.safetensors", path + "/trainer.safetensors"].first {
            guard FileManager.default.fileExists(atPath: $0),
                let file = try? SafetensorsFile(path: $0)
            else { return false }
            return file.tensors.contains { $0.name == "center" }
        }
    }
}
