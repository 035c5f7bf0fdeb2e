// Work shared among libtorch's own threads.
#pragma once

#include <cstdint>

#include <c10/util/FunctionRef.h>

namespace ctorch {

/// Calls `body` with ranges that together make up 0 ..< count, at least `grain` long, on libtorch's threads.
///
/// at::parallel_for is a template whose threads exist only in files compiled for OpenMP, and this package is not: a
/// second OpenMP beside libtorch's would fight it for the cores. Nested calls run on the calling thread, and so does
/// all of libtorch and oneDNN inside `body`. The first exception is rethrown here.
void parallel_for(int64_t count, int64_t grain, c10::function_ref<void(int64_t, int64_t)> body);

}  // namespace ctorch
