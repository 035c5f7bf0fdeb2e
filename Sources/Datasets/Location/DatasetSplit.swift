/// A part of a data set.
public enum DatasetSplit: String, Sendable, Codable, CaseIterable {
    /// The images to learn from.
    case train
    /// The images to measure with.
    case validation

    /// The prefix that MNIST's files have for it.
    var filePrefix: String {
        switch self {
        case .train: "train"
        case .validation: "t10k"
        }
    }
}
