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
    /// Of pixels and labels: the mean loss; where classes are predicted the number of right ones; and of two heads the
    /// right ones of each.
    typealias Score = (_ pixels: Tensor, _ labels: Tensor) throws -> [Tensor]

    /// The sums of each network, or nil where a signal asked to stop in between.
    ///
    /// - Parameters:
    ///   - networks: The networks; they are left in evaluation mode.
    ///   - loader: The images, every one once.
    ///   - stop: Asks to stop.
    /// - Returns: What the images add up to, in the order of the networks.
    /// - Throws: What reading images or computing throws.
    static func run(
        _ networks: [TrainedNetwork],
        on loader: DataLoader,
        stop: StopRequest
    ) async throws -> [Sums]? {
        for network in networks { network.module.eval() }
        var sums = networks.map { _ in Sums() }
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard stop.signal == nil else { return nil }
            guard batch.count > 0 else { continue }
            let (pixels, labels) = (try batch.tensor(), try batch.labelTensor())
            for index in networks.indices {
                try sums[index].add(networks[index].score, pixels, labels)
            }
        }
        return sums
    }

    /// The score of a model alone, whatever it is in evaluation.
    static func score(
        of forward: @escaping ClassifierForward,
        on loader: DataLoader
    ) async throws -> ValidationScore {
        var sums = Sums()
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            try sums.add(score(of: forward), batch.tensor(), batch.labelTensor())
        }
        return sums.score ?? ValidationScore(loss: 0, top1: 0, count: 0)
    }

    /// Scores a classifier by its prediction and by each of its heads.
    nonisolated static func score(of forward: @escaping ClassifierForward) -> Score {
        { pixels, labels in
            let logits = try forward(pixels).single()
            let averaged = try logits.averaged()
            var parts = [
                try Loss.crossEntropy(averaged, labels: labels),
                try correct(averaged, labels),
            ]
            if let dist = logits.dist {
                parts += [try correct(logits.cls, labels), try correct(dist, labels)]
            }
            return parts
        }
    }

    /// Scores by a loss of one's own, and by the prediction where it gives one.
    nonisolated static func score(of task: any TrainingTask) -> Score {
        { pixels, labels in
            let result = try task(pixels: pixels, labels: labels)
            let loss = try result.loss.to(.float32)
            guard let prediction = result.prediction else { return [loss] }
            return [loss, try correct(prediction, labels)]
        }
    }

    /// What the validation images of a network add up to.
    struct Sums {
        private var loss = 0.0
        private var right: [Double] = []
        private var count = 0

        /// Adds a batch; the numbers come from the device at once.
        mutating func add(_ score: Score, _ pixels: Tensor, _ labels: Tensor) throws {
            let numbers = try withoutGradient { try Tensor.stack(score(pixels, labels)).floats() }
            let images = labels.elementCount
            loss += Double(numbers[0]) * Double(images)
            if right.isEmpty { right = numbers.dropFirst().map { _ in 0 } }
            for index in right.indices { right[index] += Double(numbers[index + 1]) }
            count += images
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
