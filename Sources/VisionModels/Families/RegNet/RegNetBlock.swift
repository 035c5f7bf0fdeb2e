public import Torch
public import TorchNN

/// 1×1, grouped 3×3 and 1×1 convolutions with squeeze-and-excitation before the last (`timm/models/regnet.py`,
/// `Bottleneck`).
public final class RegNetBlock: Module {
    /// The convolution to the block's width.
    public let conv1: ConvNormLayer

    /// The grouped 3×3 convolution, which may halve the size.
    public let conv2: ConvNormLayer

    /// The weighting of the channels.
    public let se: SqueezeExcitation

    /// The last convolution.
    public let conv3: ConvNormLayer

    /// The map that brings the input to the output's shape, where they differ.
    public let downsample: ConvNormLayer?

    init(
        inChannels: Int,
        width: Int,
        stride: Int,
        _ configuration: RegNetConfiguration
    ) throws(TorchError) {
        self.conv1 = try ConvNormLayer(inChannels, width, kernel: 1, activation: .relu)
        self.conv2 = try ConvNormLayer(
            width,
            width,
            kernel: 3,
            stride: stride,
            groups: configuration.groups(of: width),
            activation: .relu
        )
        self.se = try SqueezeExcitation(
            width,
            squeezed: configuration.squeezedWidth(of: inChannels)
        )
        self.conv3 = try ConvNormLayer(width, width, kernel: 1, zeroInit: true)
        self.downsample =
            stride == 1 && inChannels == width
            ? nil : try ConvNormLayer(inChannels, width, kernel: 1, stride: stride)
    }

    /// Returns the activated sum of the branch and the input.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, width, height / stride, width / stride]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        let branch = try conv3(se(conv2(conv1(x))))
        return try Functional.relu(branch + (downsample?(x) ?? x))
    }
}

/// A weight between 0 and 1 for every channel, out of the means of all (`timm/layers/squeeze_excite.py`, `SEModule`).
///
/// ## Shapes
/// - Input and output: `[batch, channels, height, width]`
///
/// ## Source
/// Hu et al., "Squeeze-and-Excitation Networks" (arXiv:1709.01507), section 3.
public final class SqueezeExcitation: Module {
    /// The map of the means to fewer numbers, a 1×1 convolution in the checkpoint.
    public let fc1: Conv2d

    /// The map back.
    public let fc2: Conv2d

    init(_ channels: Int, squeezed: Int) throws(TorchError) {
        self.fc1 = try Conv2d(
            channels,
            squeezed,
            kernel: 1,
            initializer: .kaimingNormal(fanOut: squeezed)
        )
        self.fc2 = try Conv2d(
            squeezed,
            channels,
            kernel: 1,
            initializer: .kaimingNormal(fanOut: channels)
        )
        for bias in [fc1.bias, fc2.bias] { try bias?.tensor.fill(0) }
    }

    /// Returns the weighted maps.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        let means = try x.mean([2, 3], keepDims: true)
        return try x * fc2(Functional.relu(fc1(means))).sigmoid()
    }
}
