public import Storage
public import TorchNN
public import VisionModels

/// What a model is made from, in the words of Hugging Face's `config.json`.
///
/// A configuration that was read is written back as it was, with the keys that nobody here knows; only what was changed
/// in between is changed in the file.
///
/// The library `HuggingFace` names it `DeiTConfig`, `ViTConfig`, `Dinov2Config` and `Dinov2WithRegistersConfig` and reads and
/// writes folders of it; ``ModelDirectory`` reads Hugging Face's folders by it. The fields from ``mlpRatio`` on are those of
/// DINOv2's families, which have no ``intermediateSize``, ``encoderStride`` and pooler; DINOv3's has some of both.
///
/// ## Source
/// `transformers/models/deit/configuration_deit.py`, `transformers/models/vit/configuration_vit.py`,
/// `transformers/models/dinov2/configuration_dinov2.py`,
/// `transformers/models/dinov2_with_registers/configuration_dinov2_with_registers.py`, `transformers/configuration_utils.py`.
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
    /// Hugging Face's default for DeiT, 1e-12, is not DeiT's own 1e-6.
    public var layerNormEps: Double

    /// The images' size in pixels.
    public var imageSize: PixelSize

    /// The patches' size in pixels; only square ones can be made here.
    public var patchSize: PixelSize

    /// The channels of an image.
    public var numChannels: Int

    /// Whether queries, keys and values have a bias; of a DINOv3 queries and values (`query_bias`, `value_bias`).
    public var qkvBias: Bool

    /// How many pixels of the reconstruction a patch has along each side, in masked image modelling.
    public var encoderStride: Int

    /// The width of the pooler's output; nil means `hiddenSize`.
    public var poolerOutputSize: Int?

    /// The pooler's activation: `tanh`, `gelu`, `relu`, `sigmoid` or `linear`.
    public var poolerAct: String

    /// The hidden width of DINOv2's plain feed-forward layers, as a multiple of `hiddenSize`; gated ones have two thirds
    /// of it, rounded up to a multiple of 8.
    public var mlpRatio: Int

    /// The first value of DINOv2's layer scale.
    public var layerscaleValue: Double

    /// The rate of stochastic depth; transformers has it in every block of a DINOv2, the network here in the last one, to
    /// which it grows from 0.
    public var dropPathRate: Double

    /// Whether DINOv2's and DINOv3's feed-forward layers are gated (SwiGLU).
    public var useSwigluFFN: Bool

    /// Whether a DINOv2 has a token for masked patches; one with registers has it always.
    public var useMaskToken: Bool

    /// The number of register tokens, above 0 in the family of DINOv2 that has them.
    public var numRegisterTokens: Int

    /// Whether the keys of a DINOv3 have a bias where queries and values have one.
    public var keyBias: Bool

    /// The base of the periods of DINOv3's rotary positions.
    public var ropeTheta: Double

    /// Whether a SigLIP pools by attention.
    var usesHead = true

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
        hiddenSize: Int = Family.defaultHiddenSize,
        numHiddenLayers: Int = 12,
        numAttentionHeads: Int = Family.defaultHiddenSize / 64,
        intermediateSize: Int = 4 * Family.defaultHiddenSize,
        hiddenAct: String = Family.defaultHiddenAct,
        hiddenDropoutProb: Double = 0,
        attentionProbsDropoutProb: Double = 0,
        initializerRange: Double = 0.02,
        layerNormEps: Double = Family.defaultLayerNormEps,
        imageSize: PixelSize = 224,
        patchSize: PixelSize = Family.defaultPatchSize,
        numChannels: Int = 3,
        qkvBias: Bool = true,
        encoderStride: Int = 16,
        poolerOutputSize: Int? = nil,
        poolerAct: String = "tanh",
        mlpRatio: Int = 4,
        layerscaleValue: Double = 1,
        dropPathRate: Double = 0,
        useSwigluFFN: Bool = false,
        useMaskToken: Bool = true,
        numRegisterTokens: Int = Family.hasRegisters ? 4 : 0,
        keyBias: Bool = false,
        ropeTheta: Double = 100,
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
        self.mlpRatio = mlpRatio
        self.layerscaleValue = layerscaleValue
        self.dropPathRate = dropPathRate
        self.useSwigluFFN = useSwigluFFN
        self.useMaskToken = useMaskToken
        self.numRegisterTokens = numRegisterTokens
        self.keyBias = keyBias
        self.ropeTheta = ropeTheta
        outputHiddenStates = false
        outputAttentions = false
        id2label = [:]
        label2id = [:]
        self.numLabels = numLabels
    }

    /// The `model_type` in the file: `deit`, `vit`, `dinov2` or `dinov2_with_registers`.
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

    /// The keys of the file that no field represents; they are written back as they were.
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
        guard let activation = activations.first(where: { $0.name == hiddenAct })?.activation else {
            throw .unknownValue(
                name: "hidden_act",
                value: hiddenAct,
                known: activations.map(\.name)
            )
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
        for (name, value, most) in [
            ("hidden_size", hiddenSize, 1_000_000), ("mlp_ratio", mlpRatio, 64),
            ("intermediate_size", Family.isDINOv2 ? 1 : intermediateSize, 1_000_000),
            // A DINOv3 may have none.
            (
                "num_register_tokens",
                Family.hasRegisters ? numRegisterTokens : numRegisterTokens + 1, 1024
            ),
        ]
        where !(1...most).contains(value) {
            throw .outOfRange(name: name, value: "\(value)", expected: "from 1 to \(most)")
        }
        let hidden = hiddenWidth
        var result = ViTConfiguration(
            imageHeight: imageSize.height / patch * patch,
            imageWidth: imageSize.width / patch * patch,
            patchSize: patch,
            inChannels: numChannels,
            numClasses: numClasses,
            embedDim: hiddenSize,
            depth: numHiddenLayers,
            numHeads: numAttentionHeads,
            mlpRatio: Double(hidden) / Double(hiddenSize),
            qkvBias: qkvBias,
            isDistilled: Family.isDistilled,
            layerNormEps: layerNormEps,
            dropRate: hiddenDropoutProb,
            attnDropRate: attentionProbsDropoutProb
        )
        // The quotient may be a hair below what gives the width back after truncation.
        if result.mlpDim < hidden { result.mlpRatio = result.mlpRatio.nextUp }
        switch Family.kind {
        case .vit: break
        case .dinov2:
            result.initValues = layerscaleValue
            result.dropPathRate = dropPathRate
            result.mlpLayer = useSwigluFFN ? .swiglu : .mlp
            result.regTokens = Family.hasRegisters ? numRegisterTokens : 0
            // The class token's position is part of the token (``ClassPosition``).
            result.noEmbedClass = Family.hasRegisters
            if numClasses > 0 { result.globalPool = .tokenAvg }
        case .dinov3:
            result.initValues = layerscaleValue
            result.dropPathRate = dropPathRate
            result.mlpLayer = useSwigluFFN ? .swiglu : .mlp
            result.regTokens = numRegisterTokens
            result.rotaryTemperature = ropeTheta
            result.keyBias = !qkvBias || keyBias
        case .clip:
            result.activation = activation
            result.preNorm = true
        case .siglip:
            result.activation = activation
            result.classToken = false
            result.globalPool = usesHead ? .map : .avg
        }
        try result.validate()
        return result
    }

    /// The activations that a network of the family can have, by transformers' names.
    private var activations: [(name: String, activation: Activation)] {
        if Family.kind.isTower {
            return [
                ("gelu", .gelu), ("quick_gelu", .quickGELU), ("gelu_pytorch_tanh", .geluTanh),
            ]
        }
        // A gate always has SiLU; DINOv2's configuration says something else all the same.
        return Family.kind == .dinov3 && useSwigluFFN ? [("silu", .gelu)] : [("gelu", .gelu)]
    }

    /// The rows of the first feed-forward layer; of a gated one those of gate and value.
    private var hiddenWidth: Int {
        if Family.kind == .dinov3 { return useSwigluFFN ? 2 * intermediateSize : intermediateSize }
        guard Family.isDINOv2 else { return intermediateSize }
        return useSwigluFFN
            ? 2 * TransformerInHuggingFace.gatedWidth(embedDim: hiddenSize, mlpRatio: mlpRatio)
            : hiddenSize * mlpRatio
    }

    /// Describes a network of ours in Hugging Face's words.
    ///
    /// - Parameters:
    ///   - network: The network's configuration.
    ///   - labels: The names of its classes; nil names them by number.
    /// - Throws: `ConfigurationError` when the network is of another family, or has what no family has.
    public init(
        _ network: ViTConfiguration,
        labels: ClassLabels? = nil
    ) throws(ConfigurationError) {
        let isOfFamily =
            network.isDistilled == Family.isDistilled
            && TransformerInHuggingFace.isDINOv2(network) == Family.isDINOv2
            && TransformerInHuggingFace.isDINOv3(network) == (Family.kind == .dinov3)
            && (network.regTokens > 0 && Family.kind != .dinov3) == Family.hasRegisters
        guard isOfFamily, !Family.kind.isTower else {
            throw .unknownValue(
                name: "model_type",
                value: HuggingFaceArchitecture(of: network).modelType,
                known: [Family.modelType]
            )
        }
        if let reason = TransformerInHuggingFace.refusal(of: network) {
            throw .outOfRange(
                name: "the network",
                value: network.kind,
                expected: "one of \(Family.classPrefix), but \(reason)"
            )
        }
        self.init(
            hiddenSize: network.embedDim,
            numHiddenLayers: network.depth,
            numAttentionHeads: network.numHeads,
            intermediateSize: Family.kind == .dinov3 && network.mlpLayer == .swiglu
                ? network.mlpDim / 2 : network.mlpDim,
            hiddenAct: Family.kind == .dinov3 && network.mlpLayer == .swiglu ? "silu" : "gelu",
            hiddenDropoutProb: network.dropRate,
            attentionProbsDropoutProb: network.attnDropRate,
            layerNormEps: network.layerNormEps,
            imageSize: PixelSize(height: network.imageHeight, width: network.imageWidth),
            patchSize: PixelSize(height: network.patchSize, width: network.patchSize),
            numChannels: network.inChannels,
            qkvBias: network.qkvBias,
            encoderStride: network.patchSize,
            mlpRatio: TransformerInHuggingFace.mlpRatio(of: network) ?? 4,
            layerscaleValue: network.initValues ?? 1,
            dropPathRate: network.dropPathRate,
            useSwigluFFN: network.mlpLayer == .swiglu,
            numRegisterTokens: network.regTokens,
            keyBias: network.qkvBias && network.keyBias,
            ropeTheta: network.rotaryTemperature ?? 100,
            numLabels: network.numClasses
        )
        if let labels { setLabels(labels.names) }
    }
}
