// Work shared among libtorch's own threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include <c10/util/FunctionRef.h>

namespace ctorch {

/// Calls `body` with ranges that together make up 0 ..< count, at least `grain` long, on libtorch's threads.
///
/// at::parallel_for is a template whose threads exist only in files compiled for OpenMP, and this package is not: a
/// second OpenMP beside libtorch's would fight it for the cores. Nested calls run on the calling thread, and so does
/// all of libtorch and oneDNN inside `body`. The first exception is rethrown here.
void parallel_for(int64_t count, int64_t grain, c10::function_ref<void(int64_t, int64_t)> body);

/// The items of parallel_items() that no thread has taken yet.
class ItemSource {
  public:
    ItemSource(std::atomic<int64_t> &next, int64_t count) : next_(next), count_(count) {}

    std::optional<int64_t> operator()() const {
        const auto item = next_++;
        return item < count_ ? std::optional(item) : std::nullopt;
    }

  private:
    std::atomic<int64_t> &next_;
    int64_t count_;
};

/// Calls `body` once on every thread that takes part; it asks for the next of `count` items until there is none.
/// Unlike the ranges of parallel_for(), items may differ in their time.
void parallel_items(int64_t count, c10::function_ref<void(const ItemSource &next)> body);

}  // namespace ctorch
