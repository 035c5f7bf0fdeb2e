// The backward pass of an image, and the schedule of groups of images.
#include <ATen/Parallel.h>

#include <cstring>

#include "../parallel.h"
#include "attention.h"
#include "block.h"
#include "gradient.h"

namespace ctorch::block {
namespace {

/// A thread's memory. All but the two of float32 are operands.
///
///   middle    [tokens, width] float32     gradient of the residual stream between the branches
///   normal    [tokens, width] float32     gradient of normalised rows
///   branch    [tokens, width]             gradient of a branch's output
///   wide      [tokens, hidden or 3 · heads · head]   gradient of fc1's or qkv's outputs
///   active    [tokens, hidden]            after the GELU
///   attended  [tokens, heads · head]      gradient of attention's result
struct Scratch {
    float *middle, *normal;
    char *branch, *wide, *active, *attended;
    AttentionScratch attention;

    Scratch(const Kernels &kernels, const Shape &shape, Places &places)
        : middle(places.take<float>(shape.tokens * shape.width)),
          normal(places.take<float>(shape.tokens * shape.width)),
          branch(rows(shape, shape.width, places)),
          wide(rows(shape, std::max(shape.padded_hidden(), 3 * shape.attended()), places)),
          active(rows(shape, shape.padded_hidden(), places)),
          attended(rows(shape, shape.attended(), places)),
          attention(kernels, shape, true, places) {}

    static char *rows(const Shape &shape, int64_t columns, Places &places) {
        return places.take<char>(shape.tokens * (columns + encoder::row_padding) * shape.element_size());
    }
};

struct Packed {
    PackedMatrix qkv, proj, fc1, fc2;

    Packed(const Kernels &kernels, const Layers &layers)
        : qkv(pack_backward(kernels, layers.qkv)),
          proj(pack_backward(kernels, layers.proj)),
          fc1(pack_backward(kernels, layers.fc1)),
          fc2(pack_backward(kernels, layers.fc2)) {}
};

struct Pass {
    const Kernels &kernels;
    const Shape &shape;
    const Packed &packed;
    const Scratch &scratch;

    /// Rows of operands packed for the gradient of a weight.
    void pack(const char *rows, int64_t columns, char *to) const {
        pack_rows(kernels, rows, shape.pitch_of(columns), shape.tokens, {columns, kernels.base->panel_width},
                  shape.token_depth(), to);
    }

    /// The gradient of a branch's output in scratch.branch, and packed.
    void enter(const float *gradient, float factor, char *to, float *sums) const {
        std::memset(sums, 0, static_cast<size_t>(shape.width) * sizeof(float));
        kernels.scale(gradient, shape.tokens, shape.width, factor, scratch.branch, shape.pitch_of(shape.width), sums);
        pack(scratch.branch, shape.width, to);
    }

    /// out = through + the gradient through a normalisation of `matrix`'s inputs.
    void leave(const char *wide, int64_t columns, const PackedMatrix &matrix, const char *normal, const float *rstd,
               const float *through, float *out) const {
        multiply_into(kernels, wide, shape.pitch_of(columns), shape.tokens, matrix, scratch.normal);
        kernels.normalize_gradient(scratch.normal, normal, shape.pitch_of(shape.width), rstd, shape.tokens, shape.width,
                                   through, out);
    }

    void feed_forward(const GroupImage &image, const float *gradient, float factor, float *out) const {
        const auto hidden = shape.padded_hidden(), pitch = shape.pitch_of(hidden);
        const auto &to = image.gradients;
        enter(gradient, factor, to.fc2, to.fc2_sums);
        std::memset(to.fc1_sums, 0, static_cast<size_t>(hidden) * sizeof(float));
        multiply(kernels, scratch.branch, shape.pitch_of(shape.width), shape.tokens, packed.fc2, scratch.attention.tile,
                 [&](const Tile &tile) {
                     const auto place = (tile.row * pitch + tile.column) * shape.element_size();
                     kernels.gelu_gradient(tile.numbers, tile.pitch, tile.rows, tile.width, image.kept.hidden + place,
                                           scratch.active + place, scratch.wide + place, pitch,
                                           to.fc1_sums + tile.column);
                 });
        pack(scratch.wide, hidden, to.fc1);
        pack(scratch.active, hidden, to.active);
        leave(scratch.wide, hidden, packed.fc1, image.kept.normal2, image.kept.rstd2, gradient, out);
    }

