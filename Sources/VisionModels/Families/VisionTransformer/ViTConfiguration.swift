public import TorchNN

/// Everything that a vision transformer is made from.
///
/// The memberwise defaults are DeiT-Tiny/16 at 224 pixels. `layerNormEps` has none: timm and DeiT use 1e-6, CLIP 1e-5,
/// Hugging Face's configurations 1e-12.
///
/// ## Source
/// `timm/models/vision_transformer.py`, the arguments of `VisionTransformer`.
public struct ViTConfiguration: NetworkConfiguration {
    /// The height of an image, in pixels.
    public var imageHeight: Int

    /// The width of an image, in pixels.
    public var imageWidth: Int

    /// The height and width of a patch, in pixels; it must divide both sizes of the image.
    public var patchSize: Int

    /// The channels of an image.
    public var inChannels: Int

    /// The number of classes; 0 makes a network without a classifier, whose prediction is the token itself.
    public var numClasses: Int

    /// The width of a token.
    public var embedDim: Int

    /// The number of blocks.
    public var depth: Int

    /// The number of attention heads; it must divide `embedDim`.
    public var numHeads: Int

    /// The hidden width of the feed-forward layers, as a multiple of `embedDim`.
    public var mlpRatio: Double

    /// Whether the projection to query, key and value has a bias.
    public var qkvBias: Bool

    /// Whether that bias has a part for the keys; without one its rows are zeros, in training too (DINOv3).
    public var keyBias: Bool

    /// Whether there is a distillation token, with a head of its own unless ``singleHead`` says otherwise.
    public var isDistilled: Bool

    /// Whether a network with a distillation token has one head, on the class token, as Hugging Face's
    /// `DeiTForImageClassification`.
    public var singleHead: Bool

    /// What layer normalisation adds to the variance.
    public var layerNormEps: Double

    /// The dropout rate of tokens and feed-forward layers, 0 up to 1.
    public var dropRate: Double

    /// The rate of stochastic depth in the last block; it grows linearly from 0 in the first.
    public var dropPathRate: Double

    /// The dropout rate of attention's weights, 0 up to 1.
    public var attnDropRate: Double

    /// The first value of the scales of both branches of a block (DeiT-III); `nil` where there are none.
    public var initValues: Double?

    /// Whether positions are added to the patches alone, before the tokens in front of them are there (DeiT-III).
    public var noEmbedClass: Bool

    /// Whether there is a class token.
    public var classToken: Bool

    /// The number of register tokens between the class token and the patches.
    public var regTokens: Int

    /// How the last tokens become the input of the classifier.
    public var globalPool: TokenPooling

    /// The last blocks whose class tokens ``TokenPooling/tokenAvg`` concatenates, 1 for every other pooling.
    public var headBlocks: Int

    /// Whether `avg` and `map` also read the tokens before the patches.
    public var poolIncludePrefix: Bool

    /// Whether the last normalisation comes after the pooling, as `fc_norm`, instead of before it, as `norm`.
    public var fcNorm: Bool

    /// Whether there is a last normalisation at all.
    public var finalNorm: Bool

    /// Whether the tokens are normalised before the first block (CLIP); the patch embedding then has no bias.
    public var preNorm: Bool

    /// Whether attention normalises queries and keys.
    public var qkNorm: Bool

    /// The activation of the feed-forward layers; a gated one (``FeedForward/swiglu``) always uses SiLU.
    public var activation: Activation

    /// The kind of feed-forward layers.
    public var mlpLayer: FeedForward

    /// How a block combines attention and feed-forward layers.
    public var blockType: BlockType

    /// The base of the periods of rotary positions (DINOv3: 100), which take the place of learnt ones; nil without them.
    public var rotaryTemperature: Double?

    enum CodingKeys: CodingKey {
        case imageHeight, imageWidth, patchSize, inChannels, numClasses, embedDim, depth, numHeads
        case mlpRatio, qkvBias, keyBias, isDistilled, layerNormEps, dropRate, dropPathRate
        case attnDropRate, initValues, noEmbedClass, singleHead
        case classToken, regTokens, globalPool, headBlocks, poolIncludePrefix, fcNorm, finalNorm
        case preNorm, qkNorm, activation, mlpLayer, blockType, rotaryTemperature
    }

