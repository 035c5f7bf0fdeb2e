// The softmax of attention's scores over rows, and its gradient.
//
// libtorch's own softmax falls back to scalar code for bfloat16 rows that are no multiple of a vector (attention's rows
// have 17, 50 or 197 elements) and is several times slower than memory there.
#include "softmax.h"

#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "parallel.h"
#include "vectors.h"

namespace ctorch {
namespace {

// `row` and `out` may be the same memory; `exponents` is room for a row, rounded up to whole vectors.
template <typename T>
INLINED void softmax_row(T *row, float *exponents, int64_t width) {
    auto largest = Floats{} - INFINITY;
    Floats x, e, total{};
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        load(row + i, x);
        largest = x > largest ? x : largest;
    }
    if (i < width) {
        load_some(row + i, width - i, x, -INFINITY);
        largest = x > largest ? x : largest;
    }
    // A comparison loses what is not a number; the sum below does not.
    const float maximum = largest_of(largest);
    for (i = 0; i + lanes <= width; i += lanes) {
        load(row + i, x);
        exponential(x - maximum, e);
        total += e;
        store(exponents + i, e);
    }
    if (i < width) {
        load_some(row + i, width - i, x, -INFINITY);
        exponential(x - maximum, e);  // the filler adds nothing that a float could hold beside the sum, which is ≥ 1
        total += e;
        store(exponents + i, e);
    }
    const float factor = 1 / sum_of(total);
    for (i = 0; i + lanes <= width; i += lanes) {
        load(exponents + i, e);
        store(row + i, e * factor);
    }
    if (i < width) {
        load(exponents + i, e);
        store_some(row + i, width - i, e * factor);
    }
}

template <typename T>
INLINED void gradient_row(const T *output, T *gradient, int64_t width) {
#pragma clang fp contract(fast)
    Floats y, g, total{};
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        load(output + i, y);
        load(gradient + i, g);
        total += y * g;
    }
    if (i < width) {
        load_some(output + i, width - i, y);
        load_some(gradient + i, width - i, g);
        total += y * g;
    }
    const float sum = sum_of(total);
    for (i = 0; i + lanes <= width; i += lanes) {
        load(output + i, y);
        load(gradient + i, g);
        store(gradient + i, y * (g - sum));
    }
    if (i < width) {
        load_some(output + i, width - i, y);
        load_some(gradient + i, width - i, g);
        store_some(gradient + i, width - i, y * (g - sum));
    }
}

PER_PROCESSOR void softmax_rows(float *data, float *room, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; ++row) softmax_row(data + row * width, room, width);
}

PER_PROCESSOR void softmax_rows_bf16(BFloat16Bits *data, float *room, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; ++row) softmax_row(data + row * width, room, width);
}

PER_PROCESSOR void gradient_rows(const float *output, float *gradient, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; ++row) gradient_row(output + row * width, gradient + row * width, width);
}

PER_PROCESSOR void gradient_rows_bf16(const BFloat16Bits *output, BFloat16Bits *gradient, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; ++row) gradient_row(output + row * width, gradient + row * width, width);
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
    const bool is_float = scores.scalar_type() == at::kFloat;
    auto *data = scores.mutable_data_ptr();
    parallel_for(rows, grain(width), [&](int64_t from, int64_t to) {
        std::vector<float> room(static_cast<size_t>(width + lanes));
        if (is_float) {
            softmax_rows(static_cast<float *>(data) + from * width, room.data(), to - from, width);
        } else {
            softmax_rows_bf16(static_cast<BFloat16Bits *>(data) + from * width, room.data(), to - from, width);
        }
    });
}

void softmax_backward_(at::Tensor &gradient, const at::Tensor &output) {
    if (!is_supported(gradient) || !is_supported(output) || gradient.sizes() != output.sizes() ||
        gradient.scalar_type() != output.scalar_type()) {
        gradient = at::_softmax_backward_data(gradient, output, -1, output.scalar_type());
        return;
    }
    const auto width = output.size(-1), rows = output.numel() / width;
    const bool is_float = output.scalar_type() == at::kFloat;
    auto *data = gradient.mutable_data_ptr();
    const auto *weights = output.const_data_ptr();
    parallel_for(rows, grain(width), [&](int64_t from, int64_t to) {
        if (is_float) {
            gradient_rows(static_cast<const float *>(weights) + from * width, static_cast<float *>(data) + from * width,
                          to - from, width);
        } else {
            gradient_rows_bf16(static_cast<const BFloat16Bits *>(weights) + from * width,
                               static_cast<BFloat16Bits *>(data) + from * width, to - from, width);
        }
    });
}

}  // namespace ctorch
