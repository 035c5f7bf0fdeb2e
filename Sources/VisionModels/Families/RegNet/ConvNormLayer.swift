public import Torch
public import TorchNN

/// A convolution without a bias, its normalisation and an activation, under timm's names (`timm/layers/conv_bn_act.py`).
///
/// ## Parameters in a checkpoint
/// - `conv.weight`, and those of the normalisation under `bn`
public final class ConvNormLayer: Module {
    /// The convolution.
    public let conv: Conv2d

    /// Its normalisation.
    public let bn: BatchNorm2d

    private let step: ConvNorm

    init(
        _ inChannels: Int,
        _ outChannels: Int,
        kernel: Int,
        stride: Int = 1,
        groups: Int = 1,
        zeroInit: Bool = false,
        activation: Functional.Activation = .none
    ) throws(TorchError) {
        self.conv = try convolution(
            inChannels,
            outChannels,
            kernel: kernel,
            stride: stride,
            groups: groups
        )
        self.bn = try BatchNorm2d(outChannels, zeroInit: zeroInit)
        self.step = ConvNorm(conv, bn, activation)
    }

    /// Returns the activated, normalised, filtered maps.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, outChannels, height / stride, width / stride]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor { try step(x) }
}
