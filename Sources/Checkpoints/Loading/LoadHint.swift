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
                "The file has no distillation token: it is of the plain model, not the distilled one"
        }
        if unexpected.contains("dist_token") {
            return
                "The file has a distillation token: it is of the distilled model, not the plain one"
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
            return "The file has a distillation token but one classifier, as Hugging Face's "
                + "DeiTForImageClassification: here it is of use for features, "
                + "or for training with fresh classifiers"
        }
        if isHeadAlone, missing.isSubset(of: heads) {
            return "The file lacks a classifier: it is of use for features, "
                + "or for training on with a fresh one"
        }
        if missing.union(misshapen).isSubset(of: heads), unexpected.isSubset(of: heads) {
            return "Only the classifier differs: ask for a fresh one to train on other classes"
        }
        if misshapen == ["pos_embed"], missing.isEmpty, unexpected.isEmpty {
            return "Only the positions differ: the file is of the same model for another size of "
                + "image; give that size, or the wanted one with a way of resampling"
        }
        if unexpected.allSatisfy({ $0.hasSuffix(".gamma") }), !unexpected.isEmpty {
            return "The file has layer scale, as DeiT-III; the configuration has none"
        }
        return "The file is of another architecture; check config.json, or name the right preset"
    }
}
