public import TorchNN

/// The models that can be made by name, in timm's grammar.
///
/// A name is `ARCHITECTURE` or `ARCHITECTURE.TAG`. timm's tag says which training the weights come from, so it changes no
/// configuration and may be given or left out: `deit3_small_patch16_224.fb_in1k` is `deit3_small_patch16_224`. The
/// exception are DINO's backbones, such as `vit_small_patch16_224.dino`, which have no classifier and presets of their own.
public enum ModelRegistry {
    /// A name and what it stands for.
    public struct Preset: Sendable {
        /// The name, such as `deit_tiny_distilled_patch16_224`.
        public let name: String

        /// What the model is made from.
        public let configuration: ModelConfiguration
    }

    /// All presets: DeiT's sizes, small transformers for images of 28 to 64 pixels, DeiT-III, ViT, DINO's backbones,
    /// residual networks, RegNetY, EfficientNet-Lite.
    public static let presets: [Preset] = ModelFamilies.all.flatMap(\.presets)

    /// The preset of a name, with or without timm's tag.
    ///
    /// - Parameter name: The preset's name, or that name and a dot and a tag.
    /// - Returns: The preset; nil for a name that is not on the list.
    public static func preset(named name: String) -> Preset? {
        let architecture = name.split(separator: ".", maxSplits: 1).first.map(String.init)
        return presets.first { $0.name == name } ?? presets.first { $0.name == architecture }
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
            throw .unknownValue(name: "the model", value: name, known: presets.map(\.name))
        }
        return preset.configuration
    }
}
