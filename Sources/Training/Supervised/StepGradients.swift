import Torch
import TorchNN

/// The gradients of a step's images, part by part.
///
/// ``BatchParts`` says when they equal those of all images at once: batch normalisation does not treat each image
/// independently, and stochastic depth draws other numbers for other parts.
@ModelActor
enum StepGradients {
    /// Adds the gradients of the images to those that the parameters have.
    ///
    /// - Parameters:
    ///   - task: What is learnt.
    ///   - input: The images.
    ///   - parts: Into how many parts they are divided.
    ///   - optimizer: The optimiser whose gradients' norm is wanted, or nil.
    ///   - across: How gradients are averaged over several processes, and the optimiser of all of them; nil for one process.
    ///   - scaling: What scales the loss, and the optimiser whose gradients it divides again; nil for none.
    /// - Returns: The numbers, read from the device at once.
    /// - Throws: `TorchError` when the shapes do not fit.
    static func add(
        _ task: any TrainingTask,
        _ input: StepInput,
        parts: Int,
        norm optimizer: (any Optimizer)? = nil,
        across: (exchange: GradientExchange, optimizer: any Optimizer)? = nil,
        scaling: (scaler: GradientScaler, optimizer: any Optimizer)? = nil
    ) throws -> StepNumbers {
        var losses: [Tensor] = []
        var correct: [Tensor] = []
        for part in try input.divided(into: parts) {
            let result = try task(pixels: part.pixels, targets: part.targets)
            let share = Double(part.count) / Double(input.count)
            let loss = share == 1 ? result.loss : try result.loss * share
            try loss.backward(scaledBy: scaling?.scaler)
            losses.append(try loss.detached().to(.float32))
            // Of images with several labels there is no one right class.
            if let prediction = result.prediction, !part.targets.isMultiLabel {
                let hits = try prediction.argmax(1).equal(part.targets.classes())
                correct.append(try hits.to(.float32).sum())
            }
        }
        if let across {
            let numbers = try across.exchange.average(
                gradientsOf: across.optimizer,
                images: input.count,
                means: [Tensor.stack(losses).sum()],
                totals: correct.isEmpty ? [] : [Tensor.stack(correct).sum()]
            )
            return StepNumbers(
                numbers,
                gradientNorm: try optimizer.map { try $0.gradientNorm()?.item() ?? 0 }
            )
        }
        var wanted = [try Tensor.stack(losses).sum()]
        if !correct.isEmpty { wanted.append(try Tensor.stack(correct).sum()) }
        if let scaling { wanted.append(try scaling.scaler.unscale(scaling.optimizer.gradients())) }
        let norm = try optimizer?.gradientNorm()
        if let norm { wanted.append(norm) }
        let values = try Tensor.stack(wanted).floats().map(Double.init)
        var numbers = StepNumbers(
            loss: values[0],
            correct: correct.isEmpty ? nil : values[1],
            gradientNorm: optimizer == nil ? nil : norm == nil ? 0 : values.last
        )
        if scaling != nil { numbers.overflowed = values[correct.isEmpty ? 1 : 2] != 0 }
        return numbers
    }
}

extension StepNumbers {
    /// The numbers of all processes: the mean loss and, where classes are predicted, the right predictions.
    fileprivate init(_ numbers: GradientExchange.Numbers, gradientNorm: Double?) {
        self.init(
            loss: numbers.means[0],
            correct: numbers.totals.first,
            gradientNorm: gradientNorm
        )
        images = numbers.images
    }
}
