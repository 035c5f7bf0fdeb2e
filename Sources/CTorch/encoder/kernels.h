// The loops of the fused encoder for one kind of processor and one type of operands.
//
// Each kernels_*.cpp compiles the templates of tile.h, epilogues.h and softmax.h for its instructions and fills in one
// of these tables. Everything outside of the tables is the same for all.
#pragma once

#include <cstdint>

namespace ctorch::encoder {

struct Kernels {
    /// For messages and the log.
    const char *name;
    /// The size of an operand's element: 4 for float32, 2 for bfloat16.
    int64_t element_size;
    /// What the depth of a product must be a multiple of.
    int64_t depth_step;
    /// How many neighbours in depth lie beside each other in a packed matrix.
    int64_t interleave;
    /// The columns of a panel, a multiple of `strip`.
    int64_t panel_width;
    /// How many rows a product takes best, a multiple of 16.
    int64_t block_rows;

    /// tile[rows, width] = a[rows, depth] · panel[depth, width]. Rows of `tile` up to a multiple of 16 may be written
    /// with anything.
    void (*product)(const void *a, int64_t a_pitch, int64_t rows, const void *panel, int64_t width, int64_t depth,
                    float *tile, int64_t tile_pitch);

    /// out = (x − mean) / √(variance + eps) of every row, as operands of a product.
    void (*normalize)(const float *x, int64_t rows, int64_t width, float eps, void *out, int64_t pitch);
    /// The same times `weight` plus `bias`, in float32.
    void (*normalize_affine)(const float *x, int64_t rows, int64_t width, float eps, const float *weight,
                             const float *bias, float *out, int64_t pitch);

    // What is done to a tile of a product while it is in the first cache. `width` is a multiple of `strip`.

    /// out = tile + bias, as operands of a product: queries.
    void (*store)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, void *out,
                  int64_t pitch);
    /// The transpose of tile + bias into `keys`, a packed matrix of depth `depth` and `width` columns a panel: row r is
    /// column `first + r`, a multiple of 16 plus r, and the tile's columns are the depths from `first_depth`. Columns
    /// up to the next multiple of 16 are written with anything.
    void (*store_keys)(const float *tile, int64_t tile_pitch, int64_t rows, const float *bias, void *keys,
                       int64_t columns, int64_t depth, int64_t first, int64_t first_depth);
    /// tile + bias into `values`, a packed matrix of depth `depth`: row r is depth `first + r`, where `first` is even,
    /// and the tile's columns are those from `first_column`.
    void (*store_values)(const float *tile, int64_t tile_pitch, int64_t rows, const float *bias, void *values,
                         int64_t columns, int64_t depth, int64_t first, int64_t first_column);
    /// out = GELU(tile + bias), as operands of a product.
    void (*store_gelu)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, void *out,
                       int64_t pitch);
    /// out = SiLU(gate + bias) · (tile + value's bias), as operands of a product; `gate` has the tile's pitch.
    void (*store_swiglu)(const float *gate, const float *tile, int64_t tile_pitch, int64_t rows, int64_t width,
                         const float *gate_bias, const float *bias, void *out, int64_t pitch);
    /// x += tile + bias, or x += tile where `bias` is null.
    void (*add)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, float *x,
                int64_t pitch);
    /// out = tile · factors[row], as operands of a product.
    void (*store_scaled)(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *factors,
                         void *out, int64_t pitch);

    /// out = 2^(scores − largest) of the first `count` scores of every row as operands of a product, zeros up to
    /// `padded`, a multiple of 2; factors = 1 / sum. `out` may be `scores` where operands are float32.
    void (*softmax)(const float *scores, int64_t pitch, int64_t rows, int64_t count, int64_t padded, void *out,
                    int64_t out_pitch, float *factors);

    /// What a thread calls before it goes back to other work; may be null.
    void (*release)();
};

/// The kernels for float32 or bfloat16 operands on this processor, checked against plain loops; null where there are
/// none.
const Kernels *kernels_for(bool is_bfloat16);

// Compiled for one kind of processor each; call nothing of a table that the processor does not serve.
extern const Kernels avx2_float, avx512_float, avx512_bf16, amx_bf16;
/// Whether the loaded libtorch has the products that `amx_bf16` calls.
bool has_brgemm();

}  // namespace ctorch::encoder
