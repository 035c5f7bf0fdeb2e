// Rows of activations rounded to 8 bits, each with steps of its own: from the smallest number of the row to the largest
// in 255 steps.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespace.
#pragma once

#include "epilogues.h"

namespace ctorch::encoder {
namespace {

using Bytes = uint8_t __attribute__((vector_size(lanes)));

INLINED float smallest_across(const Floats &v) { return -largest_across(-v); }

/// What the numbers of a row spread over, found vector by vector.
struct RowRange {
    Floats low = Floats{} + INFINITY, high = Floats{} - INFINITY;
    /// 0, or not a number as soon as one of the row is not finite: comparisons lose that.
    Floats poison{};

    INLINED void add(const Floats &x) {
#pragma clang fp contract(fast)
        low = x < low ? x : low;
        high = x > high ? x : high;
        poison += x * 0.0f;
    }
    INLINED RowSteps steps() const {
        const auto smallest = smallest_across(low), width = largest_across(high) - smallest;
        // A row of one number alone has steps of any size.
        return {smallest + sum_across(poison), width > 1e-30f ? width / 255 : 1e-30f};
    }
};

/// The steps nearest to 32 numbers of a row.
INLINED void store_steps(uint8_t *to, const Floats &first, const Floats &second, float low, float inverse) {
#pragma clang fp contract(fast)
    const auto a = (first - low) * inverse + 0.5f, b = (second - low) * inverse + 0.5f;
    const auto bytes = __builtin_convertvector(__builtin_convertvector(a, Ints), Bytes),
               more = __builtin_convertvector(__builtin_convertvector(b, Ints), Bytes);
    std::memcpy(to, &bytes, sizeof bytes);
    std::memcpy(to + lanes, &more, sizeof more);
}

// A strip is read before its steps are written, which are never further on than what is read.
template <typename Element>
INLINED void quantize_rows(void *rows, int64_t pitch, int64_t count, int64_t width, RowSteps *steps) {
    for (int64_t row = 0; row < count; ++row) {
        auto *bytes = static_cast<uint8_t *>(rows) + row * pitch;
        const auto *x = reinterpret_cast<const Element *>(bytes);
        RowRange range;
        Floats v, w;
        for (int64_t i = 0; i < width; i += lanes) {
            load(x + i, v);
            range.add(v);
        }
        steps[row] = range.steps();
        for (int64_t i = 0; i < width; i += strip) {
            load(x + i, v);
            load(x + i + lanes, w);
            store_steps(bytes + i, v, w, steps[row].low, 1 / steps[row].step);
        }
    }
}

INLINED void normalize_to_steps(const float *x, int64_t rows, int64_t width, float eps, const float *weight, void *out,
                                int64_t pitch, RowSteps *steps) {
    for (int64_t row = 0; row < rows; ++row, x += width) {
        auto *to = static_cast<uint8_t *>(out) + row * pitch;
        const auto statistics = statistics_of_row(x, width, eps);
        const auto normal = [&](int64_t i, Floats & v) __attribute__((always_inline)) {
            Floats gain;
            load(x + i, v);
            load(weight + i, gain);
            v = (v - statistics.mean) * statistics.factor * gain;
        };
        RowRange range;
        Floats v, w;
        for (int64_t i = 0; i < width; i += lanes) {
            normal(i, v);
            range.add(v);
        }
        steps[row] = range.steps();
        for (int64_t i = 0; i < width; i += strip) {
            normal(i, v);
            normal(i + lanes, w);
            store_steps(to + i, v, w, steps[row].low, 1 / steps[row].step);
        }
    }
}

}  // namespace
}  // namespace ctorch::encoder
