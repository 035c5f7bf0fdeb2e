import Storage

/// A vision transformer in timm's words: the name of an architecture, and what differs from it as arguments.
///
/// ## Source
/// timm/models/vision_transformer.py, `VisionTransformer.__init__`; timm/models/_builder.py,
/// `build_model_with_cfg` (an absent `img_size` is that of `input_size`).
enum TransformerInTimm {
    // The presets from which most other networks are made by arguments.
    private static let usual = [
        "deit_tiny_patch16_224", "deit_small_patch16_224", "deit_base_patch16_224",
        "deit_base_patch16_384", "deit_tiny_distilled_patch16_224",
        "deit_small_distilled_patch16_224", "deit_base_distilled_patch16_224",
        "deit_base_distilled_patch16_384", "deit3_small_patch16_224", "deit3_medium_patch16_224",
        "deit3_base_patch16_224", "deit3_large_patch16_224", "deit3_huge_patch14_224",
        "vit_large_patch16_224",
    ]

    /// An architecture of timm's.
    private typealias Architecture = (name: String, vit: ViTConfiguration)

    // DeiT's of ours have no published weights.
    private static let all: [Architecture] = TransformerPresets.all.compactMap { preset in
        let isTimms =
            preset.family != "deit" || !PublishedTransformers.weights(of: preset.name).isEmpty
        return isTimms ? preset.configuration.transformer.map { (preset.name, $0) } : nil
    }

    /// The architecture to name and the arguments to give beside it.
    ///
    /// - Parameters:
    ///   - vit: The transformer.
    ///   - preset: The name that it came with, which is kept where timm knows it.
    /// - Returns: The name of the preset that needs the fewest arguments, and those.
    static func encode(
        _ vit: ViTConfiguration,
        preset: String?
    ) -> (architecture: String, arguments: JSONObject) {
        let wanted = preset.map { String($0.prefix { $0 != "." }) }
        let reachable = all.filter { isReachable(vit, from: $0.vit) }
        // timm's file has no word for the eps, which is kept beside its own.
        let sameEps = reachable.filter { $0.vit.layerNormEps == vit.layerNormEps }
        let equal = sameEps.isEmpty ? reachable : sameEps
        // timm derives the keys' bias from the network, by no argument.
        let sameBias = equal.filter { $0.vit.keyBias == vit.keyBias || !vit.qkvBias }
        let fitting = sameBias.isEmpty ? equal : sameBias
        let first =
            fitting.filter { $0.name == wanted } + fitting.filter { usual.contains($0.name) }
        let others = fitting.filter { $0.name != wanted && !usual.contains($0.name) }
        let found = fewestArguments(vit, first)
        if let found, found.arguments.keys.isEmpty { return found }
        let other = fewestArguments(vit, others)
        if let other, found == nil || other.arguments.keys.isEmpty { return other }
        return found ?? (vit.isDistilled ? usual[4] : usual[0], [:])
    }

    /// Whether arguments can make a network of an architecture: some parts have none that JSON has words for.
    private static func isReachable(
        _ vit: ViTConfiguration,
        from named: ViTConfiguration
    ) -> Bool {
        // Those with rotary positions are in a file of their own (eva.py), where SwiGLU is an argument.
        named.isDistilled == vit.isDistilled && named.blockType == vit.blockType
            && (named.rotaryTemperature == nil) == (vit.rotaryTemperature == nil)
            && (named.mlpLayer == vit.mlpLayer || vit.rotaryTemperature != nil)
    }

    private static func fewestArguments(
        _ vit: ViTConfiguration,
        _ candidates: [Architecture]
    ) -> (architecture: String, arguments: JSONObject)? {
        var best: (architecture: String, arguments: JSONObject)?
        for candidate in candidates {
            let found = arguments(vit, from: candidate.vit)
            if let best, best.arguments.keys.count <= found.keys.count { continue }
            best = (candidate.name, found)
        }
        return best
    }

