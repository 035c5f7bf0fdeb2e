import Foundation
public import Torch

/// A convolution, the normalisation after it, the sum with a residual and an activation, as one step.
///
/// No module: the convolution and the normalisation stay where their names are, in the module that holds this. In
/// evaluation without gradients on the CPU the normalisation is folded into a second copy of the filters, packed for
/// oneDNN, whose convolution activates its result on the way out; it equals the layers to rounding. Training drops that
/// copy; there the normalisation and what follows it are one function (`Functional.batchNormVectors`).
///
/// ## Shapes
/// - Input: `[batch, inChannels, height, width]`
/// - Output: `[batch, outChannels, …]`, as of the convolution
public struct ConvNorm {
    private let conv: Conv2d
    private let norm: BatchNorm2d
    private let activation: Functional.Activation
    private let folded = FoldedFilters()

    /// Creates a step.
    ///
    /// - Parameters:
    ///   - conv: The convolution.
    ///   - norm: The normalisation of its output.
    ///   - activation: What follows.
    public init(_ conv: Conv2d, _ norm: BatchNorm2d, _ activation: Functional.Activation = .none) {
        self.conv = conv
        self.norm = norm
        self.activation = activation
    }

    /// Returns the activated, normalised, filtered maps.
    ///
    /// - Parameters:
    ///   - x: `[batch, inChannels, height, width]`.
    ///   - residual: What is added before the activation, of the result's shape; nil for nothing.
    /// - Returns: `[batch, outChannels, …]`.
    /// - Throws: `TorchError` when a shape does not match.
    public func callAsFunction(
        _ x: Tensor,
        adding residual: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        if norm.isTraining {
            folded.clear()
        } else if let result = try fused(x, residual == nil ? activation : .none) {
            guard let residual else { return result }
            return try activation(result + residual)
        }
        return try norm(conv(x), adding: residual, activation)
    }

    private func fused(
        _ x: Tensor,
        _ activation: Functional.Activation
    ) throws(TorchError) -> Tensor? {
        guard ComputePolicy.current.linear == .oneDNN, !isGradientEnabled, x.device == .cpu,
            x.elementCount > 0, conv.weight.tensor.dtype == .float32
        else { return nil }
        let dtype = autocastDType(on: .cpu) ?? x.dtype
        guard dtype == .float32 || dtype == .bfloat16 else { return nil }
        var form = FoldedFilters.Form(dtype: dtype, geometry: conv.geometry)
        var input = x
        if let (rows, columns) = conv.sizedPadding(of: x) {
            if rows == columns {
                // With a row and a column of zeros before it, a filter has as many zeros on either side of the image:
                // adding them to the image would cost a copy.
                form.leadingZeros = rows % 2
                form.geometry.padding = rows - rows / 2
            } else {
                input = try conv.padded(x)
            }
        }
        input = try input.to(dtype)
        guard let filters = try folded.filters(conv, norm, form, input: input.shape) else {
            return nil
        }
        return try Functional.conv2dPacked(
            input,
            filters.weight,
            filters.bias,
            form.geometry,
            activation
        )
    }
}

/// A convolution's filters with the normalisation after it in them, packed for oneDNN; updated when one changes.
private final class FoldedFilters: @unchecked Sendable {
    /// What the filters are made for.
    struct Form: Equatable {
        var dtype: DType
        var geometry: ConvolutionGeometry
        /// The rows and columns of zeros before the filters' own.
        var leadingZeros = 0
    }

    private struct Entry {
        let weight: Tensor
        let bias: Tensor
        let form: Form
        let versions: [Int]
    }

    private let lock = NSLock()
    private var entry: Entry?

    /// The filters and the bias; nil where changes of the weights cannot be seen.
    func filters(
        _ conv: Conv2d,
        _ norm: BatchNorm2d,
        _ form: Form,
        input: [Int]
    ) throws(TorchError) -> (weight: Tensor, bias: Tensor)? {
        var parts = [conv.weight.tensor, norm.weight.tensor, norm.bias.tensor]
        parts += [norm.runningMean.tensor, norm.runningVar.tensor]
        // A step of training moves the statistics without libtorch counting it, but it is counted here.
        parts.append(norm.numBatchesTracked.tensor)
        if let bias = conv.bias { parts.append(bias.tensor) }
        let versions = parts.compactMap(\.version)
        guard versions.count == parts.count else { return nil }
        lock.lock()
        defer { lock.unlock() }
        if let entry, entry.form == form, entry.versions == versions {
            return (entry.weight, entry.bias)
        }
        let (folded, bias) = try norm.folded(into: conv)
        var weight = folded
        let zeros = form.leadingZeros
        if zeros > 0 {
            weight = try Functional.pad2d(weight, left: zeros, right: 0, top: zeros, bottom: 0)
        }
        let made = Entry(
            weight: try Functional.packedForConv2d(
                weight.to(form.dtype),
                form.geometry,
                input: input
            ),
            bias: try bias.to(form.dtype),
            form: form,
            versions: versions
        )
        entry = made
        return (made.weight, made.bias)
    }

    /// Gives the memory back.
    func clear() { lock.withLock { entry = nil } }
}

extension BatchNorm2d {
    /// The filters and the bias that do in one convolution what a convolution and this layer do in evaluation.
    ///
    /// With `s = weight / √(runningVar + eps)` for every channel they are `s · filters` and
    /// `bias + s · (conv bias - runningMean)`, computed in double precision.
    ///
    /// - Parameter conv: The convolution before this layer.
    /// - Returns: The filters and the bias, `float32`.
    /// - Throws: `TorchError` when the channels differ.
    public func folded(into conv: Conv2d) throws(TorchError) -> (weight: Tensor, bias: Tensor) {
        try withoutGradient { () throws(TorchError) in
            let deviation = try (runningVar.tensor.to(.float64) + eps).sqrt()
            let scale = try weight.tensor.to(.float64) / deviation
            var shift = try runningMean.tensor.to(.float64) * -1
            if let bias = conv.bias { shift = try shift + bias.tensor.to(.float64) }
            let filters =
                try conv.weight.tensor.to(.float64) * scale.reshaped([scale.elementCount, 1, 1, 1])
            return (
                try filters.to(.float32),
                try (bias.tensor.to(.float64) + scale * shift).to(.float32)
            )
        }
    }
}
