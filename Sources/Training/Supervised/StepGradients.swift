import Torch
import TorchNN

/// The gradients of a step's images, part by part.
///
/// A part's loss counts by its share of the images, so the gradients add up to those of all images at once, but for
/// rounding, wherever the loss is a mean over images and the network treats each by itself. Batch normalisation does
/// not; and stochastic depth draws other numbers for other parts.
@ModelActor
enum StepGradients {
    /// What a step is judged by.
    struct Numbers {
        /// The mean loss of the images.
        var loss = 0.0
        /// The images whose class was predicted; of mixed ones, the class with the largest share.
        var correct = 0.0
        /// The norm of all gradients, where it was asked for.
        var gradientNorm: Double?
        /// What else the method watches, by its name in `metrics.jsonl`.
        var others: [String: Double] = [:]

        /// Whether the step may be taken.
        var areFinite: Bool { loss.isFinite && gradientNorm?.isFinite ?? true }
    }

    /// Adds the gradients of the images to those that the parameters have.
    ///
    /// - Parameters:
    ///   - task: What is learnt.
    ///   - input: The images.
    ///   - parts: Into how many parts they are divided.
    ///   - optimizer: The optimiser whose gradients' norm is wanted, or nil.
    /// - Returns: The numbers, read from the device at once.
    /// - Throws: `TorchError` when the shapes do not fit.
    static func add(
        _ task: any TrainingTask,
        _ input: StepInput,
        parts: Int,
        norm optimizer: (any Optimizer)? = nil
    ) throws -> Numbers {
        var losses: [Tensor] = []
        var correct: [Tensor] = []
        for part in try input.divided(into: parts) {
            let result = try task(pixels: part.pixels, targets: part.targets)
            let share = Double(part.count) / Double(input.count)
            let loss = share == 1 ? result.loss : try result.loss * share
            try loss.backward()
            losses.append(try loss.detached())
            let hits = try result.prediction.argmax(1).equal(part.targets.classes())
            correct.append(try hits.to(.float32).sum())
        }
        var wanted = [try Tensor.stack(losses).sum(), try Tensor.stack(correct).sum()]
        if let norm = try optimizer?.gradientNorm() { wanted.append(norm) }
        let numbers = try Tensor.stack(wanted).floats()
        return Numbers(
            loss: Double(numbers[0]),
            correct: Double(numbers[1]),
            gradientNorm: optimizer == nil ? nil : numbers.count > 2 ? Double(numbers[2]) : 0
        )
    }
}
