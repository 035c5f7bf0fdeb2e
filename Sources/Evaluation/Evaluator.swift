public import Checkpoints
public import Datasets
public import ImagePipeline
public import Inference
import Torch
import VisionModels

/// Measuring of models on labelled images.
public enum Evaluator {
    /// Measures a model on all images of a loader.
    ///
    /// - Parameters:
    ///   - predictor: The model.
    ///   - loader: The images, transformed by the model's processor.
    ///   - mapping: The model's class for each class of the data.
    ///   - progress: Called after each batch with the number of images done.
    /// - Returns: The report.
    /// - Throws: `DatasetError` when the data cannot be read, `TorchError` when images do not
    ///   fit the model, `InferenceError.nothingToMeasure`, ``EvaluationError/notSingleLabel(path:scoring:classes:)``,
    ///   ``EvaluationError/notMultiLabel(path:)``.
    @ModelActor
    public static func evaluate(
        _ predictor: Predictor,
        on loader: DataLoader,
        mapping: ClassMapping,
        progress: (Int) -> Void = { _ in }
    ) async throws -> EvaluationReport {
        try requireSingleLabel(predictor.loaded)
        guard !loader.dataset.isMultiLabel else {
            throw EvaluationError.notMultiLabel(path: predictor.loaded.weightsPath)
        }
        let classes = predictor.loaded.model.numClasses
        var (whole, cls, dist) = (Scores(), Scores(), Scores())
        var outcomes: [ImageOutcome] = []
        let start = ContinuousClock.now
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            let labels = batch.labels.map { mapping.indices[$0] }
            let logits = try predictor.logits(of: batch)
            let prediction = try logits.averaged().floats()
            whole.add(prediction, classes: classes, labels: labels)
            var heads: (cls: [Float], dist: [Float])?
            if let second = logits.dist {
                let scores = (cls: try logits.cls.floats(), dist: try second.floats())
                cls.add(scores.cls, classes: classes, labels: labels)
                dist.add(scores.dist, classes: classes, labels: labels)
                heads = scores
            }
            for (row, label) in labels.enumerated() {
                let range = (row * classes)..<((row + 1) * classes)
                outcomes.append(
                    ImageOutcome(
                        index: batch.indices[row],
                        label: label,
                        scores: prediction[range],
                        heads: heads.map {
                            ImageOutcome.Heads(
                                cls: Scores.largest($0.cls[range]),
                                dist: Scores.largest($0.dist[range])
                            )
                        }
                    )
                )
            }
            progress(whole.count)
        }
        let duration = ContinuousClock.now - start
        guard whole.count > 0 else {
            throw InferenceError.nothingToMeasure(loader.skipped)
        }
        let count = Double(whole.count)
        return EvaluationReport(
            top1: Double(whole.top1) / count,
            top5: Double(whole.top5) / count,
            loss: whole.loss / count,
            count: whole.count,
            imagesPerSecond: count / max(duration / .seconds(1), 1e-9),
            clsTop1: cls.count > 0 ? Double(cls.top1) / count : nil,
            distTop1: dist.count > 0 ? Double(dist.top1) / count : nil,
            skipped: loader.skipped,
            outcomes: outcomes,
            classes: mapping.indices
        )
    }

    /// Measures a model of several labels an image on all images of a loader.
    ///
    /// - Parameters:
    ///   - predictor: The model, whose problem type is `multi_label_classification`.
    ///   - loader: The images, transformed by the model's processor; they may have one label each.
    ///   - mapping: The model's class for each class of the data.
    ///   - progress: Called after each batch with the number of images done.
    /// - Returns: The report.
    /// - Throws: As ``evaluate(_:on:mapping:progress:)``.
    @ModelActor
    public static func evaluateLabels(
        _ predictor: Predictor,
        on loader: DataLoader,
        mapping: ClassMapping,
        progress: (Int) -> Void = { _ in }
    ) async throws -> MultiLabelReport {
        let description = predictor.description
        guard description.isMultiLabel else {
            throw EvaluationError.notMultiLabel(path: predictor.loaded.weightsPath)
        }
        let (classes, width) = (mapping.indices, description.configuration.numClasses)
        /// The outputs of the data's classes.
        func columns(_ logits: Tensor) throws -> [Float] {
            let values = try logits.to(.float32).floats()
            return stride(from: 0, to: values.count, by: width).flatMap { row in
                classes.map { values[row + $0] }
            }
        }
        var (both, cls, dist) = (
            MultiLabelScores(classes: classes.count), MultiLabelScores(classes: classes.count),
            MultiLabelScores(classes: classes.count)
        )
        var indices: [Int] = []
        let start = ContinuousClock.now
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            let labels = batch.indices.map(loader.dataset.labels)
            let logits = try predictor.logits(of: batch)
            both.add(logits: try columns(logits.averaged()), labels: labels)
            if let second = logits.dist {
                cls.add(logits: try columns(logits.cls), labels: labels)
                dist.add(logits: try columns(second), labels: labels)
            }
            indices += batch.indices
            progress(indices.count)
        }
        let duration = ContinuousClock.now - start
        guard both.count > 0 else { throw InferenceError.nothingToMeasure(loader.skipped) }
        let thresholds = description.effectiveThresholds
        return MultiLabelReport(
            scores: both,
            thresholds: classes.map { thresholds[$0] },
            hasOwnThresholds: description.thresholds != nil,
            imagesPerSecond: Double(both.count) / max(duration / .seconds(1), 1e-9),
            clsMeanAveragePrecision: cls.meanAveragePrecision,
            distMeanAveragePrecision: dist.meanAveragePrecision,
            skipped: loader.skipped,
            indices: indices
        )
    }

    /// Refuses a model whose outputs are not the classes of which an image has one.
    ///
    /// - Parameter loaded: The model.
    /// - Throws: ``EvaluationError/notSingleLabel(path:scoring:classes:)``.
    public static func requireSingleLabel(_ loaded: LoadedModel) throws(EvaluationError) {
        let scoring = loaded.description.scoring
        guard scoring == .softmax else {
            throw .notSingleLabel(
                path: loaded.weightsPath,
                scoring: scoring,
                classes: loaded.model.numClasses
            )
        }
    }

    /// The processor for images of another size than the model's own, resized in the same proportion.
    ///
    /// - Parameters:
    ///   - size: The side of the model's input in pixels.
    ///   - description: The model; only a convolutional network takes other sizes.
    /// - Returns: The processor.
    /// - Throws: ``EvaluationError/fixedSize(height:width:asked:)``, `ImageError` for a size that
    ///   no image has.
    public static func processor(
        size: Int,
        for description: ModelDescription
    ) throws -> ImageProcessor {
        let (height, width) = description.configuration.imageSize
        if size == height, size == width { return description.processor }
        guard description.configuration.convNet != nil else {
            throw EvaluationError.fixedSize(height: height, width: width, asked: size)
        }
        return try description.processor.resized(from: (height, width), to: (size, size))
    }
}
