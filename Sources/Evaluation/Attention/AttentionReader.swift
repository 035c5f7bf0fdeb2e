public import Checkpoints
public import Inference
public import Torch
import TorchNN
public import VisionModels

/// Looks into a vision transformer while it looks at an image of any size.
///
/// Blocks after the one that was requested are not computed, and no more than one block's weights are held at a time. The
/// arithmetic is in 32 bits whatever the compute policy says, as maps of small differences are examined.
///
/// ## Source
/// Caron et al., `dino/visualize_attention.py` and `vision_transformer.py, get_last_selfattention`.
public struct AttentionReader {
    /// What the model is made from.
    public let configuration: ViTConfiguration

    /// The block that is looked into, 1 up to the model's depth.
    public let block: Int

    /// The block whose keys are read, 1 up to ``block``.
    public let keysBlock: Int

    /// How blocks are made one; nil for no rollout.
    public let rollout: AttentionRollout?

    /// How positions get the image's grid.
    public let resampling: PositionEmbeddingResampling

    private let network: VisionTransformer

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - loaded: The model.
    ///   - block: The block, 1 up to the model's depth; nil for the last one.
    ///   - keysBlock: The block whose keys are read, or the one looked into where that comes first; nil for the
    ///     ``usualKeysBlock(depth:)``.
    ///   - rollout: How blocks are made one; nil for no rollout.
    ///   - resampling: How positions get the image's grid.
    /// - Throws: `InferenceError.noSuchFeature` when the model has no attention, or no such block.
    public init(
        _ loaded: LoadedModel,
        block: Int? = nil,
        keysBlock: Int? = nil,
        rollout: AttentionRollout? = .paper,
        resampling: PositionEmbeddingResampling = .timm
    ) throws(InferenceError) {
        guard let network = loaded.model as? VisionTransformer else {
            throw .noSuchFeature(
                "\(loaded.weightsPath) is a convolutional network, which has no attention; "
                    + "use a vision transformer (ViT, DeiT, DINO)"
            )
        }
        let depth = network.configuration.depth
        let block = block ?? depth
        guard (1...max(depth, 1)).contains(block) else {
            throw .noSuchFeature("the model has blocks 1 to \(depth), not \(block)")
        }
        let keysBlock = keysBlock ?? Self.usualKeysBlock(depth: depth)
        guard (1...max(depth, 1)).contains(keysBlock) else {
            throw .noSuchFeature("the model has blocks 1 to \(depth), not \(keysBlock)")
        }
        network.eval()
        self.keysBlock = min(keysBlock, block)
        self.network = network
        self.block = block
        self.rollout = rollout
        self.resampling = resampling
        configuration = network.configuration
    }

    /// The block whose keys tell objects from their surroundings in supervised models as well: five sixths of the way.
    ///
    /// The last blocks of a supervised model gather what the classifier wants in a few patches anywhere in the image.
    ///
    /// - Parameter depth: The number of blocks.
    /// - Returns: The block, counted from 1.
    public static func usualKeysBlock(depth: Int) -> Int { max(1, (depth * 5 + 3) / 6) }

    /// Looks at an image.
    ///
    /// - Parameter images: `[1, channels, height, width]`, normalised, on any device; at least one patch large.
    /// - Returns: What was attended to, on the CPU.
    /// - Throws: `TorchError` when the image does not fit the model, ``EvaluationError`` when it has no patches.
    public func callAsFunction(_ images: Tensor) throws -> AttentionReading {
        try withoutGradient { try read(images.to(network.device)) }
    }

    private func read(_ images: Tensor) throws -> AttentionReading {
        guard images.rank == 4, images.shape[0] == 1 else {
            throw TorchError(
                operation: "attention",
                message: "expected one image, found the shape \(images.shape)"
            )
        }
        var (x, grid) = try network.embedding(images, resampling: resampling)
        let rotary = try network.rotaryPositions(of: grid)
        var matrices: [Tensor] = []
        var (weights, keysInput): (Tensor?, Tensor) = (nil, x)
        for (index, layer) in network.blocks.prefix(block).enumerated() {
            if index == keysBlock - 1 { keysInput = x }
            guard rollout != nil || index == block - 1 else {
                x = try layer(x, rotary: rotary)
                continue
            }
            let (next, all) = try layer.withWeights(x, rotary: rotary)
            x = next
            let own = try all.selected(0, 0)  // [heads, tokens, tokens]
            if let rollout { matrices.append(try rollout.matrix(own)) }
            weights = own
        }
        let last = try network.normalized(x)
        let prefix = network.prefixTokenCount
        let patches = prefix..<(prefix + grid.count)
        return AttentionReading(
            grid: grid,
            block: block,
            tokens: try tokens(weights, matrices, grid),
            features: try last.selected(0, 0).narrowed(0, patches).to(Device.cpu),
            keys: try keys(of: keysInput).narrowed(0, patches).to(Device.cpu),
            logits: try logits(last)
        )
    }

    private func tokens(
        _ weights: Tensor?,
        _ matrices: [Tensor],
        _ grid: PatchGrid
    ) throws -> [AttentionReading.Token] {
        guard let weights else { return [] }
        let names = self.names
        let prefix = network.prefixTokenCount
        let patches = prefix..<(prefix + grid.count)
        // Without a class token the classifier reads the mean of the patches, so the mean of what they attend to is shown.
        let readers = configuration.classToken ? 0..<names.count : patches
        func row(_ matrix: Tensor, dim: Int) throws(TorchError) -> Tensor {
            configuration.classToken ? matrix : try matrix.mean([dim], keepDims: true)
        }
        let rows = try row(weights.narrowed(1, readers).narrowed(2, patches), dim: 1).floats()
        var flow: [Float]?
        if let rollout {
            flow = try row(rollout(matrices, tokens: readers).narrowed(1, patches), dim: 0).floats()
        }
        return try names.enumerated().map { token, name in
            let heads = try (0..<configuration.numHeads).map { head in
                try map(rows, head * names.count + token, grid)
            }
            return AttentionReading.Token(
                name: name,
                heads: heads,
                mean: try AttentionMap(meanOf: heads),
                rollout: try flow.map { try map($0, token, grid) }
            )
        }
    }

    private func map(_ rows: [Float], _ row: Int, _ grid: PatchGrid) throws -> AttentionMap {
        try AttentionMap(Array(rows[(row * grid.count)..<((row + 1) * grid.count)]), grid: grid)
    }

    /// The keys of a block's attention, `[tokens, embedDim]`.
    private func keys(of input: Tensor) throws(TorchError) -> Tensor {
        let layer = network.blocks[keysBlock - 1]
        return try layer.keys(input).selected(0, 0).to(.float32)
    }

    /// The tokens whose attention is read: the first ones of the network without its registers, or all patches.
    private var names: [FeatureRequest.Token] {
        guard configuration.classToken else { return [.mean] }
        return configuration.isDistilled ? [.cls, .dist] : [.cls]
    }

    /// Whether readings have the scores of the classes: there are some, and the classifier reads the block alone.
    var givesLogits: Bool {
        block == configuration.depth && configuration.numClasses > 0
            && configuration.headBlocks == 1
    }

    private func logits(_ last: Tensor) throws(TorchError) -> [Float] {
        guard givesLogits else { return [] }
        return try network.forwardHead(last).floats()
    }
}
