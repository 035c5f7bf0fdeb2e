public import Torch
import TorchNN

extension VisionTransformer {
    /// Returns the last tokens and whatever else is asked for: hidden states, attention's weights, the tokens of the
    /// last blocks.
    ///
    /// The last tokens are those of ``forwardFeatures(_:)``, to rounding. The weights are computed one by one where they
    /// are asked for, whichever kernel the compute policy names; nothing else changes the way of computing.
    ///
    /// - Parameters:
    ///   - images: `[batch, inChannels, imageHeight, imageWidth]`; of any size with `resampling`.
    ///   - request: What is wanted.
    ///   - mask: The patches to replace, if any.
    ///   - resampling: How to bring the position embedding to the grid of images of another size; nil refuses them.
    /// - Returns: The outputs.
    /// - Throws: `TorchError` when the shape of the images or of the mask does not fit, or there are fewer blocks than
    ///   asked for.
    ///
    /// ## Source
    /// `transformers/models/deit/modeling_deit.py`, `eager_attention_forward` and `DeiTModel.forward`; dino
    /// `vision_transformer.py`, `get_intermediate_layers`.
    public final func outputs(
        _ images: Tensor,
        _ request: OutputRequest = OutputRequest(),
        mask: PatchMask? = nil,
        resampling: PositionEmbeddingResampling? = nil
    ) throws(TorchError) -> TransformerOutputs {
        guard (0...blocks.count).contains(request.lastBlocks) else {
            throw TorchError(
                operation: "transformer outputs",
                message:
                    "\(request.lastBlocks) of the last blocks are asked for; the network has \(blocks.count)"
            )
        }
        let (embedded, grid) = try embedding(images, mask: mask, resampling: resampling)
        var x = embedded
        var hiddenStates = request.hiddenStates ? [x] : []
        var (attentions, blockTokens): ([Tensor], [Tensor]) = ([], [])
        for (index, block) in blocks.enumerated() {
            if request.attentions {
                let (tokens, weights) = try block.withWeights(x)
                x = tokens
                attentions.append(weights)
            } else {
                x = try block(x)
            }
            if request.hiddenStates { hiddenStates.append(x) }
            if index >= blocks.count - request.lastBlocks { blockTokens.append(try norm(x)) }
        }
        let tokens = if let last = blockTokens.last { last } else { try norm(x) }
        return TransformerOutputs(
            tokens: tokens,
            hiddenStates: hiddenStates,
            attentions: attentions,
            blockTokens: blockTokens,
            grid: grid
        )
    }

    /// Returns the tokens that enter the first block, and the grid of the patches.
    ///
    /// - Parameters:
    ///   - images: `[batch, inChannels, imageHeight, imageWidth]`; of any size with `resampling`.
    ///   - mask: The patches to replace, if any.
    ///   - resampling: How to bring the position embedding to the grid of images of another size; nil refuses them.
    /// - Returns: `[batch, prefixTokenCount + patches, embedDim]`, and the patches down and across.
    /// - Throws: `TorchError` when the shape of the images or of the mask does not fit.
    public final func embedding(
        _ images: Tensor,
        mask: PatchMask? = nil,
        resampling: PositionEmbeddingResampling? = nil
    ) throws(TorchError) -> (tokens: Tensor, grid: PatchGrid) {
        var (patches, grid): (Tensor, PatchGrid)
        var positions = posEmbed.tensor
        if let resampling {
            (patches, grid) = try patchEmbed.ofAnySize(images)
            positions = try resampling.resample(
                positions,
                prefixTokens: configuration.embeddedPrefixCount,
                from: configuration.grid,
                to: grid
            )
        } else {
            (patches, grid) = (try patchEmbed(images), configuration.grid)
        }
        if let mask { patches = try mask(patches) }
        return (try embed(patches, positions: positions), grid)
    }
}
