public import ImagePipeline
import Storage

/// An error in a data set, described in one sentence.
public enum DatasetError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is nothing at the path.
    case missing(path: String)
    /// The path is a file of no kind that holds a data set.
    case notAFolder(path: String)
    /// The folder could not be listed, or a file of the set could not be read.
    case unreadableSet(path: String, detail: String)
    /// The folder holds nothing that is understood.
    case noImages(path: String)
    /// The folder holds images, and no folders of classes.
    case noClasses(path: String)
    /// The folder has no part for this use.
    case missingSplit(path: String, split: DatasetSplit)
    /// Several names mean the same split.
    case ambiguousSplit(path: String, split: DatasetSplit, names: [String])
    /// Class folders whose names differ only in their Unicode normal form.
    case sameClassNames(path: String, names: [String])
    /// The path is an archive of a kind that is not read.
    case unsupportedArchive(path: String, kind: String)
    /// Some class folders hold no image.
    case emptyClasses(path: String, names: [String])
    /// Training and validation data have different classes.
    case classesDiffer(onlyInTraining: [String], onlyInValidation: [String])
    /// Folders or images have names that are not UTF-8; the paths, with `\xNN` for what is none.
    case namesNotUTF8([String])
    /// A list of images cannot be used: a line or a column is wrong.
    case badList(path: String, detail: String)
    /// A list names files that are not there: how many, and the first.
    case missingFiles(list: String, count: Int, first: [String])
    /// A list and a folder give images different classes: how many, and the first.
    case labelsDisagree(list: String, count: Int, first: [String])
    /// A file of the set breaks the rules of its format.
    case malformed(path: String, detail: String)
    /// An image could not be read and unreadable ones are not accepted.
    case unreadableImage(name: String, error: ImageError)
    /// More images could not be read than are accepted.
    case tooManyUnreadable(SkippedImages)
    /// No readable image was found to take the place of one that is not.
    case noReplacement(name: String, tries: Int)
    /// The task that requested batches was cancelled.
    case cancelled
    /// A value does not fit: a batch size, a limit, a size that varies within a batch.
    case invalid(String)

    /// One sentence for a person.
    public var description: String {
        switch self {
        case .missing(let path):
            "there is no data at \(path)"
        case .notAFolder(let path):
            "\(path) is neither a directory, nor a list (.csv, .tsv), nor a tar archive"
        case .unreadableSet(let path, let detail):
            "\(path) cannot be read (\(detail))"
        case .noImages(let path):
            "\(path) contains no images; \(DatasetError.layout)"
        case .noClasses(let path):
            "\(path) holds images but no class folders; move them into one folder per class (CLASS/*.jpg), or name their"
                + " classes in a list (.csv); what needs no classes takes the folder as an argument, such as"
                + " `deit features CHECKPOINT FOLDER`"
        case .missingSplit(let path, let split):
            "\(path) has no \(split.rawValue) data; \(DatasetError.layout)"
        case .ambiguousSplit(let path, let split, let names):
            "\(path) has \(names.joined(separator: " and ")), which all are names of the \(split.rawValue) split;"
                + " keep one, and rename or remove the others"
        case .sameClassNames(let path, let names):
            "the class folders \(names.map(ClassNames.spelled).joined(separator: " and ")) in \(path) differ only in"
                + " their Unicode normal form; move the images into one of them"
        case .unsupportedArchive(let path, let kind):
            "\(path) is \(kind), which is not supported; unpack it, or pack its content as .tar or .tar.gz"
        case .emptyClasses(let path, let names):
            names.count == 1
                ? "the class \(names[0]) in \(path) has no images (jpg, jpeg, png or webp); add some or remove the folder"
                : "\(names.count) classes in \(path) have no images (jpg, jpeg, png or webp): \(names.joined(separator: ", "));"
                    + " add some or remove the folders"
        case .classesDiffer(let training, let validation):
            "training and validation data have different classes: "
                + [
                    training.isEmpty ? nil : "only in training \(listed(training, limit: 20))",
                    validation.isEmpty
                        ? nil : "only in validation \(listed(validation, limit: 20))",
                ].compactMap { $0 }.joined(separator: "; ")
        case .namesNotUTF8(let names):
            "the name\(names.count == 1 ? "" : "s") of \(listed(names)) \(names.count == 1 ? "is" : "are") not UTF-8;"
                + " rename the file\(names.count == 1 ? "" : "s"), for example with `convmv`"
        case .badList(let path, let detail):
            "the list \(path) cannot be used: \(detail)"
        case .missingFiles(let list, let count, let first):
            "the list \(list) names \(counted(count, "file")) that \(count == 1 ? "does" : "do") not exist:"
                + " \(shown(first, of: count)); paths are relative to the list"
        case .labelsDisagree(let list, let count, let first):
            "the list \(list) gives \(counted(count, "image")) another class than their folder:"
                + " \(shown(first, of: count)); correct one of them, or use the list itself as --data"
        case .malformed(let path, let detail):
            "\(path) is damaged: \(detail)"
        case .unreadableImage(let name, let error):
            "the image \(name) cannot be used: \(error.reason)"
        case .tooManyUnreadable(let skipped):
            "\(counted(skipped.count, "image")) cannot be used, more than the limit of \(skipped.limit): \(skipped.listing)"
        case .noReplacement(let name, let tries):
            "the image \(name) cannot be used, nor can the next \(tries); check the data with `deit data check`"
        case .cancelled:
            "loading was cancelled"
        case .invalid(let text):
            text
        }
    }

    private static let layout =
        "expected train/CLASS/*.jpg and val/CLASS/*.jpg, lists (train.csv, val.csv), tar shards, CIFAR's files"
        + " or IDX files such as train-images-idx3-ubyte.gz"
}

/// The first names of a longer list.
private func shown(_ first: [String], of count: Int) -> String {
    let names = first.joined(separator: ", ")
    return count > first.count ? "\(names) and \(count - first.count) more" : names
}

extension DatasetError {
    /// The error of a data set for one of its files.
    ///
    /// - Parameter error: What happened to the file.
    init(_ error: StorageError) {
        self =
            switch error {
            case .unreadable(let path, let reason):
                .unreadableSet(path: path, detail: reason)
            case .unwritable(let path, let reason):
                .unreadableSet(path: path, detail: "it cannot be written: \(reason)")
            case .malformed(let file, let reason), .unsupported(let file, let reason):
                .malformed(path: file, detail: reason)
            }
    }

    /// Runs work on files and gives its error as a data set's.
    static func of<Result>(
        _ work: @autoclosure () throws(StorageError) -> Result
    ) throws(DatasetError) -> Result {
        do throws(StorageError) { return try work() } catch { throw DatasetError(error) }
    }
}
