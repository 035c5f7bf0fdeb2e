// Weights as packed matrices, with the affine parts around them folded in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels.h"
#include "layout.h"

namespace ctorch::encoder {

/// Memory that starts at a cache line, of zeros at first.
class Memory {
  public:
    Memory() = default;
    explicit Memory(int64_t bytes);
    Memory(Memory &&) = default;
    Memory &operator=(Memory &&) = default;

    char *data() const { return bytes_.get(); }
    template <typename T>
    T *as() const {
        return reinterpret_cast<T *>(bytes_.get());
    }

  private:
    struct Free {
        void operator()(char *bytes) const;
    };
    std::unique_ptr<char, Free> bytes_;
};

/// A linear layer, packed: operands · weights + bias.
struct PackedLinear {
    int64_t depth = 0, element_size = 0;
    Panels panels{0, 0};
    Memory weights;
    /// One for each column, zeros for the padding; steps and sums (ColumnSteps) only in 8 bits.
    std::vector<float> bias, steps, sums;

    const char *panel(int64_t index) const { return weights.data() + panels.offset_of(index, depth) * element_size; }
};

/// Where a linear layer's weights come from and what is folded into them. All pointers but `weight` may be null.
///
///   out = (gain · (W (norm_weight · x + norm_bias) + b)) · scale
///       = (gain · scale · W · norm_weight) x + gain · scale · (W norm_bias + b)
///
/// In 8 bits W is `steps` times whole numbers, and these stay what they are: gain and scale are folded into the steps,
/// and x comes multiplied with norm_weight already.
struct LinearSource {
    /// `[outputs, inputs]`, rows of `weight_pitch` elements.
    const float *weight;
    int64_t weight_pitch, outputs, inputs;
    const float *bias = nullptr;
    /// The affine part of the normalisation before the layer, one for each input.
    const float *norm_weight = nullptr, *norm_bias = nullptr;
    /// The layer scale after the layer, one for each output.
    const float *gain = nullptr;
    /// One factor for all outputs.
    double scale = 1;
    /// The step of each output's weights, in 8 bits.
    const float *steps = nullptr;
};

/// A part of a packed matrix: outputs of the source as columns from `first_column`, inputs as depths from
/// `first_depth`. What no part covers stays zero.
struct PackedPart {
    LinearSource source;
    int64_t first_column, first_depth;
};

/// Packs the parts side by side.
PackedLinear pack(const PackedFormat &format, int64_t depth, int64_t columns, const std::vector<PackedPart> &parts);

/// Rounds to the nearest even, as the kernels do.
uint16_t bfloat16_bits(float value);

}  // namespace ctorch::encoder
