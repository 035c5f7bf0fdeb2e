// bfloat16 operands with the instructions of AVX512_BF16, which multiply two neighbours in depth and add both.
//
// Included by kernels_*.cpp only, inside their target.
#pragma once

#include <immintrin.h>

#include "operands.h"

namespace ctorch::encoder {
namespace {

INLINED void load_columns(const BFloat16Bits *from, Floats &to) { std::memcpy(&to, from, sizeof to); }

INLINED void multiply_add(const BFloat16Bits *a, const Floats &columns, Floats &sum) {
    int32_t pair;
    std::memcpy(&pair, a, sizeof pair);
    sum = __builtin_bit_cast(
        Floats, _mm512_dpbf16_ps(__builtin_bit_cast(__m512, sum), __builtin_bit_cast(__m512bh, _mm512_set1_epi32(pair)),
                                 __builtin_bit_cast(__m512bh, columns)));
}

/// Rounds to the nearest even; what is not a number stays so, and what is too small for a normal number becomes zero.
INLINED void store_pair(BFloat16Bits *to, const Floats &first, const Floats &second) {
    const auto pair = _mm512_cvtne2ps_pbh(__builtin_bit_cast(__m512, second), __builtin_bit_cast(__m512, first));
    std::memcpy(to, &pair, sizeof pair);
}

}  // namespace
}  // namespace ctorch::encoder
