// Work shared among libtorch's own threads, through the one parallel loop that libtorch exports as a function.
#include "parallel.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ThreadLocalState.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "guarded.h"

namespace ctorch {

void parallel_for(int64_t count, int64_t grain, c10::function_ref<void(int64_t, int64_t)> body) {
    if (count <= 0) return;
    if (count <= grain || at::get_num_threads() == 1 || at::in_parallel_region()) {
        body(0, count);
        return;
    }
    // One byte an item: the iterator hands out parts of this memory, which nobody reads or writes.
    const auto items = at::empty({count}, at::kByte);
    const auto *first = static_cast<const char *>(items.const_data_ptr());
    auto iterator = at::TensorIteratorConfig()
                        .check_all_same_dtype(false)
                        .resize_outputs(false)
                        .declare_static_shape({count})
                        .add_output(items)
                        .build();
    iterator.for_each(
        [&](char **data, const int64_t *, int64_t size) {
            const int64_t from = data[0] - first;
            body(from, from + size);
        },
        grain);
}

void parallel_items(int64_t count, c10::function_ref<void(const ItemSource &next)> body) {
    std::atomic<int64_t> next{0};
    const ItemSource source(next, count);
    parallel_for(std::min<int64_t>(count, at::get_num_threads()), 1, [&](int64_t from, int64_t to) {
        for (auto worker = from; worker < to; ++worker) body(source);
    });
}

}  // namespace ctorch

using namespace ctorch;

extern "C" {

int32_t ct_parallel(int32_t count, void (*body)(void *context, int32_t index), void *context) {
    return guarded([&] {
        // Gradient mode, autocast and the rest belong to a thread; the others take over this one's.
        const at::ThreadLocalState state;
        parallel_items(count, [&](const ItemSource &next) {
            const at::ThreadLocalStateGuard guard(state);
            while (const auto item = next()) body(context, static_cast<int32_t>(*item));
        });
    });
}

}  // extern "C"
