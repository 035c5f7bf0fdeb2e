// Operations whose gradient is written here, as autograd sees them.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <cstdint>
#include <vector>

namespace ctorch {

/// What a forward pass keeps for its gradient: inputs, or tensors made below autograd.
struct Kept {
    std::vector<at::Tensor> tensors;
    /// A size or a type.
    int64_t number = 0;
};

/// The gradient of an operation's result.
struct Incoming {
    const at::Tensor &gradient;
    /// Whether the gradient with respect to this input is used. One that is not may be left undefined.
    c10::function_ref<bool(size_t input)> needs;
};

/// Returns the gradients with respect to all inputs, in their order.
using Backward = std::vector<at::Tensor> (*)(const Incoming &incoming, const Kept &kept);

/// Calls `forward` outside autograd and records `backward` as its gradient with respect to `inputs`.
///
/// `backward` is a function without captures: all it needs is in `kept`. torch::autograd::Function, a template that
/// takes seconds to compile for each operation, is instantiated in one file.
at::Tensor with_gradient(at::ArrayRef<at::Tensor> inputs, c10::function_ref<at::Tensor(Kept &kept)> forward,
                         Backward backward);

}  // namespace ctorch
