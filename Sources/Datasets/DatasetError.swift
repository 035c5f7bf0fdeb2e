public import ImagePipeline

/// What can be wrong with a data set; each case tells itself in one sentence.
public enum DatasetError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is nothing at the path.
    case missing(path: String)
    /// The path is a file where a folder is needed.
    case notAFolder(path: String)
    /// The folder could not be listed, or a file of the set could not be read.
    case unreadableSet(path: String, detail: String)
    /// The folder holds neither class folders nor IDX files.
    case noPictures(path: String)
    /// The folder has no part for this use.
    case missingSplit(path: String, split: DatasetSplit)
    /// Some class folders hold no picture.
    case emptyClasses(path: String, names: [String])
    /// Training and validation data have different classes.
    case classesDiffer(onlyInTraining: [String], onlyInValidation: [String])
    /// A file of the set breaks the rules of its format.
    case malformed(path: String, detail: String)
    /// A picture could not be read and unreadable ones are not accepted.
    case unreadablePicture(name: String, error: ImageError)
    /// More pictures could not be read than are accepted.
    case tooManyUnreadable(SkippedPictures)
    /// No readable picture was found to take the place of one that is not.
    case noReplacement(name: String, tries: Int)
    /// The task that asked for batches was cancelled.
    case cancelled
    /// A value does not fit: a batch size, a limit, a size that varies within a batch.
    case invalid(String)

    /// One sentence for a person.
    public var description: String {
        switch self {
        case .missing(let path):
            "there is no data folder at \(path)"
        case .notAFolder(let path):
            "\(path) is a file; the data is given as a folder"
        case .unreadableSet(let path, let detail):
            "\(path) cannot be read (\(detail))"
        case .noPictures(let path):
            "\(path) holds no pictures; \(DatasetError.layout)"
        case .missingSplit(let path, let split):
            "\(path) has no \(split.rawValue) data; \(DatasetError.layout)"
        case .emptyClasses(let path, let names):
            names.count == 1
                ? "the class \(names[0]) in \(path) has no pictures (jpg, jpeg, png or webp); add some or remove the folder"
                : "\(names.count) classes in \(path) have no pictures (jpg, jpeg, png or webp): \(listed(names));"
                    + " add some or remove the folders"
        case .classesDiffer(let training, let validation):
            "training and validation data have different classes: "
                + [
                    training.isEmpty ? nil : "only in training \(listed(training))",
                    validation.isEmpty ? nil : "only in validation \(listed(validation))",
                ].compactMap { $0 }.joined(separator: "; ")
        case .malformed(let path, let detail):
            "\(path) is damaged: \(detail)"
        case .unreadablePicture(let name, let error):
            "the picture \(name) cannot be used: \(error.reason)"
        case .tooManyUnreadable(let skipped):
            "\(skipped.count) pictures cannot be used, more than the limit of \(skipped.limit): \(skipped.listing)"
        case .noReplacement(let name, let tries):
            "the picture \(name) cannot be used, nor can the \(tries) that follow it; check the data"
        case .cancelled:
            "loading was cancelled"
        case .invalid(let text):
            text
        }
    }

    private static let layout =
        "expected train/CLASS/*.jpg and val/CLASS/*.jpg, or IDX files such as train-images-idx3-ubyte.gz"
}

/// Names joined for a sentence, all of them.
private func listed(_ names: [String]) -> String {
    names.joined(separator: ", ")
}
