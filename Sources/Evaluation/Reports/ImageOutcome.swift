import Checkpoints
import Inference

/// What a model predicted for one labelled image.
public struct ImageOutcome: Sendable, Equatable {
    /// The predictions of a distilled model's heads, each by itself; nil where no score is a number.
    public struct Heads: Sendable, Equatable {
        /// The class head's.
        public let cls: Int?
        /// The distillation head's.
        public let dist: Int?

        /// Creates a pair of predictions.
        public init(cls: Int?, dist: Int?) {
            self.cls = cls
            self.dist = dist
        }
    }

    /// The image's place in the data.
    public let index: Int
    /// The right class, as the model counts them.
    public let label: Int
    /// The predicted class; nil where no score is a number.
    public let prediction: Int?
    /// The probability of the prediction, 0 to 1.
    public let confidence: Double
    /// How many classes were ahead of the right one.
    public let rank: Int
    /// What each head says, of a model with two.
    public let heads: Heads?

    /// Whether the right class was predicted.
    public var isRight: Bool { prediction == label }

    /// Creates an outcome.
    public init(
        index: Int,
        label: Int,
        prediction: Int?,
        confidence: Double,
        rank: Int,
        heads: Heads? = nil
    ) {
        self.index = index
        self.label = label
        self.prediction = prediction
        self.confidence = confidence
        self.rank = rank
        self.heads = heads
    }

    /// Reads an outcome from scores.
    ///
    /// - Parameters:
    ///   - index: The image's place in the data.
    ///   - label: The right class.
    ///   - scores: The scores of the classes.
    ///   - heads: What each head says.
    init(index: Int, label: Int, scores: ArraySlice<Float>, heads: Heads?) {
        let prediction = Scores.largest(scores)
        // What is evaluated has one class for an image.
        let confidence = prediction.map { ClassScoring.softmax.scores(of: scores)[$0] } ?? 0
        self.init(
            index: index,
            label: label,
            prediction: prediction,
            confidence: confidence.isFinite ? confidence : 0,
            rank: Scores.rank(of: label, in: scores),
            heads: heads
        )
    }
}
