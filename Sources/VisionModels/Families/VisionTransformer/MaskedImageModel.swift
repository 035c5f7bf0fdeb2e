public import Torch
public import TorchNN

/// Which of the last tokens a masked image model's decoder takes for the patches.
public enum MaskedTokenSlice: String, Codable, Sendable, CaseIterable {
    /// The patches' own tokens: all but the prefix tokens.
    case corrected

    /// All tokens but the first and the last, `[:, 1:-1]`: with a distillation token every patch is one off. It is what
    /// Hugging Face's `DeiTForMaskedImageModeling` did up to the end of 2025; weights trained with it expect it.
    case legacy
}

/// A transformer that paints the masked patches of an image.
///
/// A learnt token takes the place of masked patches' embeddings before the prefix tokens and the positions are added; a
/// 1×1 convolution turns each of the last tokens into the pixels of its patch.
///
/// ## Shapes
/// - Input: `[batch, inChannels, imageHeight, imageWidth]` and a mask `[batch, patches]`
/// - Reconstruction: `[batch, inChannels, grid.height · encoderStride, grid.width · encoderStride]`
///
/// ## Parameters in a checkpoint
/// - Those of ``VisionTransformer`` without a classifier, by the same keys
/// - `mask_token`: `[1, 1, embedDim]`
/// - `decoder.0.weight`: `[encoderStride² · inChannels, embedDim, 1, 1]`, `decoder.0.bias`: `[encoderStride² · inChannels]`
///
/// timm has no such model: the last three keys are ours, after Hugging Face's `embeddings.mask_token` and `decoder.0`.
///
/// ## Source
/// Xie et al., "SimMIM" (arXiv:2111.09886), section 3; `transformers/models/deit/modeling_deit.py`,
/// `DeiTForMaskedImageModeling`.
public final class MaskedImageModel: Module {
    /// The transformer; it has no classifier.
    public let network: VisionTransformer

    /// What takes the place of masked patches, 0 at first; `[1, 1, embedDim]`.
    public let maskToken: Parameter

    /// The one convolution from a token to a patch's pixels; an array because its key is `decoder.0`.
    public let decoder: [Conv2d]

    /// The height and width of what a token is turned into, in pixels.
    public let encoderStride: Int

    /// The tokens that the decoder takes.
    public let slice: MaskedTokenSlice

    public override var unnamedProperties: Set<String> { ["network"] }

