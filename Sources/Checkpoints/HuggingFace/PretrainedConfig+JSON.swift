public import Storage

extension PretrainedConfig {
    /// The file's object: of a configuration that was read, the object that was read with what changed since.
    public var json: JSONObject {
        guard !origin.keys.isEmpty, let before = try? Self(json: origin, file: "") else {
            return canonical
        }
        var result = origin.replacing(from: before.canonical, to: canonical)
        if result["num_labels"] != nil { result["num_labels"] = .integer(numLabels) }
        return result
    }

    /// Reads the object of a `config.json`.
    ///
    /// - Parameters:
    ///   - json: The object.
    ///   - file: The file's name, for errors.
    /// - Throws: `CheckpointError` when a field has another type than Hugging Face's, or the file is of another family.
    public init(json: JSONObject, file: String = "config.json") throws(CheckpointError) {
        try self.init(JSONFields(object: json, file: file), readsLabels: true)
    }

    /// Reads the fields of a `config.json`.
    ///
    /// - Parameters:
    ///   - fields: The file.
    ///   - readsLabels: Whether the names of the classes are read; without them there are two.
    /// - Throws: ``CheckpointError`` when a field has another type than Hugging Face's, or the file is of another family.
    init(_ fields: JSONFields, readsLabels: Bool) throws(CheckpointError) {
        if let type = try fields.string("model_type"), type != Family.modelType {
            throw fields.unsupported(
                "model_type",
                "is \"\(type)\"; the \(Family.classPrefix) classes are for \"\(Family.modelType)\""
            )
        }
        try self.init(architectureOf: fields)
        let width = try fields.int("pooler_output_size", default: 0)
        poolerOutputSize = width > 0 ? width : nil
        poolerAct = try fields.string("pooler_act") ?? poolerAct
        outputHiddenStates = try fields.bool("output_hidden_states", default: false)
        outputAttentions = try fields.bool("output_attentions", default: false)
        architectures = try fields.strings("architectures")
        let oldType = try fields.string("torch_dtype")
        dtype = try fields.string("dtype") ?? oldType
        transformersVersion = try fields.string("transformers_version")
        // transformers reads any text; one that it does not know is written back and of no use.
        problemType = ProblemType(fields.object)
        if readsLabels { try readLabels(fields) }
        origin = fields.object
    }

    private init(architectureOf fields: JSONFields) throws(CheckpointError) {
        self.init()
        hiddenSize = try fields.int("hidden_size", default: hiddenSize)
        numHiddenLayers = try fields.int("num_hidden_layers", default: numHiddenLayers)
        numAttentionHeads = try fields.int("num_attention_heads", default: numAttentionHeads)
        intermediateSize = try fields.int("intermediate_size", default: intermediateSize)
        hiddenAct = try fields.string("hidden_act") ?? hiddenAct
        hiddenDropoutProb = try fields.double("hidden_dropout_prob", default: hiddenDropoutProb)
        attentionProbsDropoutProb = try fields.double(
            Self.attentionDropoutKey,
            default: attentionProbsDropoutProb
        )
        initializerRange = try fields.double("initializer_range", default: initializerRange)
        layerNormEps = try fields.double("layer_norm_eps", default: layerNormEps)
        if let size = try fields.size("image_size") {
            imageSize = PixelSize(height: size.height, width: size.width)
        }
        if let size = try fields.size("patch_size") {
            patchSize = PixelSize(height: size.height, width: size.width)
        }
        numChannels = try fields.int("num_channels", default: numChannels)
        qkvBias = try fields.bool("qkv_bias", default: qkvBias)
        encoderStride = try fields.int("encoder_stride", default: encoderStride)
        if Family.kind == .dinov3 { try readDINOv3(fields) }
        if Family.kind == .siglip { usesHead = try fields.bool("vision_use_head", default: true) }
        guard Family.isDINOv2 else { return }
        mlpRatio = try fields.int("mlp_ratio", default: mlpRatio)
        layerscaleValue = try fields.double("layerscale_value", default: layerscaleValue)
        dropPathRate = try fields.double("drop_path_rate", default: dropPathRate)
        useSwigluFFN = try fields.bool("use_swiglu_ffn", default: useSwigluFFN)
        useMaskToken = try fields.bool("use_mask_token", default: useMaskToken)
        if Family.hasRegisters {
            numRegisterTokens = try fields.int("num_register_tokens", default: numRegisterTokens)
        }
    }

