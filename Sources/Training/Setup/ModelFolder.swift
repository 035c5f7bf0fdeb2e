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
        try StoredTensors.check(
            stored,
            fit: targets,
            file: folder,
            hint: "the run was started with another model"
        )
        try StoredTensors.copy(stored, into: targets)
    }
}
