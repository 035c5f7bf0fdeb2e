/// A part of a data set.
public enum DatasetSplit: String, Sendable, Codable, CaseIterable {
    /// The pictures to learn from.
    case train
    /// The pictures to measure with.
    case validation

    /// The names that folders of image folders have for it, the preferred first.
    var folderNames: [String] {
        switch self {
        case .train: ["train", "training"]
        case .validation: ["val", "validation", "valid", "test"]
        }
    }

    /// The prefix that MNIST's files have for it.
    var filePrefix: String {
        switch self {
        case .train: "train"
        case .validation: "t10k"
        }
    }
}
