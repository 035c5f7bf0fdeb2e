public import Storage
public import TorchNN
public import VisionModels

/// What a model is made from, in the words of Hugging Face's `config.json`.
///
/// A configuration that was read is written back as it was, with the keys that nobody here knows; only what was changed
/// in between is changed in the file.
///
/// The library `HuggingFace` names it `DeiTConfig` and `ViTConfig` and reads and writes folders of it; ``ModelDirectory``
/// reads Hugging Face's folders by it.
///
/// ## Source
/// `transformers/models/deit/configuration_deit.py`, `transformers/models/vit/configuration_vit.py`,
/// `transformers/configuration_utils.py`.
public struct PretrainedConfig<Family: PretrainedFamily>: Sendable {
    /// The width of a token.
    public var hiddenSize: Int

    /// The number of layers.
    public var numHiddenLayers: Int

    /// The number of attention heads; it must divide `hiddenSize`.
    public var numAttentionHeads: Int

    /// The hidden width of the feed-forward layers.
    public var intermediateSize: Int

    /// The activation of the feed-forward layers; only `gelu`, the exact one, can be made here.
    public var hiddenAct: String

    /// The dropout rate of tokens, attention and feed-forward outputs, 0 up to 1.
    public var hiddenDropoutProb: Double

    /// The dropout rate of attention probabilities, 0 up to 1.
    public var attentionProbsDropoutProb: Double

    /// The standard deviation of new weights.
    public var initializerRange: Double

    /// What layer normalisation adds to the variance.
    ///
    /// Hugging Face's default, 1e-12, is not DeiT's 1e-6.
    public var layerNormEps: Double

    /// The images' size in pixels.
    public var imageSize: PixelSize

    /// The patches' size in pixels; only square ones can be made here.
    public var patchSize: PixelSize

    /// The channels of an image.
    public var numChannels: Int

    /// Whether queries, keys and values have a bias.
    public var qkvBias: Bool

    /// How many pixels of the reconstruction a patch has along each side, in masked image modelling.
    public var encoderStride: Int

    /// The width of the pooler's output; nil means `hiddenSize`.
    public var poolerOutputSize: Int?

    /// The pooler's activation: `tanh`, `gelu`, `relu`, `sigmoid` or `linear`.
    public var poolerAct: String

    /// The names of the classes by index.
    public var id2label: [Int: String]

    /// The indices of the classes by name.
    public var label2id: [String: Int]

    /// What a classifier is trained on; nil lets the labels decide.
    public var problemType: ProblemType?

    /// Whether the states before and after every layer are returned where a call does not say.
    public var outputHiddenStates: Bool

    /// Whether attention probabilities are returned where a call does not say.
    public var outputAttentions: Bool

    /// The classes whose weights lie beside the file.
    public var architectures: [String]?

    /// The type of the weights beside the file, such as `float32`.
    public var dtype: String?

    /// The version of transformers that wrote the file.
    public var transformersVersion: String?

    /// The file that this was read from; empty for one made in code.
    var origin: JSONObject = [:]

    /// Creates a configuration; the defaults are Hugging Face's.
    ///
    /// The other fields are set afterwards; there are two classes, `LABEL_0` and `LABEL_1`, unless
    /// ``setLabels(_:)`` or ``numLabels`` says otherwise.
    public init(
        hiddenSize: Int = 768,
        numHiddenLayers: Int = 12,
        numAttentionHeads: Int = 12,
        intermediateSize: Int = 3072,
        hiddenAct: String = "gelu",
        hiddenDropoutProb: Double = 0,
        attentionProbsDropoutProb: Double = 0,
        initializerRange: Double = 0.02,
        layerNormEps: Double = 1e-12,
        imageSize: PixelSize = 224,
        patchSize: PixelSize = 16,
        numChannels: Int = 3,
        qkvBias: Bool = true,
        encoderStride: Int = 16,
        poolerOutputSize: Int? = nil,
        poolerAct: String = "tanh",
        numLabels: Int = 2
    ) {
        self.hiddenSize = hiddenSize
        self.numHiddenLayers = numHiddenLayers
        self.numAttentionHeads = numAttentionHeads
        self.intermediateSize = intermediateSize
        self.hiddenAct = hiddenAct
        self.hiddenDropoutProb = hiddenDropoutProb
        self.attentionProbsDropoutProb = attentionProbsDropoutProb
        self.initializerRange = initializerRange
        self.layerNormEps = layerNormEps
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.numChannels = numChannels
        self.qkvBias = qkvBias
        self.encoderStride = encoderStride
        self.poolerOutputSize = poolerOutputSize
        self.poolerAct = poolerAct
        outputHiddenStates = false
        outputAttentions = false
        id2label = [:]
        label2id = [:]
        self.numLabels = numLabels
    }

    /// The `model_type` in the file: `deit` or `vit`.
    public var modelType: String { Family.modelType }

