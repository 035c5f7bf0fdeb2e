public import Torch
public import TorchNN

/// The vision transformer: patches and a class token through blocks of attention to the scores of the classes.
///
/// One network serves ViT, DeiT and, as ``DistilledVisionTransformer``, DeiT with a distillation token. Its keys are
/// timm's.
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

    /// The token whose last state is classified, `[1, 1, embedDim]`.
    public let clsToken: Parameter

    /// What is added to the tokens, `[1, positionCount, embedDim]`: to all of them, or to the patches alone where
    /// ``ViTConfiguration/noEmbedClass`` says so.
    public let posEmbed: Parameter

    /// The patches' projection.
    public let patchEmbed: PatchEmbed

    /// The dropout after the position embedding.
    public let posDrop: Dropout

    /// The layers.
    public let blocks: [Block]

    /// The last normalisation.
    public let norm: LayerNorm

    /// The classifier on the class token; nil where there are no classes.
    public let head: Linear?

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
        self.clsToken = try Parameter(embedding([1, 1, embedDim]))
        self.posEmbed = try Parameter(
            embedding([1, configuration.positionCount, embedDim])
        )
        self.patchEmbed = try PatchEmbed(configuration)
        self.posDrop = try Dropout(configuration.dropRate)
        self.blocks = try (0..<configuration.depth).map { index in
            // From 0 in the first block to the full rate in the last.
            let share = Double(index) / Double(max(configuration.depth - 1, 1))
            return try Block(configuration, dropPathRate: configuration.dropPathRate * share)
        }
        self.norm = try LayerNorm(embedDim, eps: configuration.layerNormEps)
        self.head = try Self.classifier(configuration)
        super.init()
    }

    /// A classifier for the configuration's classes, if there are any.
    static func classifier(_ configuration: ViTConfiguration) throws(TorchError) -> Linear? {
        guard configuration.numClasses > 0 else { return nil }
        return try Linear(configuration.embedDim, configuration.numClasses)
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
    func prefixTokens() -> [Parameter] { [clsToken] }

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
    /// - Returns: `[batch, prefixTokenCount + patches, embedDim]`: class token, distillation token if any, patches.
    /// - Throws: `TorchError` when the images' shape does not fit.
    public func forwardFeatures(_ images: Tensor) throws(TorchError) -> Tensor {
        try inParts(images) { (images) throws(TorchError) in
            var x = try embed(patchEmbed(images))
            for block in blocks { x = try block(x) }
            return try norm(x)
        }
    }

    /// Returns the patches' tokens with the prefix tokens before them and the positions added.
    ///
    /// - Parameter patches: `[batch, patches, embedDim]`.
    /// - Returns: `[batch, prefixTokenCount + patches, embedDim]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func embed(_ patches: Tensor) throws(TorchError) -> Tensor {
        try embed(patches, positions: posEmbed.tensor)
    }

    final func embed(_ patches: Tensor, positions: Tensor) throws(TorchError) -> Tensor {
        let (batch, _, embedDim) = try patches.shape3()
        var parts: [Tensor] = []
        for token in prefixTokens() {
            parts.append(try token.tensor.expanded([batch, token.tensor.shape[1], embedDim]))
        }
        guard !configuration.noEmbedClass else {
            return try posDrop(Tensor.cat(parts + [patches + positions], dim: 1))
        }
        let tokens = try Tensor.cat(parts + [patches], dim: 1)
        return try posDrop(tokens + positions)
    }

    /// Returns the scores of the classes from the last tokens: for a distilled model the mean of its two heads.
    ///
    /// Without classes it is the class token, or the mean of the class and the distillation token, as timm's models
    /// with `num_classes=0` return it.
    ///
    /// - Parameter tokens: What ``forwardFeatures(_:)`` returned.
    /// - Returns: `[batch, numClasses]`, before any softmax; without classes `[batch, embedDim]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public final func forwardHead(_ tokens: Tensor) throws(TorchError) -> Tensor {
        try headLogits(tokens).averaged()
    }

    /// Returns the scores of each head from the last tokens.
    ///
    /// - Parameter tokens: What ``forwardFeatures(_:)`` returned.
    /// - Returns: The scores; without classes the token itself, `[batch, embedDim]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func headLogits(_ tokens: Tensor) throws(TorchError) -> ClassifierLogits {
        ClassifierLogits(cls: try classified(tokens.selected(1, 0), by: head))
    }

    final func classified(_ token: Tensor, by head: Linear?) throws(TorchError) -> Tensor {
        guard let head else { return token }
        return try head(token)
    }

    /// Returns the scores of the classes, before any softmax.
    ///
    /// - Parameter images: `[batch, inChannels, imageHeight, imageWidth]`.
    /// - Returns: `[batch, numClasses]`; without classes what ``forwardHead(_:)`` says.
    /// - Throws: `TorchError` when the images' shape does not fit.
    public final func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
        try forwardHead(forwardFeatures(images))
    }

    /// Returns the scores of each head; a distilled network has two.
    ///
    /// - Parameter images: `[batch, inChannels, imageHeight, imageWidth]`.
    /// - Returns: The scores; without classes what ``headLogits(_:)`` says.
    /// - Throws: `TorchError` when the images' shape does not fit.
    public final func logits(_ images: Tensor) throws(TorchError) -> ClassifierLogits {
        try headLogits(forwardFeatures(images))
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
            ComputePolicy.current.linear == .oneDNN
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
