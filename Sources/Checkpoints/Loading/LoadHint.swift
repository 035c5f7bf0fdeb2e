import VisionModels

/// What to do about weights that do not fit.
enum LoadHint {
    /// One sentence about differences, by which they are all explained.
    ///
    /// - Parameters:
    ///   - missing: Keys, in timm's names, that the file lacks.
    ///   - unexpected: Keys, in timm's names, that the model lacks.
    ///   - misshapen: Keys, in timm's names, of tensors of other shapes.
    /// - Returns: The sentence.
    static func hint(
        missing: Set<String>,
        unexpected: Set<String>,
        misshapen: Set<String>
    ) -> String {
        let heads = WeightsFile.headKeys
        if let foreign = ModelFamilies.foreignPart(unexpected) { return foreign }
        if missing.contains("dist_token") {
            return
                "The file has no distillation token: it is a plain model, not a distilled one"
        }
        if unexpected.contains("dist_token") {
            return
                "The file has a distillation token: it is a distilled model, not a plain one"
        }
        if missing.contains("reg_token") {
            return
                "The file has no register tokens: it is of the plain model, not the one with registers"
        }
        if unexpected.contains("reg_token") {
            return
                "The file has register tokens: it is of the model with registers, not the plain one"
        }
        let isHeadAlone = misshapen.isEmpty && unexpected.isEmpty
        if isHeadAlone, !missing.isEmpty,
            missing.isSubset(of: ["head_dist.weight", "head_dist.bias"])
        {
            return "The file has a distillation token but only one classifier, as Hugging Face's "
                + "DeiTForImageClassification: it can be used for features, "
                + "or for training with new classifiers"
        }
        if isHeadAlone, missing.isSubset(of: heads) {
            return "The file has no classifier: it can be used for features, "
                + "or for training with a new classifier"
        }
        if missing.union(misshapen).isSubset(of: heads), unexpected.isSubset(of: heads) {
            return "Only the classifier differs: request a new one to train on other classes"
        }
        if misshapen == ["pos_embed"], missing.isEmpty, unexpected.isEmpty {
            return
                "Only the position embeddings differ: the file is the same model for another image "
                + "size; use that size, or request resampling"
        }
        if unexpected.allSatisfy({ $0.hasSuffix(".gamma") }), !unexpected.isEmpty {
            return "The file has layer scale (DeiT-III), but the configuration has none"
        }
        return "The file has another architecture; check config.json, or use the right preset"
    }
}
