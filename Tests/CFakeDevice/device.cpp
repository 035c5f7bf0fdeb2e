// What libtorch asks of a device itself: how many there are, which is current, its streams, its random numbers.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <mutex>

#include "fake_device.h"
#include "memory.h"

namespace fake {
namespace {

const c10::Device only{kind, 0};

// Everything is done at once, so one stream is enough.
c10::Stream the_stream() { return c10::Stream(c10::Stream::DEFAULT, only); }

struct Guard final : c10::impl::DeviceGuardImplInterface {
    static constexpr c10::DeviceType static_type = kind;

    c10::DeviceType type() const override { return kind; }
    c10::Device exchangeDevice(c10::Device) const override { return only; }
    c10::Device getDevice() const override { return only; }
    void setDevice(c10::Device) const override {}
    void uncheckedSetDevice(c10::Device) const noexcept override {}
    c10::Stream getStream(c10::Device) const override { return the_stream(); }
    c10::Stream getDefaultStream(c10::Device) const override { return the_stream(); }
    c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override { return the_stream(); }
    c10::Stream exchangeStream(c10::Stream) const override { return the_stream(); }
    c10::DeviceIndex deviceCount() const noexcept override { return 1; }
    void record(void **, const c10::Stream &, const c10::DeviceIndex, const c10::EventFlag) const override {}
    void block(void *, const c10::Stream &) const override {}
    bool queryEvent(void *) const override { return true; }
    bool queryStream(const c10::Stream &) const override { return true; }
    void synchronizeStream(const c10::Stream &) const override {}
    void synchronizeEvent(void *) const override {}
    void synchronizeDevice(const c10::DeviceIndex) const override {}
    void destroyEvent(void *, const c10::DeviceIndex) const noexcept override {}
    void recordDataPtrOnStream(const c10::DataPtr &, const c10::Stream &) const override {}
};

// At load, not in fake_device_install(): autograd's engine counts the devices at its first use.
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

struct Hooks final : at::PrivateUse1HooksInterface {
    bool isBuilt() const override { return true; }
    bool isAvailable() const override { return true; }
    bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
    c10::DeviceIndex deviceCount() const override { return 1; }
    c10::DeviceIndex getCurrentDevice() const override { return 0; }
    void setCurrentDevice(c10::DeviceIndex) const override {}
    c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
    c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
    at::Device getDeviceFromPtr(void *) const override { return only; }

    // Operators draw from the CPU's generator, whose numbers are then those of a run on the CPU; it has a seed of its
    // own.
    const at::Generator &getDefaultGenerator(c10::DeviceIndex) const override {
        static const auto generator = at::detail::createCPUGenerator();
        return generator;
    }

    // Memory of the CPU is as good as pinned for copies that are done at once.
    bool isPinnedPtr(const void *) const override { return false; }
    at::Allocator *getPinnedMemoryAllocator() const override { return c10::GetAllocator(c10::kCPU); }
};

}  // namespace
}  // namespace fake

extern "C" {

void fake_device_install(void) {
    static std::once_flag once;
    std::call_once(once, [] {
        c10::register_privateuse1_backend("fake");
        c10::SetAllocator(fake::kind, fake::allocator());
        at::RegisterPrivateUse1HooksInterface(new fake::Hooks);
    });
}

void fake_device_set_limit(int64_t bytes) { fake::set_limit(static_cast<size_t>(bytes)); }

}  // extern "C"
