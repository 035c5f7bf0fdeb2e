// Packs weights once for all passes; layout.h draws the result.
#include "packing.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "../parallel.h"

namespace ctorch::encoder {

namespace {

// Large pages, where the system has them: a network's weights are read from end to end in every pass.
constexpr int64_t page = 2 << 20;

// So many outputs and inputs at a time: what they are written to stays in the first cache.
constexpr int64_t outputs_at_once = 64, inputs_at_once = 64;

struct Outputs {
    double bias[outputs_at_once], sum[outputs_at_once];
};

/// The weights of some inputs and outputs, and their share in the biases and sums.
template <typename Element>
void pack_weights(PackedLinear &packed, const PackedPart &part, int64_t first_output, int64_t last_output,
                  int64_t first_input, int64_t last_input, Outputs &outputs) {
    constexpr bool is_int8 = sizeof(Element) == 1;
    constexpr int64_t interleave = sizeof(float) / sizeof(Element);
    const auto &source = part.source;
    for (auto output = first_output; output < last_output; ++output) {
        const auto *row = source.weight + output * source.weight_pitch;
        const auto column = part.first_column + output, panel = column / packed.panels.width;
        const auto step = packed.panels.width_of(panel) * interleave;
        auto *to = packed.weights.as<Element>() + packed.panels.offset_of(panel, packed.depth) +
                   (column - panel * packed.panels.width) * interleave;
        const double factor = source.scale * (source.gain ? source.gain[output] : 1);
        auto &bias = outputs.bias[output - first_output], &sum = outputs.sum[output - first_output];
        for (auto input = first_input; input < last_input; ++input) {
            const double weight = row[input];
            if (source.norm_bias) bias += weight * source.norm_bias[input];
            const auto k = part.first_depth + input;
            auto &place = to[k / interleave * step + k % interleave];
            if constexpr (is_int8) {
                const auto whole = std::clamp(std::nearbyint(row[input] / source.steps[output]), -127.0f, 127.0f);
                sum += whole;
                place = static_cast<int8_t>(whole);
            } else {
                const auto value =
                    static_cast<float>(weight * factor * (source.norm_weight ? source.norm_weight[input] : 1));
                if constexpr (sizeof(Element) == sizeof(float)) {
                    place = value;
                } else {
                    place = bfloat16_bits(value);
                }
            }
        }
    }
}

template <typename Element>
void pack_outputs(PackedLinear &packed, const PackedPart &part, int64_t first, int64_t last) {
    const auto &source = part.source;
    Outputs outputs{};
    for (int64_t input = 0; input < source.inputs; input += inputs_at_once)
        pack_weights<Element>(packed, part, first, last, input, std::min(input + inputs_at_once, source.inputs),
                              outputs);
    for (auto output = first; output < last; ++output) {
        const auto at = static_cast<size_t>(part.first_column + output);
        const double factor = source.scale * (source.gain ? source.gain[output] : 1);
        const double bias = outputs.bias[output - first] + (source.bias ? source.bias[output] : 0);
        packed.bias[at] = static_cast<float>(bias * factor);
        if (!source.steps) continue;
        packed.steps[at] = static_cast<float>(source.steps[output] * factor);
        packed.sums[at] += static_cast<float>(outputs.sum[output - first]);
    }
}

}  // namespace

Memory::Memory(int64_t bytes) {
    const auto alignment = bytes >= page ? page : int64_t{64};
    const auto size = static_cast<size_t>(rounded_up(bytes > 0 ? bytes : 1, alignment));
    bytes_.reset(static_cast<char *>(std::aligned_alloc(static_cast<size_t>(alignment), size)));
    if (!bytes_) throw std::bad_alloc();
#if defined(__linux__)
    if (bytes >= page) madvise(bytes_.get(), size, MADV_HUGEPAGE);
#endif
    std::memset(bytes_.get(), 0, size);
}

void Memory::Free::operator()(char *bytes) const { std::free(bytes); }

uint16_t bfloat16_bits(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (std::isnan(value)) return 0x7fc0;
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

PackedLinear pack(const PackedFormat &format, int64_t depth, int64_t columns, const std::vector<PackedPart> &parts) {
    PackedLinear packed;
    packed.depth = rounded_up(depth, format.depth_step);
    packed.element_size = format.element_size;
    packed.panels = {rounded_up(columns, strip), format.panel_width};
    packed.weights = Memory(packed.depth * packed.panels.columns * format.element_size);
    for (auto *numbers : {&packed.bias, &packed.steps, &packed.sums})
        numbers->assign(static_cast<size_t>(packed.panels.columns), 0);
    for (const auto &part : parts)
        parallel_for(part.source.outputs, outputs_at_once, [&](int64_t from, int64_t to) {
            for (auto first = from; first < to; first += outputs_at_once) {
                const auto last = std::min(first + outputs_at_once, to);
                switch (format.element_size) {
                    case sizeof(float): pack_outputs<float>(packed, part, first, last); break;
                    case sizeof(uint16_t): pack_outputs<uint16_t>(packed, part, first, last); break;
                    default: pack_outputs<int8_t>(packed, part, first, last);
                }
            }
        });
    return packed;
}

}  // namespace ctorch::encoder