    /// The number of classes; setting another one names them `LABEL_0`, `LABEL_1` and so on.
    public var numLabels: Int {
        get { id2label.count }
        set {
            guard newValue != id2label.count || id2label.isEmpty else { return }
            setLabels((0..<Swift.max(newValue, 0)).map { "LABEL_\($0)" })
        }
    }

    /// Names the classes, in the order of the model's outputs.
    ///
    /// - Parameter names: A name for each class; of equal ones, ``label2id`` has the first.
    public mutating func setLabels(_ names: [String]) {
        id2label = [:]
        label2id = [:]
        for (index, name) in names.enumerated() {
            id2label[index] = name
            if label2id[name] == nil { label2id[name] = index }
        }
    }

    /// The keys of the file that no field stands for; they are written back as they were.
    public var unknownFields: JSONObject {
        let known = Set(Self.knownKeys)
        var result = JSONObject()
        for key in origin.keys where !known.contains(key) { result[key] = origin[key] }
        return result
    }

    /// The names of the classes in the order of the outputs, where `id2label` names 0 to the last.
    public var labels: [String]? {
        let names = (0..<id2label.count).compactMap { id2label[$0] }
        return names.count == id2label.count ? names : nil
    }
}

extension PretrainedConfig {
    /// The network's configuration, of which all classes of the family are made.
    ///
    /// An image whose sides are no multiples of the patch loses its last rows and columns, as a convolution drops them.
    ///
    /// - Parameter numClasses: The classes of the network's own heads; 0 for none.
    /// - Returns: The configuration, checked.
    /// - Throws: `ConfigurationError` for what does not fit together, and for an activation other than `gelu` or patches
    ///   that are not square, which the network does not have.
    public func network(numClasses: Int) throws(ConfigurationError) -> ViTConfiguration {
        guard hiddenAct == "gelu" else {
            throw .unknownValue(name: "hidden_act", value: hiddenAct, known: ["gelu"])
        }
        guard patchSize.height == patchSize.width else {
            throw .outOfRange(
                name: "patch_size",
                value: "\(patchSize.height) × \(patchSize.width)",
                expected: "square"
            )
        }
        let patch = patchSize.height
        for (name, side) in [("image height", imageSize.height), ("image width", imageSize.width)]
        where patch < 1 || side < patch {
            throw .outOfRange(name: name, value: "\(side)", expected: "at least one patch")
        }
        for (name, value) in [("hidden_size", hiddenSize), ("intermediate_size", intermediateSize)]
        where !(1...1_000_000).contains(value) {
            throw .outOfRange(name: name, value: "\(value)", expected: "from 1 to 1000000")
        }
        var result = ViTConfiguration(
            imageHeight: imageSize.height / patch * patch,
            imageWidth: imageSize.width / patch * patch,
            patchSize: patch,
            inChannels: numChannels,
            numClasses: numClasses,
            embedDim: hiddenSize,
            depth: numHiddenLayers,
            numHeads: numAttentionHeads,
            mlpRatio: Double(intermediateSize) / Double(hiddenSize),
            qkvBias: qkvBias,
            isDistilled: Family.isDistilled,
            layerNormEps: layerNormEps,
            dropRate: hiddenDropoutProb,
            attnDropRate: attentionProbsDropoutProb
        )
        // The quotient may be a hair below what gives the width back after truncation.
        if result.mlpDim < intermediateSize { result.mlpRatio = result.mlpRatio.nextUp }
        try result.validate()
        return result
    }

    /// Describes a network of ours in Hugging Face's words.
    ///
    /// - Parameters:
    ///   - network: The network's configuration.
    ///   - labels: The names of its classes; nil names them by number.
    /// - Throws: `ConfigurationError` when the network is of the other family, or has what neither family has: layer scale,
    ///   class tokens without position.
    public init(
        _ network: ViTConfiguration,
        labels: ClassLabels? = nil
    ) throws(ConfigurationError) {
        guard network.isDistilled == Family.isDistilled else {
            throw .unknownValue(
                name: "model_type",
                value: network.isDistilled ? "deit" : "vit",
                known: [Family.modelType]
            )
        }
        guard network.initValues == nil, !network.noEmbedClass else {
            throw .unknownValue(name: "architecture", value: "deit3", known: ["vit", "deit"])
        }
        self.init(
            hiddenSize: network.embedDim,
            numHiddenLayers: network.depth,
            numAttentionHeads: network.numHeads,
            intermediateSize: network.mlpDim,
            hiddenDropoutProb: network.dropRate,
            attentionProbsDropoutProb: network.attnDropRate,
            layerNormEps: network.layerNormEps,
            imageSize: PixelSize(height: network.imageHeight, width: network.imageWidth),
            patchSize: PixelSize(height: network.patchSize, width: network.patchSize),
            numChannels: network.inChannels,
            qkvBias: network.qkvBias,
            encoderStride: network.patchSize,
            numLabels: network.numClasses
        )
        if let labels { setLabels(labels.names) }
    }
}
