import Datasets
import Inference
import Torch
import TorchNN
import VisionModels

/// A network as the supervised learner drives it.
struct TrainedNetwork {
    let module: Module
    /// What a batch of validation images adds, as ``Validation`` sums it up.
    let score: Validation.Score
    /// Writes the model into an empty folder.
    let save: (_ folder: String) throws -> Void
    /// Reads the weights of such a folder back, in place.
    let load: (_ folder: String) throws -> Void
    /// Explains where numbers stop being finite in a forward pass, where the network can tell.
    let firstNonFiniteLayer: (Tensor) -> String?
}

/// Measures networks on the validation images, in one pass over them.
@ModelActor
enum Validation {
    /// What the images of a batch score.
    struct BatchScore {
        /// The mean loss; where classes are predicted the number of right ones; and of two heads the right ones of each.
        var numbers: [Tensor]
        /// The predicted classes, `[batch]`; nil where no classes are.
        var predictions: Tensor?
    }

    /// The score of pixels by their labels.
    typealias Score = (_ pixels: Tensor, _ labels: Tensor) throws -> BatchScore

    /// The sums of each network, or nil where a signal asked to stop in between.
    ///
    /// - Parameters:
    ///   - networks: The networks; they are left in evaluation mode.
    ///   - loader: The images, every one once.
    ///   - stop: Asks to stop.
    ///   - end: When to stop with the images so far; nil for never.
    ///   - group: The processes, each of which has a part of the images; nil for one process.
    /// - Returns: What the images add up to, in the order of the networks.
    /// - Throws: What reading images or computing throws.
    static func run(
        _ networks: [TrainedNetwork],
        on loader: DataLoader,
        stop: StopRequest,
        until end: ContinuousClock.Instant? = nil,
        group: ProcessGroup? = nil
    ) async throws -> [Sums]? {
        for network in networks { network.module.eval() }
        let classes = loader.dataset.classNames.count
        var sums = networks.map { _ in Sums(classes: classes) }
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard stop.signal == nil else { return nil }
            guard batch.count > 0 else { continue }
            let (pixels, labels) = (try batch.tensor(), try batch.labelTensor())
            for index in networks.indices {
                let score = try withoutGradient { try networks[index].score(pixels, labels) }
                try sums[index].add(score, labels: batch.labels)
            }
            if let end, ContinuousClock.now >= end { break }
        }
        if let group { sums = try sums.map { try $0.added(over: group) } }
        return sums
    }

    /// The score of a model alone, whatever it is in evaluation.
    static func score(
        of forward: @escaping ClassifierForward,
        on loader: DataLoader
    ) async throws -> ValidationScore {
        var sums = Sums(classes: loader.dataset.classNames.count)
        let score = score(of: forward)
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            let (pixels, labels) = (try batch.tensor(), try batch.labelTensor())
            try sums.add(withoutGradient { try score(pixels, labels) }, labels: batch.labels)
        }
        return sums.score ?? ValidationScore(loss: 0, top1: 0, count: 0)
    }

    /// Scores a classifier by its prediction and by each of its heads.
    nonisolated static func score(of forward: @escaping ClassifierForward) -> Score {
        { pixels, labels in
            let logits = try forward(pixels).single()
            let averaged = try logits.averaged()
            let predictions = try averaged.argmax(1)
            var numbers = [
                try Loss.crossEntropy(averaged, labels: labels),
                try correct(predictions, labels),
            ]
            if let dist = logits.dist {
                numbers += [
                    try correct(logits.cls.argmax(1), labels), try correct(dist.argmax(1), labels),
                ]
            }
            return BatchScore(numbers: numbers, predictions: predictions)
        }
    }

    /// Scores by a loss of one's own, and by the prediction where it gives one.
    nonisolated static func score(of task: any TrainingTask) -> Score {
        { pixels, labels in
            let result = try task(pixels: pixels, labels: labels)
            let loss = try result.loss.to(.float32)
            guard let prediction = result.prediction else { return BatchScore(numbers: [loss]) }
            let predictions = try prediction.argmax(1)
            return BatchScore(
                numbers: [loss, try correct(predictions, labels)],
                predictions: predictions
            )
        }
    }

    /// What the validation images of a network add up to.
    struct Sums {
        private var loss = 0.0
        private var right: [Double] = []
        private(set) var count = 0
        private var classes: [ClassScore]

        /// Nothing yet, of that many classes.
        init(classes: Int) { self.classes = Array(repeating: ClassScore(), count: classes) }

        /// Adds a batch; the numbers come from the device at once.
        mutating func add(_ score: BatchScore, labels: [Int]) throws {
            var parts = [try Tensor.stack(score.numbers)]
            // Whole numbers up to 2^24 are exact as floats.
            if let predictions = score.predictions { parts.append(try predictions.to(.float32)) }
            let values = try Tensor.cat(parts, dim: 0).floats()
            let (numbers, predictions) = (
                values.prefix(score.numbers.count), values.dropFirst(score.numbers.count)
            )
            loss += Double(numbers[0]) * Double(labels.count)
            if right.isEmpty { right = numbers.dropFirst().map { _ in 0 } }
            for index in right.indices { right[index] += Double(numbers[index + 1]) }
            for (label, prediction) in zip(labels, predictions) {
                classes.count(label: label, prediction: Int(prediction))
            }
            count += labels.count
        }

        /// The sums over all processes.
        func added(over group: ProcessGroup) throws(ProcessGroupError) -> Sums {
            // Loss and the right ones of up to three predictions; a process without images knows of none.
            let most = 3
            let head = [loss, Double(count), Double(right.count), right.isEmpty ? 0 : 1]
            let counts = classes.flatMap { [$0.support, $0.predicted, $0.right].map(Double.init) }
            let sums = try group.sum(
                head + right + Array(repeating: 0, count: most - right.count) + counts
            )
            var added = self
            added.loss = sums[0]
            added.count = Int(sums[1])
            let width = sums[3] == 0 ? 0 : Int(sums[2] / sums[3])
            added.right = Array(sums[head.count..<(head.count + width)])
            for index in classes.indices {
                let start = head.count + most + 3 * index
                added.classes[index] = ClassScore(
                    support: Int(sums[start]),
                    predicted: Int(sums[start + 1]),
                    right: Int(sums[start + 2])
                )
            }
            return added
        }

        /// The mean loss of an image; nil where there were none.
        var meanLoss: Double? { count == 0 ? nil : loss / Double(count) }

        /// The score; nil of a network that predicts no classes.
        var score: ValidationScore? {
            guard let first = right.first else { return nil }
            let images = Double(max(count, 1))
            return ValidationScore(
                loss: loss / images,
                top1: first / images,
                clsTop1: right.count > 1 ? right[1] / images : nil,
                distTop1: right.count > 2 ? right[2] / images : nil,
                count: count,
                classes: classes
            )
        }
    }

    private nonisolated static func correct(
        _ predictions: Tensor,
        _ labels: Tensor
    ) throws(TorchError) -> Tensor {
        try predictions.equal(labels).to(.float32).sum()
    }
}
