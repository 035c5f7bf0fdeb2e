public import Checkpoints
import Datasets
import ImagePipeline
import Torch
import TorchNN
import Training
import VisionModels

/// Naming of what images show.
public enum ImageFileClassifier {
    /// The images that the model sees at once.
    static let batchSize = 16

    /// Classifies images.
    ///
    /// Images are read ahead while the model computes; no more than some batches are held at a time.
    ///
    /// - Parameters:
    ///   - images: The images.
    ///   - loaded: The model, with what belongs to it.
    ///   - top: How many classes to return for each, at least 1; all where the model has fewer.
    ///   - workers: How many batches are read at the same time, at least 1.
    ///   - deliver: Called for each image in the list's order.
    /// - Throws: ``EvaluationError/noClassifier(path:)``, `TorchError` when the processor's images do not fit the
    ///   model, and what `deliver` throws. An image that cannot be used is a result of its own.
    @ModelActor
    public static func classify(
        _ images: ImageFileList,
        with loaded: LoadedModel,
        top: Int,
        workers: Int = 2,
        deliver: (ImageResult) throws -> Void
    ) async throws {
        try await run(images, with: loaded, top: top, workers: workers, deliver: deliver)
    }

    /// As `classify`, for callers within the module: the compiler takes a public function of an actor that its file
    /// imports for itself alone for an error where another file of the module calls it.
    @ModelActor
    static func run(
        _ images: ImageFileList,
        with loaded: LoadedModel,
        top: Int,
        workers: Int,
        deliver: (ImageResult) throws -> Void
    ) async throws {
        guard loaded.model.numClasses > 0 else {
            throw EvaluationError.noClassifier(path: loaded.weightsPath)
        }
        loaded.model.eval()
        try await run(
            images,
            processor: loaded.description.processor,
            workers: workers,
            predict: { batch in
                let rows = try predictions(for: batch, by: loaded, top: top)
                return batch.indices.indices.map { row in
                    let file = images.name(at: batch.indices[row])
                    return ImagePrediction(
                        file: file,
                        predictions: rows[row],
                        scoring: loaded.description.scoring
                    )
                }
            },
            deliver: deliver
        )
    }

    /// Sends images through a closure that names what a batch shows.
    @ModelActor
    static func run(
        _ images: ImageFileList,
        processor: ImageProcessor,
        workers: Int,
        predict: (ImageBatch) throws -> [ImagePrediction],
        deliver: (ImageResult) throws -> Void
    ) async throws {
        guard images.count > 0 else { return }
        let loader = try DataLoader(
            dataset: images,
            transform: processor,
            plan: EpochPlan(
                count: images.count,
                batchSize: processor.hasFixedSize ? batchSize : 1,
                shuffles: false
            ),
            workers: workers,
            policy: .drop(limit: .max)
        )
        var next = 0
        func deliverFailures(before index: Int) throws {
            while next < index {
                let reason = failure(of: next, in: images, processor)
                try deliver(.failure(file: images.name(at: next), reason: reason))
                next += 1
            }
        }
        var batches = loader.batches().makeAsyncIterator()
        while let batch = try await batches.next(isolation: #isolation) {
            let predictions = try predict(batch)
            for (row, index) in batch.indices.enumerated() {
                try deliverFailures(before: index)
                try deliver(.prediction(predictions[row]))
                next = index + 1
            }
        }
        try deliverFailures(before: images.count)
    }

    private static func predictions(
        for batch: ImageBatch,
        by loaded: LoadedModel,
        top: Int
    ) throws -> [[ImagePrediction.Class]] {
        let images = try batch.tensor()
        let logits = try HeadLogits(of: loaded.model, images).prediction
        let classes = loaded.model.numClasses
        let scoring = loaded.description.scoring
        return batch.indices.indices.map { row in
            let scores = logits[(row * classes)..<((row + 1) * classes)]
            return best(scoring.scores(of: scores), top: top, labels: loaded.description.labels)
        }
    }

    /// Why an image was left out; it is read again, as the loader keeps the reasons of the first few only.
    private static func failure(
        of index: Int,
        in images: ImageFileList,
        _ processor: ImageProcessor
    ) -> String {
        do throws(ImageError) {
            let image = try images.image(at: index, upright: processor.appliesOrientation)
            _ = try processor.prepare(image)
            return "it could not be read at first"
        } catch {
            // The error of a file that cannot be opened names it, which the sentence around it does already.
            if case .unreadable(_, let detail) = error { return detail }
            return error.reason
        }
    }

    private static func best(
        _ scores: [Double],
        top: Int,
        labels: ClassLabels
    ) -> [ImagePrediction.Class] {
        // Equal scores keep the order of the classes; one that is not a number comes last.
        let order = scores.indices.sorted { first, second in
            let (a, b) = (scores[first], scores[second])
            if a.isNaN || b.isNaN { return !a.isNaN || (b.isNaN && first < second) }
            return a > b || (a == b && first < second)
        }
        return order.prefix(max(1, top)).map {
            .init(label: labels.names[$0], index: $0, score: scores[$0])
        }
    }
}

extension ImageProcessor {
    /// Whether images of all sizes come out in one.
    var hasFixedSize: Bool {
        if cropHeight != nil { return true }
        if case .exact = resize { return true }
        return false
    }
}
