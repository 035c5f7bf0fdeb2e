// Attention of one image in one thread's caches, forward and backward.
//
// Backward, a block of keys of one head at a time, against all queries (P = weights, O = result, dO = its gradient):
//
//   Sᵀ  = K Qᵀ            [keys, queries]    rows of K · packed columns Q
//   Pᵀ  = 2^(Sᵀ − L)      with the logarithms L that the forward pass kept: no second softmax
//   dPᵀ = V dOᵀ                              rows of V · packed columns dO
//   dSᵀ = ln 2 · Pᵀ (dPᵀ − D)                with D = row sums of dO · O
//   dV  = Pᵀ dO,  dK = dSᵀ Q                 rows · packed dO and Q
//   dQ  = (dSᵀ)ᵀ K                           when all keys are through: dSᵀ packed, transposed product
#pragma once

#include "products.h"

namespace ctorch::block {

/// A thread's memory for one head at a time.
///
///   columns, columns2   packed columns (Q or K, dO): [head, token columns]
///   depths[3]           packed depths (V or Q, dO, K): [token depth, head]
///   scores, slopes      [query rows, token columns] float32
///   weights, gradients  the same as operands
///   score_gradients     dSᵀ packed: [token depth, token columns]
///   dots, factors       [token columns] float32
///   tile                a product before its epilogue
struct AttentionScratch {
    char *columns, *columns2, *depths[3], *weights, *gradients, *score_gradients;
    float *scores, *slopes, *dots, *factors, *tile;

    AttentionScratch(const Kernels &kernels, const Shape &shape, bool is_backward, Places &places);
};

class Attention {
  public:
    Attention(const Kernels &kernels, const Shape &shape, const AttentionScratch &scratch)
        : kernels_(kernels), shape_(shape), scratch_(scratch) {}

    /// Computes `attended` and `logarithms` from `qkv`.
    void forward(const KeptImage &kept) const;

    /// Computes the gradient of `qkv`, rows of its pitch, from that of `attended`; adds its columns to `sums`.
    void backward(const KeptImage &kept, const char *attended_gradient, char *qkv_gradient, float *sums) const;

  private:
    void head_backward(const KeptImage &kept, int64_t head, const char *attended_gradient, char *qkv_gradient,
                       float *sums) const;

    const Kernels &kernels_;
    const Shape &shape_;
    const AttentionScratch &scratch_;
};

}  // namespace ctorch::block
