// A block and its gradients against plain loops in double precision.
#pragma once

#include <cstdint>

#include "kernels.h"

namespace ctorch::block {

/// The largest error of a block's output and of all its gradients, relative to the largest magnitude of each, for
/// random numbers of a random shape (padded heads and hidden units, dropped branches, missing biases, layer scale);
/// infinite where something is not a number.
double error_of(const Kernels &kernels, uint64_t seed);

/// What error_of() may be: the rounding of the operands and of sums.
double tolerance_of(const Kernels &kernels);

}  // namespace ctorch::block