    private static func arguments(
        _ vit: ViTConfiguration,
        from named: ViTConfiguration
    ) -> JSONObject {
        let words = Words(isRotary: vit.rotaryTemperature != nil)
        var arguments = JSONObject()
        if (vit.imageHeight, vit.imageWidth) != (named.imageHeight, named.imageWidth) {
            arguments["img_size"] =
                vit.imageHeight == vit.imageWidth
                ? .integer(vit.imageHeight) : [.integer(vit.imageHeight), .integer(vit.imageWidth)]
        }
        let numbers = [
            ("patch_size", vit.patchSize, named.patchSize),
            ("in_chans", vit.inChannels, named.inChannels),
            ("embed_dim", vit.embedDim, named.embedDim), ("depth", vit.depth, named.depth),
            ("num_heads", vit.numHeads, named.numHeads),
        ]
        for (key, value, usual) in numbers where value != usual {
            arguments[key] = .integer(value)
        }
        // Weights tell the width, from which the ratio may differ in a late decimal.
        let hasOtherWidth =
            vit.mlpRatio != named.mlpRatio
            && (vit.mlpDim != named.mlpDim || vit.embedDim != named.embedDim)
        if vit.rotaryTemperature != nil {
            encodeRotary(vit, from: named, hasOtherWidth, into: &arguments)
        } else if hasOtherWidth {
            arguments["mlp_ratio"] = .number(vit.mlpRatio)
        }
        if vit.qkvBias != named.qkvBias { arguments["qkv_bias"] = .bool(vit.qkvBias) }
        if vit.noEmbedClass != named.noEmbedClass {
            arguments["no_embed_class"] = .bool(vit.noEmbedClass)
        }
        if (vit.initValues == nil) != (named.initValues == nil) {
            arguments["init_values"] = vit.initValues.map { .number($0) } ?? .null
        }
        let flags = [
            ("class_token", vit.classToken, named.classToken),
            (words.preNorm, vit.preNorm, named.preNorm), ("qk_norm", vit.qkNorm, named.qkNorm),
            (words.finalNorm, vit.finalNorm, named.finalNorm),
            ("pool_include_prefix", vit.poolIncludePrefix, named.poolIncludePrefix),
        ]
        for (key, value, usual) in flags where value != usual { arguments[key] = .bool(value) }
        if vit.regTokens != named.regTokens {
            arguments[words.registers] = .integer(vit.regTokens)
        }
        if vit.activation != named.activation {
            arguments["act_layer"] = .string(vit.activation.rawValue)
        }
        if vit.globalPool != named.globalPool, let pool = vit.globalPool.timmName {
            arguments["global_pool"] = .string(pool)
        }
        // timm derives fc_norm from the pooling unless it is given, as eva.py's networks with rotary positions do.
        if vit.fcNorm != named.fcNorm
            || vit.globalPool != named.globalPool && vit.rotaryTemperature == nil,
            vit.fcNorm != (vit.globalPool == .avg) || vit.rotaryTemperature != nil
        {
            arguments[words.fcNorm] = .bool(vit.fcNorm)
        }
        return arguments
    }

    // What does not change the numbers of a trained network, or has the one value that is built here.
    private static let harmless: Set<String> = [
        "num_classes", "drop_rate", "pos_drop_rate", "patch_drop_rate", "proj_drop_rate",
        "attn_drop_rate", "drop_path_rate", "dynamic_img_size", "strict_img_size", "weight_init",
        "fix_init", "pretrained",
    ]

