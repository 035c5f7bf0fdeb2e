public import Checkpoints
public import Datasets
import Digests
import Foundation
import Torch
import TorchNN
public import Training

/// The feature vectors of labelled images, in memory: four bytes a number.
public struct LabelledFeatures: Sendable, Equatable {
    /// The numbers, one vector after the other.
    public internal(set) var values: [Float]

    /// The numbers of a vector.
    public let width: Int

    /// The class of each image.
    public internal(set) var labels: [Int]

    /// What the images are called.
    public internal(set) var names: [String]

    /// What each image holds, as a digest of the pixels that the model sees; none where that is not known.
    ///
    /// Files of other names, formats or metadata with the same pixels have the same digest.
    public internal(set) var digests: [String]

    /// The names of the classes.
    public internal(set) var classNames: [String]

    /// The number of images.
    public var count: Int { labels.count }

    /// Creates features.
    ///
    /// - Parameters:
    ///   - values: The numbers, one vector after the other.
    ///   - width: The numbers of a vector.
    ///   - labels: The class of each image.
    ///   - names: What the images are called; as many as labels, or none.
    ///   - digests: What each image holds; as many as labels, or none. An empty text is one that is not known.
    ///   - classNames: The names of the classes.
    public init(
        values: [Float],
        width: Int,
        labels: [Int],
        names: [String] = [],
        digests: [String] = [],
        classNames: [String]
    ) {
        self.values = values
        self.width = width
        self.labels = labels
        self.names = names
        self.digests = digests
        self.classNames = classNames
    }

    /// Lets a model look at images.
    ///
    /// - Parameters:
    ///   - loader: The images, transformed by the model's processor.
    ///   - loaded: The model; it needs no classifier.
    ///   - request: The tokens; several are put one behind the other.
    ///   - progress: Called after each batch with the number of images done.
    /// - Returns: The features, without images that cannot be read.
    /// - Throws: ``EvaluationError``, `DatasetError` when the data cannot be read, `TorchError` when images do not fit
    ///   the model, `DigestError` where the system computes no SHA-256.
    @ModelActor
    public static func extract(
        _ loader: DataLoader,
        from loaded: LoadedModel,
        _ request: FeatureRequest,
        progress: (Int) -> Void = { _ in }
    ) async throws -> LabelledFeatures {
        guard !request.tokens.contains(.patch) else {
            throw EvaluationError.noSuchFeature(
                "patch tokens are many vectors an image and cannot be compared; take their mean"
            )
        }
        let extractor = try FeatureExtractor(loaded, request)
        let columns = extractor.columns
        let width = columns.reduce(0) { $0 + $1.count }
        var features = LabelledFeatures(
            values: [],
            width: width,
            labels: [],
            classNames: loader.dataset.classNames
        )
        features.values.reserveCapacity(loader.dataset.count * width)
        loaded.model.eval()
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            let arrays = try extractor(batch.tensor())
            for row in batch.indices.indices {
                for (column, array) in zip(columns, arrays) {
                    features.values += array[(row * column.count)..<((row + 1) * column.count)]
                }
            }
            features.labels += batch.labels
            features.digests += try digests(of: batch)
            features.names += batch.indices.map { loader.dataset.name(at: $0) }
            progress(features.count)
        }
        guard features.count > 0 else { throw EvaluationError.nothingToMeasure(loader.skipped) }
        return features
    }

    /// A digest of the pixels of each image of a batch.
    static func digests(of batch: ImageBatch) throws -> [String] {
        let length = batch.channels * batch.height * batch.width * MemoryLayout<Float>.size
        return try batch.withUnsafeBytes { bytes in
            try batch.labels.indices.map { row in
                var digest = try Digest(.sha256)
                digest.update(.init(rebasing: bytes[(row * length)..<((row + 1) * length)]))
                // Half of it is more than enough to tell images apart.
                return String(try digest.finish().prefix(32))
            }
        }
    }

    /// What an image holds; nil where it is not known.
    func digest(at index: Int) -> String? {
        digests.indices.contains(index) && !digests[index].isEmpty ? digests[index] : nil
    }

    /// The vectors scaled to length 1, for comparisons.
    ///
    /// - Parameters:
    ///   - mapping: The class that each label stands for; nil for the labels themselves.
    ///   - classCount: The number of those classes.
    /// - Returns: The vectors.
    /// - Throws: `NeighbourError` where they are not finite, `TorchError` without memory.
    public func set(mapping: [Int]? = nil, classCount: Int? = nil) throws -> FeatureSet {
        try FeatureSet(
            values,
            width: width,
            labels: mapping.map { mapping in labels.map { mapping[$0] } } ?? labels,
            classCount: classCount ?? classNames.count
        )
    }

    /// The features with the part of each image's path that lies below a folder.
    ///
    /// - Parameter folder: The folder.
    /// - Returns: The same features under those names.
    public func named(below folder: String) -> LabelledFeatures {
        var copy = self
        let prefix = folder.hasSuffix("/") ? folder : "\(folder)/"
        copy.names = names.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
        return copy
    }
}
