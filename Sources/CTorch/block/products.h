// The order of work in a thread's products: which rows meet which panels.
#pragma once

#include <c10/util/FunctionRef.h>

#include "weights.h"

namespace ctorch::block {

/// A tile of a product and where it belongs.
struct Tile {
    const float *numbers;
    int64_t pitch, row, rows, column, width;
};

/// operands[rows, depth] · matrix, tile by tile: `scratch` has room for one.
void multiply(const Kernels &kernels, const char *operands, int64_t pitch, int64_t rows, const PackedMatrix &matrix,
              float *scratch, c10::function_ref<void(const Tile &)> epilogue);

/// out[rows, columns] = operands · matrix.
void multiply_into(const Kernels &kernels, const char *operands, int64_t pitch, int64_t rows,
                   const PackedMatrix &matrix, float *out);

/// Rows of operands as panels whose depth are the rows: `[rows, panels' columns]`, packed.
void pack_rows(const Kernels &kernels, const char *rows, int64_t pitch, int64_t count, const Panels &panels,
               int64_t depth, char *to);

/// Rows of operands as panels whose columns are the rows, padded to whole strips with zeros.
void pack_columns(const Kernels &kernels, const char *rows, int64_t pitch, int64_t count, const Panels &panels,
                  int64_t depth, char *to);

/// Elements of a tile's scratch.
inline int64_t tile_elements(const Kernels &kernels) {
    return std::max<int64_t>(kernels.base->block_rows, 64) * kernels.base->panel_width;
}

}  // namespace ctorch::block
