// Normalisation by the batch with a residual and the positive part of the sum, forward and backward.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace ctorch {

/// What comes of some maps, and the batch's mean and variance of every channel in float32, of which running ones are
/// made.
struct NormalizedMaps {
    at::Tensor out, mean, variance;
};

/// Whether batch_norm_vectors() serves these: on the CPU, channels innermost and a multiple of 16 of them, float32 or
/// bfloat16 maps, float32 weights.
bool has_batch_norm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                    const std::optional<at::Tensor> &residual);

/// (x − mean) / √(variance + eps) · weight + bias + residual, or the positive part of that, in the type of `x`.
///
/// Gradients flow to x, weight, bias and residual. The result is the same on any number of threads.
NormalizedMaps batch_norm_vectors(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                                  const std::optional<at::Tensor> &residual, bool positive, double eps);

}  // namespace ctorch
