// The softmax of attention's scores over rows, and its gradient.
//
// libtorch's own softmax falls back to scalar code for bfloat16 rows that are no multiple of a vector (attention's
// rows have 17, 50 or 197 elements) and is several times slower than memory there. These loops are plain C++, compiled
// once for each level of the processor; the loader picks one.
#include "softmax.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__linux__)
#define PER_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PER_PROCESSOR
#endif

namespace ctorch {
namespace {

// e^x for x ≤ 0, to 2 units in the last place: 2^n · 2^f with a polynomial of degree 6 for f in ±½.
inline __attribute__((always_inline)) float exponential(float x) {
    const float scaled = std::max(x, -87.0f) * 1.442695041f;
    const float shifted = scaled + 12582912.0f;  // 1.5 · 2²³: the integer part ends up in the low bits
    const float f = scaled - (shifted - 12582912.0f);
    float p = 1.535336188e-4f;
    p = p * f + 1.339887440e-3f;
    p = p * f + 9.618437357e-3f;
    p = p * f + 5.550332471e-2f;
    p = p * f + 2.402264791e-1f;
    p = p * f + 6.931472028e-1f;
    p = p * f + 1.0f;
    const auto exponent = std::bit_cast<int32_t>(shifted) << 23;
    return std::bit_cast<float>(std::bit_cast<int32_t>(p) + exponent);
}

inline __attribute__((always_inline)) float widened(uint16_t bits) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// Rounds to the nearest even bfloat16; what is not a number stays so.
inline __attribute__((always_inline)) uint16_t narrowed(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const auto rounded = static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    return value == value ? rounded : static_cast<uint16_t>(0x7fc0);
}

PER_PROCESSOR void softmax_row(float *row, int64_t width) {
#pragma clang fp reassociate(on) contract(fast)
    float largest = row[0];
    // A sum with NaN is NaN, whereas a comparison would lose it.
    float total = 0;
    for (int64_t i = 0; i < width; ++i) largest = row[i] > largest ? row[i] : largest;
    for (int64_t i = 0; i < width; ++i) {
        const float difference = row[i] - largest;
        const float e = difference == difference ? exponential(difference) : difference;
        row[i] = e;
        total += e;
    }
    const float factor = 1 / total;
    for (int64_t i = 0; i < width; ++i) row[i] *= factor;
}

PER_PROCESSOR void gradient_row(const float *output, float *gradient, int64_t width) {
#pragma clang fp reassociate(on) contract(fast)
    float total = 0;
    for (int64_t i = 0; i < width; ++i) total += output[i] * gradient[i];
    for (int64_t i = 0; i < width; ++i) gradient[i] = output[i] * (gradient[i] - total);
}

PER_PROCESSOR void widen_row(const uint16_t *from, float *to, int64_t width) {
    for (int64_t i = 0; i < width; ++i) to[i] = widened(from[i]);
}

PER_PROCESSOR void narrow_row(const float *from, uint16_t *to, int64_t width) {
    for (int64_t i = 0; i < width; ++i) to[i] = narrowed(from[i]);
}

// Enough rows for a thread that starting it pays.
int64_t grain(int64_t width) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(width, 1)); }

bool is_supported(const at::Tensor &tensor) {
    return tensor.device().is_cpu() && tensor.is_contiguous() && tensor.dim() > 0 && tensor.numel() > 0 &&
           (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16);
}

}  // namespace

void softmax_(at::Tensor &scores) {
    if (!is_supported(scores)) {
        at::_softmax_out(scores, scores, -1, false);
        return;
    }
    const auto width = scores.size(-1), rows = scores.numel() / width;
    if (scores.scalar_type() == at::kFloat) {
        auto *data = scores.mutable_data_ptr<float>();
        at::parallel_for(0, rows, grain(width), [&](int64_t from, int64_t to) {
            for (int64_t row = from; row < to; ++row) softmax_row(data + row * width, width);
        });
    } else {
        auto *data = static_cast<uint16_t *>(scores.mutable_data_ptr());
        at::parallel_for(0, rows, grain(width), [&](int64_t from, int64_t to) {
            std::vector<float> wide(static_cast<size_t>(width));
            for (int64_t row = from; row < to; ++row) {
                widen_row(data + row * width, wide.data(), width);
                softmax_row(wide.data(), width);
                narrow_row(wide.data(), data + row * width, width);
            }
        });
    }
}

void softmax_backward_(at::Tensor &gradient, const at::Tensor &output) {
    if (!is_supported(gradient) || !is_supported(output) || gradient.sizes() != output.sizes() ||
        gradient.scalar_type() != output.scalar_type()) {
        gradient = at::_softmax_backward_data(gradient, output, -1, output.scalar_type());
        return;
    }
    const auto width = output.size(-1), rows = output.numel() / width;
    if (output.scalar_type() == at::kFloat) {
        auto *data = gradient.mutable_data_ptr<float>();
        const auto *weights = output.const_data_ptr<float>();
        at::parallel_for(0, rows, grain(width), [&](int64_t from, int64_t to) {
            for (int64_t row = from; row < to; ++row) gradient_row(weights + row * width, data + row * width, width);
        });
    } else {
        auto *data = static_cast<uint16_t *>(gradient.mutable_data_ptr());
        const auto *weights = static_cast<const uint16_t *>(output.const_data_ptr());
        at::parallel_for(0, rows, grain(width), [&](int64_t from, int64_t to) {
            std::vector<float> wide(static_cast<size_t>(2 * width));
            for (int64_t row = from; row < to; ++row) {
                widen_row(weights + row * width, wide.data(), width);
                widen_row(data + row * width, wide.data() + width, width);
                gradient_row(wide.data(), wide.data() + width, width);
                narrow_row(wide.data() + width, data + row * width, width);
            }
        });
    }
}

}  // namespace ctorch
