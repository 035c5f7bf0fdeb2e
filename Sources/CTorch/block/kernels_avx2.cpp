// The loops of a block with its gradient for AVX2 in float32.
#if defined(__x86_64__)
#include <cmath>
#include <cstring>

#include "../encoder/kernels.h"
#include "../encoder/layout.h"
#include "../vectors.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"), min_vector_width(256))), apply_to = function)
#include "tables.h"

namespace ctorch::block {

constinit const Kernels avx2_float = Loops<float, 1>::table(encoder::avx2_float);

}  // namespace ctorch::block
#pragma clang attribute pop
#endif
