// 8-bit operands with the instruction of AVX512_VNNI, which multiplies four neighbours in depth, activations without a
// sign by weights with one, and adds all four to a sum of 32 bits.
//
// Included by kernels_*.cpp only, inside their target.
#pragma once

#include <immintrin.h>

#include "kernels.h"
#include "operands.h"

namespace ctorch::encoder {
namespace {

template <>
struct SumsOf<uint8_t> {
    using type = Ints;
};

INLINED void load_columns(const uint8_t *from, Ints &to) { std::memcpy(&to, from, sizeof to); }

INLINED void multiply_add(const uint8_t *a, const Ints &columns, Ints &sum) {
    int32_t four;
    std::memcpy(&four, a, sizeof four);
    sum = __builtin_bit_cast(Ints, _mm512_dpbusd_epi32(__builtin_bit_cast(__m512i, sum), _mm512_set1_epi32(four),
                                                       __builtin_bit_cast(__m512i, columns)));
}

/// The number that a sum of products stands for:
///
///   Σₖ (low + step · q) (column step · w) = column step · (step · Σₖ q w + low · Σₖ w)
struct FromSteps {
    const RowSteps *rows;
    const float *steps, *sums;

    INLINED FromSteps from(int64_t row, int64_t column) const { return {rows + row, steps + column, sums + column}; }
    INLINED void operator()(int64_t row, int64_t column, const Ints &sum, Floats &number) const {
#pragma clang fp contract(fast)
        Floats column_steps, column_sums;
        load(steps + column, column_steps);
        load(sums + column, column_sums);
        number = (__builtin_convertvector(sum, Floats) * rows[row].step + column_sums * rows[row].low) * column_steps;
    }
};

}  // namespace
}  // namespace ctorch::encoder
