public import Torch
public import TorchNN
import VisionModels

/// Which optimiser moves the weights, with its settings.
public enum OptimizerChoice: Sendable, Equatable {
    /// AdamW.
    case adamW(beta1: Double = 0.9, beta2: Double = 0.999, eps: Double = 1e-8)
    /// Stochastic gradient descent with momentum.
    case sgd(momentum: Double = 0.9, nesterov: Bool = false)
    /// LAMB.
    case lamb(beta1: Double = 0.9, beta2: Double = 0.999, eps: Double = 1e-6)

    /// Makes the optimiser over groups of weights.
    ///
    /// - Parameter groups: The weights, with the decay and the factor of the learning rate of each group.
    /// - Returns: The optimiser, its memory empty.
    /// - Throws: `TorchError` for a lack of memory.
    public func make(_ groups: [ParameterGroup]) throws(TorchError) -> any Optimizer {
        switch self {
        case .adamW(let beta1, let beta2, let eps):
            try AdamW(groups, beta1: beta1, beta2: beta2, eps: eps)
        case .sgd(let momentum, let nesterov):
            try SGD(groups, momentum: momentum, nesterov: nesterov)
        case .lamb(let beta1, let beta2, let eps):
            try LAMB(groups, beta1: beta1, beta2: beta2, eps: eps)
        }
    }
}

extension TrainingOptions {
    /// The optimiser that the options name.
    var optimizerChoice: OptimizerChoice {
        let (beta1, beta2) = self.optBetas.map { ($0[0], $0[1]) } ?? (0.9, 0.999)
        return switch self.optimizer {
        case .adamw: .adamW(beta1: beta1, beta2: beta2, eps: self.optEps)
        case .sgd, .momentum: .sgd(momentum: self.momentum, nesterov: usesNesterov)
        case .lamb: .lamb(beta1: beta1, beta2: beta2, eps: self.optEps)
        }
    }

    /// The optimiser's groups of a network's weights.
    ///
    /// - Parameters:
    ///   - module: The network.
    ///   - fresh: The keys of weights that have the full rate under a layer decay, wherever they lie.
    /// - Returns: The groups; frozen weights are in none.
    func parameterGroups(_ module: Module, fresh: [String] = []) -> [ParameterGroup] {
        guard let layerDecay = self.layerDecay else {
            return ParameterGroup.decaying(module, weightDecay: self.weightDecay)
        }
        let order = LayerOrder(names: module.namedParameters().map(\.name))
        return ParameterGroup.layerDecaying(
            module,
            weightDecay: self.weightDecay,
            layerDecay: layerDecay,
            layerCount: order.count,
            layer: { fresh.contains($0) ? nil : order.layer(of: $0) }
        )
    }
}
