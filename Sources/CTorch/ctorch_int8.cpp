// Linear layers in 8 bits on oneDNN's products, for inference.
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>

#include "guarded.h"
#include "kernels.h"
#include "parallel.h"
#include "vectors.h"

namespace ctorch {
namespace {

constexpr int64_t grain = 1 << 14;
using Bytes = uint8_t __attribute__((vector_size(16)));

// Rounds half up and stays within 0 ... 255; what is not a number becomes the zero point's neighbourhood, 0.
INLINED void quantize(const Floats &x, float steps, float zero_point, Bytes &out) {
#pragma clang fp contract(fast)
    const auto scaled = x * steps + (zero_point + 0.5f);
    const auto low = scaled > 0.0f ? scaled : Floats{};
    const auto inside = low < 255.0f ? low : Floats{} + 255.0f;
    out = __builtin_convertvector(__builtin_convertvector(inside, Ints), Bytes);
}

template <typename T>
INLINED void quantize_all(const T *x, uint8_t *out, int64_t count, float steps, float zero_point) {
    Floats v;
    Bytes bytes;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        load(x + i, v);
        quantize(v, steps, zero_point, bytes);
        std::memcpy(out + i, &bytes, sizeof bytes);
    }
    if (i < count) {
        load_some(x + i, count - i, v);
        quantize(v, steps, zero_point, bytes);
        std::memcpy(out + i, &bytes, static_cast<size_t>(count - i));
    }
}

PER_PROCESSOR void quantize_float(const float *x, uint8_t *out, int64_t count, float steps, float zero_point) {
    quantize_all(x, out, count, steps, zero_point);
}

PER_PROCESSOR void quantize_bf16(const BFloat16Bits *x, uint8_t *out, int64_t count, float steps, float zero_point) {
    quantize_all(x, out, count, steps, zero_point);
}

at::Tensor quantized(const at::Tensor &x, float scale, int64_t zero_point) {
    auto out = x.new_empty(x.sizes(), at::kByte);
    const auto *from = x.const_data_ptr();
    auto *to = static_cast<uint8_t *>(out.mutable_data_ptr());
    const bool is_float = x.scalar_type() == at::kFloat;
    parallel_for(x.numel(), grain, [&](int64_t begin, int64_t end) {
        if (is_float) {
            quantize_float(static_cast<const float *>(from) + begin, to + begin, end - begin, 1 / scale,
                           static_cast<float>(zero_point));
        } else {
            quantize_bf16(static_cast<const BFloat16Bits *>(from) + begin, to + begin, end - begin, 1 / scale,
                          static_cast<float>(zero_point));
        }
    });
    return out;
}

// As libtorch registers them; the dispatcher compares the types.
using Prepack = at::Tensor(at::Tensor, std::optional<c10::List<int64_t>>);
using Linear = at::Tensor(at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, std::optional<at::Tensor>,
                          double, int64_t, std::optional<c10::ScalarType>, std::string_view,
                          c10::List<std::optional<at::Scalar>>, std::string_view);

std::optional<c10::OperatorHandle> operation(const char *name) {
    return c10::Dispatcher::singleton().findSchema({name, ""});
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

extern "C" {

bool ct_has_int8(void) {
    static const bool has = operation("onednn::qlinear_prepack") && operation("onednn::qlinear_pointwise");
    return has;
}

int32_t ct_pack_int8(ct_tensor weight, ct_tensor scale, int64_t rows, ct_tensor *out) {
    return returning(out, [&] {
        TORCH_CHECK(ct_has_int8(), "this libtorch has no products of 8-bit matrices");
        TORCH_CHECK(
            weight->value.dim() == 2 && scale->value.dim() == 1 && scale->value.size(0) == weight->value.size(0),
            "a weight of shape ", weight->value.sizes(), " does not fit scales of shape ", scale->value.sizes());
        static const auto op = operation("onednn::qlinear_prepack")->typed<Prepack>();
        const c10::InferenceMode no_graph;
        const auto whole = weight->value.div(scale->value.unsqueeze(1)).round_().clamp_(-127, 127).to(at::kChar);
        const c10::List<int64_t> shape{rows, weight->value.size(1)};
        return op.call(whole, shape);
    });
}

int32_t ct_linear_int8(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor weight_scale, float x_scale,
                       int64_t x_zero_point, ct_dtype dtype, ct_tensor *out) {
    return returning(out, [&] {
        static const auto op = operation("onednn::qlinear_pointwise")->typed<Linear>();
        const c10::InferenceMode no_graph;
        const auto input = x->value.contiguous();
        TORCH_CHECK(has_kernel(input) && x_scale > 0 && x_zero_point >= 0 && x_zero_point <= 255,
                    "a linear layer in 8 bits takes float32 and bfloat16 on the CPU, not ", input.scalar_type());
        const auto zero_points = weight_scale->value.new_zeros({weight_scale->value.numel()}, at::kLong);
        return op.call(quantized(input, x_scale, x_zero_point), x_scale, x_zero_point, weight->value,
                       weight_scale->value, zero_points, optional_of(bias), /*output_scale=*/1.0,
                       /*output_zero_point=*/0, dtype_of(dtype), "none", c10::List<std::optional<at::Scalar>>(), "");
    });
}

}  // extern "C"
