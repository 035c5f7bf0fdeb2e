// The loops of the encoder for AVX-512 with the products of AVX512_BF16, in bfloat16.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../vectors.h"
#include "kernels.h"
#include "layout.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512))), \
                             apply_to = function)
#include "operands_bf16.h"
#include "tables.h"

namespace ctorch::encoder {

using Bf16Loops = Loops<BFloat16Bits, 4, 64>;
constinit const Kernels avx512_bf16 =
    Bf16Loops::table("AVX512_BF16", /*block_rows=*/48, /*depth_step=*/2, Bf16Loops::product);

}  // namespace ctorch::encoder
#pragma clang attribute pop
#endif
