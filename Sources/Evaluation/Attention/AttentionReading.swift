public import Inference
public import Torch
public import VisionModels

/// What a transformer attended to in one image, and what it made of the patches.
public struct AttentionReading {
    /// The maps of one token that looks at the patches.
    public struct Token: Sendable, Equatable {
        /// The token: `cls`, or `dist` of a distilled model.
        public let name: FeatureRequest.Token

        /// What each head looks at in the block, as much as the softmax gave to the patches.
        public let heads: [AttentionMap]

        /// The mean of the heads.
        public let mean: AttentionMap

        /// What reaches the token from the patches through all blocks up to this one; nil where it was not requested.
        public let rollout: AttentionMap?
    }

    /// The patches, down and across.
    public let grid: PatchGrid

    /// The block, 1 up to the model's depth.
    public let block: Int

    /// The tokens before the patches, in order.
    public let tokens: [Token]

    /// The patches' tokens after the block and the model's last normalisation, `[patches, embedDim]`.
    public let features: Tensor

    /// The patches' keys in the attention of ``AttentionReader/keysBlock``, `[patches, embedDim]`, the heads behind one
    /// another.
    public let keys: Tensor

    /// The scores of the classes; empty where the block is not the last one or the model has no classifier.
    public let logits: [Float]
}