    /// Creates a configuration.
    public init(
        imageHeight: Int = 224,
        imageWidth: Int = 224,
        patchSize: Int = 16,
        inChannels: Int = 3,
        numClasses: Int = 1000,
        embedDim: Int = 192,
        depth: Int = 12,
        numHeads: Int = 3,
        mlpRatio: Double = 4,
        qkvBias: Bool = true,
        keyBias: Bool = true,
        isDistilled: Bool = false,
        layerNormEps: Double,
        dropRate: Double = 0,
        dropPathRate: Double = 0,
        attnDropRate: Double = 0,
        initValues: Double? = nil,
        noEmbedClass: Bool = false,
        singleHead: Bool = false,
        classToken: Bool = true,
        regTokens: Int = 0,
        globalPool: TokenPooling = .token,
        headBlocks: Int = 1,
        poolIncludePrefix: Bool = false,
        fcNorm: Bool = false,
        finalNorm: Bool = true,
        preNorm: Bool = false,
        qkNorm: Bool = false,
        activation: Activation = .gelu,
        mlpLayer: FeedForward = .mlp,
        blockType: BlockType = .preNorm,
        rotaryTemperature: Double? = nil
    ) {
        self.imageHeight = imageHeight
        self.imageWidth = imageWidth
        self.patchSize = patchSize
        self.inChannels = inChannels
        self.numClasses = numClasses
        self.embedDim = embedDim
        self.depth = depth
        self.numHeads = numHeads
        self.mlpRatio = mlpRatio
        self.qkvBias = qkvBias
        self.keyBias = keyBias
        self.isDistilled = isDistilled
        self.layerNormEps = layerNormEps
        self.dropRate = dropRate
        self.dropPathRate = dropPathRate
        self.attnDropRate = attnDropRate
        self.initValues = initValues
        self.noEmbedClass = noEmbedClass
        self.singleHead = singleHead
        self.classToken = classToken
        self.regTokens = regTokens
        self.globalPool = globalPool
        self.headBlocks = headBlocks
        self.poolIncludePrefix = poolIncludePrefix
        self.fcNorm = fcNorm
        self.finalNorm = finalNorm
        self.preNorm = preNorm
        self.qkNorm = qkNorm
        self.activation = activation
        self.mlpLayer = mlpLayer
        self.blockType = blockType
        self.rotaryTemperature = rotaryTemperature
    }

    /// The number of patches down and across.
    public var grid: PatchGrid {
        PatchGrid(height: imageHeight / patchSize, width: imageWidth / patchSize)
    }

    /// The number of patches.
    public var patchCount: Int { grid.count }

    /// The number of tokens before the patches: class token, distillation token and registers, as far as there are any.
    public var prefixTokenCount: Int { (classToken ? 1 : 0) + (isDistilled ? 1 : 0) + regTokens }

    /// The width of what the classifier reads, ``embedDim`` but for ``TokenPooling/tokenAvg``.
    public var headWidth: Int {
        globalPool == .tokenAvg ? (headBlocks + 1) * embedDim : embedDim
    }

    /// The number of heads: two where a distilled network has one on either token, none where there are no classes.
    public var headCount: Int { numClasses == 0 ? 0 : isDistilled && !singleHead ? 2 : 1 }

    /// The tokens before the patches that have a position: none where ``noEmbedClass`` says so.
    public var embeddedPrefixCount: Int { noEmbedClass ? 0 : prefixTokenCount }

    /// The number of learnt positions: `embeddedPrefixCount + patchCount`, none with ``rotaryTemperature``.
    public var positionCount: Int {
        rotaryTemperature == nil ? embeddedPrefixCount + patchCount : 0
    }

    /// The hidden width of the feed-forward layers.
    public var mlpDim: Int { Int(Double(embedDim) * mlpRatio) }
}

extension ViTConfiguration {
    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    public func validate() throws(ConfigurationError) {
        let sizes = [
            ("the image height", imageHeight), ("the image width", imageWidth),
            ("the patch size", patchSize),
            ("the number of channels", inChannels), ("the embedding width", embedDim),
            ("the depth", depth), ("the number of heads", numHeads),
        ]
        // The upper bound keeps products of sizes far from overflow, whatever a file says.
        for (name, value) in sizes where !(1...1_000_000).contains(value) {
            throw .outOfRange(
                name: name,
                value: "\(value)",
                expected: "at least 1 and at most 1000000"
            )
        }
        guard (0...1_000_000).contains(numClasses) else {
            throw .outOfRange(
                name: "the number of classes",
                value: "\(numClasses)",
                expected: "at least 0 and at most 1000000"
            )
        }
        try validateNumbers()
        try validateDivisions()
        try validateTokens()
    }

