// In-place operations for initialisers and optimisers, outside autograd.
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include "guarded.h"

using namespace ctorch;

namespace {

// libtorch's operations on lists do not count what they change, and PackedWeight goes by that count.
void count_change(const std::vector<at::Tensor> &changed) {
    for (const auto &tensor : changed) {
        if (!tensor.is_inference()) tensor.unsafeGetTensorImpl()->bump_version();
    }
}

}  // namespace

extern "C" {

int32_t ct_copy_(ct_tensor into, ct_tensor from) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        // libtorch would broadcast; a copy that changes the meaning of a shape is a mistake here.
        TORCH_CHECK(into->value.sizes() == from->value.sizes(), "cannot copy a tensor of shape ", from->value.sizes(),
                    " into one of shape ", into->value.sizes());
        into->value.copy_(from->value);
    });
}

int32_t ct_fill_(ct_tensor a, double value) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        a->value.fill_(value);
    });
}

int32_t ct_mul_(ct_tensor a, double factor) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        a->value.mul_(factor);
    });
}

int32_t ct_normal_(ct_tensor a, double mean, double std) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        a->value.normal_(mean, std);
    });
}

int32_t ct_uniform_(ct_tensor a, double low, double high) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        a->value.uniform_(low, high);
    });
}

int32_t ct_adamw_(const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *first_moments,
                  const ct_tensor *second_moments, const ct_tensor *steps, int32_t count, double lr, double beta1,
                  double beta2, double weight_decay, double eps) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        const auto counters = list_of(steps, count);
        const auto changed = list_of(parameters, count);
        at::_foreach_add_(counters, 1);
        at::_fused_adamw_(changed, list_of(gradients, count), list_of(first_moments, count),
                          list_of(second_moments, count), /*max_exp_avg_sqs=*/{}, counters, lr, beta1, beta2,
                          weight_decay, eps, /*amsgrad=*/false, /*maximize=*/false);
        count_change(changed);
    });
}

int32_t ct_sgd_(const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *momenta, int32_t count,
                double lr, double momentum, double weight_decay, bool nesterov, bool is_first) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        const auto changed = list_of(parameters, count);
        at::_fused_sgd_(changed, list_of(gradients, count),
                        momentum == 0 ? std::vector<at::Tensor>{} : list_of(momenta, count), weight_decay, momentum, lr,
                        /*dampening=*/0, nesterov, /*maximize=*/false, is_first);
        count_change(changed);
    });
}

int32_t ct_lerp_many_(const ct_tensor *a, const ct_tensor *b, int32_t count, double weight) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        const auto changed = list_of(a, count);
        at::_foreach_lerp_(changed, list_of(b, count), weight);
        count_change(changed);
    });
}

int32_t ct_mul_many_(const ct_tensor *a, int32_t count, double factor) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        const auto changed = list_of(a, count);
        at::_foreach_mul_(changed, factor);
        count_change(changed);
    });
}

int32_t ct_unscale_(const ct_tensor *a, int32_t count, ct_tensor found_infinite, ct_tensor factor) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        at::_amp_foreach_non_finite_check_and_unscale_(list_of(a, count), found_infinite->value, factor->value);
    });
}

int32_t ct_update_scale_(ct_tensor scale, ct_tensor growth_tracker, ct_tensor found_infinite, double growth,
                         double backoff, int64_t interval) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        at::_amp_update_scale_(scale->value, growth_tracker->value, found_infinite->value, growth, backoff, interval);
    });
}

int32_t ct_norm_many(const ct_tensor *a, int32_t count, double *out) {
    return guarded([&] {
        c10::NoGradGuard no_grad;
        *out =
            count == 0 ? 0 : at::linalg_vector_norm(at::stack(at::_foreach_norm(list_of(a, count)))).item().toDouble();
    });
}

}  // extern "C"