    private mutating func readDINOv3(_ fields: JSONFields) throws(CheckpointError) {
        numRegisterTokens = try fields.int("num_register_tokens", default: numRegisterTokens)
        layerscaleValue = try fields.double("layerscale_value", default: layerscaleValue)
        dropPathRate = try fields.double("drop_path_rate", default: dropPathRate)
        useSwigluFFN = try fields.bool("use_gated_mlp", default: useSwigluFFN)
        ropeTheta = try fields.double("rope_theta", default: ropeTheta)
        qkvBias = try fields.bool("query_bias", default: true)
        keyBias = try fields.bool("key_bias", default: false)
        guard try fields.bool("value_bias", default: true) == qkvBias else {
            throw fields.unsupported(
                "value_bias",
                "differs from query_bias, which is not built here"
            )
        }
        guard qkvBias || !keyBias else {
            throw fields.unsupported(
                "key_bias",
                "is true without query_bias, which is not built here"
            )
        }
        for key in ["proj_bias", "mlp_bias"] {
            guard try fields.bool(key, default: true) else {
                throw fields.unsupported(key, "is false, which is not built here")
            }
        }
    }

    /// What the file calls the dropout rate of attention.
    private static var attentionDropoutKey: String {
        Family.kind == .dinov3 || Family.kind.isTower
            ? "attention_dropout" : "attention_probs_dropout_prob"
    }

    private mutating func readLabels(_ fields: JSONFields) throws(CheckpointError) {
        let labels = try HuggingFaceLabels(fields)
        guard !labels.names.isEmpty else {
            numLabels = labels.count
            return
        }
        id2label = labels.names
        label2id = [:]
        guard let indices = try fields.object("label2id")?.object else {
            for (index, name) in id2label.sorted(by: { $0.key > $1.key }) { label2id[name] = index }
            return
        }
        for key in indices.keys {
            // Examples of Hugging Face's own write the numbers as texts.
            guard let value = indices[key],
                let index = value.intValue ?? value.stringValue.flatMap({ Int($0) })
            else { throw fields.malformed("label2id", "does not give whole numbers") }
            label2id[key] = index
        }
    }

    static var knownKeys: [String] {
        let dinov2 = [
            "drop_path_rate", "layerscale_value", "mlp_ratio", "num_register_tokens",
            "use_mask_token",
            "use_swiglu_ffn",
        ]
        let dinov3 = [
            "drop_path_rate", "key_bias", "layerscale_value", "mlp_bias", "num_register_tokens",
            "proj_bias", "query_bias", "rope_theta", "use_gated_mlp", "value_bias",
        ]
        let own = Family.isDINOv2 ? dinov2 : Family.kind == .dinov3 ? dinov3 : []
        return own + [
            "architectures", attentionDropoutKey, "dtype", "encoder_stride",
            "hidden_act",
            "hidden_dropout_prob", "hidden_size", "id2label", "image_size", "initializer_range",
            "intermediate_size", "label2id", "layer_norm_eps", "model_type", "num_attention_heads",
            "num_channels", "num_hidden_layers", "num_labels", "output_attentions",
            "output_hidden_states", "patch_size", "pooler_act", "pooler_output_size",
            "problem_type", "qkv_bias", "torch_dtype", "transformers_version",
        ]
    }

