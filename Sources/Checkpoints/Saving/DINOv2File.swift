import Torch
import TorchNN
import VisionModels

/// A backbone's tensors as facebookresearch/dinov2 publishes them.
///
/// ## Source
/// facebookresearch/dinov2, `dinov2/hub/backbones.py`, whose models load such a file strictly.
enum DINOv2File {
    /// The tensors with DINOv2's names.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - configuration: What it was made from.
    ///   - maskToken: The token in the place of masked patches, `[1, embedDim]`; zeros where it is not known, as in a network
    ///     before its training.
    ///   - classPosition: What is known of the class token's position.
    ///   - path: The file, for errors.
    /// - Returns: The tensors.
    /// - Throws: ``CheckpointError`` for a network that DINOv2's code does not have.
    static func tensors(
        of model: any ImageClassifier,
        _ configuration: ModelConfiguration,
        maskToken: Tensor?,
        _ classPosition: ClassPosition?,
        _ path: String
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        guard let vit = configuration.transformer else {
            throw CheckpointError.unwritable(
                path: path,
                reason: "DINOv2's form is for vision transformers; timm's form can hold this model"
            )
        }
        var reason = DINOv2Names.refusal(of: vit)
        if vit.numClasses > 0 { reason = "its backbones have no classifier" }
        if let reason {
            throw CheckpointError.unwritable(
                path: path,
                reason: "DINOv2's form cannot hold this model: \(reason)"
            )
        }
        var tensors = model.namedTensors()
        if vit.regTokens > 0 {
            tensors = try ClassPosition.separate(in: tensors, known: classPosition)
        }
        let isGated = vit.mlpLayer == .swiglu
        tensors = tensors.map { (DINOv2Names.name(of: $0.name, isGated: isGated), $0.tensor) }
        do throws(TorchError) {
            let zeros = try Tensor.zeros([1, vit.embedDim])
            return tensors + [("mask_token", maskToken ?? zeros)]
        } catch {
            throw CheckpointError.tensor(name: "mask_token", reason: "\(error)")
        }
    }
}
