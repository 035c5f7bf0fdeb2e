// Element-wise parts of a transformer by our own loops, forward and backward.
#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>

namespace ctorch {

/// Whether the loops below serve a tensor: on the CPU, contiguous, float32 or bfloat16.
bool has_kernel(const at::Tensor &tensor);

/// x · Φ(x), written over x where that was requested.
at::Tensor gelu_vectors(const at::Tensor &x, bool overwrites = false);

/// The gradient of gelu_vectors() with respect to x.
at::Tensor gelu_vectors_backward(const at::Tensor &gradient, const at::Tensor &x);

/// x + branch for a float32 `x` and a branch of the same shape, both of which has_kernel() serves.
at::Tensor add_branch(const at::Tensor &x, const at::Tensor &branch);

/// The normalised rows of the last dimension in `dtype`, and each row's mean and 1 / deviation in float32.
std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_vectors(const at::Tensor &x, const at::Tensor &weight,
                                                                  const at::Tensor &bias, double eps,
                                                                  at::ScalarType dtype);

/// The gradients of layer_norm_vectors() with respect to x, weight and bias; the same on any number of threads.
std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_vectors_backward(const at::Tensor &gradient,
                                                                           const at::Tensor &x, const at::Tensor &mean,
                                                                           const at::Tensor &rstd,
                                                                           const at::Tensor &weight);

}  // namespace ctorch
