// The kernels against plain loops in double precision.
#pragma once

#include <cstdint>

#include "kernels.h"

namespace ctorch::encoder {

/// What can be checked by itself.
enum class Part {
    product,
    normalize,
    store,
    keys,
    values,
    gelu,
    swiglu,
    add,
    scaled,
    softmax,
    gelu_tanh,
    quick_gelu,
    normalize_heads,
    rotate_heads,
    int8_product,
    int8_normalize,
    int8_quantize,
    count
};

/// The largest error of a part on random numbers of a random shape, relative to the largest magnitude that takes part;
/// infinite where something is not a number, 0 where the table has no such part.
double error_of(const Kernels &kernels, Part part, uint64_t seed);

/// What error_of() may be: the rounding of the operands and of sums.
double tolerance_of(const Kernels &kernels, Part part);

}  // namespace ctorch::encoder
