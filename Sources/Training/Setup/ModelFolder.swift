import Checkpoints
import Torch
import TorchNN
import VisionModels

/// Reads the weights of a model directory into a network that exists.
enum ModelFolder {
    static func load(_ folder: String, into model: any ImageClassifier) throws {
        let stored = Dictionary(
            try ModelDirectory.load(folder).model.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        let targets = model.namedTensors()
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
        let missing = targets.map(\.name).filter { stored[$0] == nil }
        let known = Set(targets.map(\.name))
        let unexpected = stored.keys.filter { !known.contains($0) }.sorted()
        guard missing.isEmpty, unexpected.isEmpty, shapes.isEmpty else {
            throw CheckpointError.incompatible(
                file: folder,
                missing: missing,
                unexpected: unexpected,
                shapes: shapes,
                hint: "the run was started with another model"
            )
        }
        for (name, tensor) in targets {
            if let value = stored[name] { try tensor.copy(from: value) }
        }
    }
}
