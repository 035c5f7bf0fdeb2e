public import Checkpoints
public import Datasets
public import ImagePipeline
import Torch
import TorchNN
import Training
import VisionModels

/// Measuring of models on labelled images.
public enum Evaluator {
    /// Measures a model on all images of a loader.
    ///
    /// It computes under `ComputePolicy/current`; losses and scores are taken in 32 bits.
    ///
    /// - Parameters:
    ///   - loaded: The model, with what belongs to it.
    ///   - loader: The images, transformed by the model's processor.
    ///   - mapping: The model's class for each class of the data.
    ///   - progress: Called after each batch with the number of images done.
    /// - Returns: The report.
    /// - Throws: `DatasetError` when the data cannot be read, `TorchError` when images do not
    ///   fit the model, ``EvaluationError/nothingToMeasure(_:)``, ``EvaluationError/notSingleLabel(path:scoring:classes:)``.
    @ModelActor
    public static func evaluate(
        _ loaded: LoadedModel,
        on loader: DataLoader,
        mapping: ClassMapping,
        progress: (Int) -> Void = { _ in }
    ) async throws -> EvaluationReport {
        try requireSingleLabel(loaded)
        loaded.model.eval()
        let classes = loaded.model.numClasses
        var (whole, cls, dist) = (Scores(), Scores(), Scores())
        var outcomes: [ImageOutcome] = []
        let start = ContinuousClock.now
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            guard batch.count > 0 else { continue }
            let labels = batch.labels.map { mapping.indices[$0] }
            let logits = try HeadLogits(of: loaded.model, batch.tensor())
            whole.add(logits.prediction, classes: classes, labels: labels)
            if let heads = logits.heads {
                cls.add(heads.cls, classes: classes, labels: labels)
                dist.add(heads.dist, classes: classes, labels: labels)
            }
            outcomes += logits.outcomes(labels, indices: batch.indices, classes: classes)
            progress(whole.count)
        }
        let duration = ContinuousClock.now - start
        guard whole.count > 0 else {
            throw EvaluationError.nothingToMeasure(loader.skipped)
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

/// A model's scores of some images in 32 bits, and those of each head where it has two.
struct HeadLogits {
    /// The prediction, `[images, classes]`.
    let prediction: [Float]

    /// The scores of a distilled model's heads.
    let heads: (cls: [Float], dist: [Float])?

    init(of model: any ImageClassifier, _ images: Tensor) throws(TorchError) {
        let policy = ComputePolicy.current
        (prediction, heads) = try withoutGradient {
            () throws(TorchError) -> ([Float], (cls: [Float], dist: [Float])?) in
            guard let distilled = model as? DistilledVisionTransformer else {
                let logits = try withAutocast(policy.autocastDType, device: policy.device) {
                    () throws(TorchError) in try model(images)
                }
                return (try logits.floats(), nil)
            }
            let logits = try withAutocast(policy.autocastDType, device: policy.device) {
                () throws(TorchError) in try distilled.logits(images)
            }
            let (cls, dist) = (try logits.cls.floats(), try logits.dist.floats())
            return (cls.indices.map { (cls[$0] + dist[$0]) / 2 }, (cls, dist))
        }
    }

    /// What is predicted for each image.
    ///
    /// - Parameters:
    ///   - labels: The right classes.
    ///   - indices: The images' places in the data.
    ///   - classes: The number of classes.
    /// - Returns: As many outcomes as there are labels.
    func outcomes(_ labels: [Int], indices: [Int], classes: Int) -> [ImageOutcome] {
        labels.indices.map { row in
            let range = (row * classes)..<((row + 1) * classes)
            return ImageOutcome(
                index: indices[row],
                label: labels[row],
                scores: prediction[range],
                heads: heads.map {
                    ImageOutcome.Heads(
                        cls: ImageOutcome.largest($0.cls[range]),
                        dist: ImageOutcome.largest($0.dist[range])
                    )
                }
            )
        }
    }
}
