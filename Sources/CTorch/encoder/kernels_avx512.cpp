// The loops of the encoder for AVX-512 in float32.
#if defined(__x86_64__)
#include <cmath>
#include <cstring>

#include "../vectors.h"
#include "kernels.h"
#include "layout.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#include "tables.h"

namespace ctorch::encoder {

constinit const Kernels avx512_float =
    Loops<float, 4, 64>::table("AVX-512", /*block_rows=*/48, /*depth_step=*/1, Loops<float, 4, 64>::product);

}  // namespace ctorch::encoder
#pragma clang attribute pop
#endif
