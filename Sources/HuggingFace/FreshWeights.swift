import Checkpoints
import Torch
import TorchNN

/// The first values of a model's tensors, as transformers draws them.
///
/// Matrices are normal with `initializerRange`, biases 0, normalisations 1 and 0. Tokens and positions of a DeiT start at
/// zero, of a ViT and a DINOv2 they are normal too; mask and register tokens are 0, a DINOv3's registers normal.
///
/// ## Source
/// `_init_weights` of `transformers/models/deit/modeling_deit.py`, `transformers/models/vit/modeling_vit.py`,
/// `transformers/models/dinov2/modeling_dinov2.py`, `transformers/modeling_utils.py`.
enum FreshWeights {
    static func fill(_ model: some PretrainedModel) throws {
        let tensors = try model.stateDict()
        try withoutGradient {
            for (name, tensor) in tensors { try fill(tensor, name, of: model) }
            try model.takeClassPosition(from: tensors)
        }
    }

    private static func fill<Model: PretrainedModel>(
        _ tensor: Tensor,
        _ name: String,
        of model: Model
    ) throws(TorchError) {
        let last = name.split(separator: ".").last ?? ""
        switch last {
        case "register_tokens" where Model.Family.kind == .dinov3:
            try tensor.fillNormal(mean: 0, std: model.config.initializerRange)
        case "mask_token", "register_tokens", "bias":
            try tensor.fill(0)
        case "cls_token", "distillation_token", "position_embeddings":
            if Model.Family.startsEmbeddingsAtZero { return try tensor.fill(0) }
            try tensor.fillNormal(mean: 0, std: model.config.initializerRange)
        default:
            // Normalisations are one already.
            guard tensor.rank > 1 else { return }
            try tensor.fillNormal(mean: 0, std: model.config.initializerRange)
        }
    }
}

extension Module {
    /// The module's tensors under a name of its own.
    func named(_ prefix: String) -> [(name: String, tensor: Tensor)] {
        namedTensors().map { ("\(prefix).\($0.name)", $0.tensor) }
    }
}
