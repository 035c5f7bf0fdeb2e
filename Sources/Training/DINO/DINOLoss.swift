public import Torch
import TorchNN

/// DINO's loss: the student's answer to each crop against the teacher's sharpened answers to the other large crops.
///
/// `q = softmax((teacher - center) / teacherTemp)`, `p = softmax(student / studentTemp)`; the mean of `-Σ q log p` over
/// all pairs of a teacher's crop and another crop of the student's. Pure: the centre is moved by the caller, once a step.
///
/// ## Source
/// Caron et al. (arXiv:2104.14294), equations 2 to 4 and algorithm 1; dino `main_dino.py`, `DINOLoss`.
public struct DINOLoss: Sendable, Equatable {
    /// The student's crops of an image, the large ones first.
    public var crops: Int
    /// The large crops, which the teacher sees too.
    public var globalCrops: Int
    /// The student's temperature.
    public var studentTemp: Double

    /// Creates a loss.
    ///
    /// - Parameters:
    ///   - crops: The student's crops of an image, the large ones first.
    ///   - globalCrops: The large crops, at least 1; with the others there are at least 2 crops.
    ///   - studentTemp: The student's temperature, above 0.
    public init(crops: Int, globalCrops: Int = 2, studentTemp: Double = 0.1) {
        self.crops = crops
        self.globalCrops = globalCrops
        self.studentTemp = studentTemp
    }

    /// A loss and what the teacher said.
    public struct Terms {
        /// The mean loss, one number, from which gradients flow back into the student.
        public let loss: Tensor
        /// The mean entropy of the teacher's answers, one number; of K equal shares it is ln K.
        public let entropy: Tensor
        /// The teacher's answers added up over crops and images, `[outDim]`.
        public let answers: Tensor
    }

    /// The loss of a batch.
    ///
    /// - Parameters:
    ///   - student: The student's outputs, `[crops · batch, outDim]`, one crop after the other.
    ///   - teacher: The teacher's outputs, `[globalCrops · batch, outDim]`; no gradient flows into them.
    ///   - center: `[1, outDim]`.
    ///   - teacherTemp: The teacher's temperature, above 0.
    /// - Returns: The loss and what the teacher said.
    /// - Throws: `TorchError` when the shapes do not fit.
    public func callAsFunction(
        student: Tensor,
        teacher: Tensor,
        center: Tensor,
        teacherTemp: Double
    ) throws(TorchError) -> Terms {
        let (rows, outputs) = try student.shape2()
        let batch = rows / max(crops, 1)
        guard crops > 1, (1...crops).contains(globalCrops), batch > 0, rows == crops * batch,
            teacher.shape == [globalCrops * batch, outputs], center.shape == [1, outputs]
        else {
            throw TorchError(
                operation: "DINO loss",
                message: "outputs of shapes \(student.shape) and \(teacher.shape) and a centre of "
                    + "\(center.shape) do not match \(crops) crops, \(globalCrops) of them global"
            )
        }
        let said = try withoutGradient { () throws(TorchError) in
            try answers(teacher, center: center, teacherTemp: teacherTemp, batch: batch)
        }
        var total: Tensor?
        for crop in 0..<crops {
            let logits =
                try student.narrowed(0, (crop * batch)..<((crop + 1) * batch)).to(.float32)
                / studentTemp
            guard let target = said.targets[crop] else { continue }
            let term = try Loss.crossEntropy(logits, targets: target)
            total = try total.map { (sum) throws(TorchError) in try sum + term } ?? term
        }
        guard let total else {
            throw TorchError(
                operation: "DINO loss",
                message: "there are no two different crops to compare"
            )
        }
        return Terms(
            loss: try total / Double(globalCrops * (crops - 1)),
            entropy: said.entropy,
            answers: said.sum
        )
    }

    /// For each crop the sum of the teacher's answers to the other large crops; nil where there is none.
    private func answers(
        _ teacher: Tensor,
        center: Tensor,
        teacherTemp: Double,
        batch: Int
    ) throws(TorchError) -> (targets: [Tensor?], entropy: Tensor, sum: Tensor) {
        let log = try Functional.logSoftmax((teacher.to(.float32) - center) / teacherTemp)
        let all = try log.exp()
        // 0 · log 0 is 0; the logarithm of a softmax is finite or, far off, -inf.
        let products = try all * log.clamped(-1e4...0)
        let entropy = try -(products.sum([1]).mean())
        let views = try (0..<globalCrops).map { (view) throws(TorchError) in
            try all.narrowed(0, (view * batch)..<((view + 1) * batch))
        }
        func sum(without left: Int?) throws(TorchError) -> Tensor? {
            var sum: Tensor?
            for (view, answer) in views.enumerated() where view != left {
                sum = try sum.map { (before) throws(TorchError) in try before + answer } ?? answer
            }
            return sum
        }
        let ofAll = try sum(without: nil)
        let targets = try (0..<crops).map { (crop) throws(TorchError) in
            crop < globalCrops ? try sum(without: crop) : ofAll
        }
        return (targets, entropy, try all.sum([0]))
    }
}
