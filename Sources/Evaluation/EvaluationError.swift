public import Checkpoints
import ImagePipeline

/// A model and images that cannot be measured or shown together.
public enum EvaluationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The model takes images of one size only.
    case fixedSize(height: Int, width: Int, asked: Int)

    /// The model's outputs are not the classes of which an image has one.
    case notSingleLabel(path: String, scoring: ClassScoring, classes: Int)

    /// The model predicts one class an image, and the images may have several.
    case notMultiLabel(path: String)

    /// A value that makes no sense, and why.
    case invalid(String)

    /// An image in a size whose attention would need more memory, in bytes, than it may take.
    case tooLarge(height: Int, width: Int, bytes: Int, limit: Int)

    /// The folder to write to has files already.
    case notEmpty(path: String)

    /// One sentence: what is wrong and what to do.
    public var description: String {
        switch self {
        case .fixedSize(let height, let width, let asked):
            return
                "the model takes images of \(ImageSize(height: height, width: width)) only, not \(asked) × \(asked); "
                + "other sizes need --resample, which resamples the position embeddings"
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
        case .notMultiLabel(let path):
            return
                "\(path) predicts one class an image, and these images may have several, so its scores on them are not defined; "
                + "train a model for them with `deit finetune`"
        case .invalid(let text):
            return text
        case .tooLarge(let height, let width, let bytes, let limit):
            return
                "attention over \(ImageSize(height: height, width: width)) needs about \(gibibytes(bytes)) of memory, more than "
                + "\(gibibytes(limit)): give a smaller --size, or more with --memory"
        case .notEmpty(let path):
            return
                "\(path) is not empty; choose another directory, or add --overwrite"
        }
    }

    private func gibibytes(_ bytes: Int) -> String {
        let tenths = (Double(bytes) / Double(1 << 30) * 10).rounded() / 10
        return tenths < 1e6 ? "\(tenths) GiB" : "a million GiB"
    }
}
