import ImagePipeline
import Storage
import Torch
import TorchNN
import VisionModels

/// A folder in timm's form, in the words of transformers: what the classes of `HuggingFace` are made from.
package struct TimmFolder {
    private let folder: String

    /// Nil for a folder whose `config.json` is not in timm's form, or that has none.
    ///
    /// - Parameter folder: The folder.
    package init?(_ folder: String) {
        let path = "\(folder)/\(ModelDirectory.configurationName)"
        guard let object = try? SmallFile.readObject(path), Self.isTimms(object) else { return nil }
        self.folder = folder
    }

    /// Whether a `config.json` is in timm's form, with or without transformers' wrapper.
    static func isTimms(_ object: JSONObject) -> Bool {
        guard object["architecture"] != nil else { return false }
        let type = object["model_type"]
        return type == nil || type == .null || type?.stringValue == "timm_wrapper"
    }

    private static let options = LoadOptions(relaxations: .noHead)

    /// The configuration of a family's classes.
    ///
    /// - Returns: The configuration.
    /// - Throws: ``CheckpointError`` for a network that is not of the family, or that no class of transformers can hold.
    package func config<Family: PretrainedFamily>() throws -> PretrainedConfig<Family> {
        let description = try description()
        let vit = try transformer(of: description)
        do throws(ConfigurationError) {
            return try PretrainedConfig<Family>(
                vit,
                labels: description.labels.arePlaceholders ? nil : description.labels
            )
        } catch {
            throw unsupported("\(error)")
        }
    }

    /// The image processor, in the words of a family's class.
    ///
    /// - Returns: The processor.
    /// - Throws: ``CheckpointError`` for a way from an image to the input that transformers has no word for.
    package func processor<Family: PretrainedFamily>() throws -> PretrainedImageProcessor<Family> {
        let processor = try description().processor
        guard HuggingFaceProcessor.canHold(processor) else {
            throw unsupported("transformers' processors cannot resize images \(processor.resize)")
        }
        return PretrainedImageProcessor(processor)
    }

    /// The weights under transformers' names.
    ///
    /// - Returns: An archive in memory.
    /// - Throws: ``CheckpointError`` for weights that do not fit, or a network that no class of transformers can hold.
    package func archive() throws -> any TensorArchive {
        let loaded = try ModelDirectory.load(folder, options: Self.options)
        let vit = try transformer(of: loaded.description)
        let tensors = try HuggingFaceKeyMap(HuggingFaceArchitecture(of: vit), of: vit)
            .tensors(of: loaded.model)
        return MemoryArchive(path: loaded.weightsPath, tensors)
    }

    private func description() throws -> ModelDescription {
        try ModelDirectory.description(of: folder, options: Self.options)
    }

    private func transformer(
        of description: ModelDescription
    ) throws(CheckpointError) -> ViTConfiguration {
        guard let vit = description.configuration.transformer else {
            throw unsupported("it is \(description.configuration.network.kind)")
        }
        guard let reason = TransformerInHuggingFace.refusal(of: vit) else { return vit }
        throw unsupported("no class of transformers can hold the network: \(reason)")
    }

    private func unsupported(_ reason: String) -> CheckpointError {
        .unsupported(file: "\(folder)/\(ModelDirectory.configurationName)", reason: reason)
    }
}

/// Tensors that are in memory, as if they were in a file.
private struct MemoryArchive: TensorArchive, @unchecked Sendable {
    let path: String
    let tensors: [ArchivedTensor]
    let metadata: [String: String] = [:]

    // Nobody writes into them.
    private let values: [String: Tensor]

    init(path: String, _ tensors: [(name: String, tensor: Tensor)]) {
        self.path = path
        self.tensors = tensors.map { name, tensor in
            ArchivedTensor(name: name, dtype: SafetensorsDType(tensor.dtype), shape: tensor.shape)
        }
        values = Dictionary(
            tensors.map { ($0.name, $0.tensor) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func read(_ tensor: ArchivedTensor) throws(CheckpointError) -> Tensor {
        guard let value = values[tensor.name] else {
            throw CheckpointError.tensor(name: tensor.name, reason: "is not in \(path)")
        }
        do throws(TorchError) {
            return try value.detached().contiguous()
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
        }
    }

    func copy(_ tensor: ArchivedTensor, into target: Tensor) throws(CheckpointError) {
        let value = try read(tensor)
        do throws(TorchError) {
            try target.copy(from: value)
        } catch {
            throw CheckpointError.tensor(name: tensor.name, reason: "\(error)")
        }
    }
}
