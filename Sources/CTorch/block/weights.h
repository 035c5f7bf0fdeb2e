// A block's linear layers: packed for products forward and backward, and their gradients unfolded again.
//
// What is around a layer is folded into its weight, as in the fused encoder:
//
//   W' = gain · W · norm_weight,  b' = gain · (b + W norm_bias)
//
// so the pass computes gradients with respect to W' and b', from which follow
//
//   of W            gain · (norm_weight · dW' + norm_bias · db')     of b       gain · db'
//   of norm_weight  Σ over outputs of gain · W · dW'                 of gain    Σ over inputs of W · dW' + b · db'
//   of norm_bias    Σ over outputs of gain · W · db'
//
// (where gain is the layer scale, and for queries a constant).
#pragma once

#include <vector>

#include "shape.h"

namespace ctorch::block {

/// Runs of `width` units that take `padded` columns each.
struct Segments {
    int64_t count, width, padded;

    int64_t units() const { return count * width; }
    int64_t total() const { return count * padded; }
    int64_t place(int64_t unit) const { return unit / width * padded + unit % width; }
};

/// A linear layer of a block, with what is folded into it. Pointers but `weight` may be null.
struct Layer {
    const float *weight, *bias, *norm_weight, *norm_bias, *gain;
    Segments outputs, inputs;
    /// The first outputs have another factor.
    int64_t scaled_outputs;
    float scale;

    float factor(int64_t output) const { return (gain ? gain[output] : 1) * (output < scaled_outputs ? scale : 1); }
};

struct Layers {
    Layer qkv, proj, fc1, fc2;

    Layers(const Shape &shape, const BlockTensors &tensors);
};

/// A matrix packed as panels, in memory out of the pool.
struct PackedMatrix {
    int64_t depth;
    Panels panels;
    Borrowed memory;
    std::vector<float> bias;

    const char *panel(int64_t index, int64_t element_size) const {
        return memory.data() + panels.offset_of(index, depth) * element_size;
    }
};

/// The folded weight as [inputs, outputs], with its bias: outputs = inputs · matrix + bias.
PackedMatrix pack_forward(const Kernels &kernels, const Layer &layer);

/// The folded weight as [outputs, inputs]: gradient of inputs = gradient of outputs · matrix.
PackedMatrix pack_backward(const Kernels &kernels, const Layer &layer);

/// Where a layer's gradients go; undefined ones are not wanted.
struct LayerGradients {
    at::Tensor weight, bias, norm_weight, norm_bias, gain;
};

/// Computes the gradients from those of the folded weight, `[padded outputs, padded inputs]`, and bias.
void unfold(const Kernels &kernels, const Layer &layer, const float *folded_weight, const float *folded_bias,
            const LayerGradients &gradients);

}  // namespace ctorch::block
