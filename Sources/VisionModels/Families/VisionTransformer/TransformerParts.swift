import Torch
import TorchNN

/// How the last tokens become the input of the classifier, in timm's spelling (`global_pool`).
///
/// ## Source
/// `timm/models/vision_transformer.py`, `global_pool_nlc` and `VisionTransformer.pool`; ``tokenAvg`` is
/// facebookresearch/dinov2, `hub/classifiers.py`, `_LinearClassifierWrapper`.
public enum TokenPooling: String, Codable, Sendable, CaseIterable {
    /// The class token; a distilled network also reads the distillation token.
    case token

    /// The mean of the patches.
    case avg

    /// Attention of a learnt query to the patches (``AttentionPool``).
    case map

    /// The class tokens of the last ``ViTConfiguration/headBlocks`` blocks, then the mean of the last block's patches.
    case tokenAvg

    /// All tokens as they are; there is no classifier.
    case none

    /// What timm calls the pooling; nil for one that timm does not have.
    var timmName: String? {
        switch self {
        case .tokenAvg: nil
        case .none: ""
        default: rawValue
        }
    }
}

/// The activation of the feed-forward layers, in timm's spelling (`act_layer`).
public enum Activation: String, Codable, Sendable, CaseIterable {
    /// The exact GELU.
    case gelu

    /// GELU by tanh (SigLIP); it differs from the exact one by up to 5e-4.
    case geluTanh = "gelu_tanh"

    /// `x · sigmoid(1.702 x)` (OpenAI's CLIP).
    case quickGELU = "quick_gelu"
}

/// The kind of feed-forward layers.
public enum FeedForward: String, Codable, Sendable, CaseIterable {
    /// Two linear layers with an activation between them.
    case mlp

    /// The first linear layer gives a gate and a value, and `silu(gate) · value` is the input of the second (DINOv2's
    /// ViT-g; `timm/layers/mlp.py`, `SwiGLUPacked`).
    case swiglu
}

/// How a block combines attention and feed-forward layers.
public enum BlockType: String, Codable, Sendable, CaseIterable {
    /// One after the other, each normalised first (``Block``).
    case preNorm

    /// One after the other, each normalised last (``ResPostBlock``).
    case resPost

    /// Both from one projection of the same input (``ParallelScalingBlock``).
    case parallelScaling
}

extension Activation {
    /// Returns the activated elements.
    ///
    /// - Parameters:
    ///   - x: The elements.
    ///   - mayOverwrite: Whether the result may be written over `x` where no gradient is recorded.
    /// - Returns: The same shape.
    /// - Throws: `TorchError` for a lack of memory.
    func callAsFunction(_ x: Tensor, mayOverwrite: Bool = false) throws(TorchError) -> Tensor {
        switch self {
        case .gelu: try GELU.activated(x, mayOverwrite: mayOverwrite)
        case .geluTanh: try Functional.geluTanh(x)
        case .quickGELU: try x * (x * 1.702).sigmoid()
        }
    }
}
