import Datasets
import Inference
import Torch

/// A batch as tensors.
struct StepInput {
    /// `[count, channels, height, width]`.
    let pixels: Tensor
    let targets: TrainingTargets
    let count: Int

    init(pixels: Tensor, targets: TrainingTargets) {
        self.pixels = pixels
        self.targets = targets
        count = targets.labels.elementCount
    }

    init(_ batch: ImageBatch) throws(TorchError) {
        self.init(
            pixels: try batch.tensor(),
            targets: TrainingTargets(
                labels: try batch.labelTensor(),
                soft: try batch.targetTensor(),
                isMultiLabel: batch.isMultiLabel
            )
        )
    }

    /// The same images with what the teacher says of them, `[count, classes]`.
    func answered(by teacher: Tensor) -> StepInput {
        let targets = TrainingTargets(
            labels: targets.labels,
            soft: targets.soft,
            isMultiLabel: targets.isMultiLabel,
            teacher: teacher
        )
        return StepInput(pixels: pixels, targets: targets)
    }

    /// Divides the images into parts of nearly one size, in their order; at most one for each image.
    func divided(into parts: Int) throws(TorchError) -> [StepInput] {
        guard parts > 1, count > 1 else { return [self] }
        var divided: [StepInput] = []
        for range in BatchParts(of: count, into: parts).ranges {
            divided.append(
                StepInput(
                    pixels: try pixels.narrowed(0, range),
                    targets: try targets.narrowed(range)
                )
            )
        }
        return divided
    }
}
