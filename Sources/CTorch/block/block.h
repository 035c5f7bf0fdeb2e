// A pre-norm block of a vision transformer with its gradient, for training on the CPU.
//
//   x ──┬──► normalise ──► qkv ──► attention ──► proj ──► · scale · factor ──► + ──┬──►
//       └──────────────────────────────────────────────────────────────────────────┘
//   and the same with normalise ──► fc1 ──► GELU ──► fc2.
//
// One thread takes an image through the whole block, forward and backward. Gradients of weights are sums over images
// and tokens, so they are computed afterwards, a group of images at a time:
//
//   images  0 1 2 … │ 0: through the block, gradients of outputs packed     thread 0: images 0, 2, …
//                   │                                                        thread 1: images 1, 3, …
//   panels of weights │ 1: sums over the group's images and tokens           thread 0: panel 0, …
//
// A number of a weight's gradient is summed by one thread, image after image: neither the number of threads nor which
// of them is faster changes a bit.
#pragma once

#include "weights.h"

namespace ctorch::block {

/// The block's output. What the gradient needs is written to `kept`, which has room for all images.
at::Tensor forward(const Kernels &kernels, const Shape &shape, const BlockTensors &tensors,
                   const BranchFactors &factors, const at::Tensor &x, char *kept);

/// Gradients with respect to the input and the weights: those that are defined are written.
struct Gradients {
    at::Tensor x;
    BlockTensors tensors;
};

void backward(const Kernels &kernels, const Shape &shape, const BlockTensors &tensors, const BranchFactors &factors,
              const at::Tensor &gradient, char *kept, const Gradients &gradients);

}  // namespace ctorch::block
