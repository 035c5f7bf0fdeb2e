public import Torch
public import TorchNN

/// The vision transformer: patches and a class token through blocks of attention to the scores of the classes.
///
/// One network serves ViT, DeiT, DeiT-III, DINO, DINOv2, the image towers of CLIP and SigLIP and, as
/// ``DistilledVisionTransformer``, DeiT with a distillation token. Its keys are timm's.
///
/// ## Shapes
/// - Input: `[batch, inChannels, imageHeight, imageWidth]`
/// - Tokens: `[batch, prefixTokenCount + patches, embedDim]`
/// - Output: `[batch, numClasses]`; `[batch, embedDim]` where there are no classes
///
/// ## Source
/// Dosovitskiy et al. (arXiv:2010.11929); `timm/models/vision_transformer.py`, `VisionTransformer`.
public class VisionTransformer: Module, ImageClassifier {
    /// What the network was made from.
    public let configuration: ViTConfiguration

    /// The token whose last state is classified, `[1, 1, embedDim]`; nil without ``ViTConfiguration/classToken``.
    public let clsToken: Parameter?

    /// The register tokens, `[1, regTokens, embedDim]`; nil where there are none.
    public let regToken: Parameter?

    /// What is added to the tokens, `[1, positionCount, embedDim]`: to all of them, or to the patches alone where
    /// ``ViTConfiguration/noEmbedClass`` says so; nil with ``ViTConfiguration/rotaryTemperature``.
    public let posEmbed: Parameter?

    /// The patches' projection.
    public let patchEmbed: PatchEmbed

    /// The dropout after the position embedding.
    public let posDrop: Dropout

    /// The normalisation before the first block, with ``ViTConfiguration/preNorm``.
    public let normPre: LayerNorm?

    /// The layers.
    public let blocks: [any TransformerBlock]

    /// The last normalisation of all tokens; nil where ``fcNorm`` takes its place or there is none.
    public let norm: LayerNorm?

    /// The attention of the pooling ``TokenPooling/map``.
    public let attnPool: AttentionPool?

    /// The normalisation after the pooling, with ``ViTConfiguration/fcNorm``.
    public let fcNorm: LayerNorm?

    /// The classifier on the pooled tokens; nil where there are no classes.
    public let head: Linear?

    /// The blocks and ``norm`` as one function, for inference.
    let fused = FusedEncoder()

    // The grid is the same for all images of a run, mostly.
    private var lastRotary: (grid: PatchGrid, device: Device, positions: RotaryPositions)?

