import Torch
import TorchNN
import VisionModels

/// Several teachers as one: the mean of their probabilities.
///
/// Logits of different networks have different scales, so that a mean of logits would listen to the loudest; of
/// probabilities each teacher gives 1. The ensemble's logits are the logarithms of the mean probabilities: their softmax
/// is that mean, and soft distillation softens it by its temperature.
enum TeacherEnsemble {
    /// Several teachers as one; a single one stays as it is, to the bit.
    static func teacher(_ teachers: [Teacher], isMultiLabel: Bool = false) -> Teacher {
        if teachers.count == 1, let only = teachers.first { return only }
        return Teacher(
            forward: { pixels throws(TorchError) in
                var answers: [Tensor] = []
                for teacher in teachers { answers.append(try teacher.forward(pixels).averaged()) }
                return ClassifierLogits(
                    cls: isMultiLabel
                        ? try meanProbabilityLogits(answers) : try logMeanProbability(answers)
                )
            },
            fingerprint: {
                var fingerprint = Fingerprint()
                fingerprint.add("mean of the probabilities of \(teachers.count)")
                for teacher in teachers { fingerprint.add(try teacher.fingerprint().text) }
                return fingerprint
            },
            notes: ["\(teachers.count) teachers: their probabilities are averaged"]
                + teachers.flatMap(\.notes)
        )
    }

    /// `log(mean(softmax(logits)))`, without underflow.
    ///
    /// - Parameter logits: `[batch, classes]` of every teacher, of any type.
    /// - Returns: `[batch, classes]` of `float32`.
    /// - Throws: `TorchError` when the shapes differ.
    static func logMeanProbability(_ logits: [Tensor]) throws(TorchError) -> Tensor {
        var logs: [Tensor] = []
        for tensor in logits { logs.append(try Functional.logSoftmax(tensor.to(.float32))) }
        return try logMean(logs)
    }

    /// The logits whose logistic function is the mean of those of several, class by class.
    ///
    /// - Parameter logits: `[batch, classes]` of every teacher, of any type.
    /// - Returns: `[batch, classes]` of `float32`.
    /// - Throws: `TorchError` when the shapes differ.
    static func meanProbabilityLogits(_ logits: [Tensor]) throws(TorchError) -> Tensor {
        var (on, off): ([Tensor], [Tensor]) = ([], [])
        for tensor in logits {
            let logs = try Loss.logSigmoids(tensor)
            on.append(logs.on)
            off.append(logs.off)
        }
        return try logMean(on) - logMean(off)
    }

    /// `log(mean(exp(logs)))`, without underflow.
    private static func logMean(_ logs: [Tensor]) throws(TorchError) -> Tensor {
        guard var largest = logs.first else {
            throw TorchError(operation: "ensemble", message: "there are no teachers")
        }
        for log in logs.dropFirst() {
            largest = try Tensor.where(log.greater(largest), log, largest)
        }
        var sum = try Tensor.zeros(largest.shape, device: largest.device)
        for log in logs { sum = try sum + (log - largest).exp() }
        return try largest + (sum / Double(logs.count)).log()
    }
}
