// oneDNN's matrix product inside libtorch.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

/// Whether the loaded libtorch exports the product that onednn_matmul() calls.
bool has_onednn_matmul();

/// a · b · alpha for 2-D or 3-D operands of one dtype, strided ones too.
at::Tensor onednn_matmul(const at::Tensor &a, const at::Tensor &b, float alpha = 1);

/// onednn_matmul() into a tensor that is there already, which may be strided.
void onednn_matmul_out(const at::Tensor &a, const at::Tensor &b, const at::Tensor &out, float alpha);

}  // namespace ctorch
