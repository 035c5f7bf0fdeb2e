#include "block_tensors.h"

#include <vector>

#include "../guarded.h"

namespace ctorch::encoder {

at::Tensor checked(ct_tensor tensor, at::IntArrayRef sizes, bool may_be_missing) {
    if (!tensor && may_be_missing) return {};
    TORCH_CHECK(tensor, "encoder: a weight of shape ", sizes, " is missing");
    const auto &value = tensor->value;
    TORCH_CHECK(value.sizes() == sizes && value.scalar_type() == at::kFloat && value.device().is_cpu(),
                "encoder: a weight has to be float32 of shape ", sizes, " on the CPU, not ", value.scalar_type(),
                " of shape ", value.sizes(), " on ", value.device());
    return value.detach().contiguous();
}

BlockTensors block_of(const ct_tensor *tensors, int64_t width, bool is_gated) {
    constexpr size_t fc2_weight = 11;
    TORCH_CHECK(tensors[fc2_weight], "encoder: the second weight of the feed-forward layers is missing");
    const auto hidden = tensors[fc2_weight]->value.size(-1), widened = is_gated ? 2 * hidden : hidden;
    struct Expected {
        std::vector<int64_t> sizes;
        bool may_be_missing = false;
    };
    const std::array<Expected, block_members.size()> expected{{{{width}},
                                                               {{width}},
                                                               {{3 * width, width}},
                                                               {{3 * width}, true},
                                                               {{width, width}},
                                                               {{width}, true},
                                                               {{width}, true},
                                                               {{width}},
                                                               {{width}},
                                                               {{widened, width}},
                                                               {{widened}, true},
                                                               {{width, hidden}},
                                                               {{width}, true},
                                                               {{width}, true}}};
    BlockTensors block;
    for (size_t i = 0; i < block_members.size(); ++i)
        block.*block_members[i] = checked(tensors[i], expected[i].sizes, expected[i].may_be_missing);
    return block;
}

}  // namespace ctorch::encoder