    /// The transformer of a name and its arguments.
    ///
    /// - Parameters:
    ///   - named: What the name represents.
    ///   - file: The file.
    /// - Returns: The transformer.
    /// - Throws: `StorageError` for an argument that is not understood.
    static func decode(
        _ named: ViTConfiguration,
        _ file: TimmFile
    ) throws(StorageError) -> ViTConfiguration {
        let fields = file.fields
        var vit = named
        let arguments =
            try fields.object("model_args")
            ?? ConfigurationFields(object: [:], file: fields.file)
        let outerPool = try fields.string("global_pool")
        let pool = try arguments.string("global_pool") ?? outerPool
        if let pool { try setPool(pool, of: &vit, arguments, fields) }
        if let size = file.inputSize {
            (vit.inChannels, vit.imageHeight, vit.imageWidth) = size
        }
        if let size = try arguments.size("img_size") {
            (vit.imageHeight, vit.imageWidth) = (size.height, size.width)
        }
        if let size = try arguments.size("patch_size") {
            guard size.height == size.width else {
                throw arguments.unsupported("patch_size", "is not square")
            }
            vit.patchSize = size.height
        }
        vit.inChannels = try arguments.int("in_chans", default: vit.inChannels)
        vit.embedDim = try arguments.int("embed_dim", default: vit.embedDim)
        vit.depth = try arguments.int("depth", default: vit.depth)
        vit.numHeads = try arguments.int("num_heads", default: vit.numHeads)
        if named.rotaryTemperature != nil {
            try decodeRotary(&vit, named, arguments)
        } else {
            vit.mlpRatio = try arguments.double("mlp_ratio", default: vit.mlpRatio)
        }
        vit.qkvBias = try arguments.bool("qkv_bias", default: vit.qkvBias)
        vit.noEmbedClass = try arguments.bool("no_embed_class", default: vit.noEmbedClass)
        if arguments.object["init_values"] == .null { vit.initValues = nil }
        if arguments.value("init_values") != nil {
            vit.initValues = try arguments.double("init_values")
        }
        if let own = file.own {
            vit.layerNormEps = try own.double("layer_norm_eps", default: vit.layerNormEps)
            vit.dropPathRate = try own.double("drop_path_rate", default: 0)
            vit.singleHead = try own.bool("single_head", default: false)
            vit.mlpLayer = try own.choice("mlp_layer", default: vit.mlpLayer)
            vit.blockType = try own.choice("block_type", default: vit.blockType)
            vit.globalPool = try own.choice("global_pool", default: vit.globalPool)
            vit.headBlocks = try own.int("head_blocks", default: 1)
            if own.value("rotary_temperature") != nil {
                vit.rotaryTemperature = try own.double("rotary_temperature")
            }
            if vit.initValues != nil, own.value("init_values") != nil {
                vit.initValues = try own.double("init_values")
            }
        }
        if named.rotaryTemperature != nil {
            // eva.py has no bias of the keys; ours may.
            vit.keyBias = try file.own?.bool("key_bias", default: !vit.qkvBias) ?? !vit.qkvBias
        }
        let words = Words(isRotary: named.rotaryTemperature != nil)
        vit.classToken = try arguments.bool("class_token", default: vit.classToken)
        vit.regTokens = try arguments.int(words.registers, default: vit.regTokens)
        vit.preNorm = try arguments.bool(words.preNorm, default: vit.preNorm)
        vit.qkNorm = try arguments.bool("qk_norm", default: vit.qkNorm)
        vit.finalNorm = try arguments.bool(words.finalNorm, default: vit.finalNorm)
        vit.poolIncludePrefix = try arguments.bool(
            "pool_include_prefix",
            default: vit.poolIncludePrefix
        )
        vit.fcNorm = try arguments.bool(words.fcNorm, default: vit.fcNorm)
        vit.activation = try arguments.choice("act_layer", default: vit.activation)
        try refuseUnknown(arguments, words)
        return vit
    }

    private static func setPool(
        _ name: String,
        of vit: inout ViTConfiguration,
        _ arguments: ConfigurationFields,
        _ fields: ConfigurationFields
    ) throws(StorageError) {
        guard let pool = TokenPooling.allCases.first(where: { $0.timmName == name }) else {
            let known = TokenPooling.allCases.compactMap(\.timmName).filter { !$0.isEmpty }
            throw fields.unsupported(
                "global_pool",
                "is \"\(name)\"; choose among \(known.joined(separator: ", "))"
            )
        }
        guard pool != vit.globalPool else { return }
        vit.globalPool = pool
        if vit.rotaryTemperature == nil { vit.fcNorm = pool == .avg }
    }

    private static func refuseUnknown(
        _ arguments: ConfigurationFields,
        _ words: Words
    ) throws(StorageError) {
        let understood: Set<String> = words.own.union([
            "img_size", "patch_size", "in_chans", "embed_dim", "depth", "num_heads", "mlp_ratio",
            "qkv_bias", "no_embed_class", "init_values", "global_pool", "class_token", "qk_norm",
            "pool_include_prefix", "act_layer",
        ])
        for key in arguments.object.keys
        where !understood.contains(key) && !harmless.contains(key) {
            throw arguments.unsupported(key, "is not understood, and may change the numbers")
        }
    }
}

// The networks of eva.py with rotary positions.
extension TransformerInTimm {
    /// The arguments that the two files call otherwise.
    private struct Words {
        let registers: String
        let preNorm: String
        let finalNorm: String
        let fcNorm: String

        /// All of them, and those that only the one file has.
        let own: Set<String>

        init(isRotary: Bool) {
            registers = isRotary ? "num_reg_tokens" : "reg_tokens"
            preNorm = isRotary ? "use_pre_transformer_norm" : "pre_norm"
            finalNorm = isRotary ? "use_post_transformer_norm" : "final_norm"
            fcNorm = isRotary ? "use_fc_norm" : "fc_norm"
            let others = isRotary ? ["swiglu_mlp", "swiglu_align_to", "rope_temperature"] : []
            own = Set([registers, preNorm, finalNorm, fcNorm] + others)
        }
    }

