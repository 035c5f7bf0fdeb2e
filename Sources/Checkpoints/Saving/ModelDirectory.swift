import Torch
import TorchNN
public import VisionModels

/// A model on the disk: a folder that Python's libraries load as it is.
///
/// ```
/// config.json                what the network is made from, the names of its classes
/// preprocessor_config.json   the way from a picture to the model's input
/// model.safetensors          the weights
/// ```
///
/// Vision transformers have Hugging Face's form and key names (`ViTForImageClassification`, distilled
/// `DeiTForImageClassificationWithTeacher`), residual networks timm's hub form
/// (`timm.create_model("local-dir:DIR")`, transformers' `TimmWrapper`). The small residual networks for
/// CIFAR exist in neither library; their folders have timm's form and are read here only.
public enum ModelDirectory {
    static let weightsName = "model.safetensors"
    static let pytorchName = "pytorch_model.bin"
    static let configurationName = "config.json"
    static let processorName = "preprocessor_config.json"

    /// Writes a model as a folder, aside and then under its name.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - description: All that belongs to it.
    ///   - path: The folder; an older one of that name is replaced, and stays when anything fails.
    /// - Throws: ``CheckpointError``.
    public static func save(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        to path: String
    ) throws {
        try AtomicFolder.write(to: path) { folder in
            try write(model, description, into: folder)
        }
    }

    /// Writes the files of a model into a folder that exists, beside others that may be there.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - description: All that belongs to it.
    ///   - folder: The folder.
    /// - Throws: ``CheckpointError``.
    public static func write(
        _ model: any ImageClassifier,
        _ description: ModelDescription,
        into folder: String
    ) throws(CheckpointError) {
        let classes = description.configuration.numClasses
        guard model.numClasses == classes, description.labels.names.count == classes else {
            throw CheckpointError.unwritable(
                path: folder,
                reason: "the model has \(model.numClasses) classes, its description \(classes) "
                    + "and \(description.labels.names.count) names"
            )
        }
        try Safetensors.write(
            try tensors(of: model, description.configuration),
            to: "\(folder)/\(weightsName)"
        )
        let processor = description.originalProcessor.overlaid(
            with: HuggingFaceProcessor.encode(description.processor),
            replacing: ["size", "crop_size"]
        )
        try write(processor, to: "\(folder)/\(processorName)")
        try write(configuration(description), to: "\(folder)/\(configurationName)")
    }

    private static func write(_ object: JSONObject, to path: String) throws(CheckpointError) {
        try AtomicFile.write((JSONValue.object(object).text() + "\n").utf8, to: path)
    }

    private static func configuration(_ description: ModelDescription) -> JSONObject {
        let original = description.originalConfiguration
        let ours: JSONObject
        let isSameForm: Bool
        switch description.configuration {
        case .visionTransformer(let vit):
            ours = HuggingFaceConfiguration.encode(
                vit,
                labels: description.labels,
                name: description.name
            )
            isSameForm = original["model_type"] != nil
        case .resNet(let resNet):
            ours = TimmConfiguration.encode(resNet, of: description)
            isSameForm = original["architecture"] != nil
        }
        guard isSameForm else { return ours }
        return original.overlaid(
            with: ours,
            replacing: ["id2label", "label2id", "label_names", "label_descriptions", "model_args"]
        )
    }

    /// The tensors under the names that they have in the file.
    private static func tensors(
        of model: any ImageClassifier,
        _ configuration: ModelConfiguration
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        let tensors = model.namedTensors()
        guard case .visionTransformer(let vit) = configuration else { return tensors }
        let map = HuggingFaceKeyMap(isDistilled: vit.isDistilled)
        var renamed: [(name: String, tensor: Tensor)] = []
        for (key, tensor) in tensors {
            let names = map.huggingFaceKeys(of: key)
            guard names.count == 1 || names.count == 3 else {
                throw CheckpointError.tensor(
                    name: key,
                    reason: "has no name in Hugging Face's form"
                )
            }
            let rows = (tensor.shape.first ?? 0) / names.count
            for (index, name) in names.enumerated() {
                do throws(TorchError) {
                    let part =
                        try names.count == 1
                        ? tensor : tensor.narrowed(0, (index * rows)..<((index + 1) * rows))
                    renamed.append((name, part))
                } catch {
                    throw CheckpointError.tensor(name: key, reason: "\(error)")
                }
            }
        }
        return renamed
    }
}
