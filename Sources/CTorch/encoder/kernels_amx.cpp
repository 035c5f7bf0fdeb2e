// The loops of the encoder for AMX: libtorch's small products in bfloat16 and in 8 bits, which are oneDNN's, between
// our own epilogues.
//
// brgemm() generates code for every shape and thread that it meets, so rows come in blocks of one size mostly, and
// panels are wide.
#if defined(__x86_64__)
#include <c10/util/BFloat16.h>
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../vectors.h"
#include "kernels.h"
#include "layout.h"

// Declared in ATen/native/CPUBlas.h; weak, so that a libtorch without them still loads.
namespace at::native::cpublas {
void brgemm(int64_t rows, int64_t columns, int64_t depth, int64_t a_pitch, int64_t b_pitch, int64_t c_pitch, bool adds,
            const c10::BFloat16 *a, const c10::BFloat16 *b, float *c, bool is_interleaved) __attribute__((weak));
void brgemm(int64_t rows, int64_t columns, int64_t depth, int64_t a_pitch, int64_t b_pitch, int64_t c_pitch, bool adds,
            const unsigned char *a, const signed char *b, int32_t *c, bool is_interleaved) __attribute__((weak));
void brgemm_release(bool is_interleaved) __attribute__((weak));
}  // namespace at::native::cpublas

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16,avx512vnni"), min_vector_width(512))), \
                             apply_to = function)
#include "operands_bf16.h"
#include "operands_int8.h"
#include "tables.h"
#include "tables_int8.h"

namespace ctorch::encoder {
namespace {

void multiply_by_amx(const void *a, int64_t a_pitch, int64_t rows, const void *panel, int64_t width, int64_t depth,
                     float *tile, int64_t tile_pitch) {
    at::native::cpublas::brgemm(rows, width, depth, a_pitch, width, tile_pitch, /*adds=*/false,
                                static_cast<const c10::BFloat16 *>(a), static_cast<const c10::BFloat16 *>(panel), tile,
                                /*is_interleaved=*/true);
}

// The sums are made where the tile is, and turned into numbers there.
void multiply_int8_by_amx(const void *a, int64_t a_pitch, int64_t rows, const RowSteps *row_steps, const void *panel,
                          const ColumnSteps &columns, int64_t width, int64_t depth, float *tile, int64_t tile_pitch) {
    at::native::cpublas::brgemm(rows, width, depth, a_pitch, width, tile_pitch, /*adds=*/false,
                                static_cast<const unsigned char *>(a), static_cast<const signed char *>(panel),
                                reinterpret_cast<int32_t *>(tile), /*is_interleaved=*/true);
    const FromSteps number_of{row_steps, columns.steps, columns.sums};
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = 0; column < width; column += lanes) {
            auto *place = tile + row * tile_pitch + column;
            Ints sum;
            Floats number;
            std::memcpy(&sum, place, sizeof sum);
            number_of(row, column, sum, number);
            store(place, number);
        }
}

// The tiles' registers stay configured for the last product until then.
void release_amx() { at::native::cpublas::brgemm_release(/*is_interleaved=*/true); }

constexpr Int8Kernels int8_products = Int8Loops<BFloat16Bits>::table(/*depth_step=*/64, multiply_int8_by_amx);

}  // namespace

bool has_brgemm() {
    using OfBfloat16 = void (*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool, const c10::BFloat16 *,
                                const c10::BFloat16 *, float *, bool);
    using OfInt8 = void (*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool, const unsigned char *,
                            const signed char *, int32_t *, bool);
    return static_cast<OfBfloat16>(at::native::cpublas::brgemm) && static_cast<OfInt8>(at::native::cpublas::brgemm) &&
           at::native::cpublas::brgemm_release;
}

constinit const Kernels amx_bf16 =
    Loops<BFloat16Bits, 4, 192>::table("AMX", /*block_rows=*/64, /*depth_step=*/32, multiply_by_amx, release_amx);
constinit const Kernels amx_int8 = Loops<BFloat16Bits, 4, 192>::table("AMX", /*block_rows=*/64, /*depth_step=*/32,
                                                                      multiply_by_amx, release_amx, &int8_products);

}  // namespace ctorch::encoder
#pragma clang attribute pop
#endif
