// The forward pass: an image is one thread's from the first normalisation to the last sum.
#include <cstring>

#include "../parallel.h"
#include "attention.h"
#include "block.h"

namespace ctorch::block {
namespace {

/// A thread's memory.
///
///   middle  [tokens, width] float32     the residual stream between the branches
///   active  [tokens, hidden]            after the GELU
struct Scratch {
    float *middle;
    char *active;
    AttentionScratch attention;

    Scratch(const Kernels &kernels, const Shape &shape, Places &places)
        : middle(places.take<float>(shape.tokens * shape.width)),
          active(places.take<char>(shape.tokens * shape.pitch_of(shape.padded_hidden()) * shape.element_size())),
          attention(kernels, shape, false, places) {}
};

struct Packed {
    PackedMatrix qkv, proj, fc1, fc2;

    Packed(const Kernels &kernels, const Layers &layers)
        : qkv(pack_forward(kernels, layers.qkv)),
          proj(pack_forward(kernels, layers.proj)),
          fc1(pack_forward(kernels, layers.fc1)),
          fc2(pack_forward(kernels, layers.fc2)) {}
};

struct Pass {
    const Kernels &kernels;
    const Shape &shape;
    const Packed &packed;
    const Scratch &scratch;

    /// Operands of a kept row, from a tile's first element on.
    char *at(char *rows, int64_t pitch, const Tile &tile) const {
        return rows + (tile.row * pitch + tile.column) * shape.element_size();
    }

    /// out = x + factor · (tile + bias).
    void add(const Tile &tile, const PackedMatrix &matrix, float factor, const float *x, float *out) const {
        const auto place = tile.row * shape.width + tile.column;
        kernels.add(tile.numbers, tile.pitch, tile.rows, tile.width, matrix.bias.data() + tile.column, factor,
                    x + place, out + place, shape.width);
    }

    void attend(const KeptImage &kept, const float *x, float factor, float *out) const {
        const auto pitch = shape.pitch_of(3 * shape.attended());
        kernels.normalize(x, shape.tokens, shape.width, shape.eps, kept.normal1, shape.pitch_of(shape.width),
                          kept.rstd1);
        auto *scratch_tile = scratch.attention.tile;
        multiply(kernels, kept.normal1, shape.pitch_of(shape.width), shape.tokens, packed.qkv, scratch_tile,
                 [&](const Tile &tile) {
                     kernels.base->store(tile.numbers, tile.pitch, tile.rows, tile.width,
                                         packed.qkv.bias.data() + tile.column, at(kept.qkv, pitch, tile), pitch);
                 });
        Attention(kernels, shape, scratch.attention).forward(kept);
        multiply(kernels, kept.attended, shape.pitch_of(shape.attended()), shape.tokens, packed.proj, scratch_tile,
                 [&](const Tile &tile) { add(tile, packed.proj, factor, x, out); });
    }

    void feed_forward(const KeptImage &kept, const float *x, float factor, float *out) const {
        const auto pitch = shape.pitch_of(shape.padded_hidden());
        kernels.normalize(x, shape.tokens, shape.width, shape.eps, kept.normal2, shape.pitch_of(shape.width),
                          kept.rstd2);
        auto *scratch_tile = scratch.attention.tile;
        multiply(kernels, kept.normal2, shape.pitch_of(shape.width), shape.tokens, packed.fc1, scratch_tile,
                 [&](const Tile &tile) {
                     kernels.store_gelu(tile.numbers, tile.pitch, tile.rows, tile.width,
                                        packed.fc1.bias.data() + tile.column, at(kept.hidden, pitch, tile),
                                        at(scratch.active, pitch, tile), pitch);
                 });
        multiply(kernels, scratch.active, pitch, shape.tokens, packed.fc2, scratch_tile,
                 [&](const Tile &tile) { add(tile, packed.fc2, factor, x, out); });
    }
};

}  // namespace

at::Tensor forward(const Kernels &kernels, const Shape &shape, const BlockTensors &tensors,
                   const BranchFactors &factors, const at::Tensor &x, char *kept) {
    const Packed packed(kernels, Layers(shape, tensors));
    auto out = borrowed_tensor(x.sizes(), at::kFloat);
    const auto *from = x.const_data_ptr<float>();
    auto *to = out.mutable_data_ptr<float>();
    Places counting(nullptr);
    Scratch(kernels, shape, counting);
    parallel_items(shape.images, [&](const ItemSource &next) {
        const Borrowed memory(counting.used());
        Places places(memory.data());
        const Scratch scratch(kernels, shape, places);
        const Pass pass{kernels, shape, packed, scratch};
        while (const auto image = next()) {
            const auto own = KeptImage::at(shape, kept, *image);
            const auto place = *image * shape.tokens * shape.width;
            const auto of_attention = factors.of_attention(*image), of_feed_forward = factors.of_feed_forward(*image);
            // A dropped branch is not computed.
            const float *middle = from + place;
            if (of_attention != 0) {
                pass.attend(own, middle, of_attention, scratch.middle);
                middle = scratch.middle;
            }
            if (of_feed_forward != 0) {
                pass.feed_forward(own, middle, of_feed_forward, to + place);
            } else {
                std::memcpy(to + place, middle, static_cast<size_t>(shape.tokens * shape.width) * sizeof(float));
            }
        }
    });
    return out;
}

}  // namespace ctorch::block
