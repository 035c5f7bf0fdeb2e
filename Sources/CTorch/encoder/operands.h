// What the micro-kernel and the epilogues need to know of an element type: float32 here, bfloat16 in operands_bf16.h,
// 8 bits in operands_int8.h.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespaces.
#pragma once

#include "../vectors.h"

namespace ctorch::encoder {
namespace {

/// How many neighbours in depth lie beside each other in a packed matrix.
template <typename Element>
constexpr int64_t interleave_of = sizeof(float) / sizeof(Element);

/// What sums of products are made in.
template <typename Element>
struct SumsOf {
    using type = Floats;
};

/// Sixteen columns at one step of the depth.
INLINED void load_columns(const float *from, Floats &to) { load(from, to); }

/// sum += a · columns for one step of the depth.
INLINED void multiply_add(const float *a, const Floats &columns, Floats &sum) {
#pragma clang fp contract(fast)
    sum += *a * columns;
}

/// Writes two neighbouring vectors as operands of a product.
INLINED void store_pair(float *to, const Floats &first, const Floats &second) {
    store(to, first);
    store(to + lanes, second);
}

}  // namespace
}  // namespace ctorch::encoder
