public import Checkpoints
public import Datasets
import ImagePipeline

/// A model and images that do not go together.
public enum EvaluationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The data has classes that the model does not tell apart.
    case unknownClasses(data: [String], model: [String], hasIdentifiers: Bool)

    /// The model takes images of one size only.
    case fixedSize(height: Int, width: Int, asked: Int)

    /// No image of the data could be read.
    case nothingToMeasure(SkippedImages)

    /// An image could not be read.
    case unreadableImage(file: String, reason: String)

    /// The model names no classes: its checkpoint has no classifier.
    case noClassifier(path: String)

    /// The model's outputs are not the classes of which an image has one.
    case notSingleLabel(path: String, scoring: ClassScoring, classes: Int)

    /// The model does not have what was asked of it.
    case noSuchFeature(String)

    /// Features of a kind that the file's format does not hold.
    case notInFormat(String)

    /// A value that makes no sense, and why.
    case invalid(String)

    /// An image in a size whose attention would need more memory, in bytes, than it may take.
    case tooLarge(height: Int, width: Int, bytes: Int, limit: Int)

    /// The folder to write to has files already.
    case notEmpty(path: String)

    /// One sentence: what is wrong and what to do.
    public var description: String {
        switch self {
        case .unknownClasses(let data, let model, let hasIdentifiers):
            let synsets = data.allSatisfy { $0.count == 9 && $0.hasPrefix("n") }
            let advice =
                synsets && !hasIdentifiers
                ? "the folders have the names of ImageNet's synsets: give the model's with --labels FILE, "
                    + "lines of synset and names in the order of its outputs"
                : "rename the folders, or name the model's classes with --labels FILE"
            return "the data has classes that the model does not know: \(listed(data, limit: 20)); "
                + "the model has \(described(model)); \(advice)"
        case .fixedSize(let height, let width, let asked):
            return
                "the model takes images of \(ImageSize(height: height, width: width)) only, not \(asked) × \(asked); "
                + "its positions belong to that size: say with --resample how they are brought to another"
        case .nothingToMeasure(let skipped):
            let subject =
                skipped.count == 1
                ? "the only image cannot" : "none of \(skipped.count) images can"
            return "\(subject) be read: \(skipped.listing)"
        case .unreadableImage(let file, let reason):
            return "\(file) cannot be used: \(reason)"
        case .noClassifier(let path):
            return "\(path) has no classifier, so it tells no classes apart; "
                + "`deit features` works with it, `deit train` makes a classifier"
        case .notSingleLabel(let path, let scoring, let classes):
            let what =
                switch scoring {
                case .none: "\(path) is a regression model (problem_type regression)"
                case .sigmoid where classes == 1: "\(path) has one output"
                default:
                    "\(path) is a multi-label model (problem_type multi_label_classification)"
                }
            return what
                + ", so its accuracy on images with one class each is not defined; `deit classify` prints its outputs, "
                + "and --knn or --linear measures its features"
        case .noSuchFeature(let text), .notInFormat(let text), .invalid(let text):
            return text
        case .tooLarge(let height, let width, let bytes, let limit):
            return
                "attention over \(ImageSize(height: height, width: width)) needs about \(gibibytes(bytes)) of memory, more than "
                + "\(gibibytes(limit)): give a smaller --size, or more with --memory"
        case .notEmpty(let path):
            return
                "\(path) has files already; name another folder, or write into it with --overwrite"
        }
    }

    private func gibibytes(_ bytes: Int) -> String {
        let tenths = (Double(bytes) / Double(1 << 30) * 10).rounded() / 10
        return tenths < 1e6 ? "\(tenths) GiB" : "a million GiB"
    }

    private func described(_ classes: [String]) -> String {
        if classes == classes.indices.map(String.init) {
            return "\(classes.count) classes without names"
        }
        return "\(classes.count) classes: \(listed(classes, limit: 10))"
    }

    /// The first names and how many more there are; names may hold commas.
    private func listed(_ names: [String], limit: Int) -> String {
        let separator = names.contains { $0.contains(",") } ? " | " : ", "
        let shown = names.prefix(limit).joined(separator: separator)
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }
}
