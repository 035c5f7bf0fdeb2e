import Datasets
import Inference
import Torch
import TorchNN
import VisionModels

/// Measures the model and the averaged weights on the validation images, in one pass over them.
@ModelActor
enum Validation {
    /// The scores of the model and of the average, or nil where a signal asked to stop in between.
    static func run(
        _ parts: TrainingParts,
        stop: StopRequest
    ) async throws -> (model: ValidationScore, average: ValidationScore?)? {
        if let average = parts.average, let ema = parts.ema { try copy(ema, into: average.module) }
        let models = [parts.student] + (parts.average.map { [$0] } ?? [])
        for model in models { model.module.eval() }
        defer { parts.student.module.trainUnfrozen(parts.plan.options.trainMode) }
        var scores = models.map { _ in Sums() }
        var batches = parts.validationLoader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard stop.signal == nil else { return nil }
            guard batch.count > 0 else { continue }
            let pixels = try batch.tensor()
            let labels = try Tensor(batch.labels.map(Int64.init), shape: [batch.count])
            for index in models.indices {
                try scores[index].add(models[index].forward, pixels, labels)
            }
        }
        return (scores[0].score, scores.count > 1 ? scores[1].score : nil)
    }

    /// The score of a model alone, whatever it is in evaluation.
    static func score(
        of forward: ClassifierForward,
        on loader: DataLoader
    ) async throws -> ValidationScore {
        var sums = Sums()
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            let labels = try Tensor(batch.labels.map(Int64.init), shape: [batch.count])
            try sums.add(forward, batch.tensor(), labels)
        }
        return sums.score
    }

    private static func copy(
        _ ema: ExponentialMovingAverage,
        into module: Module
    ) throws(TorchError) {
        let targets = Dictionary(
            module.namedTensors().map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
        for (name, value) in ema.namedTensors() { try targets[name]?.copy(from: value) }
    }

    private struct Sums {
        var loss = 0.0
        var top1 = 0.0
        var cls = 0.0
        var dist = 0.0
        var isDistilled = false
        var count = 0

        /// Adds a batch; the numbers come from the device at once.
        mutating func add(
            _ forward: ClassifierForward,
            _ pixels: Tensor,
            _ labels: Tensor
        ) throws(TorchError) {
            let numbers = try withoutGradient { () throws(TorchError) -> [Float] in
                let logits = try forward(pixels).single()
                let averaged = try logits.averaged()
                var parts = [
                    try Loss.crossEntropy(averaged, labels: labels),
                    try Validation.correct(averaged, labels),
                ]
                if let dist = logits.dist {
                    parts += [
                        try Validation.correct(logits.cls, labels),
                        try Validation.correct(dist, labels),
                    ]
                }
                return try Tensor.stack(parts).floats()
            }
            let images = labels.elementCount
            loss += Double(numbers[0]) * Double(images)
            top1 += Double(numbers[1])
            isDistilled = numbers.count == 4
            if isDistilled {
                cls += Double(numbers[2])
                dist += Double(numbers[3])
            }
            count += images
        }

        var score: ValidationScore {
            let images = Double(max(count, 1))
            return ValidationScore(
                loss: loss / images,
                top1: top1 / images,
                clsTop1: isDistilled ? cls / images : nil,
                distTop1: isDistilled ? dist / images : nil,
                count: count
            )
        }
    }

    private nonisolated static func correct(
        _ logits: Tensor,
        _ labels: Tensor
    ) throws(TorchError) -> Tensor {
        try logits.argmax(1).equal(labels).to(.float32).sum()
    }
}
