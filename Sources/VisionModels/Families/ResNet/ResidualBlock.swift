public import Torch
public import TorchNN

/// A block of convolutions whose output is added to its input.
public class ResidualBlock: Module {
    /// The map that brings the input to the output's shape, where they differ: a 1×1 convolution and a normalisation.
    public let downsample: [Module]?

    private let shortcut: ConvNorm?

    fileprivate init(inChannels: Int, outChannels: Int, stride: Int) throws(TorchError) {
        if stride == 1, inChannels == outChannels {
            self.downsample = nil
            self.shortcut = nil
        } else {
            let conv = try convolution(inChannels, outChannels, kernel: 1, stride: stride)
            let norm = try BatchNorm2d(outChannels)
            self.downsample = [conv, norm]
            self.shortcut = ConvNorm(conv, norm)
        }
    }

    /// The activated sum of the block's branch and its shortcut.
    fileprivate func branch(_ x: Tensor, adding shortcut: Tensor) throws(TorchError) -> Tensor {
        shortcut
    }

    /// Returns the activated sum of the branch and the input.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, outChannels, height / stride, width / stride]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public final func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        try branch(x, adding: shortcut?(x) ?? x)
    }
}

/// Two 3×3 convolutions (`timm/models/resnet.py`, `BasicBlock`).
public final class BasicBlock: ResidualBlock {
    /// The first convolution, which may halve the size.
    public let conv1: Conv2d
    /// Its normalisation.
    public let bn1: BatchNorm2d
    /// The second convolution.
    public let conv2: Conv2d
    /// Its normalisation, whose scale starts at 0.
    public let bn2: BatchNorm2d

    private let steps: (ConvNorm, ConvNorm)

    init(inChannels: Int, width: Int, stride: Int) throws(TorchError) {
        self.conv1 = try convolution(inChannels, width, kernel: 3, stride: stride)
        self.bn1 = try BatchNorm2d(width)
        self.conv2 = try convolution(width, width, kernel: 3)
        self.bn2 = try BatchNorm2d(width, zeroInit: true)
        self.steps = (ConvNorm(conv1, bn1, .relu), ConvNorm(conv2, bn2, .relu))
        try super.init(inChannels: inChannels, outChannels: width, stride: stride)
    }

    override func branch(_ x: Tensor, adding shortcut: Tensor) throws(TorchError) -> Tensor {
        try steps.1(steps.0(x), adding: shortcut)
    }
}

/// 1×1, 3×3 and 1×1 convolutions (`timm/models/resnet.py`, `Bottleneck`).
public final class Bottleneck: ResidualBlock {
    /// The convolution to the block's width.
    public let conv1: Conv2d
    /// Its normalisation.
    public let bn1: BatchNorm2d
    /// The 3×3 convolution, which may halve the size.
    public let conv2: Conv2d
    /// Its normalisation.
    public let bn2: BatchNorm2d
    /// The convolution to four times the block's width.
    public let conv3: Conv2d
    /// Its normalisation, whose scale starts at 0.
    public let bn3: BatchNorm2d

    private let steps: (ConvNorm, ConvNorm, ConvNorm)

    init(inChannels: Int, width: Int, stride: Int) throws(TorchError) {
        self.conv1 = try convolution(inChannels, width, kernel: 1)
        self.bn1 = try BatchNorm2d(width)
        self.conv2 = try convolution(width, width, kernel: 3, stride: stride)
        self.bn2 = try BatchNorm2d(width)
        self.conv3 = try convolution(width, 4 * width, kernel: 1)
        self.bn3 = try BatchNorm2d(4 * width, zeroInit: true)
        self.steps = (
            ConvNorm(conv1, bn1, .relu), ConvNorm(conv2, bn2, .relu), ConvNorm(conv3, bn3, .relu)
        )
        try super.init(inChannels: inChannels, outChannels: 4 * width, stride: stride)
    }

    override func branch(_ x: Tensor, adding shortcut: Tensor) throws(TorchError) -> Tensor {
        try steps.2(steps.1(steps.0(x)), adding: shortcut)
    }
}
