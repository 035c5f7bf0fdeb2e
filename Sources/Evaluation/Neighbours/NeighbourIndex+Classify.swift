import Checkpoints
import Datasets
import Torch
import TorchNN
import Training

extension NeighbourIndex {
    /// Classifies images by the votes of their neighbours.
    ///
    /// - Parameters:
    ///   - images: The images.
    ///   - top: How many classes to return for each, at least 1; fewer where fewer got votes.
    ///   - workers: How many batches are read at the same time, at least 1.
    ///   - deliver: Called for each image in the list's order; a prediction's score is the class's share of the votes.
    /// - Throws: `NeighbourError/oneClass`, `TorchError`, and what `deliver` throws. An image that cannot be used is a
    ///   result of its own.
    @ModelActor
    public func classify(
        _ images: ImageFileList,
        top: Int,
        workers: Int = 2,
        deliver: (ImageResult) throws -> Void
    ) async throws {
        let classifier = try KNNClassifier(features.set(), temperature: settings.temperature)
        let extractor = try FeatureExtractor(loaded, settings.request)
        loaded.model.eval()
        try await ImageFileClassifier.run(
            images,
            processor: loaded.description.processor,
            workers: workers,
            predict: { batch in
                let arrays = try extractor(batch.tensor())
                var values: [Float] = []
                for row in batch.indices.indices {
                    for (column, array) in zip(extractor.columns, arrays) {
                        values += array[(row * column.count)..<((row + 1) * column.count)]
                    }
                }
                return try predictions(values, batch, classifier, images, top: top)
            },
            deliver: deliver
        )
    }

    private func predictions(
        _ values: [Float],
        _ batch: ImageBatch,
        _ classifier: KNNClassifier,
        _ images: ImageFileList,
        top: Int
    ) throws -> [ImagePrediction] {
        let queries = try FeatureSet(
            values,
            width: features.width,
            labels: batch.indices.map { _ in 0 },
            classCount: 1
        )
        let (votes, neighbours) = try classifier.classify(queries, k: settings.k)
        return batch.indices.indices.map { row in
            ImagePrediction(
                file: images.name(at: batch.indices[row]),
                predictions: votes[row].prefix(max(1, top)).map {
                    .init(label: features.classNames[$0.label], index: $0.label, score: $0.share)
                },
                neighbours: neighbours.range(of: row).map { index in
                    let place = neighbours.places[index]
                    return .init(
                        file: features.names[place],
                        label: features.classNames[features.labels[place]],
                        similarity: Double(neighbours.similarities[index])
                    )
                }
            )
        }
    }
}
