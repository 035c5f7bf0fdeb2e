import ImagePipeline
import Storage

/// ViT, DeiT, DeiT-III and DINO's backbones, by the names of timm, DeiT, DINO and Hugging Face.
struct TransformerFamily: ModelFamily {
    var presets: [ModelRegistry.Preset] { TransformerPresets.all }

    func weights(of preset: String) -> [String] {
        PublishedTransformers.weights(of: preset).map(\.name)
    }

    /// timm's, and those of DeiT's and DINO's authors, which a name without a tag means.
    var published: [String: PublishedWeights] {
        var published = Self.facebook
        for preset in presets {
            let weights = PublishedTransformers.weights(of: preset.name)
            for weights in weights { published[weights.name] = weights.published }
            published[preset.name] = published[preset.name] ?? weights.first?.published
        }
        return published
    }

    // The accuracies are those of facebookresearch/deit, README.md: images resized to 256 and cropped to 224, or 438
    // and 384.
    private static let facebook: [String: PublishedWeights] = [
        "deit_tiny_patch16_224": .init("facebook/deit-tiny-patch16-224", top1: 72.202),
        "deit_small_patch16_224": .init("facebook/deit-small-patch16-224", top1: 79.854),
        "deit_base_patch16_224": .init("facebook/deit-base-patch16-224", top1: 81.846),
        "deit_base_patch16_384": .init("facebook/deit-base-patch16-384", top1: 82.890),
        "deit_tiny_distilled_patch16_224": .init(
            "facebook/deit-tiny-distilled-patch16-224",
            top1: 74.476
        ),
        "deit_small_distilled_patch16_224": .init(
            "facebook/deit-small-distilled-patch16-224",
            top1: 81.164
        ),
        "deit_base_distilled_patch16_224": .init(
            "facebook/deit-base-distilled-patch16-224",
            top1: 83.372
        ),
        "deit_base_distilled_patch16_384": .init(
            "facebook/deit-base-distilled-patch16-384",
            top1: 85.224
        ),
    ]

    let anchors = [
        NetworkAnchor("patch_embed.proj.weight", head: "head"),
        NetworkAnchor("embeddings.patch_embeddings.projection.weight", head: "classifier"),
        // DINOv3's; CLIP's and SigLIP's image towers.
        NetworkAnchor("embeddings.patch_embeddings.weight", head: "classifier"),
        NetworkAnchor("embeddings.patch_embedding.weight", head: "classifier"),
    ]
    let heads = ["head", "head_dist"]
    let stems = [
        "cls_token", "dist_token", "reg_token", "mask_token", "pos_embed", "patch_embed.",
        "norm_pre.",
    ]
    let tails = ["norm."]

    /// DeiT-III calls the layer scale otherwise (facebookresearch/deit, models_v2.py).
    func key(of name: String) -> String {
        guard name.hasPrefix("blocks.") else { return name }
        for (theirs, ours) in [(".gamma_1", ".ls1.gamma"), (".gamma_2", ".ls2.gamma")]
        where name.hasSuffix(theirs) {
            return name.dropLast(theirs.count) + ours
        }
        return name
    }

    func otherNames(_ tensors: [(name: String, shape: [Int])]) -> (any TensorNames)? {
        if let names = DINOv2Names(tensors) { return names }
        if let names = DINOv3Names(tensors) { return names }
        return EvaNames(tensors)
    }

    func timmNames(of vit: ViTConfiguration) -> (any TensorNames)? {
        // Where timm's own network cannot hold it, the file has our names, which say all of it.
        guard vit.rotaryTemperature != nil, timmRefusal(of: vit) == nil else { return nil }
        return EvaNames(isGated: vit.mlpLayer == .swiglu)
    }

    func model(named name: String) -> NamedModel? {
        let authors =
            DINOv2Names.timmName(of: name) ?? DINOv3Names.timmName(of: name)
            ?? MAENames.timmName(of: name)
        let name = authors ?? PublishedTransformers.aliases[name] ?? name
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let architecture = parts.first.map(String.init),
            var configuration = TransformerPresets.configurations[architecture]
        else { return nil }
        if let weights = PublishedTransformers.weights(named: name) {
            configuration.numClasses = weights.numClasses
        }
        return NamedModel(
            name: architecture,
            tag: parts.count > 1 ? String(parts[1]) : nil,
            configuration: configuration,
            isAuthors: authors != nil
        )
    }

    func model(in clues: CheckpointClues, _ weights: StoredWeights) -> NamedModel? {
        for (name, source) in clues.names {
            // Facebook's files end in the first digits of their digest.
            let name = String(name.prefix { $0 != "-" })
            guard var found = model(named: name), let transformer = found.configuration.transformer,
                agrees(transformer, weights)
            else { continue }
            found.source = source
            return found
        }
        return nil
    }

