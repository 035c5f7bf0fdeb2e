// A block as an operation that autograd knows, through the C interface.
#include <ATen/ops/empty_like.h>

#include <cstring>
#include <type_traits>

#include "../autocast.h"
#include "../encoder/block_tensors.h"
#include "../guarded.h"
#include "../own_gradient.h"
#include "block.h"
#include "check.h"

namespace ctorch::block {
namespace {

using encoder::block_members;

// The shape is kept in front of the images, in a cache line of its own.
constexpr int64_t header_bytes = 128;
static_assert(sizeof(Shape) <= header_bytes && std::is_trivially_copyable_v<Shape>);

// The order of what is kept: the tensors of the block follow.
enum KeptIndex : size_t { kept_memory, kept_attention, kept_feed_forward, kept_tensors };

BranchFactors factors_of(const at::Tensor &attention, const at::Tensor &feed_forward) {
    const auto data = [](const at::Tensor &tensor) {
        return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
    };
    return {data(attention), data(feed_forward)};
}

std::vector<at::Tensor> gradients_of(const Incoming &incoming, const Kept &kept) {
    const auto &memory = kept.tensors[kept_memory];
    auto *start = static_cast<char *>(memory.mutable_data_ptr());
    Shape shape;
    std::memcpy(&shape, start, sizeof shape);
    BlockTensors tensors;
    std::vector<at::Tensor> result{{}};
    Gradients gradients;
    for (size_t i = 0; i < block_members.size(); ++i) {
        const auto &tensor = kept.tensors[kept_tensors + i];
        if (!tensor.defined()) continue;
        tensors.*block_members[i] = tensor;
        if (incoming.needs(result.size())) gradients.tensors.*block_members[i] = at::empty_like(tensor);
        result.push_back(gradients.tensors.*block_members[i]);
    }
    const auto gradient = incoming.gradient.to(at::kFloat).contiguous();
    gradients.x = borrowed_tensor(gradient.sizes(), at::kFloat);
    backward(*kernels_for(shape.is_bfloat16), shape, tensors,
             factors_of(kept.tensors[kept_attention], kept.tensors[kept_feed_forward]), gradient, start + header_bytes,
             gradients);
    result[0] = gradients.x;
    return result;
}

/// `inputs` are x and the tensors of the block that there are, as autograd knows them.
at::Tensor with_gradient(const Kernels &kernels, const Shape &shape, const std::vector<at::Tensor> &inputs,
                         const BlockTensors &tensors, const at::Tensor &attention, const at::Tensor &feed_forward) {
    return ctorch::with_gradient(
        inputs,
        [&](Kept &kept) {
            auto memory = borrowed_tensor({header_bytes + shape.images * KeptImage::bytes(shape)}, at::kByte);
            auto *start = static_cast<char *>(memory.mutable_data_ptr());
            std::memcpy(start, &shape, sizeof shape);
            kept.tensors = {memory, attention, feed_forward};
            for (const auto member : block_members) kept.tensors.push_back(tensors.*member);
            return forward(kernels, shape, tensors, factors_of(attention, feed_forward), inputs[0],
                           start + header_bytes);
        },
        gradients_of);
}

at::Tensor factors_of(ct_tensor factors, int64_t images) {
    if (!factors) return {};
    TORCH_CHECK(factors->value.numel() == images, "block: ", factors->value.numel(), " factors for ", images,
                " images");
    return factors->value.detach().to(at::kFloat).contiguous();
}

}  // namespace
}  // namespace ctorch::block

using namespace ctorch;

extern "C" {

const char *ct_block_kernels(ct_dtype dtype) {
    const char *name = nullptr;
    guarded([&] {
        if (dtype != CT_FLOAT32 && dtype != CT_BFLOAT16) return;
        const auto *kernels = block::kernels_for(dtype == CT_BFLOAT16);
        if (kernels) name = kernels->base->name;
    });
    return name;
}

int32_t ct_block(ct_tensor x, const ct_tensor *tensors, int64_t heads, double eps, ct_tensor attention_factors,
                 ct_tensor feed_forward_factors, ct_tensor *out) {
    return returning(out, [&] {
        const auto value = x->value.contiguous();
        const bool is_bfloat16 = cpu_autocast_dtype() == at::kBFloat16;
        const auto *kernels = block::kernels_for(is_bfloat16);
        TORCH_CHECK(kernels && value.dim() == 3 && value.numel() > 0 && value.scalar_type() == at::kFloat &&
                        value.device().is_cpu() && value.size(2) % encoder::strip == 0 && heads > 0 &&
                        value.size(2) % heads == 0,
                    "block: tokens of ", value.scalar_type(), " of shape ", value.sizes(), " with ", heads,
                    " heads are not served");
        const auto width = value.size(2);
        const auto block = encoder::block_of(tensors, width, /*is_gated=*/false);
        const block::Shape shape{value.size(0),          value.size(1),           width,      block.fc2_weight.size(1),
                                 {heads, width / heads}, static_cast<float>(eps), is_bfloat16};
        std::vector<at::Tensor> inputs{value};
        for (size_t i = 0; i < encoder::block_members.size(); ++i)
            if (tensors[i]) inputs.push_back(tensors[i]->value);
        return block::with_gradient(*kernels, shape, inputs, block, block::factors_of(attention_factors, shape.images),
                                    block::factors_of(feed_forward_factors, shape.images));
    });
}

int32_t ct_block_error(ct_dtype dtype, uint64_t seed, double *error, double *tolerance) {
    return guarded([&] {
        const auto *kernels = block::kernels_for(dtype == CT_BFLOAT16);
        TORCH_CHECK(kernels, "block: nothing to check");
        *error = block::error_of(*kernels, seed);
        *tolerance = block::tolerance_of(*kernels);
    });
}

}  // extern "C"
