public import VisionModels

/// The networks of Hugging Face's ViT, DeiT, DINOv2 and DINOv3, by the names that `config.json` gives them.
///
/// They differ in what stands beside the transformer, and in the names of tensors that follow from it: files of a base
/// model have no `vit.`, `deit.` or `dinov2.` before their names.
///
/// ## Source
/// transformers/models/vit/modeling_vit.py, deit/modeling_deit.py, dinov2/modeling_dinov2.py,
/// dinov2_with_registers/modeling_dinov2_with_registers.py, dinov3_vit/modeling_dinov3_vit.py.
public enum HuggingFaceArchitecture: String, Sendable, CaseIterable {
    /// The distilled transformer with a pooler.
    case deitModel = "DeiTModel"

    /// The distilled transformer with a mask token and a decoder to pixels.
    case deitForMaskedImageModeling = "DeiTForMaskedImageModeling"

    /// The distilled transformer with one classifier, on the class token.
    case deitForImageClassification = "DeiTForImageClassification"

    /// The distilled transformer with a classifier on either token: the form of DeiT's published models.
    case deitForImageClassificationWithTeacher = "DeiTForImageClassificationWithTeacher"

    /// The plain transformer with a pooler.
    case vitModel = "ViTModel"

    /// The plain transformer with a classifier.
    case vitForImageClassification = "ViTForImageClassification"

    /// DINOv2's transformer.
    case dinov2Model = "Dinov2Model"

    /// DINOv2's transformer with a classifier on the class token and the mean of the patches.
    case dinov2ForImageClassification = "Dinov2ForImageClassification"

    /// DINOv2's transformer with registers.
    case dinov2WithRegistersModel = "Dinov2WithRegistersModel"

    /// DINOv2's transformer with registers and a classifier on the class token and the mean of the patches.
    case dinov2WithRegistersForImageClassification = "Dinov2WithRegistersForImageClassification"

    /// DINOv3's transformer.
    case dinov3ViTModel = "DINOv3ViTModel"

    /// What is known of an architecture: the one place that distinguishes them.
    private struct Entry {
        /// The `model_type` of its configuration.
        let modelType: String

        /// How its classifiers are called; nil where it has none there.
        var head: String?
        var headDist: String?

        /// Whether it is the transformer itself.
        var isBase = false

        /// The tensors beside the network that have a place in it, by its names without prefix.
        var extras: [String] = []
    }

    private static let pooler = ["pooler.dense.weight", "pooler.dense.bias"]
    private static let maskToken = "embeddings.mask_token"

    private var entry: Entry {
        switch self {
        case .deitModel: Entry(modelType: "deit", isBase: true, extras: Self.pooler)
        case .deitForMaskedImageModeling:
            Entry(
                modelType: "deit",
                extras: [Self.maskToken, "decoder.0.weight", "decoder.0.bias"]
            )
        case .deitForImageClassification: Entry(modelType: "deit", head: "classifier")
        case .deitForImageClassificationWithTeacher:
            Entry(modelType: "deit", head: "cls_classifier", headDist: "distillation_classifier")
        case .vitModel: Entry(modelType: "vit", isBase: true, extras: Self.pooler)
        case .vitForImageClassification: Entry(modelType: "vit", head: "classifier")
        case .dinov2Model: Entry(modelType: "dinov2", isBase: true, extras: [Self.maskToken])
        case .dinov2ForImageClassification:
            Entry(modelType: "dinov2", head: "classifier", extras: [Self.maskToken])
        case .dinov2WithRegistersModel:
            Entry(modelType: "dinov2_with_registers", isBase: true, extras: [Self.maskToken])
        case .dinov2WithRegistersForImageClassification:
            Entry(modelType: "dinov2_with_registers", head: "classifier", extras: [Self.maskToken])
        case .dinov3ViTModel:
            Entry(modelType: "dinov3_vit", isBase: true, extras: [Self.maskToken])
        }
    }

    /// Whether the network has a distillation token.
    public var isDistilled: Bool { modelType == "deit" }

    /// Whether the network has register tokens, and positions that begin with the class token's all the same.
    public var hasRegisters: Bool { modelType == "dinov2_with_registers" }

    /// Whether the network has DINOv2's blocks and mask token.
    public var isDINOv2: Bool { modelType.hasPrefix("dinov2") }

    /// Whether the network has DINOv3's rotary positions, registers and mask token.
    public var isDINOv3: Bool { self == .dinov3ViTModel }

    /// The shape of the mask token, which is in every file; nil where it may be absent.
    func maskTokenShape(width: Int) -> [Int]? {
        isDINOv3 ? [1, 1, width] : hasRegisters ? [1, width] : nil
    }

    /// The `model_type` of its configuration.
    public var modelType: String { entry.modelType }

    /// Whether it is the transformer itself, whose tensors have no prefix.
    public var isBaseModel: Bool { entry.isBase }

    /// What stands before the names of the transformer's tensors: `deit.`, `vit.`, `dinov2.` or nothing.
    public var prefix: String { isBaseModel ? "" : "\(modelType)." }

    /// How the network's two classifiers are called; nil where it has none there.
    public var classifiers: (head: String?, headDist: String?) { (entry.head, entry.headDist) }

    /// The tensors beside the network that have a place in it, by its names without prefix.
    var extras: [String] { entry.extras }

    /// What stands before the names of transformers in classes with more than the transformer, all of them once.
    static let prefixes = Set(allCases.map { "\($0.modelType)." }).sorted()

    /// The names of the network's tensors.
    func names(isGated: Bool) -> HuggingFaceNames {
        if isDINOv3 { return isGated ? .dinov3Gated : .dinov3 }
        guard isDINOv2 else { return .vit }
        return isGated ? .dinov2Gated : .dinov2
    }

    /// The form that a transformer of ours has by itself.
    ///
    /// - Parameter configuration: The transformer.
    public init(of configuration: ViTConfiguration) {
        let hasClasses = configuration.numClasses > 0
        if TransformerInHuggingFace.isDINOv3(configuration) {
            self = .dinov3ViTModel
            return
        }
        if TransformerInHuggingFace.isDINOv2(configuration) {
            self =
                configuration.regTokens > 0
                ? hasClasses
                    ? .dinov2WithRegistersForImageClassification : .dinov2WithRegistersModel
                : hasClasses ? .dinov2ForImageClassification : .dinov2Model
            return
        }
        switch (configuration.isDistilled, hasClasses) {
        case (true, false): self = .deitModel
        case (true, _) where configuration.singleHead: self = .deitForImageClassification
        case (true, _): self = .deitForImageClassificationWithTeacher
        case (false, false): self = .vitModel
        case (false, _): self = .vitForImageClassification
        }
    }

    /// Why a network has no place in this architecture; nil where it has.
    ///
    /// - Parameter configuration: The network, which some architecture can hold.
    /// - Returns: A clause.
    func refusal(of configuration: ViTConfiguration) -> String? {
        if isDistilled != configuration.isDistilled {
            return "\(rawValue) has \(isDistilled ? "a" : "no") distillation token"
        }
        if isDINOv2 != TransformerInHuggingFace.isDINOv2(configuration) {
            return "\(rawValue) has \(isDINOv2 ? "" : "no ")layer scale"
        }
        if isDINOv3 != TransformerInHuggingFace.isDINOv3(configuration) {
            return "\(rawValue) has \(isDINOv3 ? "" : "no ")rotary positions"
        }
        if !isDINOv3, hasRegisters != (configuration.regTokens > 0) {
            return "\(rawValue) has \(hasRegisters ? "" : "no ")register tokens"
        }
        return nil
    }
}
