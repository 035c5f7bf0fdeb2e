// Our own loops as functions that autograd knows; libtorch's where a tensor is none that they serve.
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/relu.h>
#include <c10/core/GradMode.h>

#include "autocast.h"
#include "batch_norm.h"
#include "guarded.h"
#include "kernels.h"
#include "own_gradient.h"

namespace ctorch {
namespace {

using Tensors = std::vector<at::Tensor>;

at::Tensor gelu_with_gradient(const at::Tensor &x) {
    const auto forward = [&](Kept &kept) {
        kept.tensors = {x};
        return gelu_vectors(x);
    };
    return with_gradient({x}, forward, [](const Incoming &incoming, const Kept &kept) -> Tensors {
        const auto &x = kept.tensors[0];
        return {gelu_vectors_backward(incoming.gradient.to(x.scalar_type()).contiguous(), x)};
    });
}

at::Tensor add_branch_with_gradient(const at::Tensor &x, const at::Tensor &branch) {
    const auto forward = [&](Kept &kept) {
        kept.number = static_cast<int64_t>(branch.scalar_type());
        return add_branch(x, branch);
    };
    return with_gradient({x, branch}, forward, [](const Incoming &incoming, const Kept &kept) -> Tensors {
        return {incoming.gradient, incoming.gradient.to(static_cast<at::ScalarType>(kept.number))};
    });
}

at::Tensor layer_norm_with_gradient(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, double eps,
                                    at::ScalarType dtype) {
    const auto forward = [&](Kept &kept) {
        const auto [out, mean, rstd] = layer_norm_vectors(x, weight, bias, eps, dtype);
        kept.tensors = {x, weight, mean, rstd};
        return out;
    };
    return with_gradient({x, weight, bias}, forward, [](const Incoming &incoming, const Kept &kept) -> Tensors {
        auto gradient = incoming.gradient.contiguous();
        if (!has_kernel(gradient)) gradient = gradient.to(at::kFloat);
        const auto &saved = kept.tensors;
        const auto [x, weight, bias] = layer_norm_vectors_backward(gradient, saved[0], saved[2], saved[3], saved[1]);
        return {x, weight, bias};
    });
}

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
        return gelu_with_gradient(a->value);
    });
}

int32_t ct_add_branch(ct_tensor x, ct_tensor branch, ct_tensor *out) {
    return returning(out, [&] {
        if (x->value.scalar_type() != at::kFloat || !has_kernel(x->value) || !has_kernel(branch->value) ||
            x->value.sizes() != branch->value.sizes()) {
            return x->value.add(branch->value);
        }
        if (!at::GradMode::is_enabled()) return add_branch(x->value, branch->value);
        return add_branch_with_gradient(x->value, branch->value);
    });
}

int32_t ct_batch_norm_vectors(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean,
                              ct_tensor running_var, ct_tensor residual, bool positive, double momentum, double eps,
                              ct_tensor *out) {
    return returning(out, [&] {
        const auto added = optional_of(residual);
        if (!has_batch_norm(x->value, weight->value, bias->value, added)) {
            auto maps = at::batch_norm(x->value, weight->value, bias->value, running_mean->value, running_var->value,
                                       /*training=*/true, momentum, eps, /*cudnn_enabled=*/true);
            if (added) maps = maps.add(*added);
            return positive ? at::relu(maps) : maps;
        }
        const auto maps = batch_norm_vectors(x->value, weight->value, bias->value, added, positive, eps);
        const c10::NoGradGuard no_grad;
        const auto count = static_cast<double>(x->value.numel() / x->value.size(1));
        running_mean->value.lerp_(maps.mean, momentum);
        // The running variance is that of all images, of which the batch is a sample.
        running_var->value.lerp_(maps.variance.mul(count / (count - 1)), momentum);
        return maps.out;
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
        if (const auto autocast = cpu_autocast_dtype())
            dtype = for_product && *autocast == at::kBFloat16 ? at::kBFloat16 : at::kFloat;
        return layer_norm_with_gradient(value, weight->value, bias->value, eps, dtype);
    });
}

}  // extern "C"
