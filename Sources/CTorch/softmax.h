// The softmax of attention's scores over rows, and its gradient.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// The softmax over the last dimension, in place; float32 and bfloat16 by our own loops, the rest by libtorch's.
void softmax_(at::Tensor &scores);

/// Turns the gradient of a softmax's output into that of its input, in place where it can.
void softmax_backward_(at::Tensor &gradient, const at::Tensor &output);

}  // namespace ctorch
