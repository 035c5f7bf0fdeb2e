import Storage

/// What a classifier is trained on (`problem_type`): it decides the loss, and how outputs become scores.
public enum ProblemType: String, Sendable, Codable, CaseIterable {
    /// Numbers: mean squared error.
    case regression

    /// One class for an image: cross-entropy.
    case singleLabelClassification = "single_label_classification"

    /// Any number of classes for an image: binary cross-entropy of every score.
    case multiLabelClassification = "multi_label_classification"

    /// The key in `config.json`.
    static let key = "problem_type"

    /// What a `config.json` says; nil where it says nothing, or something that no library knows.
    init?(_ object: JSONObject) {
        guard let text = object[Self.key]?.stringValue else { return nil }
        self.init(rawValue: text)
    }
}
