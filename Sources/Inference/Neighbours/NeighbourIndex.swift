public import Checkpoints
import Datasets
import Foundation
import Storage
public import Torch
import TorchNN

/// A classifier without training on the disk: a model, and the features of labelled images that vote.
///
/// ```
/// index.json                what it is, the classes, how votes are counted
/// model/                    the model, as `ModelDirectory` writes it
/// features-N.safetensors    vectors, labels and names of the images; N grows with every addition
/// ```
///
/// The folder holds all that is needed and can be moved. An addition writes the features again and then `index.json`, which
/// names them: whenever it is interrupted, the index is the old or the new one.
///
/// It holds a model and is not `Sendable`.
public struct NeighbourIndex {
    /// How votes are counted.
    public struct Settings: Sendable, Equatable {
        /// The number of neighbours that vote, at least 1.
        public var k: Int

        /// The temperature of votes, above 0.
        public var temperature: Double

        /// The tokens of the model that are compared.
        public var request: FeatureRequest

        /// Creates settings.
        ///
        /// - Parameters:
        ///   - k: The number of neighbours that vote; DINO's authors found 20 to be the best mostly.
        ///   - temperature: The temperature of votes.
        ///   - request: The tokens of the model that are compared.
        public init(
            k: Int = 20,
            temperature: Double = KNNClassifier.usualTemperature,
            request: FeatureRequest = FeatureRequest()
        ) {
            self.k = k
            self.temperature = temperature
            self.request = request
        }

        func check() throws(NeighbourError) {
            guard k > 0 else { throw .invalidCount(k) }
            guard temperature > 0, temperature.isFinite else {
                throw .invalidTemperature(temperature)
            }
        }
    }

    /// The folder.
    public let path: String

    /// The model that the features are from.
    public let loaded: LoadedModel

    /// How votes are counted.
    public let settings: Settings

    /// The features of the images that vote, under their names.
    public private(set) var features: LabelledFeatures

    /// The number of additions so far.
    private var version: Int

    /// The folder of the model in an index's folder.
    public static var modelFolder: String { NeighbourIndexFile.modelName }

    /// Whether a path is that of an index.
    ///
    /// - Parameter path: The path.
    /// - Returns: Whether there is an `index.json`.
    public static func exists(at path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/\(NeighbourIndexFile.name)")
    }

    /// Opens an index.
    ///
    /// - Parameter path: The folder.
    /// - Throws: `CheckpointError` when a file is missing or damaged.
    @ModelActor
    public init(path: String) throws {
        let file = try NeighbourIndexFile(readingFrom: path)
        self.path = path
        settings = file.settings
        version = file.version
        loaded = try ModelDirectory.load(
            "\(path)/\(NeighbourIndexFile.modelName)",
            options: LoadOptions(relaxations: .noHead)
        )
        features = try file.readFeatures(in: path)
    }

    /// Makes an index, aside and then under its name; an older index of that name is replaced.
    ///
    /// - Parameters:
    ///   - path: The folder, which may not exist yet, be empty, or be an index.
    ///   - loaded: The model.
    ///   - features: What it gave for the images, with the tokens of the settings.
    ///   - settings: How votes are counted.
    /// - Returns: The index.
    /// - Throws: `CheckpointError` when it cannot be written or another folder has the name, `NeighbourError`.
    @ModelActor
    public static func create(
        at path: String,
        _ loaded: LoadedModel,
        _ features: LabelledFeatures,
        _ settings: Settings
    ) throws -> NeighbourIndex {
        try settings.check()
        _ = try features.set()
        try checkReplaceable(path)
        try CheckpointError.translating {
            try AtomicFolder.write(to: path) { folder in
                let model = "\(folder)/\(NeighbourIndexFile.modelName)"
                try FileManager.default.createDirectory(
                    atPath: model,
                    withIntermediateDirectories: false
                )
                try ModelDirectory.write(loaded.model, loaded.description, into: model)
                let file = NeighbourIndexFile(settings, version: 1, classNames: features.classNames)
                try file.writeFeatures(features, in: folder)
                try file.write(to: folder)
            }
        }
        return try NeighbourIndex(path: path)
    }

    /// Checks that nothing else would be lost.
    ///
    /// - Parameter path: The folder that an index is to have.
    /// - Throws: `CheckpointError` where there is a file, or a folder with other content.
    public static func checkReplaceable(_ path: String) throws(CheckpointError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        let content = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        guard isFolder.boolValue, content.isEmpty || exists(at: path) else {
            throw .unwritable(path: path, reason: "it exists and is not an index")
        }
    }

    /// Adds images, of classes that are there or new ones, and writes the index.
    ///
    /// - Parameter more: What the model gave for them. Images that the index has already in the same class are left out,
    ///   whatever their files are called: they are recognised by their content.
    /// - Returns: How many were added, and how many of those the index has in another class too.
    /// - Throws: `CheckpointError` when it cannot be written, `NeighbourError` for features that do not fit.
    @discardableResult
    public mutating func add(
        _ more: LabelledFeatures
    ) throws -> (added: Int, relabelled: Int) {
        guard more.width == features.width else {
            throw NeighbourError.differentWidths(bank: features.width, queries: more.width)
        }
        _ = try more.set()
        let (all, added, relabelled) = features.merged(with: more)
        guard added > 0 else { return (0, 0) }
        let file = NeighbourIndexFile(
            settings,
            version: version + 1,
            classNames: all.classNames
        )
        let old = NeighbourIndexFile.featuresName(version)
        try file.writeFeatures(all, in: path)
        try file.write(to: path)
        try? FileManager.default.removeItem(atPath: "\(path)/\(old)")
        features = all
        version += 1
        return (added, relabelled)
    }
}

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
        let extractor = try FeatureExtractor(Predictor(loaded), settings.request)
        try await images.classified(
            through: loaded.description.processor,
            workers: workers,
            by: { batch in
                let values = try extractor.vectors(of: batch)
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
