// The tensors of a transformer block as they come through the C interface.
#pragma once

#include <array>

#include "ctorch.h"
#include "encoder.h"

namespace ctorch::encoder {

/// The members in their order in the C interface.
inline constexpr std::array block_members{
    &BlockTensors::norm1_weight, &BlockTensors::norm1_bias, &BlockTensors::qkv_weight, &BlockTensors::qkv_bias,
    &BlockTensors::proj_weight,  &BlockTensors::proj_bias,  &BlockTensors::scale1,     &BlockTensors::norm2_weight,
    &BlockTensors::norm2_bias,   &BlockTensors::fc1_weight, &BlockTensors::fc1_bias,   &BlockTensors::fc2_weight,
    &BlockTensors::fc2_bias,     &BlockTensors::scale2,
};

/// A weight of `sizes`, detached and contiguous; undefined where it may be missing and is.
at::Tensor checked(ct_tensor tensor, at::IntArrayRef sizes, bool may_be_missing = false);

/// The tensors of a block, whose shapes follow from its width and the second weight of the feed-forward layers.
BlockTensors block_of(const ct_tensor *tensors, int64_t width, bool is_gated);

}  // namespace ctorch::encoder
