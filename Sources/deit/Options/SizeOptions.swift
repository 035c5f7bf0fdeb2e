public import ArgumentParser
import Checkpoints
import Evaluation
import ImagePipeline
import Inference
import Torch
public import VisionModels

extension PositionEmbeddingResampling: ExpressibleByArgument {}

/// Images of another size than those that the model was made for.
struct SizeOptions: ParsableArguments {
    @Option(
        help: "Input size in pixels: 384, or 224x448 with the height first (default: the model's)."
    )
    var size: String?

    @Option(
        help: "Resampling of position embeddings to --size: deit, timm, hf, dino or dinov2."
    )
    var resample: PositionEmbeddingResampling?

    func validate() throws {
        _ = try size.map(ImageSides.parse)
        guard resample == nil || size != nil else {
            throw ValidationError("--resample needs --size")
        }
    }

    /// Loads the model for images of this size.
    ///
    /// - Parameters:
    ///   - checkpoint: The checkpoint, which may have no classifier.
    ///   - isPacked: Whether weights are kept only as they are multiplied; the model cannot be saved then.
    /// - Returns: The model, whose processor makes images of this size.
    /// - Throws: The errors of loading, `EvaluationError.fixedSize` for a transformer without `--resample`.
    @ModelActor
    func predictor(
        _ checkpoint: CheckpointOptions,
        isPacked: Bool = false
    ) async throws -> Predictor {
        let sides = try size.map(ImageSides.parse)
        let loaded = try await checkpoint.load(allowing: .noHead) { options in
            // A grid of patches that is not square needs both sides to be understood at all.
            guard let sides, resample != nil || sides.width != nil else { return }
            options.imageSize = sides.size
            options.positionResampling = resample
        }
        guard let sides, resample == nil, sides.width == nil else {
            return try Predictor(loaded, isPacked: isPacked)
        }
        let processor = try Evaluator.processor(size: sides.height, for: loaded.description)
        return try Predictor(loaded.with(processor), isPacked: isPacked)
    }
}
