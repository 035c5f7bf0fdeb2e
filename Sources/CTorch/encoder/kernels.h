// The loops of the fused encoder for one kind of processor and one type of operands.
//
// Each kernels_*.cpp compiles the templates of tile.h, epilogues.h and softmax.h for its instructions and fills in one
// of these tables. Everything outside of the tables is the same for all.
#pragma once

#include <cstdint>

namespace ctorch::encoder {

/// What the 8-bit numbers of a row stand for: `low + step · q`, q in 0 ... 255.
struct RowSteps {
    float low, step;
};

/// The columns of a panel of 8-bit weights: a weight is `steps` times its number, and `sums` are those of the numbers
/// of each column.
struct ColumnSteps {
    const float *steps, *sums;
};

/// Linear layers in 8 bits. Rows of activations have steps of their own, found where the row is written, and columns of
/// weights have theirs; between the layers everything is as in the table that these are a part of.
struct Int8Kernels {
    /// What the depth of a product must be a multiple of.
    int64_t depth_step;

    /// tile[rows, width] = the numbers that a[rows, depth] stands for · those of panel[depth, width], a packed matrix
    /// with four neighbours in depth beside each other. Rows of `tile` as in Kernels::product.
    void (*product)(const void *a, int64_t a_pitch, int64_t rows, const RowSteps *row_steps, const void *panel,
                    const ColumnSteps &columns, int64_t width, int64_t depth, float *tile, int64_t tile_pitch);
    /// out ≈ (x − mean) / √(variance + eps) · weight of every row.
    void (*normalize)(const float *x, int64_t rows, int64_t width, float eps, const float *weight, void *out,
                      int64_t pitch, RowSteps *steps);
    /// Rounds rows of operands of the other products, `pitch` bytes apart, in place: a row's numbers come to lie at its
    /// start. The width is a multiple of `strip`.
    void (*quantize)(void *rows, int64_t pitch, int64_t count, int64_t width, RowSteps *steps);
};

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
    /// The same with the GELU by tanh, and with x · sigmoid(1.702 x).
    decltype(store_gelu) store_gelu_tanh, store_quick_gelu;
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

    // What is done to queries and keys before their product, rows of float32 that are `pitch` apart.

    /// Every row normalised, times `weight` plus `bias`; the width is a multiple of 16.
    void (*normalize_heads)(float *x, int64_t pitch, int64_t rows, int64_t width, float eps, const float *weight,
                            const float *bias);
    /// Every row turned: halves a, b become a cos − b sin, b cos + a sin, with `width` / 2 cosines and as many sines a
    /// row, `angle_pitch` apart; half of the width is a multiple of 16.
    void (*rotate_heads)(float *x, int64_t pitch, int64_t rows, int64_t width, const float *cosines, const float *sines,
                         int64_t angle_pitch);

    /// What a thread calls before it goes back to other work; may be null.
    void (*release)();

    /// The linear layers in 8 bits; null where operands of all products are of this table's type.
    const Int8Kernels *int8;
};

/// How a packed matrix lies: see layout.h.
struct PackedFormat {
    int64_t element_size, depth_step, interleave, panel_width;
};

/// Of Kernels::product's.
inline PackedFormat operand_format(const Kernels &kernels) {
    return {kernels.element_size, kernels.depth_step, kernels.interleave, kernels.panel_width};
}

/// Of linear layers' weights.
inline PackedFormat weight_format(const Kernels &kernels) {
    if (kernels.int8) return {1, kernels.int8->depth_step, 4, kernels.panel_width};
    return operand_format(kernels);
}

/// The kernels for float32 or bfloat16 operands on this processor, checked against plain loops; null where there are
/// none.
const Kernels *kernels_for(bool is_bfloat16);

/// The kernels with linear layers in 8 bits, chosen and checked likewise; attention's products are in bfloat16 where
/// the processor has such, else in float32.
const Kernels *int8_kernels();

// Compiled for one kind of processor each; call nothing of a table that the processor does not serve.
extern const Kernels avx2_float, avx512_float, avx512_bf16, amx_bf16;
extern const Kernels avx512_vnni, avx512_vnni_bf16, amx_int8;
/// Whether the loaded libtorch has the products that `amx_bf16` and `amx_int8` call.
bool has_brgemm();

}  // namespace ctorch::encoder
