public import Torch
public import TorchNN

/// A block of depthwise and 1×1 convolutions whose output is added to its input where they have the same shape.
public class EfficientNetBlock: Module {
    private let hasSkip: Bool

    fileprivate init(inChannels: Int, width: Int, stride: Int) {
        hasSkip = inChannels == width && stride == 1
    }

    fileprivate func branch(_ x: Tensor) throws(TorchError) -> Tensor { x }

    /// Returns the branch's output, or its sum with the input.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, width, ceil(height / stride), ceil(width / stride)]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public final func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try hasSkip ? branch(x) + x : branch(x)
    }
}

/// Depthwise, then 1×1 (`timm/models/_efficientnet_blocks.py`, `DepthwiseSeparableConv`).
public final class DepthwiseSeparableConv: EfficientNetBlock {
    /// The convolution of every channel by itself.
    public let convDw: Conv2d
    /// Its normalisation.
    public let bn1: BatchNorm2d
    /// The 1×1 convolution.
    public let convPw: Conv2d
    /// Its normalisation.
    public let bn2: BatchNorm2d

    private let steps: (ConvNorm, ConvNorm)

    init(
        _ stage: EfficientNetConfiguration.Stage,
        inChannels: Int,
        stride: Int,
        _ configuration: EfficientNetConfiguration
    ) throws(TorchError) {
        self.convDw = try convolution(
            inChannels,
            inChannels,
            kernel: stage.kernel,
            stride: stride,
            groups: inChannels,
            isSame: configuration.padding == .same
        )
        self.bn1 = try BatchNorm2d(inChannels, eps: configuration.normEps)
        self.convPw = try convolution(inChannels, stage.width, kernel: 1)
        self.bn2 = try BatchNorm2d(stage.width, eps: configuration.normEps)
        self.steps = (ConvNorm(convDw, bn1, .relu6), ConvNorm(convPw, bn2))
        super.init(inChannels: inChannels, width: stage.width, stride: stride)
    }

    override func branch(_ x: Tensor) throws(TorchError) -> Tensor {
        try steps.1(steps.0(x))
    }
}

/// 1×1 to several times the width, depthwise, 1×1 back (`timm/models/_efficientnet_blocks.py`, `InvertedResidual`).
public final class InvertedResidual: EfficientNetBlock {
    /// The 1×1 convolution that widens.
    public let convPw: Conv2d
    /// Its normalisation.
    public let bn1: BatchNorm2d
    /// The convolution of every channel by itself.
    public let convDw: Conv2d
    /// Its normalisation.
    public let bn2: BatchNorm2d
    /// The 1×1 convolution that narrows; no activation follows.
    public let convPwl: Conv2d
    /// Its normalisation.
    public let bn3: BatchNorm2d

    private let steps: (ConvNorm, ConvNorm, ConvNorm)

    init(
        _ stage: EfficientNetConfiguration.Stage,
        inChannels: Int,
        stride: Int,
        _ configuration: EfficientNetConfiguration
    ) throws(TorchError) {
        let (inside, eps) = (inChannels * stage.expansion, configuration.normEps)
        self.convPw = try convolution(inChannels, inside, kernel: 1)
        self.bn1 = try BatchNorm2d(inside, eps: eps)
        self.convDw = try convolution(
            inside,
            inside,
            kernel: stage.kernel,
            stride: stride,
            groups: inside,
            isSame: configuration.padding == .same
        )
        self.bn2 = try BatchNorm2d(inside, eps: eps)
        self.convPwl = try convolution(inside, stage.width, kernel: 1)
        self.bn3 = try BatchNorm2d(stage.width, eps: eps)
        self.steps = (
            ConvNorm(convPw, bn1, .relu6), ConvNorm(convDw, bn2, .relu6), ConvNorm(convPwl, bn3)
        )
        super.init(inChannels: inChannels, width: stage.width, stride: stride)
    }

    override func branch(_ x: Tensor) throws(TorchError) -> Tensor {
        try steps.2(steps.1(steps.0(x)))
    }
}
