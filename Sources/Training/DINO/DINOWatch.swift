import Foundation
import Torch

/// Measurements of a step that show how training goes, and their means over an epoch.
///
/// | name | what it is | good | bad |
/// |---|---|---|---|
/// | `ln_k` | the loss as a share of ln K, the loss of knowing nothing | falls below 1 | stays at 1 |
/// | `teacher_entropy` | how undecided the teacher is about an image, 0 to ln K | between | ln K: uniform; 0 with no information: constant |
/// | `kl_uniform` | how far its answers are from uniform, `ln K - teacher_entropy` | above 0 | 0 |
/// | `teacher_information` | what its answers tell of which image it is: entropy of the mean answer less the mean entropy | above 0 | 0: collapse of either kind |
/// | `feature_std` | spread of the features on the sphere: 1 where they go everywhere, 0 where all are one | above 0.1 | 0 |
/// | `center_norm` | the length of the centre | settles | grows on and on |
public enum DINOWatch {
    /// The temperature of the teacher that DINO's code has.
    static let usualTeacherTemp = 0.04
    /// Above this temperature training is unstable (section 5.3 of the paper, and its code's help).
    static let largestTeacherTemp = 0.07

    /// The numbers of one step, each a tensor of one number on the device.
    static func numbers(
        entropy: Tensor,
        answers: Tensor,
        rows: Int,
        features: Tensor,
        center: Tensor
    ) throws(TorchError) -> [(name: String, value: Tensor)] {
        try withoutGradient { () throws(TorchError) in
            let mean = try answers / Double(max(rows, 1))
            let whole = try -((mean * mean.clamped(1e-30...1).log()).sum())
            return [
                ("teacher_entropy", entropy),
                ("teacher_information", try whole - entropy),
                ("feature_std", try spread(features)),
                ("center_norm", try center.norm()),
            ]
        }
    }

    /// The spread of vectors on the unit sphere: √width times the mean deviation of a coordinate.
    static func spread(_ features: Tensor) throws(TorchError) -> Tensor {
        let (_, width) = try features.shape2()
        let x = try features.to(.float32)
        let length = try (x * x).sum([1], keepDims: true).sqrt().clamped(1e-12...Double.infinity)
        let unit = try x / length
        let off = try unit - unit.mean([0], keepDims: true)
        return try (off * off).mean([0]).sqrt().mean() * Double(width).squareRoot()
    }

    /// What an epoch's means say.
    public enum Verdict: Sendable, Equatable {
        /// The teacher gives every image the same share of all outputs.
        case uniform
        /// The teacher gives every image the same answer.
        case constant
        /// Features of all images are nearly one.
        case oneFeature
        /// The loss is that of knowing nothing.
        case nothingLearnt
        /// The loss is above that of knowing nothing: the student contradicts a teacher that is sure.
        case contradicting
    }

    /// Judges the means of an epoch.
    ///
    /// - Parameters:
    ///   - means: The means by the names above.
    ///   - loss: The mean loss.
    ///   - outDim: K.
    ///   - epoch: The epochs done, this one included.
    ///   - warmupEpochs: The epochs of the learning rate's warm-up, in which nothing is judged but at most 3.
    /// - Returns: What is wrong, or nil.
    public static func verdict(
        _ means: [String: Double],
        loss: Double,
        outDim: Int,
        epoch: Int,
        warmupEpochs: Double
    ) -> Verdict? {
        guard Double(epoch) > min(warmupEpochs, 3), let entropy = means["teacher_entropy"],
            let information = means["teacher_information"], let spread = means["feature_std"]
        else { return nil }
        let most = log(Double(outDim))
        if information < 0.01 * most {
            if entropy > 0.98 * most { return .uniform }
            if entropy < 0.5 * most || loss < 0.5 * most { return .constant }
        }
        if spread < 0.02 { return .oneFeature }
        if loss > 1.05 * most { return .contradicting }
        return loss > 0.985 * most ? .nothingLearnt : nil
    }

    /// The sentence for a person.
    ///
    /// - Parameters:
    ///   - verdict: What is wrong.
    ///   - options: The run's options, for what to change.
    /// - Returns: What it looks like, and what to do.
    public static func sentence(_ verdict: Verdict, _ options: TrainingOptions) -> String {
        let lower = "\(min(options.teacherTemp / 2, DINOWatch.usualTeacherTemp))"
        return switch verdict {
        case .uniform:
            "warning: this looks like collapse: the teacher's output is uniform for every image "
                + "(KL to uniform is near 0); try --teacher-temp \(lower) --warmup-teacher-temp \(lower), or a lower --lr"
        case .constant:
            "warning: this looks like collapse: the teacher's output is the same for every image (it "
                + "does not depend on the image); try a lower --lr, --momentum-teacher 0.9995, --center-momentum 0.9 and "
                + "--norm-last-layer on"
        case .oneFeature:
            "warning: this looks like collapse: the features of all images are nearly the same; try a lower --lr, a "
                + "longer --warmup-epochs and --momentum-teacher 0.9995"
        case .nothingLearnt:
            "warning: the model may not be learning: the loss is still not below ln K = "
                + "\(String(format: "%.2f", log(Double(options.outDim)))), the chance level; try --teacher-temp "
                + "\(lower) --warmup-teacher-temp \(lower), a smaller --out-dim for small data, a higher --lr, or more steps "
                + "(a smaller --batch)"
        case .contradicting:
            "warning: the student disagrees with its teacher: the loss is above ln K = "
                + "\(String(format: "%.2f", log(Double(options.outDim)))), the chance level; try a lower --lr, a longer "
                + "--warmup-epochs or --momentum-teacher 0.9995"
        }
    }
}
