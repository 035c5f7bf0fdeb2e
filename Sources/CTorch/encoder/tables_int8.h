// Makes the part of a table for linear layers in 8 bits from the templates.
//
// Included by kernels_*.cpp only, inside their target.
#pragma once

#include "quantize.h"
#include "tile.h"

namespace ctorch::encoder {
namespace {

/// The loops around operands of another type.
template <typename Element>
struct Int8Loops {
    static void product(const void *a, int64_t a_pitch, int64_t rows, const RowSteps *row_steps, const void *panel,
                        const ColumnSteps &columns, int64_t width, int64_t depth, float *tile, int64_t tile_pitch) {
        multiply_panel<uint8_t, 4>(a, a_pitch, rows, panel, width, depth, tile, tile_pitch,
                                   FromSteps{row_steps, columns.steps, columns.sums});
    }
    static void normalize(const float *x, int64_t rows, int64_t width, float eps, const float *weight, void *out,
                          int64_t pitch, RowSteps *steps) {
        normalize_to_steps(x, rows, width, eps, weight, out, pitch, steps);
    }
    static void quantize(void *rows, int64_t pitch, int64_t count, int64_t width, RowSteps *steps) {
        quantize_rows<Element>(rows, pitch, count, width, steps);
    }

    static constexpr Int8Kernels table(int64_t depth_step, decltype(Int8Kernels::product) product) {
        return {.depth_step = depth_step, .product = product, .normalize = normalize, .quantize = quantize};
    }
};

}  // namespace
}  // namespace ctorch::encoder
