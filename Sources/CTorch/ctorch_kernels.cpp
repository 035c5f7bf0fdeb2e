// Our own loops as functions that autograd knows; libtorch's where a tensor is none that they serve.
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guarded.h"
#include "kernels.h"

namespace ctorch {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct GELU : torch::autograd::Function<GELU> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x) {
        at::AutoDispatchBelowADInplaceOrView below_autograd;
        context->save_for_backward({x});
        return gelu_vectors(x);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto x = context->get_saved_variables()[0];
        return {gelu_vectors_backward(gradients[0].to(x.scalar_type()).contiguous(), x)};
    }
};

struct Branch : torch::autograd::Function<Branch> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &branch) {
        at::AutoDispatchBelowADInplaceOrView below_autograd;
        context->saved_data["dtype"] = static_cast<int64_t>(branch.scalar_type());
        return add_branch(x, branch);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto dtype = static_cast<at::ScalarType>(context->saved_data["dtype"].toInt());
        return {gradients[0], gradients[0].to(dtype)};
    }
};

struct LayerNorm : torch::autograd::Function<LayerNorm> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                              const at::Tensor &bias, double eps, int64_t dtype) {
        at::AutoDispatchBelowADInplaceOrView below_autograd;
        const auto [out, mean, rstd] = layer_norm_vectors(x, weight, bias, eps, static_cast<at::ScalarType>(dtype));
        context->save_for_backward({x, weight, mean, rstd});
        return out;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        auto gradient = gradients[0].contiguous();
        if (!has_kernel(gradient)) gradient = gradient.to(at::kFloat);
        const auto [x, weight, bias] = layer_norm_vectors_backward(gradient, saved[0], saved[2], saved[3], saved[1]);
        return {x, weight, bias, at::Tensor(), at::Tensor()};
    }
};

bool is_float_vector(const at::Tensor &tensor, int64_t width) {
    return has_kernel(tensor) && tensor.scalar_type() == at::kFloat && tensor.dim() == 1 && tensor.numel() == width;
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

extern "C" {

int32_t ct_gelu_vectors(ct_tensor a, bool may_overwrite, ct_tensor *out) {
    return returning(out, [&] {
        if (!has_kernel(a->value)) return at::gelu(a->value, "none");
        if (!at::GradMode::is_enabled()) return gelu_vectors(a->value, may_overwrite);
        return GELU::apply(a->value);
    });
}

int32_t ct_add_branch(ct_tensor x, ct_tensor branch, ct_tensor *out) {
    return returning(out, [&] {
        if (x->value.scalar_type() != at::kFloat || !has_kernel(x->value) || !has_kernel(branch->value) ||
            x->value.sizes() != branch->value.sizes()) {
            return x->value + branch->value;
        }
        if (!at::GradMode::is_enabled()) return add_branch(x->value, branch->value);
        return Branch::apply(x->value, branch->value);
    });
}

int32_t ct_layer_norm_vectors(ct_tensor x, int64_t width, ct_tensor weight, ct_tensor bias, double eps,
                              bool for_product, ct_tensor *out) {
    return returning(out, [&] {
        const auto value = x->value.contiguous();
        if (width <= 0 || value.dim() == 0 || value.size(-1) != width || !has_kernel(value) || !weight || !bias ||
            !is_float_vector(weight->value, width) || !is_float_vector(bias->value, width)) {
            return at::layer_norm(x->value, {width}, optional_of(weight), optional_of(bias), eps);
        }
        auto dtype = value.scalar_type();
        if (at::autocast::is_autocast_enabled(at::kCPU)) {
            dtype = at::kFloat;
            if (for_product && at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16) dtype = at::kBFloat16;
        }
        return LayerNorm::apply(value, weight->value, bias->value, eps, static_cast<int64_t>(dtype));
    });
}

}  // extern "C"
