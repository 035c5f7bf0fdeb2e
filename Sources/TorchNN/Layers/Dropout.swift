public import Torch

/// Zeroes single elements at random in training and scales the rest, so that the mean stays.
///
/// ## Source
/// Srivastava et al., "Dropout" (JMLR 15, 2014).
public final class Dropout: Module {
    /// The share of elements that are zeroed, from 0 up to but not including 1.
    public let probability: Double

    /// Creates a layer.
    ///
    /// - Parameter probability: The share of elements that are zeroed.
    /// - Throws: ``ConfigurationError`` when it is outside 0 ..< 1.
    public init(_ probability: Double) throws(ConfigurationError) {
        self.probability = try checkedProbability(probability, name: "the dropout rate")
    }

    /// Whether the layer changes anything: in training with a rate above 0.
    package var isActive: Bool { isTraining && probability > 0 }

    /// Returns `x` itself in evaluation, or with elements zeroed in training.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        guard isActive else { return x }
        return try Functional.dropout(x, probability: probability)
    }
}

/// Zeroes the whole branch of single samples at random in training (stochastic depth).
///
/// The samples that stay are scaled by `1 / (1 - probability)`.
///
/// ## Source
/// Huang et al., "Deep Networks with Stochastic Depth" (arXiv:1603.09382); `timm/layers/drop.py`, `drop_path`.
public final class DropPath: Module {
    /// The share of samples whose branch is zeroed, from 0 up to but not including 1.
    public let probability: Double

    /// Creates a layer.
    ///
    /// - Parameter probability: The share of samples whose branch is zeroed.
    /// - Throws: ``ConfigurationError`` when it is outside 0 ..< 1.
    public init(_ probability: Double) throws(ConfigurationError) {
        self.probability = try checkedProbability(probability, name: "the drop-path rate")
    }

    /// Returns `x` itself in evaluation, or with samples zeroed in training.
    ///
    /// - Parameter x: `[batch, …]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` for a lack of memory.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        guard let factors = try factors(for: x) else { return x }
        return try x * factors
    }

    /// Draws what every sample's branch is multiplied by, 0 or `1 / (1 - probability)`.
    ///
    /// - Parameter x: `[batch, …]`.
    /// - Returns: `[batch, 1, …]` of the rank of `x`; `nil` in evaluation and for a rate of 0.
    /// - Throws: `TorchError` for a lack of memory.
    package func factors(for x: Tensor) throws(TorchError) -> Tensor? {
        guard isTraining, probability > 0 else { return nil }
        let keep = 1 - probability
        let shape = [x.shape.first ?? 1] + Array(repeating: 1, count: max(x.rank - 1, 0))
        // [batch, 1, …], 1 with probability `keep`
        return try (x.randLike(shape: shape) + keep).floor() / keep
    }
}

private func checkedProbability(_ value: Double, name: String) throws(ConfigurationError) -> Double
{
    guard value >= 0, value < 1 else {
        throw ConfigurationError.outOfRange(
            name: name,
            value: "\(value)",
            expected: "at least 0 and less than 1"
        )
    }
    return value
}
