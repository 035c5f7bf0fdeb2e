public import Torch

/// How a position embedding is brought to another grid of patches: each way is one library's.
///
/// All five are bicubic with torch's coefficient (-0.75) and `align_corners` off; the tokens before the patches keep
/// their positions, and an embedding whose grid is right already is returned as it is. They differ in what happens on
/// the way, two of them also between networks with and without register tokens:
///
/// | case | antialiased | source positions | computes in |
/// |---|---|---|---|
/// | ``deit`` | no | ratio of the sizes | the embedding's type |
/// | ``timm`` | yes, which matters when the grid shrinks | ratio of the sizes | `float32` |
/// | ``hf`` | no | ratio of the sizes | the embedding's type |
/// | ``hf``, registers | yes | ratio of the sizes | `float32` |
/// | ``dino`` | no | factor `(new + 0.1) / old` | the embedding's type |
/// | ``dinov2`` | no | factor `(new + 0.1) / old` | `float32` |
/// | ``dinov2``, registers | yes | ratio of the sizes | `float32` |
///
/// Several coincide. For embeddings in `float32`, ``deit`` equals ``hf`` and ``dino`` equals ``dinov2``, each without
/// registers; with registers ``hf`` and ``dinov2`` equal ``timm``. transformers' `Dinov2Embeddings` does in `float32` what
/// `ViTEmbeddings` does in the embedding's type: ``hf`` is both for weights in `float32`.
///
/// The sources of all but ``timm`` take a square grid for granted on one side or both; here height and width go their own
/// ways, which is the same for squares.
public enum PositionEmbeddingResampling: String, Codable, Sendable, CaseIterable {
    /// facebookresearch/deit, `main.py`, the fine-tuning of a checkpoint.
    case deit

    /// timm, `timm/layers/pos_embed.py`, `resample_abs_pos_embed`.
    case timm

    /// transformers, `interpolate_pos_encoding` of `ViTEmbeddings`, `DeiTEmbeddings` and `Dinov2Embeddings`, with registers
    /// of `Dinov2WithRegistersEmbeddings`.
    case hf

    /// facebookresearch/dino, `vision_transformer.py`, `VisionTransformer.interpolate_pos_encoding`.
    case dino

    /// facebookresearch/dinov2, `dinov2/models/vision_transformer.py`, `DinoVisionTransformer.interpolate_pos_encoding`.
    ///
    /// The published models without registers have `interpolate_offset=0.1` and no antialiasing, those with registers
    /// `interpolate_offset=0.0` and `interpolate_antialias=True` (`dinov2/hub/backbones.py`).
    case dinov2

    /// Returns a position embedding for another grid.
    ///
    /// - Parameters:
    ///   - posEmbed: `[1, prefixTokens + old.count, embedDim]`, of a floating-point type.
    ///   - prefixTokens: The positions that belong to tokens before the patches, which stay as they are.
    ///   - old: The grid that `posEmbed` is for.
    ///   - new: The grid that is wanted.
    ///   - hasRegisters: Whether the network has register tokens; their positions, if any, count as `prefixTokens`.
    /// - Returns: `[1, prefixTokens + new.count, embedDim]`, of the same type; `posEmbed` itself where the grids are equal.
    /// - Throws: `TorchError` when the shape does not fit `prefixTokens` and `old`, or a grid is empty.
    public func resample(
        _ posEmbed: Tensor,
        prefixTokens: Int,
        from old: PatchGrid,
        to new: PatchGrid,
        hasRegisters: Bool = false
    ) throws(TorchError) -> Tensor {
        try Self.check(posEmbed, prefixTokens: prefixTokens, from: old, to: new)
        guard old != new else { return posEmbed }
        let width = posEmbed.shape[2]
        let patches = try posEmbed.narrowed(1, prefixTokens..<prefixTokens + old.count)
            .reshaped([1, old.height, old.width, width])
            .permuted([0, 3, 1, 2])  // [1, embedDim, height, width]
        let resampled = try resized(patches, from: old, to: new, hasRegisters: hasRegisters)
            .permuted([0, 2, 3, 1]).reshaped([1, new.count, width])
        guard prefixTokens > 0 else { return resampled }
        return try Tensor.cat([posEmbed.narrowed(1, 0..<prefixTokens), resampled], dim: 1)
    }

    private func resized(
        _ patches: Tensor,
        from old: PatchGrid,
        to new: PatchGrid,
        hasRegisters: Bool
    ) throws(TorchError) -> Tensor {
        func plain(_ x: Tensor, antialias: Bool) throws(TorchError) -> Tensor {
            try Functional.resize2d(
                x,
                height: new.height,
                width: new.width,
                resampling: .bicubic,
                antialias: antialias
            )
        }
        // The 0.1 kept the product of size and factor from being rounded down to one patch less (dino, issue 8).
        func withOffset(_ x: Tensor) throws(TorchError) -> Tensor {
            try Functional.resizeBicubic(
                x,
                height: new.height,
                width: new.width,
                factors: (
                    (Double(new.height) + 0.1) / Double(old.height),
                    (Double(new.width) + 0.1) / Double(old.width)
                )
            )
        }
        let isAntialiased = self == .timm || hasRegisters && (self == .hf || self == .dinov2)
        if isAntialiased {
            return try plain(patches.to(.float32), antialias: true).to(patches.dtype)
        }
        switch self {
        case .deit, .hf, .timm: return try plain(patches, antialias: false)
        case .dino: return try withOffset(patches)
        case .dinov2: return try withOffset(patches.to(.float32)).to(patches.dtype)
        }
    }

    private static func check(
        _ posEmbed: Tensor,
        prefixTokens: Int,
        from old: PatchGrid,
        to new: PatchGrid
    ) throws(TorchError) {
        let limit = 1_000_000_000
        guard (1...limit).contains(old.count), (1...limit).contains(new.count),
            (0...limit).contains(prefixTokens)
        else {
            throw TorchError(
                operation: "position embedding",
                message:
                    "a grid of \(old) patches behind \(prefixTokens) tokens cannot be brought to \(new)"
            )
        }
        let shape = posEmbed.shape
        guard shape.count == 3, shape[0] == 1, shape[1] == prefixTokens + old.count, shape[2] > 0,
            posEmbed.dtype.isFloatingPoint
        else {
            throw TorchError(
                operation: "position embedding",
                message: "one of type \(posEmbed.dtype) and shape \(shape) is not one for "
                    + "\(prefixTokens) tokens and a grid of \(old) patches"
            )
        }
    }
}
