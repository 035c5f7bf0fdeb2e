public import TorchNN

/// Everything that a vision transformer is made from.
///
/// The memberwise defaults are DeiT-Tiny/16 at 224 pixels. `layerNormEps` has none: timm and DeiT use 1e-6, Hugging
/// Face's configurations 1e-12.
public struct ViTConfiguration: Codable, Sendable, Equatable {
    /// The height of a picture, in pixels.
    public var imageHeight: Int

    /// The width of a picture, in pixels.
    public var imageWidth: Int

    /// The height and width of a patch, in pixels; it must divide both sizes of the picture.
    public var patchSize: Int

    /// The channels of a picture.
    public var inChannels: Int

    /// The number of classes.
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

    /// Whether there is a distillation token with a head of its own.
    public var isDistilled: Bool

    /// What layer normalisation adds to the variance.
    public var layerNormEps: Double

    /// The dropout rate of tokens and feed-forward layers, 0 up to 1.
    public var dropRate: Double

    /// The rate of stochastic depth in the last block; it grows linearly from 0 in the first.
    public var dropPathRate: Double

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
        dropPathRate: Double = 0
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
    }

    /// The number of patches down and across.
    public var grid: (height: Int, width: Int) { (imageHeight / patchSize, imageWidth / patchSize) }

    /// The number of patches.
    public var patchCount: Int { grid.height * grid.width }

    /// The number of tokens before the patches: the class token and, where distilled, the distillation token.
    public var prefixTokenCount: Int { isDistilled ? 2 : 1 }

    /// The hidden width of the feed-forward layers.
    public var mlpDim: Int { Int(Double(embedDim) * mlpRatio) }

    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    public func validate() throws(ConfigurationError) {
        let sizes = [
            ("the image height", imageHeight), ("the image width", imageWidth),
            ("the patch size", patchSize),
            ("the number of channels", inChannels), ("the number of classes", numClasses),
            ("the embedding width", embedDim), ("the depth", depth),
            ("the number of heads", numHeads),
        ]
        // The upper bound keeps products of sizes far from overflow, whatever a file says.
        for (name, value) in sizes where !(1...1_000_000).contains(value) {
            throw .outOfRange(
                name: name,
                value: "\(value)",
                expected: "at least 1 and at most 1000000"
            )
        }
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
