// Makes a table of kernels from the templates.
//
// Included by kernels_*.cpp only, inside their target.
#pragma once

#include "kernels.h"
#include "rows.h"
#include "transposed.h"

namespace ctorch::block {
namespace {

/// The loops for one type of operands: functions around the templates, which are inlined into them.
template <typename Element, int tile_vectors>
struct Loops {
    static void product_transposed(const void *a, int64_t a_step, int64_t rows, const void *panel, int64_t width,
                                   int64_t depth, float *tile, int64_t tile_pitch, bool adds) {
        encoder::multiply_transposed<Element, tile_vectors>(a, a_step, rows, panel, width, depth, tile, tile_pitch,
                                                            adds);
    }
    static void pack_rows(const void *rows, int64_t pitch, int64_t count, int64_t width, void *panel, int64_t step) {
        encoder::pack_as_depths<Element>(rows, pitch, count, width, panel, step);
    }
    static void pack_columns(const void *rows, int64_t pitch, int64_t count, int64_t padded, int64_t depth, void *panel,
                             int64_t step) {
        encoder::pack_as_columns<Element>(rows, pitch, count, padded, depth, panel, step);
    }
    static void normalize(const float *x, int64_t rows, int64_t width, float eps, void *out, int64_t pitch,
                          float *rstd) {
        encoder::normalize_rows_keeping<Element>(x, rows, width, eps, out, pitch, rstd);
    }
    static void softmax(const float *scores, int64_t pitch, int64_t rows, int64_t count, int64_t padded, void *out,
                        int64_t out_pitch, float *factors, float *logarithms) {
        encoder::softmax_rows_keeping<Element>(scores, pitch, rows, count, padded, out, out_pitch, factors, logarithms);
    }
    static void store_gelu(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                           void *before, void *after, int64_t pitch) {
        encoder::store_rows_gelu_keeping<Element>(tile, tile_pitch, rows, width, bias, before, after, pitch);
    }
    static void add(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, float factor,
                    const float *x, float *out, int64_t pitch) {
        encoder::add_rows_scaled(tile, tile_pitch, rows, width, bias, factor, x, out, pitch);
    }
    static void scale(const float *x, int64_t rows, int64_t width, float factor, void *out, int64_t pitch,
                      float *sums) {
        encoder::scale_rows<Element>(x, rows, width, factor, out, pitch, sums);
    }
    static void store(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, void *out, int64_t pitch,
                      float *sums) {
        encoder::store_rows_summed<Element>(tile, tile_pitch, rows, width, out, pitch, sums);
    }
    static void gelu_gradient(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const void *before,
                              void *after, void *out, int64_t pitch, float *sums) {
        encoder::store_rows_gelu_gradient<Element>(tile, tile_pitch, rows, width, before, after, out, pitch, sums);
    }
    static void normalize_gradient(const float *h, const void *n, int64_t n_pitch, const float *rstd, int64_t rows,
                                   int64_t width, const float *through, float *out) {
        encoder::normalize_rows_gradient<Element>(h, n, n_pitch, rstd, rows, width, through, out);
    }
    static void dot_rows(const void *a, int64_t a_pitch, const void *b, int64_t b_pitch, int64_t rows, int64_t width,
                         float *out) {
        encoder::dots_of_rows<Element>(a, a_pitch, b, b_pitch, rows, width, out);
    }
    static void score_gradient(const float *scores, const float *gradients, int64_t pitch, int64_t rows, int64_t width,
                               const float *logarithms, const float *dots, void *weights, void *out,
                               int64_t out_pitch) {
        encoder::score_rows_gradient<Element>(scores, gradients, pitch, rows, width, logarithms, dots, weights, out,
                                              out_pitch);
    }
    static float fold(const float *row, int64_t count, float factor, const float *norm_weight, const float *norm_bias,
                      void *out) {
        return encoder::fold_row<Element>(row, count, factor, norm_weight, norm_bias, out);
    }
    static void unfold(const float *row, const float *gradient, int64_t count, float factor, float bias_gradient,
                       const float *norm_weight, const float *norm_bias, float *out, float *norm_weight_gradient,
                       float *norm_bias_gradient) {
        encoder::unfold_row(row, gradient, count, factor, bias_gradient, norm_weight, norm_bias, out,
                            norm_weight_gradient, norm_bias_gradient);
    }

    static constexpr Kernels table(const encoder::Kernels &base) {
        return {.base = &base,
                .product_transposed = product_transposed,
                .pack_rows = pack_rows,
                .pack_columns = pack_columns,
                .normalize = normalize,
                .softmax = softmax,
                .store_gelu = store_gelu,
                .add = add,
                .scale = scale,
                .store = store,
                .gelu_gradient = gelu_gradient,
                .normalize_gradient = normalize_gradient,
                .dot_rows = dot_rows,
                .score_gradient = score_gradient,
                .fold = fold,
                .unfold = unfold};
    }
};

}  // namespace
}  // namespace ctorch::block
