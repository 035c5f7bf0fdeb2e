public import Checkpoints
import ImagePipeline
import Torch
import TorchNN
import VisionModels

/// What a model says of one picture.
public struct PicturePrediction: Sendable, Equatable {
    /// One class and how likely it is.
    public struct Class: Sendable, Equatable {
        /// The class's name.
        public let label: String

        /// The class's place among the model's outputs.
        public let index: Int

        /// Its probability, 0 to 1: the softmax of the scores, of a distilled model of the mean of its heads.
        public let score: Double
    }

    /// The picture's file.
    public let file: String

    /// The classes, the most likely first.
    public let predictions: [Class]

    /// The prediction as a JSON object.
    public var json: JSONValue {
        let classes = predictions.map { prediction -> JSONValue in
            [
                "label": .string(prediction.label), "index": .integer(prediction.index),
                "score": .number(prediction.score),
            ]
        }
        return ["file": .string(file), "predictions": .array(classes)]
    }
}

/// Naming of what picture files show.
public enum PictureClassifier {
    /// The pictures that the model sees at once.
    static let batchSize = 16

    /// Classifies picture files.
    ///
    /// - Parameters:
    ///   - files: The pictures.
    ///   - loaded: The model, with what belongs to it.
    ///   - top: How many classes to return for each, at least 1; all where the model has fewer.
    /// - Returns: A prediction for each file, in order.
    /// - Throws: ``EvaluationError/unreadablePicture(file:reason:)`` for the first that cannot be read,
    ///   ``Torch/TorchError`` when the processor's pictures do not fit the model.
    @ModelActor
    public static func classify(
        _ files: [String],
        with loaded: LoadedModel,
        top: Int
    ) throws -> [PicturePrediction] {
        loaded.model.eval()
        var predictions: [PicturePrediction] = []
        var start = 0
        while start < files.count {
            let names = Array(files[start..<min(start + batchSize, files.count)])
            predictions += try classify(batch: names, with: loaded, top: top)
            start += names.count
        }
        return predictions
    }

    private static func classify(
        batch files: [String],
        with loaded: LoadedModel,
        top: Int
    ) throws -> [PicturePrediction] {
        var pixels: [Float] = []
        var size = (height: 0, width: 0)
        for file in files {
            do throws(ImageError) {
                let result = try loaded.description.processor(Image(contentsOf: file))
                guard size == (0, 0) || size == (result.height, result.width) else {
                    throw ImageError.invalid(
                        "pictures of different sizes cannot be classified together; "
                            + "the model's processor neither resizes nor crops"
                    )
                }
                size = (result.height, result.width)
                pixels += result.values
            } catch {
                var reason = "\(error)"
                // The error of a file that cannot be opened names it, which the sentence does already.
                if case .unreadable(_, let detail) = error { reason = detail }
                throw EvaluationError.unreadablePicture(file: file, reason: reason)
            }
        }
        let shape = [files.count, loaded.description.processor.channels, size.height, size.width]
        let logits = try HeadLogits(of: loaded.model, Tensor(pixels, shape: shape)).prediction
        let classes = loaded.model.numClasses
        return files.indices.map { index in
            let scores = logits[(index * classes)..<((index + 1) * classes)]
            let best = best(Scores.softmax(scores), top: top, labels: loaded.description.labels)
            return PicturePrediction(file: files[index], predictions: best)
        }
    }

    private static func best(
        _ scores: [Double],
        top: Int,
        labels: ClassLabels
    ) -> [PicturePrediction.Class] {
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
