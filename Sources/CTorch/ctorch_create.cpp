// Creation, conversion and metadata.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstring>

#include "guarded.h"

using namespace ctorch;

extern "C" {

void ct_tensor_release(ct_tensor tensor) {
    if (!tensor) return;
    guarded([&] { delete tensor; });
    live_tensors().fetch_sub(1, std::memory_order_relaxed);
}

int32_t ct_from_bytes(const void *bytes, size_t byte_count, ct_dtype dtype, const int64_t *sizes, int32_t rank,
                      ct_tensor *out) {
    return returning(out, [&] {
        auto tensor = at::empty(dims_of(sizes, rank), at::TensorOptions().dtype(dtype_of(dtype)));
        TORCH_CHECK(tensor.nbytes() == byte_count, "a tensor of shape ", tensor.sizes(), " needs ", tensor.nbytes(),
                    " bytes, not ", byte_count);
        if (byte_count > 0) std::memcpy(tensor.mutable_data_ptr(), bytes, byte_count);
        return tensor;
    });
}

int32_t ct_empty(const int64_t *sizes, int32_t rank, ct_dtype dtype, ct_tensor *out) {
    return returning(out, [&] { return at::empty(dims_of(sizes, rank), at::TensorOptions().dtype(dtype_of(dtype))); });
}

int32_t ct_without_elements(ct_tensor like, ct_tensor *out) {
    return returning(out, [&] { return at::empty(like->value.sizes(), like->value.options().device(at::kMeta)); });
}

int32_t ct_full(const int64_t *sizes, int32_t rank, double value, ct_dtype dtype, ct_device device,
                int32_t device_index, ct_tensor *out) {
    return returning(out, [&] {
        const auto options = at::TensorOptions().dtype(dtype_of(dtype)).device(device_of(device, device_index));
        return at::full(dims_of(sizes, rank), value, options);
    });
}

int32_t ct_arange(int64_t count, ct_dtype dtype, ct_tensor *out) {
    return returning(out, [&] { return at::arange(count, at::TensorOptions().dtype(dtype_of(dtype))); });
}

int32_t ct_randn(const int64_t *sizes, int32_t rank, ct_dtype dtype, ct_tensor *out) {
    return returning(out, [&] { return at::randn(dims_of(sizes, rank), at::TensorOptions().dtype(dtype_of(dtype))); });
}

int32_t ct_rand_like(ct_tensor like, const int64_t *sizes, int32_t rank, ct_tensor *out) {
    return returning(out, [&] { return at::rand(dims_of(sizes, rank), like->value.options()); });
}

int32_t ct_clone(ct_tensor a, ct_tensor *out) {
    return returning(out, [&] { return a->value.clone(); });
}

int32_t ct_to_dtype(ct_tensor a, ct_dtype dtype, ct_tensor *out) {
    return returning(out, [&] { return a->value.to(dtype_of(dtype)); });
}

int32_t ct_to_device(ct_tensor a, ct_device device, int32_t index, ct_tensor *out) {
    return returning(out, [&] { return a->value.to(device_of(device, index)); });
}

int32_t ct_contiguous(ct_tensor a, ct_tensor *out) {
    return returning(out, [&] { return a->value.contiguous(); });
}

int32_t ct_channels_last(ct_tensor a, ct_tensor *out) {
    return returning(out, [&] { return a->value.contiguous(at::MemoryFormat::ChannelsLast); });
}

int32_t ct_rank(ct_tensor a) { return static_cast<int32_t>(a->value.dim()); }

void ct_sizes(ct_tensor a, int64_t *out) {
    const auto sizes = a->value.sizes();
    std::copy(sizes.begin(), sizes.end(), out);
}

int64_t ct_element_count(ct_tensor a) { return a->value.numel(); }

int32_t ct_dtype_of(ct_tensor a) { return static_cast<int32_t>(a->value.scalar_type()); }

void ct_device_of(ct_tensor a, int32_t *type, int32_t *index) {
    *type = static_cast<int32_t>(a->value.device().type());
    *index = a->value.device().index();
}

int32_t ct_data(ct_tensor a, const void **out) {
    return guarded([&] {
        TORCH_CHECK(a->value.device().is_cpu() && a->value.is_contiguous(),
                    "the elements can be read only from a contiguous tensor on the CPU");
        *out = a->value.const_data_ptr();
    });
}

int32_t ct_mutable_data(ct_tensor a, void **out) {
    return guarded([&] {
        const bool reachable = a->value.device().is_cpu() && a->value.is_contiguous();
        *out = reachable ? a->value.mutable_data_ptr() : nullptr;
        // libtorch cannot see what is written there.
        if (reachable && !a->value.is_inference()) a->value.unsafeGetTensorImpl()->bump_version();
    });
}

int64_t ct_version(ct_tensor a) {
    return a->value.is_inference()
               ? -1
               : static_cast<int64_t>(a->value.unsafeGetTensorImpl()->version_counter().current_version());
}

int32_t ct_item(ct_tensor a, double *out) {
    return guarded([&] { *out = a->value.item().toDouble(); });
}

}  // extern "C"
