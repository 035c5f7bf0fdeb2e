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
    ///
    /// Of images with several labels, with the probability from which each class counts as recognised.
    let save: (_ folder: String, _ thresholds: [Double]?) throws -> Void
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
        /// Of images with several labels: the logits, `[batch, classes]`, and of two heads those of each.
        var logits: [Tensor] = []
    }

    /// The score of pixels by their targets.
    typealias Score = (_ pixels: Tensor, _ targets: TrainingTargets) throws -> BatchScore

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
            let input = try StepInput(batch)
            for index in networks.indices {
                let score = try withoutGradient {
                    try networks[index].score(input.pixels, input.targets)
                }
                try sums[index].add(score, batch, of: loader.dataset)
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
            let input = try StepInput(batch)
            try sums.add(
                withoutGradient { try score(input.pixels, input.targets) },
                batch,
                of: loader.dataset
            )
        }
        return sums.score ?? ValidationScore(loss: 0, top1: 0, count: 0)
    }

    /// Scores a classifier by its prediction and by each of its heads.
    nonisolated static func score(of forward: @escaping ClassifierForward) -> Score {
        { pixels, targets in
            let logits = try forward(pixels).single()
            let averaged = try logits.averaged()
            if targets.isMultiLabel {
                return BatchScore(
                    numbers: [try ClassificationLoss()(averaged, targets)],
                    logits: [averaged] + (logits.dist.map { [logits.cls, $0] } ?? [])
                )
            }
            let labels = targets.labels
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
        { pixels, targets in
            let result = try task(pixels: pixels, targets: targets)
            let loss = try result.loss.to(.float32)
            guard let prediction = result.prediction else { return BatchScore(numbers: [loss]) }
            if targets.isMultiLabel { return BatchScore(numbers: [loss], logits: [prediction]) }
            let labels = targets.labels
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
        /// Of images with several labels: what the model says, and of two heads what each says.
        private var several: [MultiLabelScores] = []

        /// Nothing yet, of that many classes.
        init(classes: Int) { self.classes = Array(repeating: ClassScore(), count: classes) }

        /// Adds a batch of a data set.
        mutating func add(
            _ score: BatchScore,
            _ batch: ImageBatch,
            of dataset: any ImageDataset
        ) throws {
            guard score.logits.isEmpty else {
                if several.isEmpty {
                    several = score.logits.map { _ in MultiLabelScores(classes: classes.count) }
                }
                let labels = batch.indices.map(dataset.labels)
                for (head, logits) in score.logits.enumerated() {
                    several[head].add(logits: try logits.to(.float32).floats(), labels: labels)
                }
                loss += try score.numbers[0].item() * Double(batch.count)
                count += batch.count
                return
            }
            try add(score, labels: batch.labels)
        }

        /// Adds a batch; the numbers come from the device at once.
        private mutating func add(_ score: BatchScore, labels: [Int]) throws {
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
            if let both = several.first { return score(both) }
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

        /// The score of images with several labels, by the thresholds that are best for them.
        private func score(_ both: MultiLabelScores) -> ValidationScore {
            let thresholds = both.bestThresholds
            let scores = both.classScores(thresholds: thresholds)
            var score = ValidationScore(
                loss: loss / Double(max(count, 1)),
                top1: both.topIsPresent ?? 0,
                count: count,
                classes: scores
            )
            score.meanAveragePrecision = both.meanAveragePrecision
            score.averagePrecisions = both.averagePrecisions
            score.microF1 = scores.microF1
            score.thresholds = thresholds
            if several.count > 2 {
                score.clsMeanAveragePrecision = several[1].meanAveragePrecision
                score.distMeanAveragePrecision = several[2].meanAveragePrecision
            }
            return score
        }
    }

    private nonisolated static func correct(
        _ predictions: Tensor,
        _ labels: Tensor
    ) throws(TorchError) -> Tensor {
        try predictions.equal(labels).to(.float32).sum()
    }
}
