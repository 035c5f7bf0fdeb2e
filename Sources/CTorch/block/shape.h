// The sizes of a block's pass, and where things are in the memory that it keeps for the gradient.
//
// Kept for every image, with rows of operands in bfloat16 or float32:
//
//   normal1   [tokens, width]                 rows normalised before attention, without weight and bias
//   qkv       [tokens, 3 · heads · head]      queries (scaled so that scores are powers of two), keys, values
//   attended  [tokens, heads · head]          attention's result
//   normal2   [tokens, width]                 rows normalised before the feed-forward layers
//   hidden    [tokens, hidden]                before the GELU
//   rstd1, rstd2  [tokens] float32            1 / deviation of the rows that were normalised
//   logarithms    [heads, key columns] float32   log₂ of the sum of every query's powers of two
//
// A head's width and the hidden width are padded to whole strips of 32 with columns whose weights are zero. Neither the
// residual stream nor the weights of attention nor the hidden activations are kept.
//
// A gradient of a linear layer's outputs goes two ways: as rows to the next product, and packed to the gradient of the
// weight, once the whole group of images is through:
//
//   gradient [tokens, outputs] ──► panels of 64 outputs: [outputs / 64][tokens / 2][64][2] in bfloat16
#pragma once

#include <algorithm>

#include "../encoder/encoder.h"
#include "kernels.h"
#include "memory.h"

namespace ctorch::block {

using encoder::BlockTensors;
using encoder::Panels;
using encoder::rounded_up;
using encoder::strip;

struct Shape {
    int64_t images, tokens, width, hidden;
    encoder::Heads heads;
    float eps;
    bool is_bfloat16;

    int64_t element_size() const { return is_bfloat16 ? 2 : 4; }
    int64_t attended() const { return heads.columns(); }
    int64_t padded_hidden() const { return rounded_up(hidden, strip); }
    /// Tokens as the depth of a product, of which bfloat16 takes two at a time, and as its columns.
    int64_t token_depth() const { return is_bfloat16 ? rounded_up(tokens, 2) : tokens; }
    int64_t token_columns() const { return rounded_up(tokens, strip); }
    /// Elements from row to row of operands: their starts should not fall on the same sets of the first cache.
    int64_t pitch_of(int64_t columns) const {
        return columns * element_size() % 512 == 0 ? columns + encoder::row_padding : columns;
    }
};

/// What the forward pass keeps of one image. An image whose branch is dropped has nothing of it.
struct KeptImage {
    char *normal1, *qkv, *attended, *normal2, *hidden;
    float *rstd1, *rstd2, *logarithms;

    KeptImage(const Shape &shape, Places &places) {
        const auto rows = [&](int64_t columns) {
            return places.take<char>(shape.tokens * shape.pitch_of(columns) * shape.element_size());
        };
        normal1 = rows(shape.width);
        qkv = rows(3 * shape.attended());
        attended = rows(shape.attended());
        normal2 = rows(shape.width);
        hidden = rows(shape.padded_hidden());
        rstd1 = places.take<float>(shape.tokens);
        rstd2 = places.take<float>(shape.tokens);
        logarithms = places.take<float>(shape.heads.count * shape.token_columns());
    }

    static int64_t bytes(const Shape &shape) {
        Places counting(nullptr);
        KeptImage(shape, counting);
        return counting.used();
    }
    static KeptImage at(const Shape &shape, char *kept, int64_t image) {
        Places places(kept + image * bytes(shape));
        return {shape, places};
    }
};

/// The factor of every image's branches: 1, or with stochastic depth 0 or 1 / (1 − rate). Null for 1.
struct BranchFactors {
    const float *attention, *feed_forward;

    float of_attention(int64_t image) const { return attention ? attention[image] : 1; }
    float of_feed_forward(int64_t image) const { return feed_forward ? feed_forward[image] : 1; }
};

}  // namespace ctorch::block
