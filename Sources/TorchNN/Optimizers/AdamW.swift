public import Torch

/// Adam with decoupled weight decay, in one fused pass over all parameters.
///
/// ## Source
/// Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (arXiv:1711.05101); equals
/// `torch.optim.AdamW(fused=True)`.
public final class AdamW: Optimizer {
    /// The groups that it optimises.
    public private(set) var groups: [ParameterGroup]

    private let beta1: Double
    private let beta2: Double
    private let eps: Double
    private let memory: [[Memory]]

    private struct Memory {
        let expAvg: Tensor
        let expAvgSq: Tensor
        let step: Tensor
    }

    /// Creates an optimiser with empty memory.
    ///
    /// - Parameters:
    ///   - groups: What to optimise.
    ///   - beta1: The decay of the gradients' running mean.
    ///   - beta2: The decay of the squared gradients' running mean.
    ///   - eps: What keeps the denominator from zero.
    /// - Throws: `TorchError` for a lack of memory.
    public init(
        _ groups: [ParameterGroup],
        beta1: Double = 0.9,
        beta2: Double = 0.999,
        eps: Double = 1e-8
    ) throws(TorchError) {
        self.groups = groups
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        var memory: [[Memory]] = []
        for group in groups {
            var slots: [Memory] = []
            for (_, parameter) in group.parameters {
                let tensor = parameter.tensor
                slots.append(
                    Memory(
                        expAvg: try Tensor.zeros(tensor.shape, device: tensor.device),
                        expAvgSq: try Tensor.zeros(tensor.shape, device: tensor.device),
                        step: try Tensor.zeros([], device: tensor.device)
                    )
                )
            }
            memory.append(slots)
        }
        self.memory = memory
    }

    /// Changes the weight decay of a group; of steps to come.
    public func setWeightDecay(_ weightDecay: Double, ofGroup index: Int) {
        guard groups.indices.contains(index) else { return }
        groups[index].weightDecay = weightDecay
    }

    /// Moves every parameter that has a gradient.
    public func step(lr: Double) throws(TorchError) {
        for (index, group) in groups.enumerated() {
            var parameters: [Tensor] = []
            var gradients: [Tensor] = []
            var slots: [Memory] = []
            for (place, named) in group.parameters.enumerated() {
                guard let gradient = try named.parameter.tensor.gradient() else { continue }
                parameters.append(named.parameter.tensor)
                gradients.append(gradient)
                slots.append(memory[index][place])
            }
            try Fused.adamW(
                Fused.AdamW(
                    lr: lr * group.lrScale,
                    beta1: beta1,
                    beta2: beta2,
                    weightDecay: group.weightDecay,
                    eps: eps
                ),
                parameters: parameters,
                gradients: gradients,
                firstMoments: slots.map(\.expAvg),
                secondMoments: slots.map(\.expAvgSq),
                steps: slots.map(\.step)
            )
        }
    }

    /// The moments and step counts, as `exp_avg.KEY`, `exp_avg_sq.KEY` and `step.KEY`.
    public func namedState() -> [(name: String, tensor: Tensor)] {
        var state: [(name: String, tensor: Tensor)] = []
        for (index, group) in groups.enumerated() {
            for (place, named) in group.parameters.enumerated() {
                let slot = memory[index][place]
                state.append(("exp_avg.\(named.name)", slot.expAvg))
                state.append(("exp_avg_sq.\(named.name)", slot.expAvgSq))
                state.append(("step.\(named.name)", slot.step))
            }
        }
        return state
    }
}
