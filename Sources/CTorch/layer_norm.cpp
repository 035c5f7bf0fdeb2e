// Layer normalisation over the last dimension, and its gradients.
//
// Beside being faster than libtorch's (which takes three times as long for rows of 192 numbers), it writes bfloat16
// where a matrix product in bfloat16 follows, which otherwise costs a pass over the result.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels.h"
#include "parallel.h"
#include "vectors.h"

namespace ctorch {
namespace {

// The gradients of weight and bias are sums over rows: first over blocks of rows, then over blocks, in that order
// whatever the number of threads.
constexpr int64_t rows_a_block = 128;

struct Statistics {
    float mean, rstd;
};

template <typename T>
INLINED Statistics statistics_of(const T *x, int64_t width, float eps) {
#pragma clang fp contract(fast)
    Floats v, total{};
    float rest = 0;
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        load(x + i, v);
        total += v;
    }
    const auto left = width - i;
    if (left > 0) {
        load_some(x + i, left, v);
        rest = sum_of(v);
    }
    const float first = (sum_of(total) + rest) / static_cast<float>(width);
    // The second pass mends the mean too: where a row hardly varies, the first one's rounding is not small beside that.
    Floats squares{}, differences{};
    for (i = 0; i + lanes <= width; i += lanes) {
        load(x + i, v);
        const auto difference = v - first;
        differences += difference;
        squares += difference * difference;
    }
    if (left > 0) {
        load_some(x + i, left, v, first);
        const auto difference = v - first;
        differences += difference;
        squares += difference * difference;
    }
    const float shift = sum_of(differences) / static_cast<float>(width);
    const float variance = sum_of(squares) / static_cast<float>(width) - shift * shift;
    return {first + shift, 1 / std::sqrt((variance > 0 ? variance : 0) + eps)};
}

template <typename From, typename To>
INLINED void normalize_row(const From *x, To *out, const float *weight, const float *bias, Statistics row,
                           int64_t width) {
#pragma clang fp contract(fast)
    Floats v, scale, shift;
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        load(x + i, v);
        load(weight + i, scale);
        load(bias + i, shift);
        store(out + i, (v - row.mean) * row.rstd * scale + shift);
    }
    if (i < width) {
        load_some(x + i, width - i, v);
        load_some(weight + i, width - i, scale);
        load_some(bias + i, width - i, shift);
        store_some(out + i, width - i, (v - row.mean) * row.rstd * scale + shift);
    }
}

template <typename From, typename To>
INLINED void normalize(const From *x, To *out, float *means, float *rstds, const float *weight, const float *bias,
                       int64_t rows, int64_t width, float eps) {
    for (int64_t row = 0; row < rows; ++row, x += width, out += width) {
        const auto statistics = statistics_of(x, width, eps);
        means[row] = statistics.mean;
        rstds[row] = statistics.rstd;
        normalize_row(x, out, weight, bias, statistics, width);
    }
}

#define NORMALIZE(NAME, FROM, TO) \
    PER_PROCESSOR void NAME(const void *x, void *out, float *means, float *rstds, const float *weight, \
                            const float *bias, int64_t rows, int64_t width, float eps) { \
        normalize(static_cast<const FROM *>(x), static_cast<TO *>(out), means, rstds, weight, bias, rows, width, eps); \
    }
NORMALIZE(normalize_float, float, float)
NORMALIZE(normalize_float_to_bf16, float, BFloat16Bits)
NORMALIZE(normalize_bf16, BFloat16Bits, BFloat16Bits)
NORMALIZE(normalize_bf16_to_float, BFloat16Bits, float)
#undef NORMALIZE

// With n = (x - mean) · rstd and h = gradient · weight: gradient of x = (h - mean(h) - n · mean(h · n)) · rstd.
// `sums` gets gradient · n and gradient of the rows added, [2, width].
template <typename From, typename Gradient>
INLINED void backward_row(const Gradient *gradient, const From *x, Statistics row, const float *weight, From *out,
                          float *sums, int64_t width) {
#pragma clang fp contract(fast)
    Floats v, g, scale, sum, total{}, product{};
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        load(x + i, v);
        load(gradient + i, g);
        load(weight + i, scale);
        const auto normal = (v - row.mean) * row.rstd;
        load(sums + i, sum);
        store(sums + i, sum + g * normal);
        load(sums + width + i, sum);
        store(sums + width + i, sum + g);
        total += g * scale;
        product += g * scale * normal;
    }
    const auto left = width - i;
    if (left > 0) {
        load_some(x + i, left, v);
        load_some(gradient + i, left, g);
        load_some(weight + i, left, scale);
        const auto normal = (v - row.mean) * row.rstd;
        load_some(sums + i, left, sum);
        store_some(sums + i, left, sum + g * normal);
        load_some(sums + width + i, left, sum);
        store_some(sums + width + i, left, sum + g);
        total += g * scale;
        product += g * scale * normal;
    }
    const float mean = sum_of(total) / static_cast<float>(width), share = sum_of(product) / static_cast<float>(width);
    for (i = 0; i + lanes <= width; i += lanes) {
        load(x + i, v);
        load(gradient + i, g);
        load(weight + i, scale);
        store(out + i, (g * scale - mean - (v - row.mean) * row.rstd * share) * row.rstd);
    }
    if (left > 0) {
        load_some(x + i, left, v);
        load_some(gradient + i, left, g);
        load_some(weight + i, left, scale);
        store_some(out + i, left, (g * scale - mean - (v - row.mean) * row.rstd * share) * row.rstd);
    }
}

