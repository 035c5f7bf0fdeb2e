// The loops of the encoder for AVX-512 with linear layers in 8 bits on the products of AVX512_VNNI, and bfloat16
// between.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../vectors.h"
#include "kernels.h"
#include "layout.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16,avx512vnni"), min_vector_width(512))), \
                             apply_to = function)
#include "operands_bf16.h"
#include "operands_int8.h"
#include "tables.h"
#include "tables_int8.h"

namespace ctorch::encoder {
namespace {

using Between = Loops<BFloat16Bits, 4, 64>;
constexpr Int8Kernels int8_products =
    Int8Loops<BFloat16Bits>::table(/*depth_step=*/4, Int8Loops<BFloat16Bits>::product);

}  // namespace

constinit const Kernels avx512_vnni_bf16 = Between::table("AVX512_VNNI, AVX512_BF16", /*block_rows=*/48,
                                                          /*depth_step=*/2, Between::product, nullptr, &int8_products);

}  // namespace ctorch::encoder
#pragma clang attribute pop
#endif
