import TestSupport
import Testing
import Torch
import TorchNN

/// The losses and their gradients against torch and timm; what is left is float32 rounding.
@Suite("Losses against torch and timm", .tags(.parity))
@ModelActor
struct LossParityTests {
    static let tolerance: Float = 1e-5

    @Test("Cross-entropy: labels, smoothing, soft targets")
    func crossEntropy() throws {
        let expected = try fixture("losses")
        let labels = try expected.labels("labels")
        try expectLoss("cross_entropy", expected) { try Loss.crossEntropy($0, labels: labels) }
        try expectLoss("cross_entropy_smoothed", expected) {
            try Loss.crossEntropy($0, labels: labels, smoothing: 0.1)
        }
        let targets = try expected.tensor("soft_targets")
        try expectLoss("cross_entropy_soft_targets", expected) {
            try Loss.crossEntropy($0, targets: targets)
        }
    }

    @Test("Soft distillation by both reductions", arguments: [1, 3], Loss.KLReduction.allCases)
    func softDistillation(tau: Int, reduction: Loss.KLReduction) throws {
        let expected = try fixture("losses")
        let teacher = try expected.tensor("teacher_logits")
        try expectLoss("kl_\(reduction.rawValue).temperature_\(tau)", expected) {
            try Loss.softDistillation(
                student: $0,
                teacher: teacher,
                tau: Double(tau),
                reduction: reduction
            )
        }
    }

    @Test("Hard distillation ignores smoothing and takes the teacher's best class")
    func hardDistillation() throws {
        let expected = try fixture("losses")
        let teacher = try expected.tensor("teacher_logits")
        try expectLoss("distillation_hard", expected) {
            try Loss.hardDistillation(student: $0, teacher: teacher)
        }
    }

    @Test("The losses of models that predict numbers or several labels")
    func targets() throws {
        let expected = try fixture("losses")
        let numbers = try expected.tensor("teacher_logits")
        try expectLoss("mean_squared_error", expected) {
            try Loss.meanSquaredError($0, targets: numbers)
        }
        let labels = try expected.tensor("several_labels")
        try expectLoss("binary_cross_entropy", expected) {
            try Loss.binaryCrossEntropy($0, targets: labels)
        }
        let mixed = try expected.tensor("mixed_targets")
        try expectLoss("binary_cross_entropy_threshold", expected) {
            try Loss.binaryCrossEntropy($0, targets: mixed, threshold: 0)
        }
    }
}

/// Expects a loss and its gradient with respect to the file's `logits` to be the file's of that name.
@ModelActor
func expectLoss(
    _ name: String,
    _ expected: Fixture,
    _ loss: (Tensor) throws -> Tensor
) throws {
    let logits = try expected.tensor("logits")
    try logits.setRequiresGradient(true)
    let value = try loss(logits)
    expectClose(
        shape: value.shape,
        try value.floats(),
        expectedShape: [],
        try expected.floats(name),
        tolerance: LossParityTests.tolerance,
        name
    )
    try value.backward()
    let found = try logits.gradient()
    let gradient = try #require(found, "\(name) has no gradient")
    expectClose(
        shape: gradient.shape,
        try gradient.floats(),
        expectedShape: try expected.shape("\(name).gradient"),
        try expected.floats("\(name).gradient"),
        tolerance: LossParityTests.tolerance,
        "gradient of \(name)"
    )
}
