public import Checkpoints
import Torch
import TorchNN
import VisionModels

/// What a DINOv2 is made from: Hugging Face's `Dinov2Config`.
public typealias Dinov2Config = PretrainedConfig<Dinov2Family>

/// What a DINOv2 with registers is made from: Hugging Face's `Dinov2WithRegistersConfig`.
public typealias Dinov2WithRegistersConfig = PretrainedConfig<Dinov2WithRegistersFamily>

/// DINOv2 without head: Hugging Face's `Dinov2Model`.
///
/// It takes images of any size, as transformers' class does: positions are resampled by ``PretrainedModel``'s way `hf`.
public typealias Dinov2Model = EncoderModel<Dinov2Family>

/// DINOv2 with registers and without head: Hugging Face's `Dinov2WithRegistersModel`.
public typealias Dinov2WithRegistersModel = EncoderModel<Dinov2WithRegistersFamily>

/// DINOv2 with a classifier on the class token and the mean of the patches: Hugging Face's `Dinov2ForImageClassification`.
public typealias Dinov2ForImageClassification = ImageClassificationModel<Dinov2Family>

/// The same with registers: Hugging Face's `Dinov2WithRegistersForImageClassification`.
public typealias Dinov2WithRegistersForImageClassification =
    ImageClassificationModel<Dinov2WithRegistersFamily>

/// The way from an image to a DINOv2's input: Hugging Face's `BitImageProcessor`.
///
/// By default the shorter side becomes 224, bicubic, the middle 224 × 224 is cropped and normalised with CLIP's mean and
/// deviation; DINOv2's checkpoints say 256 and ImageNet's, so read theirs.
public typealias BitImageProcessor = PretrainedImageProcessor<Dinov2Family>

/// DINOv2 (`transformers/models/dinov2`).
public typealias Dinov2Family = Checkpoints.Dinov2Family

/// DINOv2 with register tokens (`transformers/models/dinov2_with_registers`).
public typealias Dinov2WithRegistersFamily = Checkpoints.Dinov2WithRegistersFamily

/// A model whose class token may contain the token's position, which a file has apart (``ClassPosition``).
protocol SplitClassToken: AnyObject {
    /// How the file that the model is from had them; nil for a model of which there is no such file.
    var classPosition: ClassPosition? { get set }
}

extension EncoderModel: SplitClassToken {}
extension ImageClassificationModel: SplitClassToken {}

extension PretrainedModel {
    /// Gives the network its class token and positions from those of a file.
    ///
    /// - Parameter tensors: What ``PretrainedModel/stateDict()`` gave, filled from the file.
    /// - Throws: `TorchError` when the shapes do not fit.
    func takeClassPosition(from tensors: [(name: String, tensor: Tensor)]) throws {
        guard Self.architecture.hasRegisters, let model = self as? any SplitClassToken,
            let token = network.clsToken
        else { return }
        func tensor(_ name: String) -> Tensor? {
            tensors.first { HuggingFaceKeyMap.baseKey(of: $0.name) == "embeddings.\(name)" }?.tensor
        }
        guard let stored = tensor("cls_token"), let positions = tensor("position_embeddings")
        else { return }
        let split = try ClassPosition(token: stored, positions: positions)
        try token.tensor.copy(from: split.sum())
        let (_, count, _) = try positions.shape3()
        try network.posEmbed?.tensor.copy(from: positions.narrowed(1, 1..<count))
        model.classPosition = split
    }
}

extension PretrainedConfig {
    /// A fresh token for masked patches, where the configuration has one.
    func makeMaskToken() throws -> Parameter? {
        if Family.kind == .dinov3 { return try Parameter(Tensor.zeros([1, 1, hiddenSize])) }
        guard Family.isDINOv2, useMaskToken || Family.hasRegisters else { return nil }
        return try Parameter(Tensor.zeros([1, hiddenSize]))
    }
}

extension Parameter? {
    /// The token for masked patches under Hugging Face's name.
    var namedMaskToken: [(name: String, tensor: Tensor)] {
        map { [("embeddings.mask_token", $0.tensor)] } ?? []
    }
}
