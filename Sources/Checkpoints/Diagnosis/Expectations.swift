import Foundation
import ImagePipeline
import Storage
import VisionModels

/// What a checkpoint should say about itself, by what is known of published weights.
struct Expectations {
    private(set) var findings: [Diagnosis.Finding] = []

    /// The published network that it says to be, in timm's grammar.
    private(set) var named: String?

    init(_ weights: WeightsFile, _ description: ModelDescription) {
        checkProblemType(description)
        guard let vit = description.configuration.transformer else { return }
        let original = description.originalConfiguration
        let known = Self.architecture(weights, description)
        named = known?.fullName
        checkClasses(weights, original)
        if let known { checkImages(known, vit, description.processor) }
        // A distilled model of 1000 classes is DeiT on ImageNet, whatever it is called.
        let isDeiT = known == nil && vit.isDistilled && vit.numClasses == 1000
        if isDeiT { checkMean(description.processor, "a distilled DeiT") }
        if vit.layerNormEps < 1e-7, isDeiT || known != nil {
            warn(
                "layer_norm_eps is \(vit.layerNormEps), the weights were trained with 1e-6; logits "
                    + "differ by about 1e-3"
            )
        }
        checkStride(original, vit, hasDecoder: weights.extras["decoder.0.weight"] != nil)
    }

    private static func architecture(
        _ weights: WeightsFile,
        _ description: ModelDescription
    ) -> NamedModel? {
        let original = description.originalConfiguration
        guard let family = ModelFamilies.family(of: description.configuration) else { return nil }
        if let name = original["architecture"]?.stringValue {
            let tag = original["pretrained_cfg"]?["tag"]?.stringValue
            return family.model(named: tag.map { "\(name).\($0)" } ?? name)
        }
        if let found = family.model(in: CheckpointClues(weights), weights.namesAndShapes) {
            return found
        }
        let names = [original["_name_or_path"]?.stringValue, description.name]
        let folders = weights.path.split(separator: "/").map(String.init)
        // The cache of the hub calls its folders models--ORG--NAME.
        let cached = folders.filter { $0.hasPrefix("models--") }
            .map { String($0.split(separator: "-").drop { $0 == "models" }.joined(separator: "-")) }
        let candidates = names.compactMap { $0 } + cached + folders.suffix(2)
        for name in candidates {
            // The hub has names such as `facebook/deit-tiny-patch16-224` and `facebook/dinov2-base`.
            let start = ["deit-", "dinov2-", "dinov3-"].lazy.compactMap {
                name.range(of: $0)?.lowerBound
            }
            .first
            let short = start.map { String(name[$0...]) } ?? name
            let last = short.split(separator: "/").last ?? ""
            let hubName = last.split(separator: "-").joined(separator: "_")
            if let found = family.model(named: hubName) ?? family.model(named: name) {
                return found
            }
        }
        return nil
    }

    private mutating func checkProblemType(_ description: ModelDescription) {
        let stated = description.originalConfiguration[ProblemType.key]?.stringValue
        let classes = description.configuration.numClasses
        if let stated, description.problemType == nil {
            let known = ProblemType.allCases.map(\.rawValue).joined(separator: ", ")
            warn("\(ProblemType.key) is \"\(stated)\", which is not one of \(known); it is ignored")
        } else if description.problemType == .singleLabelClassification, classes == 1 {
            warn(
                "\(ProblemType.key) is \"\(ProblemType.singleLabelClassification.rawValue)\" with one class, which "
                    + "transformers rejects: use \"\(ProblemType.multiLabelClassification.rawValue)\" or "
                    + "\"\(ProblemType.regression.rawValue)\""
            )
        }
    }

    private mutating func checkClasses(_ weights: WeightsFile, _ original: JSONObject) {
        guard original["num_labels"] == nil,
            let names = original["id2label"]?.objectValue?.keys.count,
            names > 0, let rows = weights.shape("head.weight")?.first, rows != names
        else { return }
        fault("id2label names \(names) classes, the classifier has \(rows)")
    }

    private mutating func checkImages(
        _ known: NamedModel,
        _ vit: ViTConfiguration,
        _ processor: ImageProcessor
    ) {
        guard vit.inChannels == 3,
            let expected = try? ModelFamilies.family(of: known.configuration)?.processor(
                for: known,
                size: ImageSize(height: vit.imageHeight, width: vit.imageWidth)
            )
        else { return }
        guard processor.mean != expected.mean || processor.std != expected.std else { return }
        fault(
            "images are normalised with mean \(processor.mean) and std \(processor.std), "
                + "but \(known.name) was trained with mean \(expected.mean) and std "
                + "\(expected.std): correct preprocessor_config.json, or give --mean and --std"
        )
    }

    private mutating func checkMean(_ processor: ImageProcessor, _ what: String) {
        let imageNet = Normalization.imageNet
        guard processor.channels == 3, processor.mean == [0.5, 0.5, 0.5] else { return }
        fault(
            "images are normalised with mean \(processor.mean) and std \(processor.std), but "
                + "\(what) of 1000 classes was trained with mean \(imageNet.mean) and std "
                + "\(imageNet.std): correct preprocessor_config.json, or give --mean and --std"
        )
    }

    private mutating func checkStride(
        _ original: JSONObject,
        _ vit: ViTConfiguration,
        hasDecoder: Bool
    ) {
        guard let stride = original["encoder_stride"]?.intValue, stride != vit.patchSize else {
            return
        }
        let text =
            "encoder_stride is \(stride), the patch size \(vit.patchSize): a reconstruction would not "
            + "have the size of the image"
        if hasDecoder { fault(text) } else { warn(text) }
    }

    private mutating func fault(_ text: String) {
        findings.append(.init(severity: .fault, text: text))
    }

    private mutating func warn(_ text: String) {
        findings.append(.init(severity: .warning, text: text))
    }
}
