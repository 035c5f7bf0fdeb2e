public import Checkpoints

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

/// What became of one picture.
public enum PictureResult: Sendable, Equatable {
    /// The model's answer.
    case prediction(PicturePrediction)

    /// The picture cannot be read or decoded, and why.
    case failure(file: String, reason: String)

    /// The result as a JSON object: with `predictions`, or with `error`.
    public var json: JSONValue {
        switch self {
        case .prediction(let prediction): prediction.json
        case .failure(let file, let reason): ["file": .string(file), "error": .string(reason)]
        }
    }
}
