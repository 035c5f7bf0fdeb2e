// Packs weights once for all passes; layout.h draws the result.
#include "packing.h"

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

void pack_output(const Kernels &kernels, PackedLinear &packed, const PackedPart &part, int64_t output) {
    const auto &source = part.source;
    const auto *row = source.weight + output * source.weight_pitch;
    const auto column = part.first_column + output, panel = column / packed.panels.width;
    const auto interleave = kernels.interleave, step = packed.panels.width_of(panel) * interleave;
    const auto start =
        packed.panels.offset_of(panel, packed.depth) + (column - panel * packed.panels.width) * interleave;
    const bool is_float = kernels.element_size == sizeof(float);
    const double factor = source.scale * (source.gain ? source.gain[output] : 1);
    double bias = source.bias ? source.bias[output] : 0;
    for (int64_t input = 0; input < source.inputs; ++input) {
        const double weight = row[input];
        if (source.norm_bias) bias += weight * source.norm_bias[input];
        const auto value = static_cast<float>(weight * factor * (source.norm_weight ? source.norm_weight[input] : 1));
        const auto k = part.first_depth + input, index = start + k / interleave * step + k % interleave;
        if (is_float) {
            packed.weights.as<float>()[index] = value;
        } else {
            packed.weights.as<uint16_t>()[index] = bfloat16_bits(value);
        }
    }
    packed.bias[static_cast<size_t>(column)] = static_cast<float>(bias * factor);
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

PackedLinear pack(const Kernels &kernels, int64_t depth, int64_t columns, const std::vector<PackedPart> &parts) {
    PackedLinear packed;
    packed.depth = rounded_up(depth, kernels.depth_step);
    packed.panels = {rounded_up(columns, strip), kernels.panel_width};
    packed.weights = Memory(packed.depth * packed.panels.columns * kernels.element_size);
    packed.bias.assign(static_cast<size_t>(packed.panels.columns), 0);
    for (const auto &part : parts)
        parallel_for(part.source.outputs, 64, [&](int64_t from, int64_t to) {
            for (auto output = from; output < to; ++output) pack_output(kernels, packed, part, output);
        });
    return packed;
}

}  // namespace ctorch::encoder
