public import Torch

/// Normalises every channel, by the batch in training and by running statistics otherwise.
///
/// ## Shapes
/// - Input and output: `[batch, channels, height, width]`
///
/// ## Parameters in a checkpoint
/// - `weight`, `bias`: `[channels]`; buffers `running_mean`, `running_var`: `[channels]`, `num_batches_tracked`: `[]`
///
/// ## Source
/// Ioffe & Szegedy, "Batch Normalization" (arXiv:1502.03167).
public final class BatchNorm2d: Module {
    /// The scale, 1 at first.
    public let weight: Parameter

    /// The shift, 0 at first.
    public let bias: Parameter

    /// The mean of every channel, moved by the momentum with every batch of training.
    public let runningMean: Buffer

    /// The unbiased variance of every channel, moved likewise.
    public let runningVar: Buffer

    /// How many batches have moved the statistics, `int64`.
    public let numBatchesTracked: Buffer

    private let momentum: Double
    /// What is added to the variance.
    let eps: Double

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - channels: The number of channels.
    ///   - eps: What is added to the variance.
    ///   - momentum: The share of the batch in the running statistics, 0 to 1.
    ///   - zeroInit: Whether the scale starts at 0, so that a residual branch starts as nothing.
    /// - Throws: `TorchError` for a lack of memory.
    public init(
        _ channels: Int,
        eps: Double = 1e-5,
        momentum: Double = 0.1,
        zeroInit: Bool = false
    ) throws(TorchError) {
        self.weight = try Parameter(Tensor.full(zeroInit ? 0 : 1, [channels]))
        self.bias = try Parameter(Tensor.zeros([channels]))
        self.runningMean = Buffer(try Tensor.zeros([channels]))
        self.runningVar = Buffer(try Tensor.ones([channels]))
        self.numBatchesTracked = Buffer(try Tensor.zeros([], dtype: .int64))
        self.momentum = momentum
        self.eps = eps
    }

    /// Returns the normalised images; in training it also moves the running statistics.
    ///
    /// - Parameter x: `[batch, channels, height, width]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the number of channels differs, or in training for a single value a channel.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try self(x, adding: nil)
    }

    /// The same with what follows in a residual network, which in training is one pass over the images with it.
    ///
    /// - Parameters:
    ///   - x: `[batch, channels, height, width]`.
    ///   - residual: What is added to the normalised images, of their shape.
    ///   - activation: What is done to the sum.
    /// - Returns: The same shape.
    /// - Throws: As without them.
    func callAsFunction(
        _ x: Tensor,
        adding residual: Tensor?,
        _ activation: Functional.Activation = .none
    ) throws(TorchError) -> Tensor {
        if isTraining { try numBatchesTracked.tensor.copy(from: numBatchesTracked.tensor + 1.0) }
        guard isTraining, ComputePolicy.current.pointwise == .vectors else {
            let maps = try normalized(x)
            let sum = try residual.map { (residual) throws(TorchError) in try maps + residual }
            return try activation(sum ?? maps)
        }
        let result = try Functional.batchNormVectors(
            x,
            weight: weight.tensor,
            bias: bias.tensor,
            runningMean: runningMean.tensor,
            runningVar: runningVar.tensor,
            adding: residual,
            isPositive: activation == .relu,
            momentum: momentum,
            eps: eps
        )
        return activation == .relu ? result : try activation(result)
    }

    private func normalized(_ x: Tensor) throws(TorchError) -> Tensor {
        try Functional.batchNorm(
            x,
            weight: weight.tensor,
            bias: bias.tensor,
            runningMean: runningMean.tensor,
            runningVar: runningVar.tensor,
            isTraining: isTraining,
            momentum: momentum,
            eps: eps
        )
    }
}
