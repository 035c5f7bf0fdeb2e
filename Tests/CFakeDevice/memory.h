// The memory of the fake device: pages without access, opened for the time of a copy.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/CachingDeviceAllocator.h>

namespace fake {

constexpr auto kind = c10::DeviceType::PrivateUse1;

/// The allocator of the device; there is one.
c10::DeviceAllocator *allocator();

/// Limits the bytes of all tensors; 0 for no limit.
void set_limit(size_t bytes);

/// Makes the elements of a tensor readable and writable while it lives; of a CPU tensor it does nothing.
class Open {
  public:
    explicit Open(const at::Tensor &tensor);
    ~Open();
    Open(const Open &) = delete;
    Open &operator=(const Open &) = delete;

  private:
    void *block;
};

/// The elements of a tensor as a CPU tensor that shares them; to be used only while the tensor is open.
at::Tensor opened(const at::Tensor &tensor);

}  // namespace fake
