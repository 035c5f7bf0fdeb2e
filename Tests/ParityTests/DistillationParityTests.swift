import TestSupport
import Testing
import Torch
import TorchNN
import Training
import VisionModels

/// The distillation task against `DistillationLoss` of facebookresearch/deit; what is left is float32 rounding.
@Suite("Distillation against DeiT's losses.py", .tags(.parity))
@ModelActor
struct DistillationParityTests {
    static let tolerance: Float = 1e-5

    static let kinds: [(name: String, kind: DistillationTask.Kind?)] = [
        ("none", nil), ("soft_1", .soft(tau: 1, reduction: .numel)),
        ("soft_3", .soft(tau: 3, reduction: .numel)), ("hard", .hard),
    ]

    @Test("Value and gradients of both heads", arguments: [0, 1, 2, 3], ["smoothed", "mixed"])
    func lossAndGradients(kind index: Int, base: String) throws {
        let expected = try fixture("distillation")
        let (name, kind) = Self.kinds[index]
        for (alpha, text) in [(0.5, "0.5"), (0.1, "0.1")] {
            let cls = try expected.tensor("cls_logits")
            let dist = try expected.tensor("dist_logits")
            for leaf in [cls, dist] { try leaf.setRequiresGradient(true) }
            let teacher = try expected.tensor("teacher_logits")
            let loss = ClassificationLoss(smoothing: 0.1)
            let task: any TrainingTask =
                try kind.map {
                    try DistillationTask(
                        student: { _ in ClassifierLogits(cls: cls, dist: dist) },
                        teacher: { _ in ClassifierLogits(cls: teacher) },
                        kind: $0,
                        alpha: alpha,
                        loss: loss
                    )
                } ?? SupervisedTask(student: { _ in ClassifierLogits(cls: cls) }, loss: loss)
            let targets = TrainingTargets(
                labels: try expected.labels("labels"),
                soft: base == "mixed" ? try expected.tensor("shares") : nil
            )
            let result = try task(pixels: Tensor.zeros([6, 3, 2, 2]), targets: targets)
            let label = "\(base).\(name).alpha_\(text)"
            try expectClose(label, [], result.loss, expected)
            try result.loss.backward()
            for (head, leaf) in [("cls", cls), ("dist", dist)] {
                let gradient = try leaf.gradient() ?? Tensor.zeros([6, 5])
                try expectClose("\(label).\(head)_gradient", [6, 5], gradient, expected)
            }
        }
    }

    private func expectClose(
        _ name: String,
        _ shape: [Int],
        _ found: Tensor,
        _ expected: Fixture
    ) throws {
        TestSupport.expectClose(
            shape: found.shape,
            try found.floats(),
            expectedShape: shape,
            try expected.floats(name),
            tolerance: Self.tolerance,
            name
        )
    }
}
