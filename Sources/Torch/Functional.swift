internal import CTorch

/// The functions behind the layers: pure, of tensors only.
///
/// Layers in `TorchNN` choose among the kernels that compute the same function.
public enum Functional {
    /// `x weightᵀ + bias` over the last dimension.
    public static func linear(
        _ x: Tensor,
        _ weight: Tensor,
        _ bias: Tensor?
    ) throws(TorchError) -> Tensor {
        try tensor("linear") { ct_linear(x.handle, weight.handle, bias?.handle, $0) }
    }

    /// ``linear(_:_:_:)`` on oneDNN's matrix products, forward and backward; on the CPU only.
    public static func linearOneDNN(
        _ x: Tensor,
        _ weight: Tensor,
        _ bias: Tensor?
    ) throws(TorchError) -> Tensor {
        try tensor("linear") { ct_linear_onednn(x.handle, weight.handle, bias?.handle, $0) }
    }

    /// A weight of ``linear(_:_:_:)`` in the order in which oneDNN reads it fastest, for ``linearPacked(_:_:_:)`` only.
    ///
    /// - Parameters:
    ///   - weight: `[outFeatures, inFeatures]`.
    ///   - dtype: The type to multiply in, `float32` or `bfloat16`.
    ///   - rows: About how many rows the inputs will have.
    /// - Returns: The weight, whose elements cannot be read.
    /// - Throws: ``TorchError`` where oneDNN does not serve the type.
    public static func packedForLinear(
        _ weight: Tensor,
        dtype: DType,
        rows: Int
    ) throws(TorchError) -> Tensor {
        try tensor("pack") { ct_pack_linear(weight.handle, dtype.code, Int64(rows), $0) }
    }

    /// ``linearOneDNN(_:_:_:)`` with a packed weight, without a gradient.
    public static func linearPacked(
        _ x: Tensor,
        _ packed: Tensor,
        _ bias: Tensor?
    ) throws(TorchError) -> Tensor {
        try tensor("linear") { ct_linear_packed(x.handle, packed.handle, bias?.handle, $0) }
    }

    /// A 2-D convolution of `[batch, channels, height, width]`.
    public static func conv2d(
        _ x: Tensor,
        _ weight: Tensor,
        _ bias: Tensor?,
        stride: (height: Int, width: Int),
        padding: (height: Int, width: Int),
        groups: Int
    ) throws(TorchError) -> Tensor {
        try tensor("conv2d") {
            ct_conv2d(
                x.handle,
                weight.handle,
                bias?.handle,
                Int64(stride.height),
                Int64(stride.width),
                Int64(padding.height),
                Int64(padding.width),
                Int64(groups),
                $0
            )
        }
    }

    /// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it.
    public static func layerNorm(
        _ x: Tensor,
        width: Int,
        weight: Tensor?,
        bias: Tensor?,
        eps: Double
    ) throws(TorchError) -> Tensor {
        try tensor("layer norm") {
            ct_layer_norm(x.handle, Int64(width), weight?.handle, bias?.handle, eps, $0)
        }
    }

    /// ``layerNorm(_:width:weight:bias:eps:)`` by loops of our own, forward and backward, where they serve the tensors.
    ///
    /// - Parameters:
    ///   - x: `[…, width]`.
    ///   - width: The size of the last dimension.
    ///   - weight: `[width]`.
    ///   - bias: `[width]`.
    ///   - eps: What is added to the variance.
    ///   - isForProduct: Whether a matrix product follows: then the result has autocast's type, where autocast is on,
    ///     and costs no pass of its own to become it.
    /// - Returns: The same shape.
    /// - Throws: ``TorchError`` when the shapes do not fit.
    public static func layerNormVectors(
        _ x: Tensor,
        width: Int,
        weight: Tensor?,
        bias: Tensor?,
        eps: Double,
        isForProduct: Bool
    ) throws(TorchError) -> Tensor {
        try tensor("layer norm") {
            ct_layer_norm_vectors(
                x.handle,
                Int64(width),
                weight?.handle,
                bias?.handle,
                eps,
                isForProduct,
                $0
            )
        }
    }

