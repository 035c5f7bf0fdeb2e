public import ImagePipeline
import Storage
public import Torch
public import VisionModels

/// A network with the weights of a checkpoint, and all that belongs to it.
///
/// It holds tensors and is not `Sendable`; its ``description`` is.
public struct LoadedModel {
    /// The network, in evaluation mode.
    public let model: any ImageClassifier

    /// Its configuration, its preprocessing and its class names.
    public let description: ModelDescription

    /// What was not simply taken over.
    public let report: LoadReport

    /// The file that the weights came from; the index where there are several.
    public let weightsPath: String

    /// The texts that the weights file carries, such as safetensors' `__metadata__`.
    public let metadata: [String: String]

    let weights: WeightsFile

    /// What the checkpoint's processor makes, where that is not what its positions are for.
    let otherImages: LoadPlan.OtherImages?

    /// The same model with another way from an image to its input.
    ///
    /// - Parameter processor: The way.
    /// - Returns: The model, which shares its tensors with this one.
    public func with(_ processor: ImageProcessor) -> LoadedModel {
        var description = description
        description.processor = processor
        return LoadedModel(
            model: model,
            description: description,
            report: report,
            weightsPath: weightsPath,
            metadata: metadata,
            weights: weights,
            otherImages: otherImages
        )
    }

    /// Reads a tensor of the file that the network has no use for, such as the pooler's.
    ///
    /// A classifier that was dropped is found here too.
    ///
    /// - Parameter name: Hugging Face's name, with or without `vit.` or `deit.` (`pooler.dense.weight`,
    ///   `embeddings.mask_token`, `decoder.0.weight`, `classifier.weight`, `cls_classifier.weight`), or timm's
    ///   (`pre_logits.fc.weight`, `head.weight`), whichever the file has.
    /// - Returns: The tensor, on the CPU with the file's element type; nil where the file has none of that name.
    /// - Throws: ``CheckpointError`` when it cannot be read.
    public func extraTensor(named name: String) throws(CheckpointError) -> Tensor? {
        let key = HuggingFaceKeyMap.place(of: name)?.key ?? name
        let byPlace = weights.entries[.init(key: key)]
        let byName = weights.archive.tensors.first { weights.rest(of: $0.name) == name }
        // `classifier` and `cls_classifier` have one place, so the name itself is asked first.
        guard let found = byName ?? weights.extras[key] ?? byPlace else { return nil }
        return try weights.archive.read(found)
    }

    /// The names in the file of the tensors that the network has no use for.
    public var extraNames: [String] {
        (weights.extras.values.map(\.name) + report.dropped).sorted()
    }
}
