// Linear layers on oneDNN's matrix products, with their gradients.
//
// at::linear and at::bmm go to MKL in fp32, which takes a slow path on some processors; libtorch's own wrapper of
// oneDNN's product does not. The choice between the two is made above, in TorchNN.
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guarded.h"
#include "onednn.h"

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
    auto result = at::empty(sizes, a.options());
    at::native::mkldnn_matmul(a, b, result, /*beta=*/0, alpha);
    return result;
}

void onednn_matmul_out(const at::Tensor &a, const at::Tensor &b, const at::Tensor &out, float alpha) {
    at::native::mkldnn_matmul(a, b, out, /*beta=*/0, alpha);
}

at::Tensor autocast(const at::Tensor &tensor) {
    if (!at::autocast::is_autocast_enabled(at::kCPU)) return tensor;
    return at::autocast::cached_cast(at::autocast::get_autocast_dtype(at::kCPU), tensor, at::kCPU);
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

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

struct Linear : torch::autograd::Function<Linear> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                              const std::optional<at::Tensor> &bias) {
        at::AutoDispatchBelowADInplaceOrView below_autograd;
        context->save_for_backward({x, weight});
        context->saved_data["has_bias"] = bias.has_value();
        return linear_forward(x, weight, bias);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        const auto rows = rows_of(gradients[0]).contiguous();
        at::Tensor x_gradient, weight_gradient, bias_gradient;
        if (context->needs_input_grad(0)) x_gradient = onednn_matmul(rows, weight).view(x.sizes());
        if (context->needs_input_grad(1)) weight_gradient = onednn_matmul(rows.t(), rows_of(x));
        if (context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)) bias_gradient = rows.sum(0);
        return {x_gradient, weight_gradient, bias_gradient};
    }
};

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
        return Linear::apply(autocast(x->value), autocast(weight->value), optional_bias);
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
