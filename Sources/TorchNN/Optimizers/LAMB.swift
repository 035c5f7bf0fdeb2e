import Foundation
public import Torch

/// Adam's steps, each parameter's scaled to the size of the parameter: for large batches, and for DeiT-III.
///
/// As timm's: the gradients of all groups together are clipped to a norm first, parameters without weight decay are not
/// scaled, and the weight decay is part of what is scaled.
///
/// ## Source
/// You et al., "Large Batch Optimization for Deep Learning" (arXiv:1904.00962); `timm/optim/lamb.py`, `Lamb`.
public final class LAMB: Optimizer {
    /// The groups that it optimises.
    public private(set) var groups: [ParameterGroup]

    private let beta1: Double
    private let beta2: Double
    private let eps: Double
    private let maxGradNorm: Double?
    private let memory: [[Memory]]
    // One for each group, as in timm.
    private let stepCounts: [Tensor]

    private struct Memory {
        let expAvg: Tensor
        let expAvgSq: Tensor
    }

    /// Creates an optimiser with empty memory.
    ///
    /// - Parameters:
    ///   - groups: What to optimise; their names must differ.
    ///   - beta1: The decay of the gradients' running mean.
    ///   - beta2: The decay of the squared gradients' running mean.
    ///   - eps: What keeps the denominator from zero.
    ///   - maxGradNorm: The largest norm of the whole gradient that is taken as it is; nil for any.
    /// - Throws: `TorchError` for a lack of memory.
    public init(
        _ groups: [ParameterGroup],
        beta1: Double = 0.9,
        beta2: Double = 0.999,
        eps: Double = 1e-6,
        maxGradNorm: Double? = 1
    ) throws(TorchError) {
        self.groups = groups
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.maxGradNorm = maxGradNorm
        var memory: [[Memory]] = []
        var stepCounts: [Tensor] = []
        for group in groups {
            var slots: [Memory] = []
            for (_, parameter) in group.parameters {
                let tensor = parameter.tensor
                slots.append(
                    Memory(
                        expAvg: try Tensor.zeros(tensor.shape, device: tensor.device),
                        expAvgSq: try Tensor.zeros(tensor.shape, device: tensor.device)
                    )
                )
            }
            memory.append(slots)
            stepCounts.append(try Tensor.zeros([]))
        }
        self.memory = memory
        self.stepCounts = stepCounts
    }

    /// Changes the weight decay of a group; of steps to come.
    public func setWeightDecay(_ weightDecay: Double, ofGroup index: Int) {
        guard groups.indices.contains(index) else { return }
        groups[index].weightDecay = weightDecay
    }

    /// Moves every parameter that has a gradient; the gradients stay as they are.
    public func step(lr: Double) throws(TorchError) {
        try withoutGradient { () throws(TorchError) in
            let clip = try clipDivisor()
            for index in groups.indices { try step(index, lr: lr, clip: clip) }
        }
    }

    /// The moments and step counts, as `exp_avg.KEY`, `exp_avg_sq.KEY` and `step.GROUP`.
    public func namedState() -> [(name: String, tensor: Tensor)] {
        var state: [(name: String, tensor: Tensor)] = []
        for (index, group) in groups.enumerated() {
            for (place, named) in group.parameters.enumerated() {
                state.append(("exp_avg.\(named.name)", memory[index][place].expAvg))
                state.append(("exp_avg_sq.\(named.name)", memory[index][place].expAvgSq))
            }
            state.append(("step.\(group.name)", stepCounts[index]))
        }
        return state
    }

    // What every gradient is divided by; it stays on the device, so that nothing waits for it.
    private func clipDivisor() throws(TorchError) -> Tensor? {
        guard let maxGradNorm, let norm = try gradientNorm() else { return nil }
        return try (norm / maxGradNorm).clamped(1...Double.infinity)
    }

    private func step(_ index: Int, lr: Double, clip: Tensor?) throws(TorchError) {
        let group = groups[index]
        try stepCounts[index].copy(from: stepCounts[index] + 1)
        let count = try stepCounts[index].item()
        let correction1 = 1 - pow(beta1, count)
        let correction2 = 1 - pow(beta2, count)

        var parameters: [Tensor] = []
        var gradients: [Tensor] = []
        var slots: [Memory] = []
        for (place, named) in group.parameters.enumerated() {
            guard let gradient = try named.parameter.tensor.gradient() else { continue }
            parameters.append(named.parameter.tensor)
            gradients.append(
                try clip.map { clip throws(TorchError) in try gradient / clip } ?? gradient
            )
            slots.append(memory[index][place])
        }
        var squares: [Tensor] = []
        for gradient in gradients { squares.append(try gradient * gradient) }
        try Fused.lerp(slots.map(\.expAvg), towards: gradients, weight: 1 - beta1)
        try Fused.lerp(slots.map(\.expAvgSq), towards: squares, weight: 1 - beta2)

        for (place, parameter) in parameters.enumerated() {
            let denominator = try slots[place].expAvgSq.sqrt() / correction2.squareRoot() + eps
            var update = try slots[place].expAvg / correction1 / denominator
            if group.weightDecay != 0 {
                update = try update + parameter * group.weightDecay
                update = try update * Self.trust(parameter, update)
            }
            try parameter.copy(from: parameter - update * (lr * group.lrScale))
        }
    }

    /// The parameter's norm over the update's; 1 where either is 0.
    private static func trust(_ parameter: Tensor, _ update: Tensor) throws(TorchError) -> Tensor {
        let size = try parameter.norm()
        let change = try update.norm()
        let zero = try Tensor.zeros([], device: parameter.device)
        let both = try size.greater(zero).to(.float32) * change.greater(zero).to(.float32)
        // Where a norm is 0, the divisor is not, and the quotient counts for nothing.
        let ratio = try size / (change + (both * -1 + 1))
        return try both * ratio + (both * -1 + 1)
    }
}
