// The exact GELU, x · Φ(x), and its gradient.
#include <algorithm>

#include "kernels.h"
#include "parallel.h"
#include "vectors.h"

namespace ctorch {
namespace {

constexpr int64_t grain = 1 << 13;

INLINED void gelu_of(const Floats &x, Floats &out) {
    Floats share;
    normal_distribution(x, share);
    out = x * share;
}

// Φ(x) + x · φ(x), times the gradient that comes in.
INLINED void gradient_of(const Floats &x, const Floats &gradient, Floats &out) {
#pragma clang fp contract(fast)
    Floats share, density;
    normal_distribution(x, share);
    exponential(x * x * -0.5f, density);
    // Where the density's exponent is clamped x may be large: what is left of it there is nothing.
    const auto slope = x * density * 0.3989422804f;
    out = gradient * (share + (x * x > 170.0f ? Floats{} : slope));
}

template <typename T>
INLINED void gelu_all(const T *x, T *out, int64_t count) {
    Floats value, result;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        load(x + i, value);
        gelu_of(value, result);
        store(out + i, result);
    }
    if (i < count) {
        load_some(x + i, count - i, value);
        gelu_of(value, result);
        store_some(out + i, count - i, result);
    }
}

template <typename T>
INLINED void gradient_all(const T *gradient, const T *x, T *out, int64_t count) {
    Floats value, incoming, result;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        load(x + i, value);
        load(gradient + i, incoming);
        gradient_of(value, incoming, result);
        store(out + i, result);
    }
    if (i < count) {
        load_some(x + i, count - i, value);
        load_some(gradient + i, count - i, incoming);
        gradient_of(value, incoming, result);
        store_some(out + i, count - i, result);
    }
}

PER_PROCESSOR void gelu_float(const float *x, float *out, int64_t count) { gelu_all(x, out, count); }

PER_PROCESSOR void gelu_bf16(const BFloat16Bits *x, BFloat16Bits *out, int64_t count) { gelu_all(x, out, count); }

PER_PROCESSOR void gradient_float(const float *gradient, const float *x, float *out, int64_t count) {
    gradient_all(gradient, x, out, count);
}

PER_PROCESSOR void gradient_bf16(const BFloat16Bits *gradient, const BFloat16Bits *x, BFloat16Bits *out,
                                 int64_t count) {
    gradient_all(gradient, x, out, count);
}

}  // namespace

bool has_kernel(const at::Tensor &tensor) {
    return tensor.device().is_cpu() && tensor.layout() == at::kStrided && tensor.is_contiguous() &&
           (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16);
}

at::Tensor gelu_vectors(const at::Tensor &x, bool overwrites) {
    auto out = overwrites ? x : x.new_empty(x.sizes());
    const auto *from = x.const_data_ptr();
    auto *to = out.mutable_data_ptr();
    const bool is_float = x.scalar_type() == at::kFloat;
    parallel_for(x.numel(), grain, [&](int64_t begin, int64_t end) {
        if (is_float) {
            gelu_float(static_cast<const float *>(from) + begin, static_cast<float *>(to) + begin, end - begin);
        } else {
            gelu_bf16(static_cast<const BFloat16Bits *>(from) + begin, static_cast<BFloat16Bits *>(to) + begin,
                      end - begin);
        }
    });
    return out;
}

at::Tensor gelu_vectors_backward(const at::Tensor &gradient, const at::Tensor &x) {
    auto out = x.new_empty(x.sizes());
    const auto *incoming = gradient.const_data_ptr(), *from = x.const_data_ptr();
    auto *to = out.mutable_data_ptr();
    const bool is_float = x.scalar_type() == at::kFloat;
    parallel_for(x.numel(), grain, [&](int64_t begin, int64_t end) {
        if (is_float) {
            gradient_float(static_cast<const float *>(incoming) + begin, static_cast<const float *>(from) + begin,
                           static_cast<float *>(to) + begin, end - begin);
        } else {
            gradient_bf16(static_cast<const BFloat16Bits *>(incoming) + begin,
                          static_cast<const BFloat16Bits *>(from) + begin, static_cast<BFloat16Bits *>(to) + begin,
                          end - begin);
        }
    });
    return out;
}

}  // namespace ctorch
