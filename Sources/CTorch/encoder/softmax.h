// The softmax of attention's scores. The sum's reciprocal is left to the epilogue of the product with the values.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespace. The scores are in
// units of log₂ e already, since the queries' weights are scaled so: a power of two is one multiplication less.
#pragma once

#include <cmath>

#include "epilogues.h"

namespace ctorch::encoder {
namespace {

/// 2^x for x ≤ 0: 2^n · 2^f with a polynomial for f in ±½; not a number stays so. Relative error 1.2e-7 for operands of
/// float32; for bfloat16, whose own rounding is 2e-3, a polynomial of degree 3 leaves 7.5e-5 (both fits are ours).
template <typename Element>
INLINED void power_of_two(const Floats &x, Floats &out) {
#pragma clang fp contract(fast)
    const auto inside = x < -126.0f ? Floats{} - 126.0f : x;
    const auto shifted = inside + 12582912.0f;  // 1.5 · 2²³: the integer part ends up in the low bits
    const auto f = inside - (shifted - 12582912.0f);
    Floats p;
    if constexpr (sizeof(Element) == sizeof(float)) {
        p = f * 1.535336188e-4f + 1.339887440e-3f;
        p = p * f + 9.618437357e-3f;
        p = p * f + 5.550332471e-2f;
        p = p * f + 2.402264791e-1f;
        p = p * f + 6.931472028e-1f;
        p = p * f + 1.0f;
    } else {
        p = f * 5.517167e-2f + 2.4261114e-1f;
        p = p * f + 6.9326099e-1f;
        p = p * f + 9.9992807e-1f;
    }
    const auto power = __builtin_bit_cast(Ints, shifted) << 23;
    const auto result = __builtin_bit_cast(Floats, __builtin_bit_cast(Ints, p) + power);
    out = x == x ? result : x;
}

/// Sixteen scores from `column` on; those from `count` on are −∞.
INLINED void load_scores(const float *row, int64_t column, int64_t count, Floats &out) {
    const Ints index{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    load(row + column, out);
    if (column + lanes > count) out = index < static_cast<int32_t>(count - column) ? out : Floats{} - INFINITY;
}

// A comparison loses what is not a number; the sum does not. `maxima` may be null.
template <typename Element>
INLINED void softmax_rows(const float *scores, int64_t pitch, int64_t rows, int64_t count, int64_t padded, void *out,
                          int64_t out_pitch, float *factors, float *maxima = nullptr) {
    for (int64_t row = 0; row < rows; ++row, scores += pitch) {
        auto *to = static_cast<Element *>(out) + row * out_pitch;
        auto largest = Floats{} - INFINITY;
        Floats v, w, total{};
        for (int64_t column = 0; column < count; column += lanes) {
            load_scores(scores, column, count, v);
            largest = v > largest ? v : largest;
        }
        const float maximum = largest_across(largest);
        if (maxima) maxima[row] = maximum;
        for (int64_t column = 0; column < count; column += strip) {
            Floats first, second{};
            load_scores(scores, column, count, v);
            power_of_two<Element>(v - maximum, first);
            if (column + lanes < count) {
                load_scores(scores, column + lanes, count, w);
                power_of_two<Element>(w - maximum, second);
            }
            if (column + strip > count) {
                // 2^−126 of the filler would not disturb the sum, but the padding has to be zero.
                const Ints index{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
                const auto rest = static_cast<int32_t>(count - column);
                first = index < rest ? first : Floats{};
                second = index < rest - static_cast<int32_t>(lanes) ? second : Floats{};
            }
            total += first;
            total += second;
            store_pair(to + column, first, second);
        }
        for (int64_t column = rounded_up(count, strip); column < padded; ++column) to[column] = 0;
        factors[row] = 1 / sum_across(total);
    }
}

}  // namespace
}  // namespace ctorch::encoder
