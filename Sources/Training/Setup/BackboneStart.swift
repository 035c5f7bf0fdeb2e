import Checkpoints
import Torch
import TorchNN
import VisionModels

/// A checkpoint's weights for a network that learns without labels, `--init`.
@ModelActor
enum BackboneStart {
    /// Fills networks from one checkpoint, with its positions resampled where its pictures had another size.
    ///
    /// - Parameters:
    ///   - path: The checkpoint; a classifier in it is left aside.
    ///   - size: The size of the networks' pictures.
    ///   - networks: What is filled.
    /// - Returns: What was not simply taken over, for a person.
    /// - Throws: The errors of loading a checkpoint.
    static func load(
        _ path: String,
        size: (height: Int, width: Int),
        into networks: [Module]
    ) throws -> [String] {
        let loaded = try ModelDirectory.load(
            path,
            options: LoadOptions(
                relaxations: [.noHead, .dropHead],
                imageSize: LoadOptions.ImageSize(height: size.height, width: size.width),
                positionResampling: .dino
            )
        )
        for network in networks {
            try StoredTensors.copy(
                loaded.model,
                into: network,
                file: path,
                hint: "choose the --model that it holds"
            )
        }
        return loaded.report.sentences
    }
}
