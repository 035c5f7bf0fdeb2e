public import Datasets
import Digests
import Foundation
import Torch

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
    ///   - predictor: The model; it needs no classifier.
    ///   - request: The tokens; several are put one behind the other.
    ///   - progress: Called after each batch with the number of images done.
    /// - Returns: The features, without images that cannot be read.
    /// - Throws: ``InferenceError``, `DatasetError` when the data cannot be read, `TorchError` when images do not fit
    ///   the model, `DigestError` where the system computes no SHA-256.
    @ModelActor
    public static func extract(
        _ loader: DataLoader,
        from predictor: Predictor,
        _ request: FeatureRequest,
        progress: (Int) -> Void = { _ in }
    ) async throws -> LabelledFeatures {
        guard !request.tokens.contains(.patch) else {
            throw InferenceError.noSuchFeature(
                "patch tokens are several vectors per image and cannot be compared; use mean"
            )
        }
        guard !loader.dataset.isMultiLabel else { throw InferenceError.severalLabels }
        let extractor = try FeatureExtractor(predictor, request)
        let width = extractor.columns.reduce(0) { $0 + $1.count }
        var features = LabelledFeatures(
            values: [],
            width: width,
            labels: [],
            classNames: loader.dataset.classNames
        )
        features.values.reserveCapacity(loader.dataset.count * width)
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            features.values += try extractor.vectors(of: batch)
            features.labels += batch.labels
            features.digests += try digests(of: batch)
            features.names += batch.indices.map { loader.dataset.name(at: $0) }
            progress(features.count)
        }
        guard features.count > 0 else { throw InferenceError.nothingToMeasure(loader.skipped) }
        return features
    }

    /// A digest of the pixels of each image of a batch.
    static func digests(of batch: ImageBatch) throws -> [String] {
        let length = batch.channels * batch.height * batch.width * MemoryLayout<Float>.size
        return try batch.withUnsafeBytes { bytes in
            try batch.labels.indices.map { row in
                var digest = try Digest(.sha256)
                digest.update(.init(rebasing: bytes[(row * length)..<((row + 1) * length)]))
                // Half of it is more than enough to distinguish images.
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
    ///   - mapping: The class that each label represents; nil for the labels themselves.
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

extension LabelledFeatures {
    /// The cosine from which on two vectors are those of one image, where nothing else is known of it: rounding by another
    /// size of batches changes less.
    private static let sameCosine: Float = 1 - 1e-6
    /// The copies of an image that are looked for where features are compared.
    private static let copies = 8

    /// Which of other features are those of the same images as these.
    ///
    /// - Parameter bank: The other features.
    /// - Returns: The rule; nil where no image is among both for certain.
    func itself(among bank: LabelledFeatures) -> KNNClassifier.Itself? {
        let own = labels.indices.map(digest(at:))
        let others = bank.labels.indices.map(bank.digest(at:))
        let isKnown = !own.contains(nil) && !others.contains(nil)
        let shared = Set(own.compactMap(\.self))
        var counts: [String: Int] = [:]
        for case let digest? in others where shared.contains(digest) {
            counts[digest, default: 0] += 1
        }
        let most = max(counts.values.max() ?? 0, isKnown ? 0 : Self.copies)
        guard most > 0 else { return nil }
        return KNNClassifier.Itself(most: most) { query, place, similarity in
            guard let one = own[query], let other = others[place] else {
                return similarity >= Self.sameCosine
            }
            return one == other
        }
    }

    /// How many of these images are among others, by their content.
    func sharedCount(with other: LabelledFeatures) -> Int {
        let known = Set(other.labels.indices.compactMap(other.digest(at:)))
        return labels.indices.count { index in digest(at: index).map(known.contains) ?? false }
    }
}

extension LabelledFeatures {
    /// The same features, with every image of a class once.
    ///
    /// - Returns: The features without repeats; the first of equal images stays.
    public func withoutRepeats() -> LabelledFeatures {
        var none = LabelledFeatures(values: [], width: width, labels: [], classNames: classNames)
        none.values.reserveCapacity(values.count)
        return none.merged(with: self).all
    }

    /// These features and others, without images that are here already in the same class.
    ///
    /// An image is recognised by its digest; where one has none, by its name and features.
    ///
    /// - Returns: All features, how many the others added, and how many of those are here in another class too.
    func merged(
        with more: LabelledFeatures
    ) -> (all: LabelledFeatures, added: Int, relabelled: Int) {
        var all = self
        // One entry for each image from here on: what is not known is an empty text.
        if all.digests.isEmpty { all.digests = labels.map { _ in "" } }
        let hasNames = !names.isEmpty || (labels.isEmpty && !more.names.isEmpty)
        var classes = Dictionary(
            classNames.enumerated().map { ($1, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var known = KnownImages()
        for index in labels.indices { known.insert(all, index) }
        var (added, relabelled) = (0, 0)
        for index in more.labels.indices {
            let className = more.classNames[more.labels[index]]
            let label = classes[className] ?? all.classNames.count
            if known.contains(more, index, as: label, among: all) { continue }
            if known.isElsewhere(more, index, as: label) { relabelled += 1 }
            if classes[className] == nil {
                classes[className] = label
                all.classNames.append(className)
            }
            all.values += more.vector(index)
            all.labels.append(label)
            if hasNames { all.names.append(index < more.names.count ? more.names[index] : "") }
            all.digests.append(more.digest(at: index) ?? "")
            known.insert(all, all.labels.count - 1)
            added += 1
        }
        if all.digests.allSatisfy(\.isEmpty) { all.digests = [] }
        return (all, added, relabelled)
    }

    fileprivate func vector(_ index: Int) -> ArraySlice<Float> {
        values[(index * width)..<((index + 1) * width)]
    }
}

/// The images of some features, found by their content.
private struct KnownImages {
    private struct Name: Hashable {
        let label: Int
        let name: String
    }

    private var classes: [String: Set<Int>] = [:]
    private var places: [Name: [Int]] = [:]

    mutating func insert(_ features: LabelledFeatures, _ index: Int) {
        if let digest = features.digest(at: index) {
            classes[digest, default: []].insert(features.labels[index])
        }
        guard index < features.names.count else { return }
        let name = Name(label: features.labels[index], name: features.names[index])
        places[name, default: []].append(index)
    }

    /// Whether an image of other features is among these in a class.
    func contains(
        _ more: LabelledFeatures,
        _ index: Int,
        as label: Int,
        among all: LabelledFeatures
    ) -> Bool {
        let digest = more.digest(at: index)
        if let digest, classes[digest]?.contains(label) == true { return true }
        guard index < more.names.count else { return false }
        return (places[Name(label: label, name: more.names[index])] ?? []).contains { place in
            // Two digests that differ are two images, however alike the model finds them.
            (digest == nil || all.digest(at: place) == nil)
                && all.vector(place) == more.vector(index)
        }
    }

    /// Whether an image is here in another class.
    func isElsewhere(_ more: LabelledFeatures, _ index: Int, as label: Int) -> Bool {
        more.digest(at: index).flatMap { classes[$0] }?.contains { $0 != label } ?? false
    }
}
