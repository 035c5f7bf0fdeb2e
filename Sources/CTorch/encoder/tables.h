// Makes a table of kernels from the templates.
//
// Included by kernels_*.cpp only, inside their target.
#pragma once

#include "heads.h"
#include "kernels.h"
#include "softmax.h"
#include "tile.h"

namespace ctorch::encoder {
namespace {

/// The loops for one type of operands: functions of the tables around the templates, which are inlined into them.
template <typename Element, int tile_vectors, int64_t panel_width>
struct Loops {
    static void product(const void *a, int64_t a_pitch, int64_t rows, const void *panel, int64_t width, int64_t depth,
                        float *tile, int64_t tile_pitch) {
        multiply_panel<Element, tile_vectors>(a, a_pitch, rows, panel, width, depth, tile, tile_pitch);
    }
    static void normalize(const float *x, int64_t rows, int64_t width, float eps, void *out, int64_t pitch) {
        normalize_rows<Element>(x, rows, width, eps, out, pitch);
    }
    static void normalize_affine(const float *x, int64_t rows, int64_t width, float eps, const float *weight,
                                 const float *bias, float *out, int64_t pitch) {
        normalize_rows_affine(x, rows, width, eps, weight, bias, out, pitch);
    }
    static void store(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, void *out,
                      int64_t pitch) {
        store_rows<Element>(tile, tile_pitch, rows, width, bias, out, pitch);
    }
    static void store_keys(const float *tile, int64_t tile_pitch, int64_t rows, const float *bias, void *keys,
                           int64_t columns, int64_t depth, int64_t first, int64_t first_depth) {
        store_keys_strip<Element, panel_width>(tile, tile_pitch, rows, bias, keys, columns, depth, first, first_depth);
    }
    static void store_values(const float *tile, int64_t tile_pitch, int64_t rows, const float *bias, void *values,
                             int64_t columns, int64_t depth, int64_t first, int64_t first_column) {
        store_values_strip<Element, panel_width>(tile, tile_pitch, rows, bias, values, columns, depth, first,
                                                 first_column);
    }
    static void store_gelu(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                           void *out, int64_t pitch) {
        store_rows_activated<Element>(tile, tile_pitch, rows, width, bias, out, pitch, ExactGelu<Element>());
    }
    static void store_gelu_tanh(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                                void *out, int64_t pitch) {
        store_rows_activated<Element>(tile, tile_pitch, rows, width, bias, out, pitch, TanhGelu());
    }
    static void store_quick_gelu(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                                 void *out, int64_t pitch) {
        store_rows_activated<Element>(tile, tile_pitch, rows, width, bias, out, pitch, QuickGelu());
    }
    static void store_swiglu(const float *gate, const float *tile, int64_t tile_pitch, int64_t rows, int64_t width,
                             const float *gate_bias, const float *bias, void *out, int64_t pitch) {
        store_rows_swiglu<Element>(gate, tile, tile_pitch, rows, width, gate_bias, bias, out, pitch);
    }
    static void add(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, float *x,
                    int64_t pitch) {
        add_rows(tile, tile_pitch, rows, width, bias, x, pitch);
    }
    static void store_scaled(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *factors,
                             void *out, int64_t pitch) {
        store_rows_scaled<Element>(tile, tile_pitch, rows, width, factors, out, pitch);
    }
    static void softmax(const float *scores, int64_t pitch, int64_t rows, int64_t count, int64_t padded, void *out,
                        int64_t out_pitch, float *factors) {
        softmax_rows<Element>(scores, pitch, rows, count, padded, out, out_pitch, factors);
    }

    static void normalize_heads(float *x, int64_t pitch, int64_t rows, int64_t width, float eps, const float *weight,
                                const float *bias) {
        normalize_rows_of_heads(x, pitch, rows, width, eps, weight, bias);
    }
    static void rotate_heads(float *x, int64_t pitch, int64_t rows, int64_t width, const float *cosines,
                             const float *sines, int64_t angle_pitch) {
        rotate_rows_of_heads(x, pitch, rows, width, cosines, sines, angle_pitch);
    }

    static constexpr Kernels table(const char *name, int64_t block_rows, int64_t depth_step,
                                   decltype(Kernels::product) product, decltype(Kernels::release) release = nullptr,
                                   const Int8Kernels *int8 = nullptr) {
        return {.name = name,
                .element_size = sizeof(Element),
                .depth_step = depth_step,
                .interleave = interleave_of<Element>,
                .panel_width = panel_width,
                .block_rows = block_rows,
                .product = product,
                .normalize = normalize,
                .normalize_affine = normalize_affine,
                .store = store,
                .store_keys = store_keys,
                .store_values = store_values,
                .store_gelu = store_gelu,
                .store_gelu_tanh = store_gelu_tanh,
                .store_quick_gelu = store_quick_gelu,
                .store_swiglu = store_swiglu,
                .add = add,
                .store_scaled = store_scaled,
                .softmax = softmax,
                .normalize_heads = normalize_heads,
                .rotate_heads = rotate_heads,
                .release = release,
                .int8 = int8};
    }
};

}  // namespace
}  // namespace ctorch::encoder
