import Torch
import TorchNN
import VisionModels

/// A backbone's tensors as facebookresearch/dinov2 and facebookresearch/dinov3 publish them.
///
/// ## Source
/// facebookresearch/dinov2 and facebookresearch/dinov3, `hub/backbones.py`, whose models load such a file strictly.
struct BackboneFile {
    /// The network.
    let configuration: ViTConfiguration

    /// Whether it is DINOv3's form.
    let isDINOv3: Bool

    /// Takes a network for a form.
    ///
    /// - Parameters:
    ///   - configuration: The network.
    ///   - form: ``SaveOptions/Form/dinov2`` or ``SaveOptions/Form/dinov3``.
    ///   - path: The file, for errors.
    /// - Throws: ``CheckpointError`` for a network that the form's code does not have.
    init(
        _ configuration: ModelConfiguration,
        _ form: SaveOptions.Form,
        _ path: String
    ) throws(CheckpointError) {
        isDINOv3 = form == .dinov3
        let name = isDINOv3 ? "DINOv3" : "DINOv2"
        guard let vit = configuration.transformer else {
            throw CheckpointError.unwritable(
                path: path,
                reason: "\(name)'s form is for vision transformers; timm's form can hold this model"
            )
        }
        var reason = isDINOv3 ? DINOv3Names.refusal(of: vit) : DINOv2Names.refusal(of: vit)
        if vit.numClasses > 0 { reason = "its backbones have no classifier" }
        if let reason {
            throw CheckpointError.unwritable(
                path: path,
                reason: "\(name)'s form cannot hold this model: \(reason)"
            )
        }
        self.configuration = vit
    }

    /// The tensors with the form's names.
    ///
    /// - Parameters:
    ///   - model: The network.
    ///   - maskToken: The token in the place of masked patches, of `embedDim` numbers; zeros where it is not known, as in a
    ///     network before its training.
    ///   - classPosition: What is known of the class token's position.
    /// - Returns: The tensors.
    /// - Throws: ``CheckpointError`` for a lack of memory.
    func tensors(
        of model: any ImageClassifier,
        maskToken: Tensor?,
        _ classPosition: ClassPosition?
    ) throws(CheckpointError) -> [(name: String, tensor: Tensor)] {
        var tensors = model.namedTensors()
        let isGated = configuration.mlpLayer == .swiglu
        if isDINOv3 {
            let names = DINOv3Names(isGated: isGated)
            tensors = try TensorParts.renamed(tensors) { names.names(of: $0) }
        } else {
            if configuration.regTokens > 0 {
                tensors = try ClassPosition.separate(in: tensors, known: classPosition)
            }
            tensors = tensors.map { (DINOv2Names.name(of: $0.name, isGated: isGated), $0.tensor) }
        }
        do throws(TorchError) {
            let width = configuration.embedDim
            let shape = [1, width]
            let token =
                if let maskToken { try maskToken.reshaped(shape) } else { try Tensor.zeros(shape) }
            return try tensors + [("mask_token", token)] + buffers()
        } catch {
            throw CheckpointError.tensor(name: "mask_token", reason: "\(error)")
        }
    }

    /// What DINOv3's code keeps beside the weights: the periods, and of every bias which numbers count.
    private func buffers() throws(TorchError) -> [(name: String, tensor: Tensor)] {
        guard isDINOv3, let periods = configuration.rotaryPeriods else { return [] }
        var buffers = [(DINOv3Names.periods, try Tensor(periods, shape: [periods.count]))]
        guard configuration.qkvBias else { return buffers }
        let width = configuration.embedDim
        let keys = configuration.keyBias ? 1 : 0
        for index in 0..<configuration.depth {
            let mask = [1, keys, 1].flatMap { [Float](repeating: Float($0), count: width) }
            let name = "blocks.\(index).attn.qkv.bias" + DINOv3Names.maskSuffix
            buffers.append((name, try Tensor(mask, shape: [3 * width])))
        }
        return buffers
    }
}
