public import Torch
public import TorchNN

/// Cuts an image into patches and projects each to a token.
///
/// ## Shapes
/// - Input: `[batch, inChannels, height, width]`
/// - Output: `[batch, patches, embedDim]`, row by row of the image
///
/// ## Parameters in a checkpoint
/// - `proj.weight`: `[embedDim, inChannels, patchSize, patchSize]`, `proj.bias`: `[embedDim]`,
///   absent with ``ViTConfiguration/preNorm``
///
/// ## Source
/// Dosovitskiy et al. (arXiv:2010.11929), eq. 1; `timm/layers/patch_embed.py`.
public final class PatchEmbed: Module {
    /// The projection, a convolution whose stride is the patch size.
    public let proj: Conv2d

    private let imageShape: [Int]
    private let patchSize: Int
    private let packed = PackedWeight()

    /// Creates the layer.
    ///
    /// - Parameter configuration: A checked configuration.
    /// - Throws: `TorchError` for a lack of memory.
    public init(_ configuration: ViTConfiguration) throws(TorchError) {
        self.proj = try Conv2d(
            configuration.inChannels,
            configuration.embedDim,
            kernel: configuration.patchSize,
            stride: configuration.patchSize,
            bias: !configuration.preNorm
        )
        self.patchSize = configuration.patchSize
        self.imageShape = [
            configuration.inChannels, configuration.imageHeight, configuration.imageWidth,
        ]
    }

    /// Returns the tokens of the patches.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, patches, embedDim]`.
    /// - Throws: `TorchError` when the images have another size or other channels than the model.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        guard x.rank == 4, Array(x.shape.dropFirst()) == imageShape else {
            throw TorchError(
                operation: "patch embedding",
                message:
                    "the model wants images of shape [channels, height, width] = \(imageShape), not "
                    + "\(x.shape.dropFirst())"
            )
        }
        return try tokens(of: x)
    }

    /// Returns the tokens of the patches of an image of any size; what is left over at its right and lower edge is
    /// not looked at.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`, at least one patch large.
    /// - Returns: The tokens, `[batch, patches, embedDim]`, and the grid that they lie on.
    /// - Throws: `TorchError` when the images have other channels than the model or are smaller than a patch.
    public func ofAnySize(
        _ x: Tensor
    ) throws(TorchError) -> (tokens: Tensor, grid: PatchGrid) {
        let (_, _, height, width) = try x.shape4()
        let grid = PatchGrid(height: height / patchSize, width: width / patchSize)
        guard x.shape[1] == imageShape[0], grid.count > 0 else {
            throw TorchError(
                operation: "patch embedding",
                message:
                    "the model wants images with \(imageShape[0]) channels and of at least \(patchSize) by "
                    + "\(patchSize) pixels, not of shape [channels, height, width] = \(x.shape.dropFirst())"
            )
        }
        return (try tokens(of: x), grid)
    }

    private func tokens(of x: Tensor) throws(TorchError) -> Tensor {
        if isTraining {
            packed.clear()
        } else if ComputePolicy.current.linear == .oneDNN, x.device == .cpu, !isGradientEnabled {
            // Patches do not overlap, so the convolution is a linear map of each, which takes no reordering of images.
            let (weight, bias) = (proj.weight.tensor, proj.bias?.tensor)
            if let mapped = try packed.linear(patches(of: x), weight, bias) { return mapped }
        }
        return try proj(x).flattened(from: 2).transposed(1, 2)  // [batch, patches, embedDim]
    }

    // [batch, patches, inChannels · patchSize²], in autocast's type
    private func patches(of x: Tensor) throws(TorchError) -> Tensor {
        let (batch, channels, height, width) = try x.shape4()
        let (rows, columns) = (height / patchSize, width / patchSize)
        let whole = try x.narrowed(2, 0..<(rows * patchSize)).narrowed(3, 0..<(columns * patchSize))
        return
            try whole
            .reshaped([batch, channels, rows, patchSize, columns, patchSize])
            .permuted([0, 2, 4, 1, 3, 5])
            .to(autocastDType(on: .cpu) ?? x.dtype)
            .reshaped([batch, rows * columns, channels * patchSize * patchSize])
    }
}
