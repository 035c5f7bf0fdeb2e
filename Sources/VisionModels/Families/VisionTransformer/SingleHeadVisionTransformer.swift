public import TorchNN

/// DeiT with a distillation token that takes part in attention and is not classified: one head, on the class token.
///
/// It is what fine-tuning a distilled checkpoint with one classifier gives (Hugging Face's `DeiTForImageClassification`).
///
/// ## Parameters in a checkpoint
/// - Those of ``VisionTransformer``, with one more position; `dist_token`: `[1, 1, embedDim]`
///
/// ## Source
/// `transformers/models/deit/modeling_deit.py`, `DeiTForImageClassification`.
public final class SingleHeadVisionTransformer: VisionTransformer {
    /// The token that met a teacher, `[1, 1, embedDim]`.
    public let distToken: Parameter

    /// Creates a network with freshly initialised weights.
    ///
    /// - Parameter configuration: What to make it from; it gets a distillation token and one head whatever it says.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public override init(_ configuration: ViTConfiguration) throws {
        var configuration = configuration
        configuration.isDistilled = true
        configuration.singleHead = true
        try configuration.validate()
        self.distToken = try Parameter(
            Initializer.normal(std: 0.02)([1, 1, configuration.embedDim])
        )
        try super.init(configuration)
    }

    override func prefixTokens() -> [Parameter] { [clsToken, distToken].compactMap { $0 } }
}
