public import TorchNN

/// Everything that a vision transformer is made from.
///
/// The memberwise defaults are DeiT-Tiny/16 at 224 pixels. `layerNormEps` has none: timm and DeiT use 1e-6, Hugging
/// Face's configurations 1e-12.
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

    enum CodingKeys: CodingKey {
        case imageHeight, imageWidth, patchSize, inChannels, numClasses, embedDim, depth, numHeads
        case mlpRatio, qkvBias, isDistilled, layerNormEps, dropRate, dropPathRate
        case attnDropRate, initValues, noEmbedClass, singleHead
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
        isDistilled: Bool = false,
        layerNormEps: Double,
        dropRate: Double = 0,
        dropPathRate: Double = 0,
        attnDropRate: Double = 0,
        initValues: Double? = nil,
        noEmbedClass: Bool = false,
        singleHead: Bool = false
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
        self.isDistilled = isDistilled
        self.layerNormEps = layerNormEps
        self.dropRate = dropRate
        self.dropPathRate = dropPathRate
        self.attnDropRate = attnDropRate
        self.initValues = initValues
        self.noEmbedClass = noEmbedClass
        self.singleHead = singleHead
    }

    /// The number of patches down and across.
    public var grid: PatchGrid {
        PatchGrid(height: imageHeight / patchSize, width: imageWidth / patchSize)
    }

    /// The number of patches.
    public var patchCount: Int { grid.count }

    /// The number of tokens before the patches: the class token and, where distilled, the distillation token.
    public var prefixTokenCount: Int { isDistilled ? 2 : 1 }

    /// The number of heads: two where a distilled network has one on either token, none where there are no classes.
    public var headCount: Int { numClasses == 0 ? 0 : isDistilled && !singleHead ? 2 : 1 }

    /// The tokens before the patches that have a position: none where ``noEmbedClass`` says so.
    public var embeddedPrefixCount: Int { noEmbedClass ? 0 : prefixTokenCount }

    /// The number of positions, `embeddedPrefixCount + patchCount`.
    public var positionCount: Int { embeddedPrefixCount + patchCount }

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
        for (name, value) in [("image height", imageHeight), ("image width", imageWidth)]
        where value % patchSize != 0 {
            throw .notDivisible(name: name, value: value, by: patchSize, divisorName: "patch size")
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
    /// Reads a configuration.
    ///
    /// What the first version did not have (`attnDropRate`, `initValues`, `noEmbedClass`, `singleHead`) may be absent, so that the
    /// runs that it left behind can still be read.
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
            isDistilled: try values.decode(Bool.self, forKey: .isDistilled),
            layerNormEps: try values.decode(Double.self, forKey: .layerNormEps),
            dropRate: try values.decode(Double.self, forKey: .dropRate),
            dropPathRate: try values.decode(Double.self, forKey: .dropPathRate),
            attnDropRate: try values.decodeIfPresent(Double.self, forKey: .attnDropRate) ?? 0,
            initValues: try values.decodeIfPresent(Double.self, forKey: .initValues),
            noEmbedClass: try values.decodeIfPresent(Bool.self, forKey: .noEmbedClass) ?? false,
            singleHead: try values.decodeIfPresent(Bool.self, forKey: .singleHead) ?? false
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
        if initValues != nil { parts.append("layer scale") }
        if noEmbedClass { parts.append("no position of the class token") }
        return parts.joined(separator: ", ")
    }

    /// The numbers and the multiplications of the network, without making it.
    public var networkSize: NetworkSize {
        NetworkSize(parameters: estimatedParameters, macs: estimatedMACs)
    }

    private var estimatedParameters: Double {
        let (width, hidden) = (Double(embedDim), Double(mlpDim))
        let (side, prefix) = (Double(patchSize), Double(prefixTokenCount))
        let patch = width * Double(inChannels) * side * side + width
        let patches = Double(grid.height) * Double(grid.width)
        let positions = (patches + Double(embeddedPrefixCount)) * width
        let attention = 4 * width * width + (qkvBias ? 3 * width : 0) + width
        let mlp = 2 * width * hidden + hidden + width
        let norm = 2 * width
        let scales = initValues == nil ? 0 : 2 * width
        let head = Double(numClasses) * (width + 1)
        let block = attention + mlp + 2 * norm + scales
        return patch + prefix * width + positions + Double(depth) * block
            + norm + Double(headCount) * head
    }

    private var estimatedMACs: Double {
        let (width, hidden) = (Double(embedDim), Double(mlpDim))
        let (side, patches) = (Double(patchSize), Double(patchCount))
        let tokens = patches + Double(prefixTokenCount)
        let patchEmbed = patches * Double(inChannels) * side * side * width
        let projections = tokens * 4 * width * width
        let attention = 2 * tokens * tokens * width
        let mlp = tokens * 2 * width * hidden
        let heads = Double(headCount) * Double(numClasses) * width
        return patchEmbed + Double(depth) * (projections + attention + mlp) + heads
    }
}

extension ModelConfiguration {
    /// The configuration of a vision transformer.
    public static func visionTransformer(_ configuration: ViTConfiguration) -> ModelConfiguration {
        ModelConfiguration(configuration)
    }
}
