public import Checkpoints
public import Torch
public import TorchNN

/// The pooler of a model without head: a linear map of the class token and an activation.
///
/// ## Parameters in a checkpoint
/// - `pooler.dense.weight`: `[poolerOutputSize, hiddenSize]`, `pooler.dense.bias`: `[poolerOutputSize]`
///
/// ## Source
/// `transformers/models/vit/modeling_vit.py`, `ViTPooler`.
public final class Pooler: Module {
    /// The linear map.
    public let dense: Linear

    private let activation: Activation

    private enum Activation: String, CaseIterable {
        case tanh, gelu, relu, sigmoid, linear
    }

    /// Creates a pooler.
    ///
    /// - Parameter config: The configuration, of either family.
    /// - Throws: `ConfigurationError` for an activation that is not known or a width out of range, `TorchError` for a
    ///   lack of memory.
    public init<Family>(_ config: PretrainedConfig<Family>) throws {
        guard let activation = Activation(rawValue: config.poolerAct) else {
            throw ConfigurationError.unknownValue(
                name: "pooler_act",
                value: config.poolerAct,
                known: Activation.allCases.map(\.rawValue)
            )
        }
        let width = config.poolerOutputSize ?? config.hiddenSize
        guard (1...1_000_000).contains(width) else {
            throw ConfigurationError.outOfRange(
                name: "pooler_output_size",
                value: "\(width)",
                expected: "from 1 to 1000000"
            )
        }
        self.activation = activation
        dense = try Linear(config.hiddenSize, width)
    }

    /// Returns the pooled class token.
    ///
    /// - Parameter tokens: `[batch, tokens, hiddenSize]`.
    /// - Returns: `[batch, poolerOutputSize]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func callAsFunction(_ tokens: Tensor) throws(TorchError) -> Tensor {
        let pooled = try dense(tokens.selected(1, 0))
        switch activation {
        case .tanh: return try pooled.tanh()
        case .gelu: return try Functional.gelu(pooled)
        case .relu: return try Functional.relu(pooled)
        case .sigmoid: return try pooled.sigmoid()
        case .linear: return pooled
        }
    }
}
