public import Checkpoints
public import Datasets
import ImagePipeline
import Inference
public import Storage
import Torch
import TorchNN
import VisionModels

/// Turning of a model into one that computes in 8 bits, and what that costs in accuracy.
public enum Int8Quantization {
    /// The images that the cost is measured on.
    public struct Images: Sendable {
        let batches: [ImageBatch]
        let mapping: Result<ClassMapping, InferenceError>

        /// How many there are.
        public let count: Int

        /// The images that could not be read and were left out.
        public let skipped: SkippedImages
    }

    /// The accuracy before and after, on the same images.
    public struct Report: Sendable, Equatable {
        /// How many linear layers are in 8 bits now.
        public var layers: Int

        /// Whether this processor computes the model's blocks in 8 bits; else only the weights are rounded.
        public var isComputedInt8: Bool

        /// The number of images; 0 where the cost was not measured.
        public var count: Int

        /// The share of images that both name the same class, 0 to 1; nil for a model without classes.
        public var agreement: Double?

        /// The share of images whose class the model predicted before, 0 to 1; nil where the data's classes are not the
        /// model's.
        public var top1Before: Double?

        /// The share of images whose class it predicts now.
        public var top1After: Double?

        /// The report as a JSON object, shares from 0 to 1.
        public var json: JSONValue {
            func share(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
            return [
                "layers": .integer(layers),
                "computed_in_int8": .bool(isComputedInt8),
                "count": .integer(count),
                "agreement": share(agreement),
                "top1_before": share(top1Before),
                "top1_after": share(top1After),
            ]
        }
    }

    static let batchSize = 16
    static let seed: UInt64 = 0

    /// Reads some images of a data set, of each class its share; always the same ones.
    ///
    /// - Parameters:
    ///   - location: The data; its training part where it has one. Labels are of use for the report only.
    ///   - count: How many, at least 1; all where there are fewer. They are held in memory.
    ///   - description: The model.
    ///   - workers: How many are made at the same time, at least 1.
    /// - Returns: The images.
    /// - Throws: `DatasetError` when the data cannot be read, `InferenceError.nothingToMeasure`.
    @ModelActor
    public static func images(
        of location: DatasetLocation,
        count: Int,
        for description: ModelDescription,
        workers: Int = 2
    ) async throws -> Images {
        let dataset = try openForMeasuring(location, count: count)
        let loader = try DataLoader(
            dataset: dataset,
            transform: description.processor,
            plan: EpochPlan(
                count: dataset.count,
                batchSize: description.processor.hasFixedSize ? batchSize : 1,
                shuffles: false
            ),
            workers: workers,
            policy: .drop(limit: UnreadablePolicy.usualLimit(count: dataset.count))
        )
        var batches: [ImageBatch] = []
        var iterator = loader.batches().makeAsyncIterator()
        while let batch = try await iterator.next(isolation: #isolation) {
            if batch.count > 0 { batches.append(batch) }
        }
        guard !batches.isEmpty else { throw InferenceError.nothingToMeasure(loader.skipped) }
        return Images(
            batches: batches,
            mapping: Result { () throws(InferenceError) in
                if dataset.isMultiLabel { throw .severalLabels }
                return try ClassMapping(of: dataset.classNames, in: description.labels)
            },
            count: batches.reduce(0) { $0 + $1.count },
            skipped: loader.skipped
        )
    }

    private static func openForMeasuring(
        _ location: DatasetLocation,
        count: Int
    ) throws(DatasetError) -> any ImageDataset {
        let limit = DatasetLimit.stratified(count, seed: seed)
        do throws(DatasetError) {
            return try location.open(.train, limit: limit)
        } catch {
            guard case .missingSplit = error else { throw error }
            return try location.open(.validation, limit: limit)
        }
    }

    /// Rounds the weights of a model's linear layers to 8 bits, all but the classifiers', and measures what that costs.
    ///
    /// Where this processor has kernels for it, the model's blocks compute in 8 bits afterwards, whatever the policy.
    ///
    /// - Parameters:
    ///   - loaded: The model, which is changed.
    ///   - images: The images to measure on; nil measures nothing.
    /// - Returns: What it costs.
    /// - Throws: `TorchError` when the images do not fit the model, `InferenceError.noSuchFeature` for a network
    ///   without such layers.
    @ModelActor
    public static func run(_ loaded: LoadedModel, on images: Images?) throws -> Report {
        let model = loaded.model
        let policy = ComputePolicy.current
        defer { ComputePolicy.current = policy }
        if PackedEncoder.kernels(.int8) != nil { ComputePolicy.current.encoder = .fused }
        // One that is in 8 bits already is taken for the numbers that it has.
        for (_, module) in model.namedModules() { (module as? Linear)?.quantization = nil }
        let predictor = try Predictor(loaded)
        let before = try images.map { try logits(predictor, $0) }
        let layers = try LinearQuantization.round(model, excluding: isClassifier)
        guard layers > 0 else {
            throw InferenceError.noSuchFeature(
                "the network has no linear layers except its classifier; int8 supports transformers only"
            )
        }
        var report = Report(
            layers: layers,
            isComputedInt8: (model as? VisionTransformer)?.computesInt8 ?? false,
            count: images?.count ?? 0
        )
        let classes = model.numClasses
        guard classes > 0, let images, let before else { return report }
        compare(before, try logits(predictor, images), images, classes: classes, &report)
        return report
    }

    private static func isClassifier(_ name: String) -> Bool {
        ["head", "head_dist", "fc", "head.fc", "classifier"].contains(name)
    }

    @ModelActor
    private static func logits(_ predictor: Predictor, _ images: Images) throws -> [[Float]] {
        try images.batches.map { try predictor.logits(of: $0).averaged().floats() }
    }

    private static func compare(
        _ before: [[Float]],
        _ after: [[Float]],
        _ images: Images,
        classes: Int,
        _ report: inout Report
    ) {
        var same = 0
        var (old, new) = (Scores(), Scores())
        let mapping = try? images.mapping.get()
        for (index, batch) in images.batches.enumerated() {
            let (first, second) = (before[index], after[index])
            // The class that was best before counts as the right one, so the rules for equal scores are those of accuracy.
            var agreement = Scores()
            agreement.add(second, classes: classes, labels: best(first, classes: classes))
            same += agreement.top1
            guard let mapping else { continue }
            let labels = batch.labels.map { mapping.indices[$0] }
            old.add(first, classes: classes, labels: labels)
            new.add(second, classes: classes, labels: labels)
        }
        let count = Double(images.count)
        report.agreement = Double(same) / count
        guard mapping != nil else { return }
        report.top1Before = Double(old.top1) / count
        report.top1After = Double(new.top1) / count
    }

    private static func best(_ logits: [Float], classes: Int) -> [Int] {
        (0..<(logits.count / classes)).map { row in
            let scores = logits[(row * classes)..<((row + 1) * classes)]
            return Scores.largest(scores) ?? 0
        }
    }
}
