import Storage
public import TorchNN

/// The models that can be made by name, in timm's grammar.
///
/// A name is `ARCHITECTURE` or `ARCHITECTURE.TAG`. The tag says which training the weights come from, and with it the
/// number of classes: `vit_small_patch16_224.augreg_in21k` has 21,843, `vit_small_patch16_224.dino` is a backbone without
/// a classifier, and `vit_small_patch16_224` has the 1000 of the weights that timm takes where the name does not say.
/// timm's deprecated names, such as `vit_small_patch16_224_dino`, are understood.
public enum ModelRegistry {
    /// A name and what it represents.
    public struct Preset: Sendable {
        /// The name, such as `deit_tiny_distilled_patch16_224`.
        public let name: String

        /// The heading that lists put it under, such as `dinov2`.
        public let family: String

        /// What the model is made from.
        public let configuration: ModelConfiguration
    }

    /// All architectures: DeiT's sizes, small transformers for images of 28 to 64 pixels, DeiT-III, timm's ViTs, residual
    /// networks, RegNetY, EfficientNet-Lite.
    public static let presets: [Preset] = ModelFamilies.all.flatMap(\.presets)

    /// The headings of ``presets``, in their order.
    public static let families: [String] = presets.reduce(into: []) { families, preset in
        if !families.contains(preset.family) { families.append(preset.family) }
    }

    /// The full names of an architecture's published weights, its usual ones first.
    ///
    /// - Parameter preset: The preset's name.
    /// - Returns: The names; none where no weights are known by such a name.
    public static func weights(of preset: String) -> [String] {
        ModelFamilies.all.lazy.map { $0.weights(of: preset) }.first { !$0.isEmpty } ?? []
    }

    /// All names: those of ``presets`` and of their weights.
    public static let names: [String] = presets.flatMap { [$0.name] + weights(of: $0.name) }

    private static let presetsByName = Dictionary(
        presets.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first }
    )

    /// The preset of a name, with or without timm's tag.
    ///
    /// - Parameter name: The preset's name, or that name and a dot and a tag.
    /// - Returns: The preset, with timm's full name where there is a tag; nil for a name that is not on the list, and for
    ///   a tag that an architecture does not have whose tags are known.
    public static func preset(named name: String) -> Preset? {
        if let preset = presetsByName[name] { return preset }
        guard let model = ModelFamilies.model(named: name), let preset = presetsByName[model.name]
        else { return nil }
        let known = weights(of: model.name)
        guard known.isEmpty || known.contains(model.fullName) else { return nil }
        return Preset(
            name: model.fullName,
            family: preset.family,
            configuration: model.configuration
        )
    }

    /// The configuration of a preset.
    ///
    /// - Parameter name: The preset's name, with or without timm's tag.
    /// - Returns: Its configuration.
    /// - Throws: `ConfigurationError` for a name that is not on the list.
    public static func configuration(
        named name: String
    ) throws(ConfigurationError) -> ModelConfiguration {
        guard let preset = preset(named: name) else {
            throw .unknownModel(name, advice: advice(name))
        }
        return preset.configuration
    }

    /// What to say after a name that is not on the list: the nearest one, or where the list is.
    ///
    /// - Parameter name: The name.
    /// - Returns: The end of a sentence, from the semicolon on.
    public static func advice(_ name: String) -> String {
        let hint = Suggestion.phrase(for: name, among: names)
        return hint.isEmpty ? "; `deit models` lists the known ones" : hint
    }
}
