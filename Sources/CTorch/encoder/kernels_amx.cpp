// The loops of the encoder for AMX: libtorch's small products in bfloat16, which are oneDNN's, between our own
// epilogues.
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
void brgemm_release(bool is_interleaved) __attribute__((weak));
}  // namespace at::native::cpublas

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512))), \
                             apply_to = function)
#include "operands_bf16.h"
#include "tables.h"

namespace ctorch::encoder {
namespace {

void multiply_by_amx(const void *a, int64_t a_pitch, int64_t rows, const void *panel, int64_t width, int64_t depth,
                     float *tile, int64_t tile_pitch) {
    at::native::cpublas::brgemm(rows, width, depth, a_pitch, width, tile_pitch, /*adds=*/false,
                                static_cast<const c10::BFloat16 *>(a), static_cast<const c10::BFloat16 *>(panel), tile,
                                /*is_interleaved=*/true);
}

// The tiles' registers stay configured for the last product until then.
void release_amx() { at::native::cpublas::brgemm_release(/*is_interleaved=*/true); }

}  // namespace

bool has_brgemm() { return at::native::cpublas::brgemm != nullptr && at::native::cpublas::brgemm_release != nullptr; }

constinit const Kernels amx_bf16 =
    Loops<BFloat16Bits, 4, 192>::table("AMX", /*block_rows=*/64, /*depth_step=*/32, multiply_by_amx, release_amx);

}  // namespace ctorch::encoder
#pragma clang attribute pop
#endif
