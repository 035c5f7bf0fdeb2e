// Memory that a training step needs again in the next one.
//
// A block's forward pass keeps some megabytes for the backward pass, which frees them. Given back to the system they
// would come back page by page, each of which the system clears first, at a cost of several percent of a step.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "../encoder/packing.h"

namespace ctorch::block {

/// Memory out of the pool, which goes back there at the end. What it holds at first is left from others.
class Borrowed {
  public:
    explicit Borrowed(int64_t bytes);
    Borrowed(Borrowed &&) = default;
    Borrowed(const Borrowed &) = delete;
    ~Borrowed();

    char *data() const { return memory_.data(); }

  private:
    encoder::Memory memory_;
    int64_t bytes_;
};

/// An uninitialised tensor in memory out of the pool.
at::Tensor borrowed_tensor(at::IntArrayRef sizes, at::ScalarType dtype);

/// Gives back to the system what nobody has borrowed.
void empty_pool();

/// Hands out parts of a piece of memory one after another. With null it only counts.
class Places {
  public:
    explicit Places(char *start) : start_(start) {}

    template <typename T>
    T *take(int64_t count) {
        auto *place = start_ ? reinterpret_cast<T *>(start_ + used_) : nullptr;
        used_ += encoder::rounded_up(count * static_cast<int64_t>(sizeof(T)), 128);
        return place;
    }
    int64_t used() const { return used_; }

  private:
    char *start_;
    int64_t used_ = 0;
};

}  // namespace ctorch::block
