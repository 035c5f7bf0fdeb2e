#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How the outputs of a classifier become the scores of its classes.
///
/// Every command, report and caption uses this rule, so that they agree with one another and with transformers.
///
/// ## Source
/// transformers 5.23, `pipelines/image_classification.py`, `ImageClassificationPipeline.postprocess`.
public enum ClassScoring: String, Sendable, CaseIterable {
    /// Probabilities of classes of which an image has one: they add up to 1.
    case softmax

    /// A probability for each class by itself, 0 to 1: an image may have several classes or none.
    case sigmoid

    /// The outputs as they are: numbers of any range.
    case none

    /// The rule for a model.
    ///
    /// - Parameters:
    ///   - problemType: What the model was trained on; nil where its configuration does not say.
    ///   - classes: The number of outputs. One output alone gets the sigmoid, unless it is a regression.
    public init(_ problemType: ProblemType?, classes: Int) {
        switch problemType {
        case .regression: self = .none
        case .multiLabelClassification: self = .sigmoid
        case .singleLabelClassification, nil: self = classes == 1 ? .sigmoid : .softmax
        }
    }

    /// Whether scores are probabilities, from 0 to 1.
    public var isProbability: Bool { self != .none }

    /// The scores of the classes for one image.
    ///
    /// - Parameter logits: The outputs, one for each class; one that is not a number has no score and is left out of the
    ///   sum of the others.
    /// - Returns: As many scores; NaN for an output that is not a number.
    public func scores(of logits: ArraySlice<Float>) -> [Double] {
        switch self {
        case .none: return logits.map(Double.init)
        case .sigmoid: return logits.map { 1 / (1 + exp(-Double($0))) }
        case .softmax:
            let largest = Double(logits.lazy.filter { !$0.isNaN }.max() ?? 0)
            let exponentials = logits.map { exp(Double($0) - largest) }
            let sum = exponentials.reduce(0) { $1.isNaN ? $0 : $0 + $1 }
            return exponentials.map { $0 / sum }
        }
    }

    /// What the scores are, for people.
    var words: String {
        switch self {
        case .softmax: "softmax over all classes"
        case .sigmoid: "sigmoid of each output"
        case .none: "the outputs as they are"
        }
    }
}
