// The one way from C++ to C: exceptions become a status and a message, tensors become counted references.
#pragma once

// <ATen/ATen.h> adds five seconds to the compilation of a file; each file includes the operators that it calls.
#include <ATen/core/Tensor.h>

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ctorch.h"

struct ct_tensor_s {
    at::Tensor value;
};

namespace ctorch {

std::string &last_error();
bool &last_error_is_memory();
std::atomic<int64_t> &live_tensors();

/// Runs `body` and returns 0, or keeps the message of whatever it threw and returns 1.
template <typename Body>
int32_t guarded(Body &&body) noexcept {
    last_error_is_memory() = false;
    try {
        body();
        return 0;
    } catch (const c10::OutOfMemoryError &error) {
        last_error() = error.what_without_backtrace();
        last_error_is_memory() = true;
    } catch (const c10::Error &error) {
        last_error() = error.what_without_backtrace();
        // The CPU's allocator throws no type of its own.
        last_error_is_memory() = last_error().find("DefaultCPUAllocator") != std::string::npos;
    } catch (const std::exception &error) { last_error() = error.what(); } catch (...) {
        last_error() = "libtorch threw something that is not a std::exception";
    }
    return 1;
}

/// Hands a tensor to the caller, who owns the reference from here on.
inline void give(ct_tensor *out, at::Tensor value) {
    *out = new ct_tensor_s{std::move(value)};
    live_tensors().fetch_add(1, std::memory_order_relaxed);
}

/// guarded(), for the many functions whose body is one expression.
template <typename Expression>
int32_t returning(ct_tensor *out, Expression &&expression) noexcept {
    return guarded([&] { give(out, expression()); });
}

inline at::IntArrayRef dims_of(const int64_t *dims, int32_t count) {
    return at::IntArrayRef(dims, static_cast<size_t>(count));
}

inline std::vector<at::Tensor> list_of(const ct_tensor *tensors, int32_t count) {
    std::vector<at::Tensor> list;
    list.reserve(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; ++i) list.push_back(tensors[i]->value);
    return list;
}

inline std::optional<at::Tensor> optional_of(ct_tensor tensor) {
    return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}

inline at::ScalarType dtype_of(ct_dtype dtype) { return static_cast<at::ScalarType>(dtype); }

inline at::Device device_of(ct_device device, int32_t index) {
    return at::Device(static_cast<at::DeviceType>(device), static_cast<c10::DeviceIndex>(index));
}

}  // namespace ctorch
