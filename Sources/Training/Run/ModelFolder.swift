import Checkpoints
import Torch
import TorchNN
import VisionModels

/// Reads the weights of a model directory into a network that exists.
enum ModelFolder {
    static func load(_ folder: String, into model: any ImageClassifier) throws {
        try StoredTensors.copy(
            ModelDirectory.load(folder).model,
            into: model,
            file: folder,
            hint: "the run was started with another model"
        )
    }
}
