// Devices: which there are, their memory, and waiting for them.
//
// Everything goes through interfaces that libtorch has in all its builds, so this file is the same for a libtorch with
// and without CUDA: a build that lacks a device says so when it is asked.
#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstring>
#include <memory>

#include "guarded.h"

using namespace ctorch;

struct ct_event_s {
    c10::Event value;
};

namespace {

const at::AcceleratorHooksInterface &hooks_of(at::DeviceType type) {
    return at::globalContext().getAcceleratorHooksInterface(type);
}

bool is_built(at::DeviceType type) {
    if (type == at::kCPU) return true;
    if (type == at::kCUDA) return at::detail::getCUDAHooks().hasCUDART();
    if (type == at::kMPS) return at::hasMPS();
    return type == at::kPrivateUse1 && at::isPrivateUse1HooksRegistered();
}

int32_t count_of(at::DeviceType type) {
    if (!is_built(type)) return 0;
    if (type == at::kCPU) return 1;
    return static_cast<int32_t>(hooks_of(type).deviceCount());
}

/// A device whose allocator has begun to count.
at::Device started(ct_device device, int32_t index) {
    const auto at = device_of(device, index);
    at::globalContext().lazyInitDevice(at.type());
    return at;
}

}  // namespace

extern "C" {

bool ct_device_is_built(ct_device device) {
    bool built = false;
    guarded([&] { built = is_built(static_cast<at::DeviceType>(device)); });
    return built;
}

int32_t ct_device_count(ct_device device) {
    int32_t count = 0;
    guarded([&] { count = count_of(static_cast<at::DeviceType>(device)); });
    return count;
}

bool ct_device_has_fast_bfloat16(ct_device device, int32_t index) {
    bool has = false;
    guarded([&] {
        if (device != CT_CUDA || count_of(at::kCUDA) == 0) return;
        const c10::DeviceGuard guard(device_of(device, index));
        // What cuDNN asks for bfloat16 is what its products need: compute capability 8.0, "Ampere".
        const auto &hooks = at::detail::getCUDAHooks();
        has = hooks.supportsBFloat16ConvolutionWithCuDNNv8() || hooks.supportsBFloat16RNNWithCuDNN();
    });
    return has;
}

int32_t ct_device_synchronize(ct_device device, int32_t index) {
    return guarded([&] {
        if (device == CT_CPU) return;
        const auto at = device_of(device, index);
        c10::impl::VirtualGuardImpl(at.type()).synchronizeDevice(at.index());
    });
}

int32_t ct_device_memory(ct_device device, int32_t index, int64_t *free, int64_t *total) {
    return guarded([&] {
        const auto at = started(device, index);
        const auto [unused, all] = at::getDeviceAllocator(at.type())->getMemoryInfo(at.index());
        *free = static_cast<int64_t>(unused);
        *total = static_cast<int64_t>(all);
    });
}

int32_t ct_device_peak(ct_device device, int32_t index, int64_t *bytes) {
    return guarded([&] {
        const auto at = started(device, index);
        const auto statistics = at::getDeviceAllocator(at.type())->getDeviceStats(at.index());
        *bytes = statistics.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
    });
}

int32_t ct_device_reset_peak(ct_device device, int32_t index) {
    return guarded([&] {
        const auto at = started(device, index);
        at::getDeviceAllocator(at.type())->resetPeakStats(at.index());
    });
}

int32_t ct_device_empty_cache(ct_device device) {
    return guarded([&] { at::getDeviceAllocator(static_cast<at::DeviceType>(device))->emptyCache(); });
}

int32_t ct_upload(const void *bytes, size_t byte_count, ct_dtype dtype, const int64_t *sizes, int32_t rank,
                  ct_device device, int32_t index, ct_tensor *out, ct_event *done) {
    return guarded([&] {
        const auto at = started(device, index);
        // From pageable memory a copy would hold up this thread and the device.
        const auto pinned = at::TensorOptions().dtype(dtype_of(dtype)).pinned_memory(true);
        const auto host = at::empty(dims_of(sizes, rank), pinned);
        TORCH_CHECK(host.nbytes() == byte_count, "a tensor of shape ", host.sizes(), " needs ", host.nbytes(),
                    " bytes, not ", byte_count);
        if (byte_count > 0) std::memcpy(host.mutable_data_ptr(), bytes, byte_count);
        const c10::DeviceGuard on_device(at);
        const auto stream = c10::impl::VirtualGuardImpl(at.type()).getStreamFromGlobalPool(at, false);
        const c10::StreamGuard on_stream(stream);
        auto tensor = host.to(at, /*non_blocking=*/true);
        auto event = std::make_unique<ct_event_s>(ct_event_s{c10::Event(at.type())});
        event->value.record(stream);
        give(out, std::move(tensor));
        *done = event.release();
    });
}

int32_t ct_upload_wait(ct_tensor uploaded, ct_event done, ct_tensor *out) {
    return returning(out, [&] {
        const auto &tensor = uploaded->value;
        const c10::impl::VirtualGuardImpl device(tensor.device().type());
        const auto stream = device.getStream(tensor.device());
        done->value.block(stream);
        // The memory belongs to the other stream, which must not use it again before this one is done.
        device.recordDataPtrOnStream(tensor.storage().data_ptr(), stream);
        return tensor;
    });
}

void ct_event_release(ct_event event) {
    guarded([&] { delete event; });
}

void ct_set_tf32(bool allowed) {
    guarded([&] {
        at::globalContext().setAllowTF32CuBLAS(allowed);
        at::globalContext().setAllowTF32CuDNN(allowed);
    });
}

}  // extern "C"
