// Linear layers on oneDNN's matrix products, with their gradients.
//
// at::linear and at::bmm go to MKL in fp32, which takes a slow path on some processors; libtorch's own wrapper of
// oneDNN's product does not. The choice between the two is made above, in TorchNN.
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>

#include "autocast.h"
#include "guarded.h"
#include "onednn.h"
#include "own_gradient.h"

// Exported by libtorch_cpu, but declared in no public header; weak, so that a libtorch without it still loads.
namespace at::native {
void mkldnn_matmul(const Tensor &mat1, const Tensor &mat2, const Tensor &result, float beta, float alpha)
    __attribute__((weak));
}

namespace ctorch {

bool has_onednn_matmul() { return at::native::mkldnn_matmul != nullptr; }

at::Tensor onednn_matmul(const at::Tensor &a, const at::Tensor &b, float alpha) {
    std::vector<int64_t> sizes(a.sizes().begin(), a.sizes().end());
    sizes.back() = b.size(-1);
    auto result = a.new_empty(sizes);
    at::native::mkldnn_matmul(a, b, result, /*beta=*/0, alpha);
    return result;
}

void onednn_matmul_out(const at::Tensor &a, const at::Tensor &b, const at::Tensor &out, float alpha) {
    at::native::mkldnn_matmul(a, b, out, /*beta=*/0, alpha);
}

namespace {

at::Tensor rows_of(const at::Tensor &x) { return x.reshape({-1, x.size(-1)}); }

at::Tensor linear_forward(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
    static const auto op =
        c10::Dispatcher::singleton()
            .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
            .typed<at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &,
                              c10::string_view, c10::List<std::optional<at::Scalar>>,
                              std::optional<c10::string_view>)>();
    return op.call(x, weight, bias, "none", c10::List<std::optional<at::Scalar>>(), "");
}

at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
    std::vector<at::Tensor> inputs{x, weight};
    if (bias) inputs.push_back(*bias);
    const auto forward = [&](Kept &kept) {
        kept.tensors = {x, weight};
        kept.number = bias.has_value();
        return linear_forward(x, weight, bias);
    };
    return with_gradient(inputs, forward, [](const Incoming &incoming, const Kept &kept) -> std::vector<at::Tensor> {
        const auto &x = kept.tensors[0], &weight = kept.tensors[1];
        const auto rows = rows_of(incoming.gradient).contiguous();
        std::vector<at::Tensor> gradients(kept.number ? 3 : 2);
        if (incoming.needs(0)) gradients[0] = onednn_matmul(rows, weight).view(x.sizes());
        if (incoming.needs(1)) gradients[1] = onednn_matmul(rows.t(), rows_of(x));
        if (kept.number && incoming.needs(2)) gradients[2] = rows.sum(0);
        return gradients;
    });
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

extern "C" {

int32_t ct_linear_onednn(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
    return returning(out, [&] {
        TORCH_CHECK(x->value.dim() >= 1 && weight->value.dim() == 2 && x->value.size(-1) == weight->value.size(1),
                    "linear: an input of shape ", x->value.sizes(), " does not fit a weight of shape ",
                    weight->value.sizes());
        const auto optional_bias = bias ? std::optional<at::Tensor>(autocast(bias->value)) : std::nullopt;
        return linear(autocast(x->value), autocast(weight->value), optional_bias);
    });
}

int32_t ct_pack_linear(ct_tensor weight, ct_dtype dtype, int64_t rows, ct_tensor *out) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                               .typed<at::Tensor(const at::Tensor &, std::optional<int64_t>)>();
    return returning(out, [&] {
        const c10::InferenceMode no_graph;
        return op.call(weight->value.to(dtype_of(dtype)).contiguous(), rows);
    });
}

int32_t ct_linear_packed(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
    return returning(out, [&] {
        TORCH_CHECK(x->value.dim() >= 1 && x->value.size(-1) == weight->value.size(1), "linear: an input of shape ",
                    x->value.sizes(), " does not fit a weight of shape ", weight->value.sizes());
        const at::NoGradGuard no_gradient;
        return linear_forward(x->value.to(weight->value.scalar_type()).contiguous(), weight->value, optional_of(bias));
    });
}

}  // extern "C"
