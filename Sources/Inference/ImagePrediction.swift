public import Checkpoints
import Foundation
public import Storage

/// What a model says of one image.
public struct ImagePrediction: Sendable, Equatable {
    /// One class and how likely it is.
    public struct Class: Sendable, Equatable {
        /// The class's name.
        public let label: String

        /// The class's place among the model's outputs.
        public let index: Int

        /// Its score by the prediction's `scoring`, of a distilled model from the mean of its heads.
        ///
        /// A probability, 0 to 1, or a regression's output as it is; its share of the votes where neighbours decide.
        public let score: Double

        /// Of a model of several labels an image: the score from which the class counts as recognised.
        public let threshold: Double?

        init(label: String, index: Int, score: Double, threshold: Double? = nil) {
            self.label = label
            self.index = index
            self.score = score
            self.threshold = threshold
        }
    }

    /// A labelled image that is near.
    public struct Neighbour: Sendable, Equatable {
        /// What it is called.
        public let file: String

        /// The name of its class.
        public let label: String

        /// The cosine of both images' features, -1 to 1.
        public let similarity: Double
    }

    /// The image's file.
    public let file: String

    /// The classes, the highest score first.
    public let predictions: [Class]

    /// How the scores were made of a model's outputs; shares of votes count as `ClassScoring/softmax`.
    public let scoring: ClassScoring

    /// The images that voted, the nearest first; none where a model's classifier decided.
    public let neighbours: [Neighbour]

    init(
        file: String,
        predictions: [Class],
        scoring: ClassScoring = .softmax,
        neighbours: [Neighbour] = []
    ) {
        self.file = file
        self.predictions = predictions
        self.scoring = scoring
        self.neighbours = neighbours
    }

    /// The prediction as a JSON object.
    public var json: JSONValue {
        let classes = predictions.map { prediction -> JSONValue in
            var object: JSONObject = [
                "label": .string(prediction.label), "index": .integer(prediction.index),
                "score": .number(prediction.score),
            ]
            if let threshold = prediction.threshold { object["threshold"] = .number(threshold) }
            return .object(object)
        }
        var object: JSONObject = ["file": .string(file), "predictions": .array(classes)]
        if !neighbours.isEmpty {
            let list = neighbours.map { neighbour -> JSONValue in
                [
                    "file": .string(neighbour.file), "label": .string(neighbour.label),
                    "similarity": .number(neighbour.similarity),
                ]
            }
            object["neighbours"] = .array(list)
        }
        return .object(object)
    }
}

/// What became of one image.
public enum ImageResult: Sendable, Equatable {
    /// The model's answer.
    case prediction(ImagePrediction)

    /// The image cannot be read or decoded, and why.
    case failure(file: String, reason: String)

    /// The result as a JSON object: with `predictions`, or with `error`.
    public var json: JSONValue {
        switch self {
        case .prediction(let prediction): prediction.json
        case .failure(let file, let reason): ["file": .string(file), "error": .string(reason)]
        }
    }
}

extension ClassScoring {
    /// A score as people read it: a percentage, or a regression's number as it is.
    ///
    /// - Parameters:
    ///   - score: A score that this rule made.
    ///   - digits: The digits after the point of a percentage; numbers have four.
    /// - Returns: The text, such as `46.09 %` or `0.0244`.
    public func text(_ score: Double, digits: Int = 2) -> String {
        isProbability
            ? String(format: "%.*f %%", digits, score * 100) : String(format: "%.4f", score)
    }
}