    private func validateNumbers() throws(ConfigurationError) {
        guard mlpRatio.isFinite, mlpRatio > 0, mlpRatio <= 64, mlpDim > 0 else {
            throw .outOfRange(
                name: "the mlp ratio",
                value: "\(mlpRatio)",
                expected: "above 0 and at most 64"
            )
        }
        guard layerNormEps.isFinite, layerNormEps >= 0 else {
            throw .outOfRange(
                name: "the layer norm's eps",
                value: "\(layerNormEps)",
                expected: "0 or more"
            )
        }
        if let initValues, !initValues.isFinite {
            throw .outOfRange(
                name: "the layer scale's first value",
                value: "\(initValues)",
                expected: "a finite number"
            )
        }
    }

    private func validateDivisions() throws(ConfigurationError) {
        // SigLIP's networks of this kind leave the last 6 rows and columns out (timm's `vit_so400m_patch14_siglip_384`).
        let leavesRest = patchSize == 14 && (imageHeight, imageWidth) == (384, 384)
        for (name, value) in [("image height", imageHeight), ("image width", imageWidth)]
        where value % patchSize != 0 && !leavesRest {
            throw .notDivisible(name: name, value: value, by: patchSize, divisorName: "patch size")
        }
        guard mlpLayer == .mlp || mlpDim % 2 == 0 else {
            throw .notDivisible(
                name: "width of the gated feed-forward layers",
                value: mlpDim,
                by: 2,
                divisorName: "number of halves"
            )
        }
        guard embedDim % numHeads == 0 else {
            throw .notDivisible(
                name: "embedding width",
                value: embedDim,
                by: numHeads,
                divisorName: "number of heads"
            )
        }
    }
}

extension ViTConfiguration {
    private func validateTokens() throws(ConfigurationError) {
        guard (0...1024).contains(regTokens) else {
            throw .outOfRange(
                name: "the number of register tokens",
                value: "\(regTokens)",
                expected: "at least 0 and at most 1024"
            )
        }
        func refuse(_ name: String, _ value: String, _ expected: String) -> ConfigurationError {
            .outOfRange(name: name, value: value, expected: expected)
        }
        guard classToken || ![.token, .tokenAvg].contains(globalPool) else {
            throw refuse(
                "the pooling",
                globalPool.rawValue,
                "avg or map for a network without a class token"
            )
        }
        guard numClasses == 0 || globalPool != .none else {
            throw refuse("the pooling", "none", "one that gives a classifier its input")
        }
        guard headBlocks == 1 || globalPool == .tokenAvg && (1...depth).contains(headBlocks) else {
            throw refuse(
                "the number of blocks that the classifier reads",
                "\(headBlocks)",
                globalPool == .tokenAvg ? "at least 1 and at most \(depth)" : "1"
            )
        }
        // timm's distilled network reads its two tokens, and has nothing else before the patches.
        guard !isDistilled || classToken && regTokens == 0 && globalPool == .token && !fcNorm else {
            throw refuse(
                "the network with a distillation token",
                "pooling \(globalPool.rawValue), \(regTokens) registers",
                "pooling token, a class token and no registers"
            )
        }
        if let rotaryTemperature {
            guard rotaryTemperature.isFinite, rotaryTemperature > 0 else {
                throw refuse(
                    "the temperature of rotary positions",
                    "\(rotaryTemperature)",
                    "above 0"
                )
            }
            guard embedDim / numHeads % 4 == 0 else {
                throw .notDivisible(
                    name: "width of a head with rotary positions",
                    value: embedDim / numHeads,
                    by: 4,
                    divisorName: "number of quarters"
                )
            }
        }
        guard !fcNorm || globalPool != .tokenAvg else {
            throw refuse("fc_norm", "true", "false for the pooling tokenAvg")
        }
    }
}

