public import Torch
public import TorchNN

/// Cuts a picture into patches and projects each to a token.
///
/// ## Shapes
/// - Input: `[batch, inChannels, height, width]`
/// - Output: `[batch, patches, embedDim]`, row by row of the picture
///
/// ## Parameters in a checkpoint
/// - `proj.weight`: `[embedDim, inChannels, patchSize, patchSize]`, `proj.bias`: `[embedDim]`
///
/// ## Source
/// Dosovitskiy et al. (arXiv:2010.11929), eq. 1; `timm/layers/patch_embed.py`.
public final class PatchEmbed: Module {
    /// The projection, a convolution whose stride is the patch size.
    public let proj: Conv2d

    private let imageShape: [Int]

    /// Creates the layer.
    ///
    /// - Parameter configuration: A checked configuration.
    /// - Throws: `TorchError` for a lack of memory.
    public init(_ configuration: ViTConfiguration) throws(TorchError) {
        self.proj = try Conv2d(
            configuration.inChannels,
            configuration.embedDim,
            kernel: configuration.patchSize,
            stride: configuration.patchSize
        )
        self.imageShape = [
            configuration.inChannels, configuration.imageHeight, configuration.imageWidth,
        ]
    }

    /// Returns the tokens of the patches.
    ///
    /// - Parameter x: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, patches, embedDim]`.
    /// - Throws: `TorchError` when the pictures have another size or other channels than the model.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        guard x.rank == 4, Array(x.shape.dropFirst()) == imageShape else {
            throw TorchError(
                operation: "patch embedding",
                message:
                    "the model wants pictures of shape [channels, height, width] = \(imageShape), not "
                    + "\(x.shape.dropFirst())"
            )
        }
        return try proj(x).flattened(from: 2).transposed(1, 2)  // [batch, patches, embedDim]
    }
}
