// Gradients and autocast. Both modes are thread-local in libtorch.
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include "autocast.h"
#include "guarded.h"

namespace ctorch {

std::optional<at::ScalarType> cpu_autocast_dtype() {
    if (!at::autocast::is_autocast_enabled(at::kCPU)) return std::nullopt;
    return at::autocast::get_autocast_dtype(at::kCPU);
}

at::Tensor autocast(const at::Tensor &tensor) {
    const auto dtype = cpu_autocast_dtype();
    return dtype ? at::autocast::cached_cast(*dtype, tensor, at::kCPU) : tensor;
}

}  // namespace ctorch

using namespace ctorch;

extern "C" {

int32_t ct_backward(ct_tensor loss) {
    return guarded([&] { loss->value.backward(); });
}

int32_t ct_grad(ct_tensor a, ct_tensor *out) {
    return guarded([&] {
        const auto &gradient = a->value.grad();
        if (gradient.defined()) {
            give(out, gradient);
        } else {
            *out = nullptr;
        }
    });
}

int32_t ct_clear_grad(ct_tensor a) {
    return guarded([&] { a->value.mutable_grad().reset(); });
}

int32_t ct_detach(ct_tensor a, ct_tensor *out) {
    return returning(out, [&] { return a->value.detach(); });
}

bool ct_requires_grad(ct_tensor a) { return a->value.requires_grad(); }

int32_t ct_set_requires_grad(ct_tensor a, bool value) {
    return guarded([&] { a->value.requires_grad_(value); });
}

bool ct_grad_mode(void) { return c10::GradMode::is_enabled(); }

void ct_set_grad_mode(bool enabled) { c10::GradMode::set_enabled(enabled); }

int32_t ct_autocast_dtype(ct_device device) {
    int32_t dtype = -1;
    guarded([&] {
        const auto type = static_cast<at::DeviceType>(device);
        if (at::autocast::is_autocast_enabled(type))
            dtype = static_cast<int32_t>(at::autocast::get_autocast_dtype(type));
    });
    return dtype;
}

bool ct_autocast_enabled(ct_device device) {
    bool enabled = false;
    guarded([&] { enabled = at::autocast::is_autocast_enabled(static_cast<at::DeviceType>(device)); });
    return enabled;
}

int32_t ct_autocast_enter(ct_device device, ct_dtype dtype, bool enabled, bool *was_enabled, int32_t *previous_dtype) {
    return guarded([&] {
        const auto type = static_cast<at::DeviceType>(device);
        *was_enabled = at::autocast::is_autocast_enabled(type);
        *previous_dtype = static_cast<int32_t>(at::autocast::get_autocast_dtype(type));
        at::autocast::set_autocast_enabled(type, enabled);
        at::autocast::set_autocast_dtype(type, dtype_of(dtype));
        at::autocast::increment_nesting();
    });
}

int32_t ct_autocast_leave(ct_device device, bool was_enabled, int32_t previous_dtype) {
    return guarded([&] {
        const auto type = static_cast<at::DeviceType>(device);
        if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(type, was_enabled);
        at::autocast::set_autocast_dtype(type, static_cast<at::ScalarType>(previous_dtype));
    });
}

}  // extern "C"