extension ViTConfiguration {
    /// Reads a configuration.
    ///
    /// What earlier versions did not have (from `attnDropRate` on) may be absent, so that their runs can still be read.
    ///
    /// - Parameter decoder: Where to read from.
    /// - Throws: `DecodingError` when another key is absent or a value has the wrong type.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            imageHeight: try values.decode(Int.self, forKey: .imageHeight),
            imageWidth: try values.decode(Int.self, forKey: .imageWidth),
            patchSize: try values.decode(Int.self, forKey: .patchSize),
            inChannels: try values.decode(Int.self, forKey: .inChannels),
            numClasses: try values.decode(Int.self, forKey: .numClasses),
            embedDim: try values.decode(Int.self, forKey: .embedDim),
            depth: try values.decode(Int.self, forKey: .depth),
            numHeads: try values.decode(Int.self, forKey: .numHeads),
            mlpRatio: try values.decode(Double.self, forKey: .mlpRatio),
            qkvBias: try values.decode(Bool.self, forKey: .qkvBias),
            keyBias: try values.decodeIfPresent(Bool.self, forKey: .keyBias) ?? true,
            isDistilled: try values.decode(Bool.self, forKey: .isDistilled),
            layerNormEps: try values.decode(Double.self, forKey: .layerNormEps),
            dropRate: try values.decode(Double.self, forKey: .dropRate),
            dropPathRate: try values.decode(Double.self, forKey: .dropPathRate),
            attnDropRate: try values.decodeIfPresent(Double.self, forKey: .attnDropRate) ?? 0,
            initValues: try values.decodeIfPresent(Double.self, forKey: .initValues),
            noEmbedClass: try values.decodeIfPresent(Bool.self, forKey: .noEmbedClass) ?? false,
            singleHead: try values.decodeIfPresent(Bool.self, forKey: .singleHead) ?? false,
            classToken: try values.decodeIfPresent(Bool.self, forKey: .classToken) ?? true,
            regTokens: try values.decodeIfPresent(Int.self, forKey: .regTokens) ?? 0,
            globalPool: try values.decodeIfPresent(TokenPooling.self, forKey: .globalPool)
                ?? .token,
            headBlocks: try values.decodeIfPresent(Int.self, forKey: .headBlocks) ?? 1,
            poolIncludePrefix: try values.decodeIfPresent(Bool.self, forKey: .poolIncludePrefix)
                ?? false,
            fcNorm: try values.decodeIfPresent(Bool.self, forKey: .fcNorm) ?? false,
            finalNorm: try values.decodeIfPresent(Bool.self, forKey: .finalNorm) ?? true,
            preNorm: try values.decodeIfPresent(Bool.self, forKey: .preNorm) ?? false,
            qkNorm: try values.decodeIfPresent(Bool.self, forKey: .qkNorm) ?? false,
            activation: try values.decodeIfPresent(Activation.self, forKey: .activation) ?? .gelu,
            mlpLayer: try values.decodeIfPresent(FeedForward.self, forKey: .mlpLayer) ?? .mlp,
            blockType: try values.decodeIfPresent(BlockType.self, forKey: .blockType) ?? .preNorm,
            rotaryTemperature: try values.decodeIfPresent(Double.self, forKey: .rotaryTemperature)
        )
    }
}

extension ViTConfiguration {
    /// The height and width of images, in pixels.
    public var inputSize: (height: Int, width: Int) {
        get { (imageHeight, imageWidth) }
        set { (imageHeight, imageWidth) = newValue }
    }

    /// The configuration itself; setting nil changes nothing.
    public var transformer: ViTConfiguration? {
        get { self }
        set { if let newValue { self = newValue } }
    }

    /// Creates the plain, the distilled or the single-headed network with freshly initialised weights.
    public func makeModel() throws -> any ImageClassifier { try VisionTransformer.make(self) }

    /// "a transformer of 12 blocks".
    public var kind: String { "a transformer of \(depth) blocks" }

    /// Width, blocks, heads, patch and images, and what is not as usual.
    public func summary(images: String) -> String {
        var parts = [
            "\(isDistilled ? "distilled " : "")vision transformer", "width \(embedDim)",
            "\(depth) blocks", "\(numHeads) heads", "patch \(patchSize)", "images of \(images)",
        ]
        if !qkvBias { parts.append("no bias of query, key and value") }
        if qkvBias, !keyBias { parts.append("no bias of the keys") }
        if initValues != nil { parts.append("layer scale") }
        if noEmbedClass, classToken { parts.append("no position of the class token") }
        if !classToken { parts.append("no class token") }
        if regTokens > 0 { parts.append("\(regTokens) register token\(regTokens == 1 ? "" : "s")") }
        if rotaryTemperature != nil { parts.append("rotary positions") }
        if preNorm { parts.append("normalised before the first block") }
        if qkNorm { parts.append("normalised queries and keys") }
        if mlpLayer == .swiglu { parts.append("SwiGLU") }
        if activation != .gelu { parts.append(activation.rawValue) }
        if blockType != .preNorm { parts.append("blocks of type \(blockType.rawValue)") }
        if globalPool != .token { parts.append("pooling \(globalPool.rawValue)") }
        return parts.joined(separator: ", ")
    }
}

extension ModelConfiguration {
    /// The configuration of a vision transformer.
    public static func visionTransformer(_ configuration: ViTConfiguration) -> ModelConfiguration {
        ModelConfiguration(configuration)
    }
}
