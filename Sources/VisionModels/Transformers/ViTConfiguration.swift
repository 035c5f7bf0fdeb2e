/// Everything that a vision transformer is made from.
///
/// The memberwise defaults are DeiT-Tiny/16 at 224 pixels. `layerNormEps` has none: timm and DeiT use 1e-6, Hugging
/// Face's configurations 1e-12.
public struct ViTConfiguration: Codable, Sendable, Equatable {
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
