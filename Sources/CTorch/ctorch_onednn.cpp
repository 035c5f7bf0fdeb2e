// Linear and attention on oneDNN's matrix products, with their gradients.
//
// at::linear and at::bmm go to MKL in fp32, which takes a slow path on some processors; libtorch's own wrapper of
// oneDNN's product does not. The choice between the two is made above, in TorchNN.
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guarded.h"
#include "onednn.h"
#include "softmax.h"

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

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// What autocast does to the operands of at::linear; ours are not on its list.
at::Tensor autocast(const at::Tensor &tensor) {
    if (!at::autocast::is_autocast_enabled(at::kCPU)) return tensor;
    return at::autocast::cached_cast(at::autocast::get_autocast_dtype(at::kCPU), tensor, at::kCPU);
}

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

struct Attention : torch::autograd::Function<Attention> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &qkv, int64_t heads) {
        at::AutoDispatchBelowADInplaceOrView below_autograd;
        const auto batch = qkv.size(0), tokens = qkv.size(1), width = qkv.size(2) / 3 / heads;
        const auto split = qkv.view({batch, tokens, 3, heads, width})
                               .permute({2, 0, 3, 1, 4})
                               .reshape({3, batch * heads, tokens, width});
        const auto q = split[0], k = split[1], v = split[2];
        const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(width)));
        auto weights = onednn_matmul(q, k.transpose(1, 2), scale);
        softmax_(weights);
        const auto attended = onednn_matmul(weights, v);
        context->save_for_backward({split, weights});
        context->saved_data["heads"] = heads;
        return attended.view({batch, heads, tokens, width}).transpose(1, 2).reshape({batch, tokens, heads * width});
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &split = saved[0], &weights = saved[1];
        const auto heads = context->saved_data["heads"].toInt();
        const auto batch = gradients[0].size(0), tokens = split.size(2), width = split.size(3);
        const auto q = split[0], k = split[1], v = split[2];
        const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(width)));
        const auto gradient = gradients[0]
                                  .reshape({batch, tokens, heads, width})
                                  .transpose(1, 2)
                                  .reshape({batch * heads, tokens, width})
                                  .contiguous();
        auto split_gradient = at::empty_like(split);
        const auto product = at::native::mkldnn_matmul;
        product(weights.transpose(1, 2), gradient, split_gradient[2], 0, 1);
        auto scores_gradient = onednn_matmul(gradient, v.transpose(1, 2));
        softmax_backward_(scores_gradient, weights);
        product(scores_gradient, k, split_gradient[0], 0, scale);
        product(scores_gradient.transpose(1, 2), q, split_gradient[1], 0, scale);
        const auto qkv_gradient = split_gradient.view({3, batch, heads, tokens, width})
                                      .permute({1, 3, 0, 2, 4})
                                      .reshape({batch, tokens, 3 * heads * width});
        return {qkv_gradient, at::Tensor()};
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

int32_t ct_attention_onednn(ct_tensor qkv, int64_t heads, ct_tensor *out) {
    return returning(out, [&] {
        const auto &value = qkv->value;
        TORCH_CHECK(value.dim() == 3 && heads > 0 && value.size(2) % (3 * heads) == 0,
                    "attention: a fused projection of shape ", value.sizes(), " cannot be split for ", heads, " heads");
        return Attention::apply(autocast(value).contiguous(), heads);
    });
}

}  // extern "C"
