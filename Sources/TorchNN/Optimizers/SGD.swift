public import Torch

/// Stochastic gradient descent with momentum, as PyTorch defines it.
///
/// The weight decay is added to the gradient; the momentum buffer starts from the first gradient.
///
/// ## Source
/// Sutskever et al., "On the importance of initialization and momentum" (ICML 2013); equals `torch.optim.SGD`.
public final class SGD: Optimizer {
    /// The groups that it optimises.
    public private(set) var groups: [ParameterGroup]

    private let momentum: Double
    private let nesterov: Bool
    private let buffers: [[Tensor]]
    // How many steps each buffer has seen: a parameter may get its first gradient later than others.
    private let stepCounts: [[Tensor]]

    /// Creates an optimiser.
    ///
    /// - Parameters:
    ///   - groups: What to optimise.
    ///   - momentum: The share of the buffer that is kept, 0 to 1.
    ///   - nesterov: Whether to look ahead; needs a momentum.
    /// - Throws: `TorchError` for a lack of memory.
    public init(
        _ groups: [ParameterGroup],
        momentum: Double = 0.9,
        nesterov: Bool = false
    ) throws(TorchError) {
        self.groups = groups
        self.momentum = momentum
        self.nesterov = nesterov
        var buffers: [[Tensor]] = []
        var stepCounts: [[Tensor]] = []
        for group in groups {
            var groupBuffers: [Tensor] = []
            var groupCounts: [Tensor] = []
            for (_, parameter) in group.parameters {
                groupBuffers.append(
                    try Tensor.zeros(parameter.tensor.shape, device: parameter.tensor.device)
                )
                groupCounts.append(try Tensor.zeros([]))
            }
            buffers.append(groupBuffers)
            stepCounts.append(groupCounts)
        }
        self.buffers = buffers
        self.stepCounts = stepCounts
    }

    /// Changes the weight decay of a group; of steps to come.
    public func setWeightDecay(_ weightDecay: Double, ofGroup index: Int) {
        guard groups.indices.contains(index) else { return }
        groups[index].weightDecay = weightDecay
    }

    /// Moves every parameter that has a gradient.
    public func step(lr: Double) throws(TorchError) {
        // Fresh buffers come last: counted first, they would be stepped a second time.
        for isFirst in [false, true] {
            for (index, group) in groups.enumerated() {
                try step(index, group, lr: lr, isFirst: isFirst)
            }
        }
    }

    /// The momentum buffers and step counts, as `momentum_buffer.KEY` and `step.KEY`.
    public func namedState() -> [(name: String, tensor: Tensor)] {
        var state: [(name: String, tensor: Tensor)] = []
        for (index, group) in groups.enumerated() {
            for (place, named) in group.parameters.enumerated() {
                state.append(("momentum_buffer.\(named.name)", buffers[index][place]))
                state.append(("step.\(named.name)", stepCounts[index][place]))
            }
        }
        return state
    }

    // Steps those parameters of a group whose buffers are fresh, or those whose buffers are not.
    private func step(
        _ index: Int,
        _ group: ParameterGroup,
        lr: Double,
        isFirst: Bool
    ) throws(TorchError) {
        var parameters: [Tensor] = []
        var gradients: [Tensor] = []
        var momenta: [Tensor] = []
        var counts: [Tensor] = []
        for (place, named) in group.parameters.enumerated() {
            guard let gradient = try named.parameter.tensor.gradient(),
                try (stepCounts[index][place].item() == 0) == isFirst
            else { continue }
            parameters.append(named.parameter.tensor)
            gradients.append(gradient)
            momenta.append(buffers[index][place])
            counts.append(stepCounts[index][place])
        }
        try Fused.sgd(
            parameters: parameters,
            gradients: gradients,
            momenta: momenta,
            lr: lr * group.lrScale,
            momentum: momentum,
            weightDecay: group.weightDecay,
            nesterov: nesterov,
            isFirst: isFirst
        )
        if isFirst {
            for count in counts { try count.fill(1) }
        }
    }
}
