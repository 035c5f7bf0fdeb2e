public import Torch

/// What a model without head returns.
public struct BaseModelOutputWithPooling {
    /// The tokens after the last normalisation, `[batch, tokens, hiddenSize]`: class, distillation for a DeiT, registers
    /// where there are any, patches.
    public let lastHiddenState: Tensor

    /// The pooled class token, `[batch, poolerOutputSize]`; nil for a model without pooler, of a DINOv2 the class token
    /// itself.
    public let poolerOutput: Tensor?

    /// The tokens before the first layer and after every layer, `[batch, tokens, hiddenSize]` each; nil where nobody asked.
    ///
    /// The last one is the state before the last normalisation, as transformers has it: not ``lastHiddenState``.
    public let hiddenStates: [Tensor]?

    /// The attention probabilities of every layer, `[batch, heads, tokens, tokens]` each; nil where nobody asked.
    public let attentions: [Tensor]?
}

/// What a classifier with one head returns.
public struct ImageClassifierOutput {
    /// The loss against the labels, one number; nil without labels.
    public let loss: Tensor?

    /// The scores before any softmax, `[batch, numLabels]`; without classes what the classifier would read.
    public let logits: Tensor

    /// The tokens before the first layer and after every layer; see ``BaseModelOutputWithPooling/hiddenStates``.
    public let hiddenStates: [Tensor]?

    /// The attention probabilities of every layer; see ``BaseModelOutputWithPooling/attentions``.
    public let attentions: [Tensor]?
}

/// What a classifier with a head on either token returns.
///
/// There is no loss, as transformers has none here: train such a model with the room `Training`.
public struct DeiTForImageClassificationWithTeacherOutput {
    /// The prediction, the mean of both heads, `[batch, numLabels]`.
    public let logits: Tensor

    /// The scores of the head on the class token, `[batch, numLabels]`.
    public let clsLogits: Tensor

    /// The scores of the head on the distillation token, `[batch, numLabels]`.
    public let distillationLogits: Tensor

    /// The tokens before the first layer and after every layer; see ``BaseModelOutputWithPooling/hiddenStates``.
    public let hiddenStates: [Tensor]?

    /// The attention probabilities of every layer; see ``BaseModelOutputWithPooling/attentions``.
    public let attentions: [Tensor]?
}

/// What masked image modelling returns.
public struct MaskedImageModelingOutput {
    /// The mean absolute difference over the masked pixels, one number; nil without mask.
    public let loss: Tensor?

    /// The image that the tokens represent, `[batch, numChannels, rows, columns]`.
    public let reconstruction: Tensor

    /// The tokens before the first layer and after every layer; see ``BaseModelOutputWithPooling/hiddenStates``.
    public let hiddenStates: [Tensor]?

    /// The attention probabilities of every layer; see ``BaseModelOutputWithPooling/attentions``.
    public let attentions: [Tensor]?
}
