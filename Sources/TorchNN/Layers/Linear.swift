public import Torch

/// A linear map of the last dimension with a bias.
///
/// Computes `x weightᵀ + bias`. The kernel is the one of ``ComputePolicy/linear``. In evaluation without gradients
/// oneDNN's keeps a second copy of the weight, packed for it; training drops that copy.
///
/// ## Shapes
/// - Input: `[…, inFeatures]`
/// - Output: `[…, outFeatures]`
///
/// ## Parameters in a checkpoint
/// - `weight`: `[outFeatures, inFeatures]`
/// - `bias`: `[outFeatures]`
public final class Linear: Module {
    /// The matrix.
    public let weight: Parameter

    /// What is added, if anything.
    public let bias: Parameter?

    /// What ``weight`` is made of, if it is in 8 bits; `nil` if it is not.
    ///
    /// ``weight`` then contains the dequantized values, integer multiples of the scales, with which the layer computes. A
    /// module around it may compute in 8 bits instead.
    public var quantization: LinearQuantization?

    private let packed = PackedWeight()

    /// Whether ``weight`` is there only in the order in which oneDNN reads it.
    private var isPacked = false

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - inFeatures: The width of the input.
    ///   - outFeatures: The width of the output.
    ///   - bias: Whether there is a bias; it starts at zero.
    ///   - initializer: The first values of the matrix; timm's normal with 0.02 by default.
    /// - Throws: `TorchError` for a lack of memory.
    public init(
        _ inFeatures: Int,
        _ outFeatures: Int,
        bias: Bool = true,
        initializer: Initializer = .normal(std: 0.02)
    ) throws(TorchError) {
        self.weight = try Parameter(initializer([outFeatures, inFeatures]))
        self.bias = bias ? try Parameter(Tensor.zeros([outFeatures])) : nil
    }

    /// Returns the mapped rows.
    ///
    /// - Parameter x: `[…, inFeatures]`.
    /// - Returns: `[…, outFeatures]`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        if isPacked {
            guard !isTraining, !isGradientEnabled, packed.isFilled else {
                throw Self.packedForInference
            }
            return try packed.linear(x)
        }
        let isOneDNN = ComputePolicy.current.linear == .oneDNN && x.device == .cpu
        if isTraining {
            packed.clear()
        } else if isOneDNN, let mapped = try packed.linear(x, weight.tensor, bias?.tensor) {
            return mapped
        }
        guard isOneDNN else { return try Functional.linear(x, weight.tensor, bias?.tensor) }
        return try Functional.linearOneDNN(x, weight.tensor, bias?.tensor)
    }

    /// Whether a gradient can flow through ``weight``: it was not packed for inference.
    package var isTrainable: Bool { !isPacked && quantization == nil }

    /// Lets go of the weight, which a module around this one keeps in a form of its own; see ``InferencePacking``.
    ///
    /// - Throws: `TorchError` for a lack of memory.
    package func releaseWeight() throws(TorchError) {
        weight.tensor = try weight.tensor.withoutElements()
        isPacked = true
    }

    /// Keeps the weight only as oneDNN reads it; see `Module.packForInference()`.
    func keepOnlyPacked(dtype: DType, rows: Int) throws(TorchError) {
        guard !isPacked, weight.tensor.device == .cpu,
            weight.tensor.dtype == .float32
        else { return }
        weight.tensor = try packed.pack(weight.tensor, bias?.tensor, dtype: dtype, rows: rows)
        isPacked = true
    }

    private static let packedForInference = TorchError(
        operation: "linear",
        message:
            "the model's weights were packed for inference; load the model again for anything else"
    )
}
