// The loops of a block with its gradient for AVX-512 with the products of AVX512_BF16, in bfloat16.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "../encoder/kernels.h"
#include "../encoder/layout.h"
#include "../vectors.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512))), \
                             apply_to = function)
#include "../encoder/operands_bf16.h"
#include "tables.h"

namespace ctorch::block {

constinit const Kernels avx512_bf16 = Loops<BFloat16Bits, 4>::table(encoder::avx512_bf16);

}  // namespace ctorch::block
#pragma clang attribute pop
#endif
