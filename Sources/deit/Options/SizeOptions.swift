public import ArgumentParser
import Checkpoints
import Evaluation
import ImagePipeline
import Torch
public import VisionModels

extension PositionEmbeddingResampling: ExpressibleByArgument {}

/// Pictures of another size than those that the model was made for.
struct SizeOptions: ParsableArguments {
    @Option(help: "The side of the pictures in pixels (default: the model's).")
    var size: Int?

    @Option(help: "How a transformer's positions get the grid of --size: deit, timm, hf or dino.")
    var resample: PositionEmbeddingResampling?

    func validate() throws {
        guard size.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--size must be at least 1")
        }
        guard resample == nil || size != nil else {
            throw ValidationError("--resample needs --size")
        }
    }

    /// Loads the model for pictures of this size.
    ///
    /// - Parameter checkpoint: The checkpoint, which may have no classifier.
    /// - Returns: The model, and the way from a picture to its input.
    /// - Throws: The errors of loading, `EvaluationError.fixedSize` for a transformer without `--resample`.
    @ModelActor
    func load(
        _ checkpoint: CheckpointOptions
    ) async throws -> (loaded: LoadedModel, processor: ImageProcessor) {
        let loaded = try await checkpoint.load(allowing: .noHead) { options in
            guard let size, let resample else { return }
            options.imageSize = .init(height: size, width: size)
            options.positionResampling = resample
        }
        guard let size, resample == nil else { return (loaded, loaded.description.processor) }
        return (loaded, try Evaluator.processor(size: size, for: loaded.description))
    }
}