    /// Creates a network with freshly initialised weights.
    ///
    /// - Parameters:
    ///   - configuration: What to make the transformer from; it gets no classifier, whatever `numClasses` says.
    ///   - encoderStride: The height and width of what a token is turned into, in pixels, up to 4096; the patch size
    ///     where nil. A loss exists only where it is the patch size.
    ///   - slice: The tokens that the decoder takes; `.legacy` needs a distillation token.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public init(
        _ configuration: ViTConfiguration,
        encoderStride: Int? = nil,
        slice: MaskedTokenSlice = .corrected
    ) throws {
        var configuration = configuration
        configuration.numClasses = 0
        let stride = encoderStride ?? configuration.patchSize
        guard (1...4096).contains(stride) else {
            throw ConfigurationError.outOfRange(
                name: "the encoder stride",
                value: "\(stride)",
                expected: "at least 1 and at most 4096"
            )
        }
        guard slice == .corrected || configuration.isDistilled else {
            throw ConfigurationError.outOfRange(
                name: "the token slice",
                value: slice.rawValue,
                expected: "corrected for a model without a distillation token"
            )
        }
        self.network = try VisionTransformer.make(configuration)
        self.maskToken = try Parameter(Tensor.zeros([1, 1, configuration.embedDim]))
        self.decoder = [
            try Conv2d(
                configuration.embedDim,
                stride * stride * configuration.inChannels,
                kernel: 1,
                initializer: .normal(std: 0.02)
            )
        ]
        self.encoderStride = stride
        self.slice = slice
        super.init()
        for layer in decoder { try layer.bias?.tensor.fill(0) }
    }

    /// An image as the model paints it.
    public struct Output {
        /// `[batch, inChannels, grid.height · encoderStride, grid.width · encoderStride]`.
        public let reconstruction: Tensor

        /// What the transformer gave.
        public let outputs: TransformerOutputs
    }

    /// Returns the images as the model paints them.
    ///
    /// - Parameters:
    ///   - images: `[batch, inChannels, imageHeight, imageWidth]`; of any size with `resampling`.
    ///   - mask: `[batch, patches]`, row by row, not 0 where a patch is hidden; nil hides nothing.
    ///   - request: What else is wanted of the transformer.
    ///   - resampling: How to bring the position embedding to images of another size; nil refuses them.
    /// - Returns: The images and the transformer's outputs.
    /// - Throws: `TorchError` when a shape does not fit.
    public func callAsFunction(
        _ images: Tensor,
        mask: Tensor?,
        _ request: OutputRequest = OutputRequest(),
        resampling: PositionEmbeddingResampling? = nil
    ) throws(TorchError) -> Output {
        let patchMask = mask.map { PatchMask(positions: $0, token: maskToken.tensor) }
        let outputs = try network.outputs(images, request, mask: patchMask, resampling: resampling)
        let (batch, _, width) = try outputs.tokens.shape3()
        let first = slice == .legacy ? 1 : network.prefixTokenCount
        var x = try outputs.tokens.narrowed(1, first..<first + outputs.grid.count)
            .transposed(1, 2)
            .reshaped([batch, width, outputs.grid.height, outputs.grid.width])
        for layer in decoder { x = try layer(x) }
        return Output(
            reconstruction: try Functional.pixelShuffle(x, factor: encoderStride),
            outputs: outputs
        )
    }

    /// Returns the mean distance between hidden pixels and what was painted: SimMIM's loss.
    ///
    /// - Parameters:
    ///   - images: `[batch, inChannels, height, width]`, as they were given to the model.
    ///   - reconstruction: What it painted, of the same shape.
    ///   - mask: `[batch, patches]`, not 0 where a patch was hidden.
    /// - Returns: One number: the sum of the absolute differences of hidden pixels, over their number plus 1e-5, over the
    ///   channels.
    /// - Throws: `TorchError` when a shape does not fit, as with an encoder stride other than the patch size.
    public func loss(
        _ images: Tensor,
        reconstruction: Tensor,
        mask: Tensor
    ) throws(TorchError) -> Tensor {
        let (batch, channels, height, width) = try images.shape4()
        let patch = network.configuration.patchSize
        let grid = PatchGrid(height: height / patch, width: width / patch)
        guard reconstruction.shape == images.shape, mask.shape == [batch, grid.count] else {
            throw TorchError(
                operation: "masked image loss",
                message:
                    "a reconstruction of shape \(reconstruction.shape) and a mask of shape \(mask.shape) do not "
                    + "fit images of shape \(images.shape) in patches of \(patch)"
            )
        }
        let hidden = try mask.to(.bool).to(.float32)
            .reshaped([batch, 1, grid.height, 1, grid.width, 1])
            .expanded([batch, 1, grid.height, patch, grid.width, patch])
            .reshaped([batch, 1, height, width])
        let distance = try (images.to(.float32) - reconstruction.to(.float32)).abs()
        return try (distance * hidden).sum() / (hidden.sum() + 1e-5) / Double(channels)
    }
}

/// Patches whose embeddings are replaced by one learnt token, before anything else is added.
public struct PatchMask {
    /// Which patches are replaced, row by row of the image, `[batch, patches]`: every element that is not 0.
    public let positions: Tensor

    /// What takes their place, `[1, 1, embedDim]`.
    public let token: Tensor

    /// Creates a mask.
    ///
    /// - Parameters:
    ///   - positions: `[batch, patches]`, `bool` or numbers; all that is not 0 is replaced.
    ///   - token: `[1, 1, embedDim]`.
    public init(positions: Tensor, token: Tensor) {
        self.positions = positions
        self.token = token
    }

    /// Returns the patches with the token in the masked places.
    ///
    /// - Parameter patches: `[batch, patches, embedDim]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the mask is not one for these patches.
    func callAsFunction(_ patches: Tensor) throws(TorchError) -> Tensor {
        let (batch, count, width) = try patches.shape3()
        guard positions.shape == [batch, count], token.shape == [1, 1, width] else {
            throw TorchError(
                operation: "masking",
                message:
                    "positions of shape \(positions.shape) and a token of shape \(token.shape) do not fit "
                    + "patches of shape \(patches.shape); [batch, patches] and [1, 1, embedDim] are wanted"
            )
        }
        return try Tensor.where(positions.to(.bool).unsqueezed(2), token, patches)
    }
}