    /// Creates a network with freshly initialised weights.
    ///
    /// - Parameter configuration: What to make it from; use ``make(_:)`` where it may be a distilled one.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public init(_ configuration: ViTConfiguration) throws {
        try configuration.validate()
        let embedDim = configuration.embedDim
        let embedding = Initializer.normal(std: 0.02)
        self.configuration = configuration
        self.clsToken =
            configuration.classToken ? try Parameter(embedding([1, 1, embedDim])) : nil
        self.regToken =
            configuration.regTokens > 0
            ? try Parameter(embedding([1, configuration.regTokens, embedDim])) : nil
        self.posEmbed =
            configuration.positionCount > 0
            ? try Parameter(embedding([1, configuration.positionCount, embedDim])) : nil
        self.patchEmbed = try PatchEmbed(configuration)
        self.posDrop = try Dropout(configuration.dropRate)
        func norm(if isThere: Bool) throws(TorchError) -> LayerNorm? {
            isThere ? try LayerNorm(embedDim, eps: configuration.layerNormEps) : nil
        }
        self.normPre = try norm(if: configuration.preNorm)
        self.blocks = try (0..<configuration.depth).map { index in
            // From 0 in the first block to the full rate in the last.
            let share = Double(index) / Double(max(configuration.depth - 1, 1))
            return try configuration.makeBlock(dropPathRate: configuration.dropPathRate * share)
        }
        self.norm = try norm(if: configuration.finalNorm && !configuration.fcNorm)
        self.attnPool = configuration.globalPool == .map ? try AttentionPool(configuration) : nil
        self.fcNorm = try norm(if: configuration.finalNorm && configuration.fcNorm)
        self.head = try Self.classifier(configuration)
        super.init()
    }

    /// A classifier for the configuration's classes, if there are any.
    static func classifier(_ configuration: ViTConfiguration) throws(TorchError) -> Linear? {
        guard configuration.numClasses > 0 else { return nil }
        return try Linear(configuration.headWidth, configuration.numClasses)
    }

    /// Creates the plain or the distilled network, as the configuration says.
    ///
    /// - Parameter configuration: What to make it from.
    /// - Returns: A ``VisionTransformer``, a ``DistilledVisionTransformer`` or a ``SingleHeadVisionTransformer``.
    /// - Throws: As the initialisers do.
    public static func make(_ configuration: ViTConfiguration) throws -> VisionTransformer {
        guard configuration.isDistilled else { return try VisionTransformer(configuration) }
        return configuration.headCount == 1
            ? try SingleHeadVisionTransformer(configuration)
            : try DistilledVisionTransformer(configuration)
    }

    /// The tokens before the patches, in order, `[1, tokens, embedDim]` each.
    func prefixTokens() -> [Parameter] { [clsToken, regToken].compactMap { $0 } }

    /// How many tokens there are before the patches.
    public final var prefixTokenCount: Int {
        prefixTokens().reduce(0) { $0 + $1.tensor.shape[1] }
    }

    /// Returns the normalised tokens after the last block.
    ///
    /// In evaluation without gradients on the CPU the batch goes through the network in parts of up to four images,
    /// one for each thread at a time, so that a part's activations stay in the cache of its core; the memory of the
    /// forward pass then depends on the threads, not on the batch.
    ///
    /// - Parameter images: `[batch, inChannels, imageHeight, imageWidth]`.
    /// - Returns: `[batch, prefixTokenCount + patches, embedDim]`: class token, distillation token, registers, patches,
    ///   without those that the network does not have.
    /// - Throws: `TorchError` when the images' shape does not fit.
    public func forwardFeatures(_ images: Tensor) throws(TorchError) -> Tensor {
        try forwardFeatures(images, wanted: nil)
    }

    /// ``forwardFeatures(_:)``, of which only the first `wanted` tokens may be there; all for nil.
    private func forwardFeatures(_ images: Tensor, wanted: Int?) throws(TorchError) -> Tensor {
        let rotary = try rotaryPositions(of: configuration.grid)
        return try inParts(images) { (images) throws(TorchError) in
            var x = try embed(patchEmbed(images))
            if let tokens = try fused(x, of: self, rotary: rotary, wanted: wanted) {
                return tokens[0]
            }
            for block in blocks { x = try block(x, rotary: rotary) }
            if let wanted { x = try x.narrowed(1, 0..<wanted) }
            return try normalized(x)
        }
    }

    /// Returns the tokens of a block after the last normalisation, if the network has one before its pooling.
    ///
    /// - Parameter tokens: `[batch, tokens, embedDim]`.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` when the shape does not fit.
    public final func normalized(_ tokens: Tensor) throws(TorchError) -> Tensor {
        guard let norm else { return tokens }
        return try norm(tokens)
    }

    /// Returns the patches' tokens with the prefix tokens before them and the positions added.
    ///
    /// - Parameter patches: `[batch, patches, embedDim]`.
    /// - Returns: `[batch, prefixTokenCount + patches, embedDim]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func embed(_ patches: Tensor) throws(TorchError) -> Tensor {
        try embed(patches, positions: posEmbed?.tensor)
    }

    /// Returns the rotary positions of a grid; nil for a network with learnt positions.
    ///
    /// - Parameter grid: The patches down and across.
    /// - Returns: The positions.
    /// - Throws: `TorchError` for a lack of memory.
    public final func rotaryPositions(of grid: PatchGrid) throws(TorchError) -> RotaryPositions? {
        guard let temperature = configuration.rotaryTemperature else { return nil }
        let device = device
        if let lastRotary, lastRotary.grid == grid, lastRotary.device == device {
            return lastRotary.positions
        }
        let positions = try RotaryPositions(
            grid: grid,
            headDim: configuration.embedDim / configuration.numHeads,
            prefix: configuration.prefixTokenCount,
            temperature: temperature,
            device: device
        )
        lastRotary = (grid, device, positions)
        return positions
    }

    final func embed(_ patches: Tensor, positions: Tensor?) throws(TorchError) -> Tensor {
        let (batch, _, embedDim) = try patches.shape3()
        var parts: [Tensor] = []
        for token in prefixTokens() {
            parts.append(try token.tensor.expanded([batch, token.tensor.shape[1], embedDim]))
        }
        var tokens: Tensor
        if let positions, configuration.noEmbedClass {
            tokens = try Tensor.cat(parts + [patches + positions], dim: 1)
        } else {
            tokens = try Tensor.cat(parts + [patches], dim: 1)
            if let positions { tokens = try tokens + positions }
        }
        let dropped = try posDrop(tokens)
        guard let normPre else { return dropped }
        return try normPre(dropped)
    }

    /// Returns the scores of the classes from the last tokens: for a distilled model the mean of its two heads.
    ///
    /// Without classes it is what the classifier would read, or the mean of the class and the distillation token, as
    /// timm's models with `num_classes=0` return it.
    ///
    /// - Parameter tokens: What ``forwardFeatures(_:)`` returned.
    /// - Returns: `[batch, numClasses]`, before any softmax; without classes what ``headLogits(_:)`` says.
    /// - Throws: As ``headLogits(_:)``.
    public final func forwardHead(_ tokens: Tensor) throws(TorchError) -> Tensor {
        try headLogits(tokens).averaged()
    }

    /// Returns the scores of each head from the last tokens.
    ///
    /// - Parameter tokens: What ``forwardFeatures(_:)`` returned.
    /// - Returns: The scores; without classes the pooled tokens, `[batch, headWidth]`, or all tokens where the pooling
    ///   is ``TokenPooling/none``.
    /// - Throws: `TorchError` when the shape does not fit, or the classifier reads several blocks
    ///   (``ViTConfiguration/headBlocks``): the last tokens are then not enough.
    public func headLogits(_ tokens: Tensor) throws(TorchError) -> ClassifierLogits {
        ClassifierLogits(cls: try classified(pooled([tokens]), by: head))
    }

    final func classified(_ pooled: Tensor, by head: Linear?) throws(TorchError) -> Tensor {
        guard let head else { return pooled }
        return try head(pooled)
    }

    /// Returns one vector for each image from the last tokens: what the classifier reads, without a classifier.
    ///
    /// - Parameter tokens: What ``forwardFeatures(_:)`` returned.
    /// - Returns: `[batch, headWidth]`.
    /// - Throws: `TorchError` when the shape does not fit, or the classifier reads several blocks.
    public final func pooled(_ tokens: Tensor) throws(TorchError) -> Tensor {
        try pooled([tokens])
    }

    /// Returns what the classifier reads.
    ///
    /// - Parameter blocks: The normalised tokens of the last ``ViTConfiguration/headBlocks`` blocks, the last at the end.
    /// - Returns: `[batch, headWidth]`, or all tokens where the pooling is ``TokenPooling/none``.
    /// - Throws: `TorchError` when a shape or the number of blocks does not fit.
    private func pooled(_ blocks: [Tensor]) throws(TorchError) -> Tensor {
        guard blocks.count == configuration.headBlocks, let last = blocks.last else {
            throw TorchError(
                operation: "classifier",
                message: "it reads the last \(configuration.headBlocks) blocks, not \(blocks.count)"
            )
        }
        let first = configuration.poolIncludePrefix ? 0 : configuration.prefixTokenCount
        func patches() throws(TorchError) -> Tensor {
            try last.narrowed(1, first..<last.shape3().1)
        }
        var pooled: Tensor
        switch configuration.globalPool {
        case .token: pooled = try last.selected(1, 0)
        case .avg: pooled = try patches().mean([1])
        case .map:
            guard let attnPool else { return last }
            pooled = try attnPool(patches())
        case .tokenAvg:
            var parts: [Tensor] = []
            for tokens in blocks { parts.append(try tokens.selected(1, 0)) }
            pooled = try Tensor.cat(parts + [patches().mean([1])], dim: 1)
        case .none: return last
        }
        if let fcNorm { pooled = try fcNorm(pooled, isForProduct: head != nil) }
        return pooled
    }

    /// Returns the scores of the classes, before any softmax.
    ///
    /// - Parameter images: `[batch, inChannels, imageHeight, imageWidth]`.
    /// - Returns: `[batch, numClasses]`; without classes what ``forwardHead(_:)`` says.
    /// - Throws: `TorchError` when the images' shape does not fit.
    public final func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
        try logits(images).averaged()
    }

    /// Returns the scores of each head; a distilled network has two.
    ///
    /// - Parameter images: `[batch, inChannels, imageHeight, imageWidth]`.
    /// - Returns: The scores; without classes what ``headLogits(_:)`` says.
    /// - Throws: `TorchError` when the images' shape does not fit.
    public final func logits(_ images: Tensor) throws(TorchError) -> ClassifierLogits {
        guard configuration.headBlocks == 1, configuration.globalPool == .token else {
            return try headLogits(of: lastBlocks(images))
        }
        // Heads on tokens read none of the patches.
        return try headLogits(forwardFeatures(images, wanted: prefixTokenCount))
    }

    /// Returns the normalised tokens of the blocks that the classifier reads.
    ///
    /// - Parameter images: `[batch, inChannels, imageHeight, imageWidth]`.
    /// - Returns: ``ViTConfiguration/headBlocks`` of `[batch, tokens, embedDim]`, the last block's at the end.
    /// - Throws: `TorchError` when the images' shape does not fit.
    public final func lastBlocks(_ images: Tensor) throws(TorchError) -> [Tensor] {
        guard configuration.headBlocks > 1 else { return [try forwardFeatures(images)] }
        return try outputs(images, OutputRequest(lastBlocks: configuration.headBlocks)).blockTokens
    }

    /// Returns the scores of each head from the tokens that it reads.
    ///
    /// - Parameter blocks: What ``lastBlocks(_:)`` returned.
    /// - Returns: The scores; without classes what ``headLogits(_:)`` says.
    /// - Throws: `TorchError` when the shapes do not fit.
    public final func headLogits(of blocks: [Tensor]) throws(TorchError) -> ClassifierLogits {
        guard blocks.count == 1, let tokens = blocks.first else {
            return ClassifierLogits(cls: try classified(pooled(blocks), by: head))
        }
        return try headLogits(tokens)
    }

    /// How many classes the network tells apart.
    public var numClasses: Int { configuration.numClasses }

    /// The images that the network takes, `[channels, height, width]`.
    public var inputShape: [Int] {
        [configuration.inChannels, configuration.imageHeight, configuration.imageWidth]
    }

    // The largest part whose activations fit a core's cache, and the smallest whose products are as fast as larger ones'.
    private static let imagesAPart = 4

    private func inParts(
        _ images: Tensor,
        _ body: (Tensor) throws(TorchError) -> Tensor
    ) throws(TorchError) -> Tensor {
        let batch = images.shape.first ?? 0
        guard batch > 1, !isTraining, !isGradientEnabled, images.device == .cpu,
            ComputePolicy.current.linear == .oneDNN || ComputePolicy.current.encoder == .fused
        else { return try body(images) }
        let threads = max(Libtorch.threadCount, 1)
        let size = min(Self.imagesAPart, (batch + threads - 1) / threads)
        let parts = try parallelMap((batch + size - 1) / size) {
            (part) throws(TorchError) in
            let start = part * size
            return try body(images.narrowed(0, start..<min(start + size, batch)))
        }
        return try Tensor.cat(parts, dim: 0)
    }
}

