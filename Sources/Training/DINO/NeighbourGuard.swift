import Datasets
import Torch
import TorchNN
import VisionModels

/// Measures features by the votes of nearest neighbours, while a run goes on.
@ModelActor
final class NeighbourGuard {
    /// The neighbours that vote, as in DINO's evaluation.
    private static let k = 20

    private let bank: DataLoader
    private let queries: DataLoader

    init(bank: DataLoader, queries: DataLoader) {
        self.bank = bank
        self.queries = queries
    }

    /// The pictures that go through the network each time.
    var pictureCount: Int { bank.dataset.count + queries.dataset.count }

    /// The share of pictures whose class gets the most votes, 0 to 1; nil where a signal asked to stop in between.
    func accuracy(
        of backbone: any ImageClassifier,
        dtype: DType?,
        stop: StopRequest
    ) async throws -> Double? {
        let wasTraining = backbone.isTraining
        backbone.eval()
        defer { backbone.train(wasTraining) }
        guard let known = try await features(of: backbone, bank, dtype, stop),
            let asked = try await features(of: backbone, queries, dtype, stop)
        else { return nil }
        let classifier = try KNNClassifier(known)
        return try classifier.accuracies(of: asked, k: [Self.k]).first?.top1
    }

    private func features(
        of backbone: any ImageClassifier,
        _ loader: DataLoader,
        _ dtype: DType?,
        _ stop: StopRequest
    ) async throws -> FeatureSet? {
        var values: [Float] = []
        var labels: [Int] = []
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard stop.signal == nil else { return nil }
            guard batch.count > 0 else { continue }
            let pixels = try batch.tensor()
            values += try withoutGradient { () throws(TorchError) in
                try withAutocast(dtype) { () throws(TorchError) in
                    try backbone.pooledFeatures(pixels).to(.float32)
                }
                .floats()
            }
            labels += batch.labels
        }
        return try FeatureSet(
            values,
            width: labels.isEmpty ? 0 : values.count / labels.count,
            labels: labels,
            classCount: loader.dataset.classNames.count
        )
    }
}
