// The loops of the encoder for AVX-512 with linear layers in 8 bits on the products of AVX512_VNNI, and float32
// between.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../vectors.h"
#include "kernels.h"
#include "layout.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512vnni"), min_vector_width(512))), \
                             apply_to = function)
#include "operands_int8.h"
#include "tables.h"
#include "tables_int8.h"

namespace ctorch::encoder {
namespace {

constexpr Int8Kernels int8_products = Int8Loops<float>::table(/*depth_step=*/4, Int8Loops<float>::product);

}  // namespace

constinit const Kernels avx512_vnni = Loops<float, 4, 64>::table("AVX512_VNNI", /*block_rows=*/48, /*depth_step=*/1,
                                                                 Loops<float, 4, 64>::product, nullptr, &int8_products);

}  // namespace ctorch::encoder
#pragma clang attribute pop
#endif
