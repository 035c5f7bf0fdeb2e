#include "weights.h"

#include <cmath>
#include <cstring>

#include "../parallel.h"

namespace ctorch::block {
namespace {

// Outputs that are folded at a time: a panel of them.
constexpr int64_t panel_width = 64;

const float *data_of(const at::Tensor &tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }

float *mutable_data_of(const at::Tensor &tensor) {
    return tensor.defined() ? tensor.mutable_data_ptr<float>() : nullptr;
}

PackedMatrix empty_matrix(const Kernels &kernels, int64_t depth, int64_t columns) {
    return {depth, {columns, panel_width}, Borrowed(depth * columns * kernels.base->element_size), {}};
}

/// Folds the rows whose padded places are first ..< first + panel_width, as rows of `pitch` elements.
void fold_rows(const Kernels &kernels, const Layer &layer, int64_t first, char *rows, int64_t pitch, float *bias) {
    const auto size = kernels.base->element_size;
    const auto &inputs = layer.inputs;
    if (inputs.width != inputs.padded || layer.outputs.width != layer.outputs.padded)
        std::memset(rows, 0, static_cast<size_t>(panel_width * pitch * size));
    const auto end = std::min(first + panel_width, layer.outputs.total());
    for (auto place = first; place < end; ++place) {
        const auto within = place % layer.outputs.padded;
        if (within >= layer.outputs.width) continue;
        const auto output = place / layer.outputs.padded * layer.outputs.width + within;
        const auto factor = layer.factor(output);
        float shift = layer.bias ? layer.bias[output] : 0;
        for (int64_t segment = 0; segment < inputs.count; ++segment) {
            const auto unit = segment * inputs.width;
            shift += kernels.fold(layer.weight + output * inputs.units() + unit, inputs.width, factor,
                                  layer.norm_weight ? layer.norm_weight + unit : nullptr,
                                  layer.norm_bias ? layer.norm_bias + unit : nullptr,
                                  rows + ((place - first) * pitch + segment * inputs.padded) * size);
        }
        if (bias) bias[place] = shift * factor;
    }
}

/// Calls body(first output's place, count, folded rows, pitch) for every panel of outputs.
template <typename Body>
void for_folded_rows(const Kernels &kernels, const Layer &layer, float *bias, Body body) {
    const auto total = layer.outputs.total(), pitch = layer.inputs.total();
    parallel_for((total + panel_width - 1) / panel_width, 1, [&](int64_t from, int64_t to) {
        const Borrowed rows(panel_width * pitch * kernels.base->element_size);
        for (auto panel = from; panel < to; ++panel) {
            const auto first = panel * panel_width;
            fold_rows(kernels, layer, first, rows.data(), pitch, bias);
            body(first, std::min(panel_width, total - first), rows.data(), pitch);
        }
    });
}

}  // namespace

Layers::Layers(const Shape &shape, const BlockTensors &tensors) {
    const auto &heads = shape.heads;
    const auto width = shape.width;
    const Segments stream{1, width, width}, attended{heads.count, heads.width, heads.padded_width()},
        hidden{1, shape.hidden, shape.padded_hidden()};
    const auto scale = static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(heads.width)));
    qkv = {data_of(tensors.qkv_weight),
           data_of(tensors.qkv_bias),
           data_of(tensors.norm1_weight),
           data_of(tensors.norm1_bias),
           nullptr,
           {3 * heads.count, heads.width, heads.padded_width()},
           stream,
           width,
           scale};
    proj = {data_of(tensors.proj_weight),
            data_of(tensors.proj_bias),
            nullptr,
            nullptr,
            data_of(tensors.scale1),
            stream,
            attended,
            0,
            1};
    fc1 = {data_of(tensors.fc1_weight),
           data_of(tensors.fc1_bias),
           data_of(tensors.norm2_weight),
           data_of(tensors.norm2_bias),
           nullptr,
           hidden,
           stream,
           0,
           1};
    fc2 = {data_of(tensors.fc2_weight),
           data_of(tensors.fc2_bias),
           nullptr,
           nullptr,
           data_of(tensors.scale2),
           stream,
           hidden,
           0,
           1};
}

