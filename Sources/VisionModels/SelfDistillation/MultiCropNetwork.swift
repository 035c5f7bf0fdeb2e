public import Torch
public import TorchNN

/// A backbone with a head, for crops of several sizes.
///
/// Neighbouring crops of one size go through the backbone together, and the features of all crops through the head.
///
/// ## Parameters in a checkpoint
/// - `backbone.…` and `head.…`, as in DINO's files
///
/// ## Source
/// dino `utils.py`, `MultiCropWrapper`.
public final class MultiCropNetwork: Module {
    /// The network whose features are learnt: a ``VisionTransformer`` without a classifier, or a residual network.
    public let backbone: any ImageClassifier
    /// What the loss looks at.
    public let head: DINOHead

    /// What a network makes of crops.
    public struct Output {
        /// The backbone's features of each crop, one crop after the other, `[crops · batch, width]`.
        public let features: Tensor
        /// The head's outputs in the same order, `[crops · batch, outDim]`.
        public let logits: Tensor
    }

    /// Joins a backbone and a head.
    public init(backbone: any ImageClassifier, head: DINOHead) {
        self.backbone = backbone
        self.head = head
    }

    /// Returns what the network makes of crops.
    ///
    /// - Parameter crops: Tensors `[batch, channels, height, width]`; of a transformer any size that holds a patch.
    /// - Returns: Features and outputs.
    /// - Throws: `TorchError` when a shape does not fit.
    public func callAsFunction(_ crops: [Tensor]) throws(TorchError) -> Output {
        var features: [Tensor] = []
        var start = 0
        while start < crops.count {
            var end = start + 1
            while end < crops.count, crops[end].shape == crops[start].shape { end += 1 }
            let joined =
                end == start + 1 ? crops[start] : try Tensor.cat(Array(crops[start..<end]), dim: 0)
            features.append(try backbone.pooledFeatures(joined))
            start = end
        }
        let all = features.count == 1 ? features[0] : try Tensor.cat(features, dim: 0)
        return Output(features: all, logits: try head(all))
    }
}

extension ImageClassifier {
    /// One vector for each image: a transformer's pooled tokens (the class token, or what its pooling makes of the
    /// patches), a residual network's mean of its last maps.
    ///
    /// A transformer takes images of any size here: its positions are brought to their grid as DINO does it.
    ///
    /// - Parameter images: `[batch, channels, height, width]`.
    /// - Returns: `[batch, width]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func pooledFeatures(_ images: Tensor) throws(TorchError) -> Tensor {
        switch self {
        case let transformer as VisionTransformer:
            if Array(images.shape.dropFirst()) == transformer.inputShape {
                return try transformer.pooled(transformer.forwardFeatures(images))
            }
            return try transformer.pooled(
                transformer.outputs(images, resampling: .dino).tokens
            )
        case let network as any ConvNet:
            return try network.pooled(network.forwardFeatures(images))
        default: return try self(images)
        }
    }
}
