public import VisionModels

/// The networks of Hugging Face's ViT and DeiT, by the names that `config.json` gives them.
///
/// They differ in what stands beside the transformer, and in the names of tensors that follow from it: files of a base
/// model have no `vit.` or `deit.` before their names.
///
/// ## Source
/// transformers/models/vit/modeling_vit.py, transformers/models/deit/modeling_deit.py.
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

    /// Whether the network has a distillation token.
    public var isDistilled: Bool { modelType == "deit" }

    /// The `model_type` of its configuration.
    public var modelType: String {
        switch self {
        case .deitModel, .deitForMaskedImageModeling, .deitForImageClassification,
            .deitForImageClassificationWithTeacher:
            "deit"
        case .vitModel, .vitForImageClassification: "vit"
        }
    }

    /// Whether it is the transformer itself, whose tensors have no prefix.
    public var isBaseModel: Bool { self == .deitModel || self == .vitModel }

    /// What stands before the names of the transformer's tensors: `deit.`, `vit.` or nothing.
    public var prefix: String { isBaseModel ? "" : "\(modelType)." }

    /// How the network's two classifiers are called; nil where it has none there.
    public var classifiers: (head: String?, headDist: String?) {
        switch self {
        case .deitForImageClassificationWithTeacher: ("cls_classifier", "distillation_classifier")
        case .deitForImageClassification, .vitForImageClassification: ("classifier", nil)
        case .deitModel, .deitForMaskedImageModeling, .vitModel: (nil, nil)
        }
    }

    /// The form that a transformer of ours has by itself.
    ///
    /// - Parameter configuration: The transformer.
    public init(of configuration: ViTConfiguration) {
        switch (configuration.isDistilled, configuration.numClasses) {
        case (true, 0): self = .deitModel
        case (true, _) where configuration.singleHead: self = .deitForImageClassification
        case (true, _): self = .deitForImageClassificationWithTeacher
        case (false, 0): self = .vitModel
        case (false, _): self = .vitForImageClassification
        }
    }
}