    /// The object that Hugging Face would write for these fields, less what it leaves out.
    var canonical: JSONObject {
        var object = JSONObject()
        // None for the two classes that a file without names means.
        let isUsual = id2label == [0: "LABEL_0", 1: "LABEL_1"]
        let (names, indices) = isUsual ? (nil, nil) : labelObjects
        if let architectures { object["architectures"] = .array(architectures.map { .string($0) }) }
        let isDINOv3 = Family.kind == .dinov3
        object[Self.attentionDropoutKey] = .number(attentionProbsDropoutProb)
        if Family.isDINOv2 || isDINOv3 { object["drop_path_rate"] = .number(dropPathRate) }
        if let dtype { object["dtype"] = .string(dtype) }
        if Family.kind == .vit { object["encoder_stride"] = .integer(encoderStride) }
        object["hidden_act"] = .string(hiddenAct)
        if !isDINOv3 { object["hidden_dropout_prob"] = .number(hiddenDropoutProb) }
        object["hidden_size"] = .integer(hiddenSize)
        if let names { object["id2label"] = .object(names) }
        object["image_size"] = imageSize.json
        object["initializer_range"] = .number(initializerRange)
        if !Family.isDINOv2 { object["intermediate_size"] = .integer(intermediateSize) }
        if let indices { object["label2id"] = .object(indices) }
        if isDINOv3 { object["key_bias"] = .bool(keyBias) }
        object["layer_norm_eps"] = .number(layerNormEps)
        if Family.isDINOv2 || isDINOv3 { object["layerscale_value"] = .number(layerscaleValue) }
        if Family.isDINOv2 { object["mlp_ratio"] = .integer(mlpRatio) }
        object["model_type"] = .string(Family.modelType)
        object["num_attention_heads"] = .integer(numAttentionHeads)
        object["num_channels"] = .integer(numChannels)
        object["num_hidden_layers"] = .integer(numHiddenLayers)
        if Family.hasRegisters || isDINOv3 {
            object["num_register_tokens"] = .integer(numRegisterTokens)
        }
        if outputAttentions { object["output_attentions"] = true }
        if outputHiddenStates { object["output_hidden_states"] = true }
        object["patch_size"] = patchSize.json
        if Family.kind == .vit {
            object["pooler_act"] = .string(poolerAct)
            object["pooler_output_size"] = .integer(poolerOutputSize ?? hiddenSize)
        }
        if let problemType { object["problem_type"] = .string(problemType.rawValue) }
        if isDINOv3 {
            object["query_bias"] = .bool(qkvBias)
            object["rope_theta"] = .number(ropeTheta)
        } else {
            object["qkv_bias"] = .bool(qkvBias)
        }
        if let transformersVersion { object["transformers_version"] = .string(transformersVersion) }
        if Family.isDINOv2 {
            if !Family.hasRegisters { object["use_mask_token"] = .bool(useMaskToken) }
            object["use_swiglu_ffn"] = .bool(useSwigluFFN)
        }
        if isDINOv3 {
            object["use_gated_mlp"] = .bool(useSwigluFFN)
            object["value_bias"] = .bool(qkvBias)
        }
        return object
    }

    /// The names of the classes by index, and the indices by name.
    var labelObjects: (names: JSONObject?, indices: JSONObject?) {
        var names = JSONObject()
        for (index, name) in id2label.sorted(by: { $0.key < $1.key }) {
            names[String(index)] = .string(name)
        }
        var indices = JSONObject()
        for (name, index) in label2id.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
            indices[name] = .integer(index)
        }
        return (names, indices)
    }
}

extension PretrainedConfig: Equatable {
    /// Whether all fields are equal and the unknown keys of the files, in whatever order.
    public static func == (a: Self, b: Self) -> Bool {
        a.canonical == b.canonical
            && JSONValue.object(a.unknownFields).ordered
                == JSONValue.object(b.unknownFields).ordered
    }
}

extension PretrainedConfig: Codable {
    /// Reads the fields of a `config.json`.
    ///
    /// - Parameter decoder: The decoder to read from.
    /// - Throws: A decoding error, or `CheckpointError` for a field of another type.
    public init(from decoder: any Decoder) throws {
        guard let object = try CodableJSON(from: decoder).value.objectValue else {
            throw CheckpointError.malformed(file: "config.json", reason: "expected an object")
        }
        try self.init(json: object)
    }

    /// Writes the fields of a `config.json`.
    ///
    /// - Parameter encoder: The encoder to write to.
    /// - Throws: An encoding error.
    public func encode(to encoder: any Encoder) throws {
        try CodableJSON(.object(json)).encode(to: encoder)
    }
}