    void attend(const GroupImage &image, const float *gradient, float factor, float *out) const {
        const auto attended = shape.attended(), pitch = shape.pitch_of(attended), columns = 3 * attended;
        const auto &to = image.gradients;
        enter(gradient, factor, to.proj, to.proj_sums);
        // The sums of these columns are nobody's gradient, and go where others will replace them.
        multiply(kernels, scratch.branch, shape.pitch_of(shape.width), shape.tokens, packed.proj,
                 scratch.attention.tile, [&](const Tile &tile) {
                     kernels.store(tile.numbers, tile.pitch, tile.rows, tile.width,
                                   scratch.attended + (tile.row * pitch + tile.column) * shape.element_size(), pitch,
                                   to.qkv_sums + tile.column);
                 });
        std::memset(to.qkv_sums, 0, static_cast<size_t>(columns) * sizeof(float));
        Attention(kernels, shape, scratch.attention).backward(image.kept, scratch.attended, scratch.wide, to.qkv_sums);
        pack(scratch.wide, columns, to.qkv);
        leave(scratch.wide, columns, packed.qkv, image.kept.normal1, image.kept.rstd1, gradient, out);
    }
};

// As many images as keep all threads busy, for less than some megabytes of gradients where images are large.
int64_t group_size(const Shape &shape) {
    constexpr int64_t rows = 1536;
    const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    return std::min(shape.images, std::max(4 * threads, rounded_up(rows / shape.tokens + 1, threads)));
}

}  // namespace

void backward(const Kernels &kernels, const Shape &shape, const BlockTensors &tensors, const BranchFactors &factors,
              const at::Tensor &gradient, char *kept, const Gradients &gradients) {
    const Layers layers(shape, tensors);
    const Packed packed(kernels, layers);
    WeightSums sums(kernels, shape, layers, gradients.tensors);
    const auto *from = gradient.const_data_ptr<float>();
    auto *to = gradients.x.mutable_data_ptr<float>();
    const auto size = group_size(shape), image_elements = shape.tokens * shape.width;
    const Borrowed group_memory(size * OutputGradients::bytes(shape));
    Places counting(nullptr);
    Scratch(kernels, shape, counting);
    for (int64_t first = 0; first < shape.images; first += size) {
        std::vector<GroupImage> group;
        Places places(group_memory.data());
        for (auto image = first; image < std::min(first + size, shape.images); ++image)
            group.push_back({KeptImage::at(shape, kept, image), OutputGradients(shape, places),
                             factors.of_attention(image) != 0, factors.of_feed_forward(image) != 0});
        parallel_items(static_cast<int64_t>(group.size()), [&](const ItemSource &next) {
            const Borrowed memory(counting.used());
            Places places(memory.data());
            const Scratch scratch(kernels, shape, places);
            const Pass pass{kernels, shape, packed, scratch};
            while (const auto index = next()) {
                const auto &image = group[static_cast<size_t>(*index)];
                const auto number = first + *index, place = number * image_elements;
                const float *through = from + place;
                if (image.has_feed_forward) {
                    auto *out = image.has_attention ? scratch.middle : to + place;
                    pass.feed_forward(image, through, factors.of_feed_forward(number), out);
                    through = out;
                }
                if (image.has_attention) {
                    pass.attend(image, through, factors.of_attention(number), to + place);
                } else if (!image.has_feed_forward) {
                    std::memcpy(to + place, through, static_cast<size_t>(image_elements) * sizeof(float));
                }
            }
        });
        sums.add(group);
    }
    sums.write();
}

}  // namespace ctorch::block
