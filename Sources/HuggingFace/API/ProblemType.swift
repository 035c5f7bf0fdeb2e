/// What a classifier is trained on, which decides its loss (`problem_type`).
public enum ProblemType: String, Sendable, Codable, CaseIterable {
    /// Numbers: mean squared error.
    case regression

    /// One class for a picture: cross-entropy.
    case singleLabelClassification = "single_label_classification"

    /// Any number of classes for a picture: binary cross-entropy of every score.
    case multiLabelClassification = "multi_label_classification"
}
