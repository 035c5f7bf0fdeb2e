// The loops of a transformer block with its gradient, for one kind of processor and one type of operands.
//
// They complete the table of the fused encoder (../encoder/kernels.h), whose product, epilogues and layouts serve here
// as well. Each kernels_*.cpp compiles the templates of transposed.h, rows.h and scores.h for its instructions.
#pragma once

#include "../encoder/kernels.h"

namespace ctorch::block {

struct Kernels {
    /// The table of the same processor and type.
    const encoder::Kernels *base;

    // ---- Products whose depth are the tokens: gradients of weights, queries

    /// tile[rows, width] = aᵀ · panel, or += where `adds`. `a` lies as a panel does (encoder/layout.h), its steps of
    /// depth `a_step` elements apart: row r of the result belongs to its column r.
    void (*product_transposed)(const void *a, int64_t a_step, int64_t rows, const void *panel, int64_t width,
                               int64_t depth, float *tile, int64_t tile_pitch, bool adds);
    /// Rows of operands as a part of a panel with steps of depth `step` elements apart: row r becomes depth r. A last
    /// odd row is paired with zeros. `width` is a multiple of 32.
    void (*pack_rows)(const void *rows, int64_t pitch, int64_t count, int64_t width, void *panel, int64_t step);
    /// Rows of operands as a part of a panel: row r becomes column r, those from `count` up to `padded`, a multiple of
    /// 16, zeros. `depth` is a multiple of 32.
    void (*pack_columns)(const void *rows, int64_t pitch, int64_t count, int64_t padded, int64_t depth, void *panel,
                         int64_t step);

    // ---- Forward

    /// The base table's normalize(), with 1 / deviation of every row.
    void (*normalize)(const float *x, int64_t rows, int64_t width, float eps, void *out, int64_t pitch, float *rstd);
    /// The base table's softmax(), with the logarithm of every row's sum to base 2.
    void (*softmax)(const float *scores, int64_t pitch, int64_t rows, int64_t count, int64_t padded, void *out,
                    int64_t out_pitch, float *factors, float *logarithms);
    /// before = tile + bias and after = GELU(before), as operands of one pitch.
    void (*store_gelu)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                       void *before, void *after, int64_t pitch);
    /// out = x + factor · (tile + bias); x and out have one pitch, and may be the same.
    void (*add)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, float factor,
                const float *x, float *out, int64_t pitch);

    // ---- Backward. `sums` of columns are added to.

    /// out = factor · x as operands; sums += columns of factor · x.
    void (*scale)(const float *x, int64_t rows, int64_t width, float factor, void *out, int64_t pitch, float *sums);
    /// out = tile as operands; sums += columns of tile.
    void (*store)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, void *out, int64_t pitch,
                  float *sums);
    /// out = tile · GELU'(before) as operands; sums += its columns. after = GELU(before) again, for the gradient of the
    /// weight behind it. All rows of operands have one pitch.
    void (*gelu_gradient)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const void *before,
                          void *after, void *out, int64_t pitch, float *sums);
    /// out = through + (h − mean(h) − n · mean(h · n)) · rstd, where `h` is the gradient of the normalised rows `n`.
    /// All but `n` have rows of `width`; `out` may be `through`.
    void (*normalize_gradient)(const float *h, const void *n, int64_t n_pitch, const float *rstd, int64_t rows,
                               int64_t width, const float *through, float *out);
    /// out[row] = a · b of rows of operands of one pitch each.
    void (*dot_rows)(const void *a, int64_t a_pitch, const void *b, int64_t b_pitch, int64_t rows, int64_t width,
                     float *out);
    /// For transposed scores and gradients of weights, keys down and queries across:
    /// weights = 2^(scores − logarithms[query]), gradients = ln 2 · weights · (gradients − dots[query]), as operands.
    void (*score_gradient)(const float *scores, const float *gradients, int64_t pitch, int64_t rows, int64_t width,
                           const float *logarithms, const float *dots, void *weights, void *out, int64_t out_pitch);

    // ---- Weights. `norm_weight` and `norm_bias` may be null.

    /// out = factor · norm_weight · row as operands. Returns row · norm_bias.
    float (*fold)(const float *row, int64_t count, float factor, const float *norm_weight, const float *norm_bias,
                  void *out);
    /// The gradient of a row from the folded row's and its bias's: out = factor · (norm_weight · gradient + norm_bias ·
    /// bias_gradient), where `norm_weight` is null factor · gradient. Adds to the normalisation's own gradients.
    void (*unfold)(const float *row, const float *gradient, int64_t count, float factor, float bias_gradient,
                   const float *norm_weight, const float *norm_bias, float *out, float *norm_weight_gradient,
                   float *norm_bias_gradient);
};

/// The kernels for float32 or bfloat16 operands on this processor, checked against plain loops; null where there are
/// none.
const Kernels *kernels_for(bool is_bfloat16);

// Compiled for one kind of processor each.
extern const Kernels avx2_float, avx512_float, avx512_bf16;

}  // namespace ctorch::block
