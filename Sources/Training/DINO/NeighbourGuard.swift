import Datasets
import Inference
import Torch
import TorchNN
import VisionModels

/// Measures features by the votes of nearest neighbours, while a run goes on.
///
/// `Predictor` owns a loaded model and keeps it in evaluation mode; this one asks the network that is being trained, and
/// raw pixels, stops at a signal in between, and gives the network back in the mode it had. Batches become tensors and
/// passes get their type where a predictor's do.
@ModelActor
final class NeighbourGuard {
    /// The neighbours that vote, as in DINO's evaluation.
    private static let k = 20

    private let bank: DataLoader
    private let queries: DataLoader

    /// The processes, each of which computes the features of a part of the images; nil for one process.
    var group: ProcessGroup?

    init(bank: DataLoader, queries: DataLoader) {
        self.bank = bank
        self.queries = queries
    }

    /// The images that go through the network each time.
    var imageCount: Int { bank.dataset.count + queries.dataset.count }

    /// The same of raw pixels, normalised as for a network, at most 32 on a side.
    func accuracyOfPixels(stop: StopRequest) async throws -> Double? {
        try await accuracy(stop) { (pixels) throws(TorchError) in
            let side = 32
            let isLarge = pixels.shape.suffix(2).contains { $0 > side }
            let small =
                try isLarge
                ? Functional.resize2d(
                    pixels,
                    height: side,
                    width: side,
                    resampling: .bilinear,
                    antialias: true
                ) : pixels
            return try small.reshaped([pixels.shape[0], -1])
        }
    }

    /// The share of images whose class gets the most votes, 0 to 1; nil where a signal asked to stop in between.
    func accuracy(
        of backbone: any ImageClassifier,
        dtype: DType,
        stop: StopRequest
    ) async throws -> Double? {
        let wasTraining = backbone.isTraining
        backbone.eval()
        defer { backbone.train(wasTraining) }
        return try await accuracy(stop, dtype: dtype) { (pixels) throws(TorchError) in
            try backbone.pooledFeatures(pixels).to(.float32)
        }
    }

    private func accuracy(
        _ stop: StopRequest,
        dtype: DType = .float32,
        of features: (Tensor) throws(TorchError) -> Tensor
    ) async throws -> Double? {
        let pass = ForwardPass(dtype: dtype)
        guard let known = try await vectors(bank, stop, pass, features),
            let asked = try await vectors(queries, stop, pass, features)
        else { return nil }
        let classifier = try KNNClassifier(known)
        return try classifier.accuracies(of: asked, k: [Self.k]).first?.top1
    }

    private func vectors(
        _ loader: DataLoader,
        _ stop: StopRequest,
        _ pass: ForwardPass,
        _ features: (Tensor) throws(TorchError) -> Tensor
    ) async throws -> FeatureSet? {
        var values: [Float] = []
        var (labels, indices): ([Int], [Int]) = ([], [])
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard stop.signal == nil else { return nil }
            guard batch.count > 0 else { continue }
            let pixels = try batch.tensor()
            values += try pass { () throws(TorchError) in try features(pixels).floats() }
            labels += batch.labels
            indices += batch.indices
        }
        if let group { (values, labels) = try Self.gather(values, labels, indices, over: group) }
        return try FeatureSet(
            values,
            width: labels.isEmpty ? 0 : values.count / labels.count,
            labels: labels,
            classCount: loader.dataset.classNames.count
        )
    }

    /// The features and labels of all processes, in the order of the images: neighbours of one distance vote by their order.
    private static func gather(
        _ values: [Float],
        _ labels: [Int],
        _ indices: [Int],
        over group: ProcessGroup
    ) throws -> (values: [Float], labels: [Int]) {
        let own = labels.isEmpty ? 0 : values.count / labels.count
        // A process without images does not know how wide features are.
        let width = try group.gather("\(own)").compactMap(Int.init).max() ?? 0
        let all = try group.gather(rows: Tensor(values, shape: [labels.count, width])).floats()
        let places = try group.gather(
            rows: Tensor(
                zip(indices, labels).flatMap { [Int64($0), Int64($1)] },
                shape: [labels.count, 2]
            )
        ).int64s().map(Int.init)
        let rows = (0..<(places.count / 2)).sorted { places[2 * $0] < places[2 * $1] }
        return (
            rows.flatMap { all[($0 * width)..<(($0 + 1) * width)] }, rows.map { places[2 * $0 + 1] }
        )
    }
}