#define BACKWARD(NAME, FROM, GRADIENT) \
    PER_PROCESSOR void NAME(const void *gradient, const void *x, const float *means, const float *rstds, \
                            const float *weight, void *out, float *sums, int64_t rows, int64_t width) { \
        for (int64_t row = 0; row < rows; ++row) \
            backward_row(static_cast<const GRADIENT *>(gradient) + row * width, \
                         static_cast<const FROM *>(x) + row * width, {means[row], rstds[row]}, weight, \
                         static_cast<FROM *>(out) + row * width, sums, width); \
    }
BACKWARD(backward_float, float, float)
BACKWARD(backward_float_from_bf16, float, BFloat16Bits)
BACKWARD(backward_bf16, BFloat16Bits, BFloat16Bits)
BACKWARD(backward_bf16_from_float, BFloat16Bits, float)
#undef BACKWARD

int64_t grain(int64_t width) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(width, 1)); }

char *bytes(void *data) { return static_cast<char *>(data); }

const char *bytes(const void *data) { return static_cast<const char *>(data); }

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_vectors(const at::Tensor &x, const at::Tensor &weight,
                                                                  const at::Tensor &bias, double eps,
                                                                  at::ScalarType dtype) {
    const auto width = x.size(-1), rows = x.numel() / std::max<int64_t>(width, 1);
    auto out = x.new_empty(x.sizes(), dtype);
    auto mean = x.new_empty({rows}, at::kFloat), rstd = x.new_empty({rows}, at::kFloat);
    const bool is_float = x.scalar_type() == at::kFloat, to_float = dtype == at::kFloat;
    const auto kernel = is_float ? (to_float ? normalize_float : normalize_float_to_bf16)
                                 : (to_float ? normalize_bf16_to_float : normalize_bf16);
    const auto *from = x.const_data_ptr();
    auto *to = out.mutable_data_ptr();
    auto *means = mean.mutable_data_ptr<float>(), *rstds = rstd.mutable_data_ptr<float>();
    const auto *scale = weight.const_data_ptr<float>(), *shift = bias.const_data_ptr<float>();
    const auto from_row = width * static_cast<int64_t>(x.element_size()),
               to_row = width * static_cast<int64_t>(out.element_size());
    parallel_for(rows, grain(width), [&](int64_t begin, int64_t end) {
        kernel(bytes(from) + begin * from_row, bytes(to) + begin * to_row, means + begin, rstds + begin, scale, shift,
               end - begin, width, static_cast<float>(eps));
    });
    return {out, mean, rstd};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_vectors_backward(const at::Tensor &gradient,
                                                                           const at::Tensor &x, const at::Tensor &mean,
                                                                           const at::Tensor &rstd,
                                                                           const at::Tensor &weight) {
    const auto width = x.size(-1), rows = mean.numel(), blocks = (rows + rows_a_block - 1) / rows_a_block;
    auto out = x.new_empty(x.sizes());
    auto sums = mean.new_zeros({std::max<int64_t>(blocks, 1), 2, width});
    const bool is_float = x.scalar_type() == at::kFloat, from_float = gradient.scalar_type() == at::kFloat;
    const auto kernel = is_float ? (from_float ? backward_float : backward_float_from_bf16)
                                 : (from_float ? backward_bf16_from_float : backward_bf16);
    const auto *incoming = gradient.const_data_ptr(), *from = x.const_data_ptr();
    auto *to = out.mutable_data_ptr();
    const auto *means = mean.const_data_ptr<float>(), *rstds = rstd.const_data_ptr<float>();
    const auto *scale = weight.const_data_ptr<float>();
    auto *totals = sums.mutable_data_ptr<float>();
    const auto x_row = width * static_cast<int64_t>(x.element_size()),
               gradient_row = width * static_cast<int64_t>(gradient.element_size());
    parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
        for (auto block = begin; block < end; ++block) {
            const auto first = block * rows_a_block, count = std::min(rows - first, rows_a_block);
            kernel(bytes(incoming) + first * gradient_row, bytes(from) + first * x_row, means + first, rstds + first,
                   scale, bytes(to) + first * x_row, totals + block * 2 * width, count, width);
        }
    });
    const auto total = sums.sum(0);
    return {out, total[0], total[1]};
}

}  // namespace ctorch