extension VisionTransformer {
    /// Returns the last tokens and whatever else is requested: hidden states, attention's weights, the tokens of the
    /// last blocks.
    ///
    /// The last tokens are those of ``forwardFeatures(_:)``, to rounding. The weights are computed one by one where they
    /// are requested, whichever kernel the compute policy names; nothing else changes the way of computing.
    ///
    /// - Parameters:
    ///   - images: `[batch, inChannels, imageHeight, imageWidth]`; of any size with `resampling`.
    ///   - request: What is wanted.
    ///   - mask: The patches to replace, if any.
    ///   - resampling: How to bring the position embedding to the grid of images of another size; nil refuses them.
    /// - Returns: The outputs.
    /// - Throws: `TorchError` when the shape of the images or of the mask does not fit, or there are fewer blocks than
    ///   requested.
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
        let rotary = try rotaryPositions(of: grid)
        if !request.hiddenStates, !request.attentions,
            let blockTokens = try fused(
                embedded,
                of: self,
                rotary: rotary,
                lastBlocks: max(request.lastBlocks, 1)
            ),
            let tokens = blockTokens.last
        {
            return TransformerOutputs(
                tokens: tokens,
                hiddenStates: [],
                attentions: [],
                blockTokens: request.lastBlocks > 0 ? blockTokens : [],
                grid: grid
            )
        }
        var x = embedded
        var hiddenStates = request.hiddenStates ? [x] : []
        var (attentions, blockTokens): ([Tensor], [Tensor]) = ([], [])
        for (index, block) in blocks.enumerated() {
            if request.attentions {
                let (tokens, weights) = try block.withWeights(x, rotary: rotary)
                x = tokens
                attentions.append(weights)
            } else {
                x = try block(x, rotary: rotary)
            }
            if request.hiddenStates { hiddenStates.append(x) }
            if index >= blocks.count - request.lastBlocks { blockTokens.append(try normalized(x)) }
        }
        let tokens = if let last = blockTokens.last { last } else { try normalized(x) }
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
        var positions = posEmbed?.tensor
        if let resampling {
            (patches, grid) = try patchEmbed.ofAnySize(images)
            positions = try positions.map { (learnt) throws(TorchError) in
                try resampling.resample(
                    learnt,
                    prefixTokens: configuration.embeddedPrefixCount,
                    from: configuration.grid,
                    to: grid,
                    hasRegisters: configuration.regTokens > 0
                )
            }
        } else {
            (patches, grid) = (try patchEmbed(images), configuration.grid)
        }
        if let mask { patches = try mask(patches) }
        return (try embed(patches, positions: positions), grid)
    }
}
