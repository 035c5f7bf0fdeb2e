// Gradients of weights: the gradient of the outputs, transposed, times the inputs, with the tokens of all images as
// depth.
#include "gradient.h"

#include <algorithm>
#include <cstring>

#include "../parallel.h"
#include "products.h"

namespace ctorch::block {
namespace {

// An item of work: a panel of inputs with so many outputs.
constexpr int64_t item_outputs = 256;

enum LayerIndex { qkv, proj, fc1, fc2 };

int64_t elements(const Layer &layer) { return layer.outputs.total() * layer.inputs.total(); }

/// Whether the folded weight's gradient is of use.
bool needs_weight(const LayerGradients &gradients) {
    return gradients.weight.defined() || gradients.norm_weight.defined() || gradients.gain.defined();
}

}  // namespace

WeightSums::WeightSums(const Kernels &kernels, const Shape &shape, const Layers &layers, const BlockTensors &gradients)
    : kernels_(kernels),
      shape_(shape),
      memory_((elements(layers.qkv) + elements(layers.proj) + elements(layers.fc1) + elements(layers.fc2)) * 4) {
    auto *weight = reinterpret_cast<float *>(memory_.data());
    const auto add = [&](const Layer &layer, const LayerGradients &of) {
        sums_.push_back({layer, of, std::vector<float>(static_cast<size_t>(layer.outputs.total())), weight});
        weight += elements(layer);
    };
    add(layers.qkv, {gradients.qkv_weight, gradients.qkv_bias, gradients.norm1_weight, gradients.norm1_bias, {}});
    add(layers.proj, {gradients.proj_weight, gradients.proj_bias, {}, {}, gradients.scale1});
    add(layers.fc1, {gradients.fc1_weight, gradients.fc1_bias, gradients.norm2_weight, gradients.norm2_bias, {}});
    add(layers.fc2, {gradients.fc2_weight, gradients.fc2_bias, {}, {}, gradients.scale2});
}

void WeightSums::add(const std::vector<GroupImage> &group) {
    struct Item {
        int which;
        int64_t panel, first_output, last_output;
    };
    std::vector<Item> items;
    for (const auto which : {fc1, qkv, fc2, proj}) {
        if (!needs_weight(sums_[which].gradients)) continue;
        const auto outputs = sums_[which].layer.outputs.total(),
                   panels = Panels{sums_[which].layer.inputs.total(), kernels_.base->panel_width}.count();
        for (int64_t panel = 0; panel < panels; ++panel)
            for (int64_t first = 0; first < outputs; first += item_outputs)
                items.push_back({which, panel, first, std::min(first + item_outputs, outputs)});
    }
    const auto chunk = shape_.token_depth() * kernels_.base->panel_width * shape_.element_size();
    parallel_items(static_cast<int64_t>(items.size()), [&](const ItemSource &next) {
        const Borrowed scratch(chunk);
        while (const auto index = next()) {
            const auto &item = items[static_cast<size_t>(*index)];
            add_panel(group, item.which, item.panel, item.first_output, item.last_output, scratch.data());
        }
    });
    const auto add_sums = [](Sum &sum, const float *columns) {
        for (size_t i = 0; i < sum.bias.size(); ++i) sum.bias[i] += columns[i];
        sum.is_empty = false;
    };
    for (const auto &image : group) {
        if (image.has_attention) {
            add_sums(sums_[qkv], image.gradients.qkv_sums);
            add_sums(sums_[proj], image.gradients.proj_sums);
        }
        if (image.has_feed_forward) {
            add_sums(sums_[fc1], image.gradients.fc1_sums);
            add_sums(sums_[fc2], image.gradients.fc2_sums);
        }
    }
}

void WeightSums::add_panel(const std::vector<GroupImage> &group, int which, int64_t panel, int64_t first_output,
                           int64_t last_output, char *scratch) {
    const auto &sum = sums_[static_cast<size_t>(which)];
    const auto size = shape_.element_size(), depth = shape_.token_depth(), tokens = shape_.tokens,
               interleave = kernels_.base->interleave, columns = sum.layer.inputs.total();
    const Panels inputs{columns, kernels_.base->panel_width}, outputs{sum.layer.outputs.total(), inputs.width};
    const auto first = inputs.first_column(panel), width = inputs.width_of(panel), pitch = shape_.pitch_of(columns);
    bool adds = !sum.is_empty;
    for (const auto &image : group) {
        if (!(which < fc1 ? image.has_attention : image.has_feed_forward)) continue;
        const auto &kept = image.kept;
        const char *const rows[] = {kept.normal1, kept.attended, kept.normal2}, *const gradients[] = {
                                                                                    image.gradients.qkv,
                                                                                    image.gradients.proj,
                                                                                    image.gradients.fc1,
                                                                                    image.gradients.fc2};
        const char *packed = image.gradients.active + inputs.offset_of(panel, depth) * size;
        if (which != fc2) {
            kernels_.pack_rows(rows[which] + first * size, pitch, tokens, width, scratch, width * interleave);
            packed = scratch;
        }
        for (auto output = first_output; output < last_output; output += outputs.width) {
            const auto index = output / outputs.width, count = outputs.width_of(index);
            kernels_.product_transposed(gradients[which] + outputs.offset_of(index, depth) * size, count * interleave,
                                        count, packed, width, depth, sum.weight + output * columns + first, columns,
                                        adds);
        }
        adds = true;
    }
}

void WeightSums::write() const {
    for (const auto &sum : sums_) {
        // All images dropped the branch.
        if (sum.is_empty) std::memset(sum.weight, 0, static_cast<size_t>(elements(sum.layer)) * sizeof(float));
        unfold(kernels_, sum.layer, sum.weight, sum.bias.data(), sum.gradients);
    }
}

}  // namespace ctorch::block
