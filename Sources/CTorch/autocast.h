// The state of autocast on the CPU; libtorch's header of it includes all operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace ctorch {

/// The dtype that autocast computes in on the CPU, if it is enabled on this thread.
std::optional<at::ScalarType> cpu_autocast_dtype();

/// What autocast does to the operands of at::linear; ours are not on its list.
at::Tensor autocast(const at::Tensor &tensor);

}  // namespace ctorch