    /// Normalises every channel; in training by the batch's statistics, which move the running ones in place.
    public static func batchNorm(
        _ x: Tensor,
        weight: Tensor?,
        bias: Tensor?,
        runningMean: Tensor,
        runningVar: Tensor,
        isTraining: Bool,
        momentum: Double,
        eps: Double
    ) throws(TorchError) -> Tensor {
        try tensor("batch norm") {
            ct_batch_norm(
                x.handle,
                weight?.handle,
                bias?.handle,
                runningMean.handle,
                runningVar.handle,
                isTraining,
                momentum,
                eps,
                $0
            )
        }
    }

    /// ``batchNorm(_:weight:bias:runningMean:runningVar:isTraining:momentum:eps:)`` in training, and what follows it in a
    /// residual network: by loops of our own, forward and backward, where they serve the tensors.
    ///
    /// - Parameters:
    ///   - x: `[batch, channels, height, width]`; the loops serve channels that lie innermost and are a multiple of 16.
    ///   - weight: The scales, `[channels]`.
    ///   - bias: The shifts, `[channels]`.
    ///   - runningMean: The running means, moved in place.
    ///   - runningVar: The running variances, moved in place.
    ///   - residual: What is added to the normalised maps, of their shape and type.
    ///   - isPositive: Whether what is negative in the end becomes 0.
    ///   - momentum: The share of the batch in the running statistics.
    ///   - eps: What is added to the variance.
    /// - Returns: The shape and type of `x`.
    /// - Throws: ``TorchError`` when the shapes do not fit.
    public static func batchNormVectors(
        _ x: Tensor,
        weight: Tensor,
        bias: Tensor,
        runningMean: Tensor,
        runningVar: Tensor,
        adding residual: Tensor? = nil,
        isPositive: Bool = false,
        momentum: Double,
        eps: Double
    ) throws(TorchError) -> Tensor {
        try tensor("batch norm") {
            ct_batch_norm_vectors(
                x.handle,
                weight.handle,
                bias.handle,
                runningMean.handle,
                runningVar.handle,
                residual?.handle,
                isPositive,
                momentum,
                eps,
                $0
            )
        }
    }

    /// The Gaussian error linear unit in its exact (erf) form.
    public static func gelu(_ x: Tensor) throws(TorchError) -> Tensor {
        try tensor("gelu") { ct_gelu(x.handle, $0) }
    }

    /// GELU by its approximation with tanh; within 5e-4 of ``gelu(_:)``.
    public static func geluTanh(_ x: Tensor) throws(TorchError) -> Tensor {
        try tensor("gelu") { ct_gelu_tanh(x.handle, $0) }
    }

    /// ``gelu(_:)`` by loops of our own, forward and backward, where they serve the tensor; within 2e-6 of it.
    ///
    /// - Parameters:
    ///   - x: The elements.
    ///   - mayOverwrite: Whether the result may be written over `x` where no gradient is recorded.
    /// - Returns: The same shape.
    /// - Throws: ``TorchError`` for a lack of memory.
    public static func geluVectors(
        _ x: Tensor,
        mayOverwrite: Bool = false
    ) throws(TorchError) -> Tensor {
        try tensor("gelu") { ct_gelu_vectors(x.handle, mayOverwrite, $0) }
    }

    /// The sum of a residual connection, `x + branch`, by a loop of our own where `x` is `float32` on the CPU and the
    /// branch of the same shape `float32` or `bfloat16`; gradients flow to both.
    public static func addBranch(_ x: Tensor, _ branch: Tensor) throws(TorchError) -> Tensor {
        try tensor("add") { ct_add_branch(x.handle, branch.handle, $0) }
    }

    /// The positive part of every element.
    public static func relu(_ x: Tensor) throws(TorchError) -> Tensor {
        try tensor("relu") { ct_relu(x.handle, $0) }
    }

    /// The softmax along a dimension.
    public static func softmax(_ x: Tensor, dim: Int = -1) throws(TorchError) -> Tensor {
        try tensor("softmax") { ct_softmax(x.handle, Int64(dim), $0) }
    }

    /// The logarithm of the softmax along a dimension.
    public static func logSoftmax(_ x: Tensor, dim: Int = -1) throws(TorchError) -> Tensor {
        try tensor("log softmax") { ct_log_softmax(x.handle, Int64(dim), $0) }
    }

    /// Zeroes elements at random and scales the rest by `1 / (1 - probability)`.
    public static func dropout(_ x: Tensor, probability: Double) throws(TorchError) -> Tensor {
        try tensor("dropout") { ct_dropout(x.handle, probability, $0) }
    }

