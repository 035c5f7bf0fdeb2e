import Foundation
import Torch
import VisionModels

/// What a checkpoint has in addition to our network, and which of Hugging Face's architectures can carry it on.
enum ClassifierForm {
    /// Whether a form has a place for one classifier next to a distillation token; timm's network has two.
    static func isHeld(by form: SaveOptions.Form) -> Bool {
        switch form {
        case .automatic, .deit, .bare: true
        case .huggingFace(let architecture):
            architecture == nil || architecture == .deitForImageClassification
        case .timm, .dinov2, .dinov3: false
        }
    }

    /// Whether a checkpoint has a distillation token but one classifier, as `DeiTForImageClassification`.
    static func isSingle(_ path: String, _ options: LoadOptions) throws -> Bool {
        let file: String?
        switch try CheckpointLocation(resolving: path) {
        case .weights(let path): file = path
        case .directory(let folder): file = CheckpointLocation.weights(in: folder).first
        }
        // What is wrong with the file is reported when it is loaded.
        guard let file, let weights = try? WeightsFile(path: file, stateDict: options.stateDict)
        else { return false }
        return weights.has("dist_token") && weights.has("head.weight")
            && !weights.has("head_dist.weight") && !options.relaxations.contains(.replaceHead)
    }

    /// The architecture that holds most of what the file has.
    static func architecture(
        of loaded: LoadedModel,
        _ vit: ViTConfiguration
    ) -> HuggingFaceArchitecture {
        let keys = Set(loaded.weights.extras.keys)
        let usual = HuggingFaceArchitecture(of: vit)
        guard vit.numClasses == 0, vit.isDistilled else { return usual }
        if loaded.report.dropped.contains(where: { $0.hasSuffix("weight") }),
            !loaded.weights.has("head_dist.weight")
        {
            return .deitForImageClassification
        }
        return keys.contains("decoder.0.weight") ? .deitForMaskedImageModeling : usual
    }

    /// The tensors outside the network that an architecture has a place for, by its names without prefix.
    static func extras(
        of loaded: LoadedModel,
        for architecture: HuggingFaceArchitecture?
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        var names = architecture?.extras ?? []
        // A network of timm's form has no place for one classifier beside a distillation token.
        if architecture == .deitForImageClassification, loaded.model.numClasses == 0 {
            names = ["classifier.weight", "classifier.bias"]
        }
        var extras: [(name: String, tensor: Tensor)] = []
        for name in names {
            guard let tensor = try loaded.extraTensor(named: name) else { continue }
            extras.append((name, tensor))
        }
        return extras
    }
}