PackedMatrix pack_forward(const Kernels &kernels, const Layer &layer) {
    const auto depth = layer.inputs.total(), size = kernels.base->element_size;
    auto packed = empty_matrix(kernels, depth, layer.outputs.total());
    packed.bias.assign(static_cast<size_t>(packed.panels.columns), 0);
    for_folded_rows(
        kernels, layer, packed.bias.data(), [&](int64_t first, int64_t count, const char *rows, int64_t pitch) {
            kernels.pack_columns(rows, pitch, count, count, depth, packed.memory.data() + first * depth * size,
                                 count * kernels.base->interleave);
        });
    return packed;
}

PackedMatrix pack_backward(const Kernels &kernels, const Layer &layer) {
    const auto depth = layer.outputs.total(), size = kernels.base->element_size;
    auto packed = empty_matrix(kernels, depth, layer.inputs.total());
    const auto &panels = packed.panels;
    for_folded_rows(kernels, layer, nullptr, [&](int64_t first, int64_t count, const char *rows, int64_t pitch) {
        for (int64_t panel = 0; panel < panels.count(); ++panel) {
            const auto width = panels.width_of(panel);
            kernels.pack_rows(rows + panels.first_column(panel) * size, pitch, count, width,
                              packed.memory.data() + (panels.offset_of(panel, depth) + first * width) * size,
                              width * kernels.base->interleave);
        }
    });
    return packed;
}

void unfold(const Kernels &kernels, const Layer &layer, const float *folded_weight, const float *folded_bias,
            const LayerGradients &gradients) {
    const auto &inputs = layer.inputs, &outputs = layer.outputs;
    const auto units = inputs.units(), pitch = inputs.total();
    const auto row_of = [&](int64_t output) { return folded_weight + outputs.place(output) * pitch; };
    if (auto *gain = mutable_data_of(gradients.gain))
        parallel_for(outputs.units(), 64, [&](int64_t from, int64_t to) {
            for (auto output = from; output < to; ++output) {
                double sum = (layer.bias ? static_cast<double>(layer.bias[output]) : 0) *
                             static_cast<double>(folded_bias[outputs.place(output)]);
                for (int64_t unit = 0; unit < units; ++unit)
                    sum += static_cast<double>(layer.weight[output * units + unit]) *
                           static_cast<double>(row_of(output)[inputs.place(unit)]);
                gain[output] = static_cast<float>(sum);
            }
        });
    if (auto *bias = mutable_data_of(gradients.bias))
        for (int64_t output = 0; output < outputs.units(); ++output)
            bias[output] = layer.factor(output) * folded_bias[outputs.place(output)];
    if (!gradients.weight.defined() && !gradients.norm_weight.defined()) return;
    auto *weight = mutable_data_of(gradients.weight), *norm_weight = mutable_data_of(gradients.norm_weight),
         *norm_bias = mutable_data_of(gradients.norm_bias);
    // Parts of a segment, each with all outputs: sums over outputs then have one order.
    const auto parts = (inputs.width + panel_width - 1) / panel_width;
    parallel_for(inputs.count * parts, 1, [&](int64_t from, int64_t to) {
        float norm_sums[2][panel_width], unused[panel_width];
        for (auto part = from; part < to; ++part) {
            const auto within = part % parts * panel_width, unit = part / parts * inputs.width + within,
                       count = std::min(panel_width, inputs.width - within);
            std::memset(norm_sums, 0, sizeof norm_sums);
            for (int64_t output = 0; output < outputs.units(); ++output)
                kernels.unfold(layer.weight + output * units + unit, row_of(output) + inputs.place(unit), count,
                               layer.factor(output), folded_bias[outputs.place(output)],
                               layer.norm_weight ? layer.norm_weight + unit : nullptr,
                               layer.norm_bias ? layer.norm_bias + unit : nullptr,
                               weight ? weight + output * units + unit : unused, norm_sums[0], norm_sums[1]);
            const auto bytes = static_cast<size_t>(count) * sizeof(float);
            if (norm_weight) std::memcpy(norm_weight + unit, norm_sums[0], bytes);
            if (norm_bias) std::memcpy(norm_bias + unit, norm_sums[1], bytes);
        }
    });
}

}  // namespace ctorch::block