    /// What the gated width of an architecture is rounded up to a multiple of (`swiglu_align_to`): 64 in the largest.
    private static func gatedMultiple(of named: ViTConfiguration) -> Int {
        named.embedDim == 4096 ? 64 : 8
    }

    /// The width of gate and value together, by timm's ratio of each.
    private static func gatedWidth(_ embedDim: Int, ratio: Double, multiple: Int) -> Int {
        let hidden = Int(Double(embedDim) * ratio)
        return 2 * ((hidden + multiple - 1) / multiple * multiple)
    }

    private static func encodeRotary(
        _ vit: ViTConfiguration,
        from named: ViTConfiguration,
        _ hasOtherWidth: Bool,
        into arguments: inout JSONObject
    ) {
        if let temperature = vit.rotaryTemperature, temperature != named.rotaryTemperature {
            arguments["rope_temperature"] = .number(temperature)
        }
        let isGated = vit.mlpLayer == .swiglu
        if vit.mlpLayer != named.mlpLayer { arguments["swiglu_mlp"] = .bool(isGated) }
        guard isGated else {
            if hasOtherWidth || vit.mlpLayer != named.mlpLayer {
                arguments["mlp_ratio"] = .number(vit.mlpRatio)
            }
            return
        }
        if named.mlpLayer == .swiglu,
            gatedWidth(
                vit.embedDim,
                ratio: named.mlpRatio / 2,
                multiple: gatedMultiple(of: named)
            ) == vit.mlpDim
        {
            return
        }
        // timm's ratio is that of gate and value each, and 0 to align to means other names.
        var ratio = vit.mlpRatio / 2
        while Int(Double(vit.embedDim) * ratio) < vit.mlpDim / 2 { ratio = ratio.nextUp }
        arguments["mlp_ratio"] = .number(ratio)
        arguments["swiglu_align_to"] = 1
    }

    private static func decodeRotary(
        _ vit: inout ViTConfiguration,
        _ named: ViTConfiguration,
        _ arguments: ConfigurationFields
    ) throws(StorageError) {
        if arguments.value("rope_temperature") != nil {
            vit.rotaryTemperature = try arguments.double("rope_temperature")
        }
        let wasGated = vit.mlpLayer == .swiglu
        let isGated = try arguments.bool("swiglu_mlp", default: wasGated)
        vit.mlpLayer = isGated ? .swiglu : .mlp
        let multiple = try arguments.int(
            "swiglu_align_to",
            default: wasGated ? gatedMultiple(of: named) : 1
        )
        let usual = wasGated ? vit.mlpRatio / 2 : vit.mlpRatio
        let ratio = try arguments.double("mlp_ratio", default: usual)
        guard isGated else {
            vit.mlpRatio = ratio
            return
        }
        guard (1...4096).contains(multiple), ratio.isFinite, (0...64).contains(ratio),
            (1...1_000_000).contains(vit.embedDim)
        else { throw arguments.unsupported("mlp_ratio", "is out of range") }
        let width = gatedWidth(vit.embedDim, ratio: ratio, multiple: multiple)
        // A width that the ratio gives already keeps it.
        guard vit.mlpDim != width else { return }
        vit.mlpRatio = Double(width) / Double(vit.embedDim)
        while vit.mlpDim < width { vit.mlpRatio = vit.mlpRatio.nextUp }
    }

    /// Why timm has no network like one with rotary positions; nil where it has.
    ///
    /// - Parameter vit: The network.
    /// - Returns: A clause.
    static func rotaryRefusal(of vit: ViTConfiguration) -> String? {
        if vit.qkvBias, vit.keyBias {
            return "timm's networks with rotary positions have no bias of the keys"
        }
        guard vit.blockType == .preNorm, vit.activation == .gelu, !vit.poolIncludePrefix,
            !vit.isDistilled
        else { return "timm's networks with rotary positions (eva.py) have only plain blocks" }
        return nil
    }
}

extension ConfigurationFields {
    /// The case that a string names, or the default where the key is absent.
    fileprivate func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String,
        default usual: Choice
    ) throws(StorageError) -> Choice where Choice.RawValue == String {
        guard let name = try string(key) else { return usual }
        guard let choice = Choice(rawValue: name) else {
            throw unsupported(
                key,
                "is \"\(name)\"; choose among "
                    + Choice.allCases.map(\.rawValue).joined(separator: ", ")
            )
        }
        return choice
    }
}