    private func agrees(_ named: ViTConfiguration, _ weights: StoredWeights) -> Bool {
        guard let patch = weights.shape("patch_embed.proj.weight"), patch.count == 4 else {
            return false
        }
        return patch[0] == named.embedDim && patch[2] == named.patchSize
            && weights.count(after: "blocks.") == named.depth
            && weights.has("dist_token") == named.isDistilled
            && weights.has("reg_token") == (named.regTokens > 0)
            && weights.has("cls_token") == named.classToken
            && weights.has("norm_pre.weight") == named.preNorm
            && weights.has("pos_embed") == (named.rotaryTemperature == nil)
            && (weights.has("blocks.0.ls1.gamma") || weights.has("blocks.0.ls.gamma"))
                == (named.initValues != nil && named.blockType != .resPost)
    }

    func recognize(
        _ weights: StoredWeights,
        named: NamedModel?,
        _ clues: CheckpointClues,
        imageSize: ImageSize?
    ) throws(StorageError) -> RecognizedModel? {
        guard weights.shape("patch_embed.proj.weight") != nil else { return nil }
        return try TransformerRecognition.recognize(
            weights,
            named: named,
            clues,
            imageSize: imageSize
        )
    }

    func foreignPart(_ keys: [String]) -> String? { ForeignParts.sentence(keys) }

    func isPreset(_ preset: ViTConfiguration, _ found: ViTConfiguration) -> Bool {
        var preset = preset
        // What matters in training only, or is set by the file's library.
        preset.layerNormEps = found.layerNormEps
        preset.dropPathRate = found.dropPathRate
        preset.dropRate = found.dropRate
        preset.attnDropRate = found.attnDropRate
        if preset.mlpDim == found.mlpDim { preset.mlpRatio = found.mlpRatio }
        if found.initValues != nil, preset.initValues != nil {
            preset.initValues = found.initValues
        }
        return preset == found
    }

    func timmFields(of vit: ViTConfiguration, preset: String?) -> TimmFields {
        let (architecture, arguments) = TransformerInTimm.encode(vit, preset: preset)
        var object: JSONObject = [
            "architecture": .string(architecture),
            "num_classes": .integer(vit.numClasses),
            "num_features": .integer(vit.embedDim),
            "global_pool": .string(vit.globalPool.timmName ?? "token"),
        ]
        if !arguments.keys.isEmpty { object["model_args"] = .object(arguments) }
        var own = JSONObject()
        // timm has no such network, or makes it by an argument that is a Python object.
        if vit.singleHead { own["single_head"] = true }
        if vit.mlpLayer != .mlp { own["mlp_layer"] = .string(vit.mlpLayer.rawValue) }
        if vit.blockType != .preNorm { own["block_type"] = .string(vit.blockType.rawValue) }
        if vit.globalPool == .tokenAvg {
            own["global_pool"] = .string(vit.globalPool.rawValue)
            own["head_blocks"] = .integer(vit.headBlocks)
        }
        if let temperature = vit.rotaryTemperature {
            own["rotary_temperature"] = .number(temperature)
            own["key_bias"] = .bool(vit.keyBias)
        }
        own["layer_norm_eps"] = .number(vit.layerNormEps)
        own["drop_path_rate"] = .number(vit.dropPathRate)
        if let initValues = vit.initValues { own["init_values"] = .number(initValues) }
        return TimmFields(
            object: object,
            pretrained: [
                "fixed_input_size": true, "first_conv": "patch_embed.proj",
                "classifier": vit.headCount == 2 ? ["head", "head_dist"] : "head",
            ],
            own: own
        )
    }

    func configuration(
        _ named: ViTConfiguration,
        in file: TimmFile
    ) throws(StorageError) -> ViTConfiguration {
        try TransformerInTimm.decode(named, file)
    }

    func timmRefusal(of vit: ViTConfiguration) -> String? {
        if vit.globalPool == .tokenAvg {
            return
                "timm's networks have no classifier on the class token and the mean of the patches"
        }
        if vit.rotaryTemperature != nil { return TransformerInTimm.rotaryRefusal(of: vit) }
        guard vit.isDistilled, vit.headCount == 1 else { return nil }
        return
            "timm's network with a distillation token has two heads, this one has one; Hugging Face's "
            + "form can hold it"
    }

    func huggingFaceRefusal(of vit: ViTConfiguration) -> String? {
        TransformerInHuggingFace.refusal(of: vit)
    }

    func processor(
        for model: NamedModel,
        size: ImageSize
    ) throws(ImageError) -> ImageProcessor? {
        if let weights = PublishedTransformers.weights(named: model.fullName) {
            let processor = try weights.processor(size: size)
            guard model.isAuthors else { return processor }
            if model.tag == "mae" { return try MAENames.processor(size: size) ?? processor }
            return model.configuration.transformer?.rotaryTemperature == nil
                ? processor : try DINOv3Names.processor(processor, size: size)
        }
        guard model.tag == nil else { return nil }
        // DeiT's own way; timm's weights of the same networks have another.
        if model.name.hasPrefix("deit_") {
            return size.height == size.width ? try .deit(size: size.height) : nil
        }
        return try PublishedTransformers.weights(of: model.name).first?.processor(size: size)
    }
}