    /// `softmax(q kᵀ / √width) v` of `[batch, heads, tokens, width]`.
    public static func scaledDotProductAttention(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        dropout: Double = 0
    ) throws(TorchError) -> Tensor {
        try tensor("attention") {
            ct_attention(query.handle, key.handle, value.handle, dropout, $0)
        }
    }

    /// Attention from a fused projection on oneDNN's matrix products, forward and backward; on the CPU only.
    ///
    /// - Parameters:
    ///   - qkv: `[batch, tokens, 3 * heads * width]`, ordered query, key, value.
    ///   - heads: The number of heads.
    /// - Returns: `[batch, tokens, heads * width]`.
    /// - Throws: ``TorchError`` when the width cannot be split.
    public static func fusedAttentionOneDNN(qkv: Tensor, heads: Int) throws(TorchError) -> Tensor {
        try tensor("attention") { ct_attention_onednn(qkv.handle, Int64(heads), $0) }
    }

    /// The largest element of every window.
    public static func maxPool2d(
        _ x: Tensor,
        kernel: Int,
        stride: Int,
        padding: Int
    ) throws(TorchError) -> Tensor {
        try tensor("max pool") {
            ct_max_pool2d(x.handle, Int64(kernel), Int64(stride), Int64(padding), $0)
        }
    }

    /// The mean of every window.
    public static func avgPool2d(_ x: Tensor, kernel: Int, stride: Int) throws(TorchError) -> Tensor
    {
        try tensor("average pool") { ct_avg_pool2d(x.handle, Int64(kernel), Int64(stride), $0) }
    }

    /// The ways to resample a grid.
    public enum Resampling: Sendable {
        case bilinear
        case bicubic
    }

    /// Resamples `[batch, channels, height, width]` to another height and width, `align_corners` off.
    public static func resize2d(
        _ x: Tensor,
        height: Int,
        width: Int,
        resampling: Resampling,
        antialias: Bool
    ) throws(TorchError) -> Tensor {
        try tensor("resize") {
            ct_resize2d(
                x.handle,
                Int64(height),
                Int64(width),
                resampling == .bicubic,
                antialias,
                $0
            )
        }
    }

    /// Resamples `[batch, channels, height, width]` bicubically by factors, `align_corners` off, without antialiasing.
    ///
    /// The source positions follow from the factors, not from the ratio of the sizes: what torch's
    /// `interpolate(scale_factor=…)` does.
    public static func resizeBicubic(
        _ x: Tensor,
        height: Int,
        width: Int,
        factors: (height: Double, width: Double)
    ) throws(TorchError) -> Tensor {
        try tensor("resize") {
            ct_resize2d_by_factors(
                x.handle,
                Int64(height),
                Int64(width),
                factors.height,
                factors.width,
                $0
            )
        }
    }

    /// Moves channels into pixels: `[batch, channels · factor², height, width]` to
    /// `[batch, channels, height · factor, width · factor]`.
    public static func pixelShuffle(_ x: Tensor, factor: Int) throws(TorchError) -> Tensor {
        try tensor("pixel shuffle") { ct_pixel_shuffle(x.handle, Int64(factor), $0) }
    }

    /// The mean cross-entropy.
    ///
    /// - Parameters:
    ///   - logits: `[batch, classes]`.
    ///   - targets: Class indices `[batch]` of `int64`, or probabilities `[batch, classes]`.
    ///   - smoothing: The share ε of each target that is spread evenly over all classes, 0 to 1.
    /// - Returns: One number.
    /// - Throws: ``TorchError`` when the shapes do not fit or an index is out of range.
    public static func crossEntropy(
        _ logits: Tensor,
        _ targets: Tensor,
        smoothing: Double = 0
    ) throws(TorchError) -> Tensor {
        try tensor("cross-entropy") {
            ct_cross_entropy(logits.handle, targets.handle, smoothing, $0)
        }
    }

    /// The mean binary cross-entropy of logits against targets of 0 to 1, of equal shapes.
    public static func binaryCrossEntropy(
        _ logits: Tensor,
        _ targets: Tensor
    ) throws(TorchError) -> Tensor {
        try tensor("binary cross-entropy") {
            ct_binary_cross_entropy(logits.handle, targets.handle, $0)
        }
    }
}
