import Checkpoints
import Torch
import TorchNN
import VisionModels

/// A checkpoint's weights for a network that learns without labels, `--init`.
@ModelActor
enum BackboneStart {
    /// Fills networks from one checkpoint, with its positions resampled where its images had another size.
    ///
    /// - Parameters:
    ///   - path: The checkpoint; a classifier in it is left aside.
    ///   - configuration: What the networks are.
    ///   - networks: What is filled.
    /// - Returns: What was not simply taken over, for a person.
    /// - Throws: The errors of loading a checkpoint.
    static func load(
        _ path: String,
        for configuration: ModelConfiguration,
        into networks: [Module]
    ) throws -> [String] {
        let size = configuration.imageSize
        let loaded = try ModelDirectory.load(
            path,
            options: LoadOptions(
                relaxations: [.noHead, .dropHead],
                imageSize: LoadOptions.ImageSize(height: size.height, width: size.width),
                positionResampling: .dino
            )
        )
        let (found, wanted) = (kind(loaded.description.configuration), kind(configuration))
        guard found == wanted else {
            throw CheckpointError.unsupported(
                file: path,
                reason: "it contains \(found), but the run has \(wanted): "
                    + "choose the --model that it contains"
            )
        }
        for network in networks {
            try StoredTensors.copy(
                loaded.model,
                into: network,
                file: path,
                hint: "choose the --model that it contains"
            )
        }
        return loaded.report.sentences
    }

    /// What a network is, as far as its weights depend on it.
    private static func kind(_ configuration: ModelConfiguration) -> String {
        guard let transformer = configuration.transformer else { return configuration.network.kind }
        return "\(transformer.kind), width \(transformer.embedDim) and patches of "
            + "\(transformer.patchSize)\(transformer.isDistilled ? " with a distillation token" : "")"
    }
}
