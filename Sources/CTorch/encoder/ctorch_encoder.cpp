// The fused encoder through the C interface.

#include <array>
#include <vector>

#include "../guarded.h"
#include "block_tensors.h"
#include "check.h"
#include "encoder.h"

struct ct_encoder_s {
    ctorch::encoder::Encoder value;
};

namespace ctorch::encoder {
namespace {

// After the members of every block, in the order of ct_encoder_add_block().
constexpr std::array head_members{&BlockTensors::q_norm_weight, &BlockTensors::q_norm_bias,
                                  &BlockTensors::k_norm_weight, &BlockTensors::k_norm_bias};
constexpr std::array step_members{&BlockTensors::qkv_steps, &BlockTensors::proj_steps, &BlockTensors::fc1_steps,
                                  &BlockTensors::fc2_steps};

BlockTensors encoder_block(const ct_tensor *tensors, const EncoderShape &shape, bool is_int8) {
    auto block = encoder::block_of(tensors, shape.width, shape.is_gated());
    tensors += block_members.size();
    for (const auto member : head_members)
        block.*member = checked(*tensors++, {shape.heads.width}, !shape.normalizes_heads);
    const std::array outputs{3 * shape.width, shape.width, block.fc1_weight.size(0), shape.width};
    for (size_t i = 0; i < step_members.size(); ++i)
        block.*step_members[i] = checked(*tensors++, {outputs[i]}, !is_int8);
    return block;
}

const Kernels *kernels_of(ct_dtype dtype) {
    switch (dtype) {
        case CT_FLOAT32: return kernels_for(false);
        case CT_BFLOAT16: return kernels_for(true);
        case CT_INT8: return int8_kernels();
        default: return nullptr;
    }
}

// Angles for some tokens at the end, half a head each.
Rotary rotary_of(ct_tensor cosines, ct_tensor sines, int64_t tokens, const EncoderShape &shape) {
    if (!cosines || !sines) return {};
    const auto half = shape.heads.width / 2;
    for (const auto *angles : {cosines, sines}) {
        const auto &value = angles->value;
        TORCH_CHECK(value.dim() == 2 && value.size(0) <= tokens && value.size(1) == half && value.is_contiguous() &&
                        value.scalar_type() == at::kFloat && value.device().is_cpu() &&
                        value.size(0) == cosines->value.size(0) && half % 16 == 0,
                    "encoder: rotary positions of ", value.scalar_type(), " of shape ", value.sizes(), " do not fit ",
                    tokens, " tokens with heads of ", shape.heads.width);
    }
    return {cosines->value.const_data_ptr<float>(), sines->value.const_data_ptr<float>(),
            tokens - cosines->value.size(0)};
}

}  // namespace
}  // namespace ctorch::encoder

using namespace ctorch;
using namespace ctorch::encoder;

extern "C" {

const char *ct_encoder_kernels(ct_dtype dtype) {
    const char *name = nullptr;
    guarded([&] {
        const auto *kernels = kernels_of(dtype);
        if (kernels) name = kernels->name;
    });
    return name;
}

int32_t ct_encoder_error(ct_dtype dtype, int32_t part, uint64_t seed, double *error, double *tolerance) {
    return guarded([&] {
        const auto *kernels = kernels_of(dtype);
        TORCH_CHECK(kernels && part >= 0 && part < static_cast<int32_t>(Part::count), "encoder: nothing to check");
        *error = error_of(*kernels, static_cast<Part>(part), seed);
        *tolerance = tolerance_of(*kernels, static_cast<Part>(part));
    });
}

int32_t ct_encoder_create(int64_t width, int64_t heads, double eps, ct_encoder_activation activation,
                          bool normalizes_heads, ct_dtype dtype, ct_encoder *out) {
    return guarded([&] {
        const auto *kernels = kernels_of(dtype);
        TORCH_CHECK(kernels, "encoder: no kernels for ", dtype_of(dtype), " on this processor");
        TORCH_CHECK(width > 0 && heads > 0 && width % strip == 0 && width % heads == 0 &&
                        (!normalizes_heads || width / heads % 16 == 0),
                    "encoder: a width of ", width, " with ", heads, " heads is not served");
        const EncoderShape shape{width,
                                 {heads, width / heads},
                                 static_cast<float>(eps),
                                 static_cast<Activation>(activation),
                                 normalizes_heads};
        *out = new ct_encoder_s{Encoder(*kernels, shape)};
    });
}

int32_t ct_encoder_add_block(ct_encoder encoder, const ct_tensor *tensors) {
    return guarded([&] {
        const c10::InferenceMode no_graph;
        auto &value = encoder->value;
        value.add_block(encoder_block(tensors, value.shape(), value.kernels().int8 != nullptr));
    });
}

int32_t ct_encoder_set_norm(ct_encoder encoder, ct_tensor weight, ct_tensor bias) {
    return guarded([&] {
        const c10::InferenceMode no_graph;
        const auto width = encoder->value.shape().width;
        encoder->value.set_norm(checked(weight, {width}), checked(bias, {width}));
    });
}

int32_t ct_encoder_run(ct_encoder encoder, ct_tensor tokens, ct_tensor cosines, ct_tensor sines, int64_t wanted,
                       int64_t last_blocks, ct_tensor *out) {
    return returning(out, [&] {
        const c10::InferenceMode no_graph;
        const auto x = tokens->value.contiguous();
        const auto width = encoder->value.shape().width;
        TORCH_CHECK(x.dim() == 3 && x.size(2) == width && x.scalar_type() == at::kFloat && x.device().is_cpu() &&
                        wanted > 0 && wanted <= x.size(1) && last_blocks > 0 &&
                        last_blocks <= encoder->value.block_count(),
                    "encoder: ", wanted, " tokens after ", last_blocks, " blocks from tokens of ", x.scalar_type(),
                    " of shape ", x.sizes(), " do not fit a width of ", width);
        return encoder->value.run(x, wanted, last_blocks, rotary_of(cosines, sines, x.size(1), encoder->value.shape()));
    });
}

void ct_encoder_release(ct_encoder encoder) { delete encoder; }

}  // extern "C"
