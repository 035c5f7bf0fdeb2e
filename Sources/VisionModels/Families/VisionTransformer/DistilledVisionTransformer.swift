public import Torch
public import TorchNN

/// DeiT with a distillation token: the tokens are class, distillation, patches.
///
/// ## Parameters in a checkpoint
/// - Those of ``VisionTransformer``, with one more position; `dist_token`: `[1, 1, embedDim]`; `head_dist.weight`:
///   `[numClasses, embedDim]`, `head_dist.bias`: `[numClasses]`
///
/// ## Source
/// Touvron et al., "Training data-efficient image transformers & distillation through attention" (arXiv:2012.12877),
/// section 4; `timm/models/deit.py`, `VisionTransformerDistilled`.
public final class DistilledVisionTransformer: VisionTransformer {
    /// The token that meets the teacher, `[1, 1, embedDim]`.
    public let distToken: Parameter

    /// The classifier on the distillation token; nil where there are no classes.
    public let headDist: Linear?

    /// Creates a network with freshly initialised weights.
    ///
    /// - Parameter configuration: What to make it from; it gets a distillation token whatever `isDistilled` says, and
    ///   both heads whatever `singleHead` says.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    public override init(_ configuration: ViTConfiguration) throws {
        var configuration = configuration
        configuration.isDistilled = true
        configuration.singleHead = false
        try configuration.validate()
        self.distToken = try Parameter(
            Initializer.normal(std: 0.02)([1, 1, configuration.embedDim])
        )
        self.headDist = try Self.classifier(configuration)
        try super.init(configuration)
    }

    override func prefixTokens() -> [Parameter] { [clsToken, distToken].compactMap { $0 } }

    /// Returns the scores of each head from the last tokens.
    ///
    /// - Parameter tokens: What ``VisionTransformer/forwardFeatures(_:)`` returned.
    /// - Returns: The scores of the class head and of the distillation head; without classes the two tokens themselves,
    ///   `[batch, embedDim]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public override func headLogits(_ tokens: Tensor) throws(TorchError) -> ClassifierLogits {
        ClassifierLogits(
            cls: try classified(tokens.selected(1, 0), by: head),
            dist: try classified(tokens.selected(1, 1), by: headDist)
        )
    }
}
