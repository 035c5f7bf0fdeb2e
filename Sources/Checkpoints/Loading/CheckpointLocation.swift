import Foundation
import Storage

/// Where the model is that a path means.
public enum CheckpointLocation: Sendable, Equatable {
    /// A model directory: a folder with `config.json` and weights.
    case directory(String)

    /// A bare weights file.
    case weights(String)

    /// Finds the model that a path means.
    ///
    /// A path is a model directory, a file of weights (safetensors or PyTorch's, or the index of several), a folder
    /// with such files and no configuration, or a training run, of which the best checkpoint is taken, else the
    /// last, else the one of the highest step.
    ///
    /// - Parameter path: The path.
    /// - Throws: ``CheckpointError`` that says what was looked for.
    public init(resolving path: String) throws(CheckpointError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CheckpointError.unreadable(path: path, reason: Self.absent)
        }
        guard isFolder.boolValue else {
            self = .weights(try Self.weightsFile(path))
            return
        }
        if Self.isModel(path) {
            self = .directory(path)
        } else if let checkpoint = Self.checkpoint(of: path + "/checkpoints")
            ?? Self.checkpoint(of: path)
        {
            self = .directory(checkpoint)
        } else if let weights = Self.weights(in: path).first {
            self = .weights(weights)
        } else {
            let isRun = FileManager.default.fileExists(atPath: "\(path)/checkpoints")
            throw CheckpointError.unreadable(
                path: path,
                reason: isRun
                    ? "the run has no checkpoint yet"
                    : "the directory contains neither a model (config.json, model.safetensors) nor a run (checkpoints/)"
            )
        }
    }

    /// The reason for a path that leads nowhere.
    package static let absent = "it is neither a file or directory nor a Hub model ID (ORG/NAME)"

    private static func weightsFile(_ path: String) throws(CheckpointError) -> String {
        let name = lastComponent(of: path)
        for ending in [".h5", ".onnx", ".npz", ".msgpack", ".gguf"]
        where name.lowercased().hasSuffix(ending) {
            throw CheckpointError.unsupported(
                file: path,
                reason: "only safetensors and PyTorch files are supported; convert it"
            )
        }
        if name == "config.json" {
            throw CheckpointError.unsupported(
                file: path,
                reason: "pass its directory, \(folder(of: path))"
            )
        }
        return path
    }

    /// The files that can hold a folder's weights, the one to take first.
    package static func weights(in folder: String) -> [String] {
        [
            "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
            "pytorch_model.bin.index.json",
        ].map { "\(folder)/\($0)" }.filter { FileManager.default.fileExists(atPath: $0) }
    }

    private static func isModel(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/config.json")
    }

    private static func checkpoint(of folder: String) -> String? {
        for pointer in ["best", "last"] where isModel("\(folder)/\(pointer)") {
            return "\(folder)/\(pointer)"
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let steps = names.compactMap { name -> (Int, String)? in
            guard name.hasPrefix("step-"), let step = Int(name.dropFirst("step-".count)),
                isModel("\(folder)/\(name)")
            else { return nil }
            return (step, name)
        }
        return steps.max { $0.0 < $1.0 }.map { "\(folder)/\($0.1)" }
    }
}
