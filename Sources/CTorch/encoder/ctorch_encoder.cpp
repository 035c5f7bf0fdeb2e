// The fused encoder through the C interface.

#include "../guarded.h"
#include "block_tensors.h"
#include "check.h"
#include "encoder.h"

struct ct_encoder_s {
    ctorch::encoder::Encoder value;
};

using namespace ctorch;
using namespace ctorch::encoder;

extern "C" {

const char *ct_encoder_kernels(ct_dtype dtype) {
    const char *name = nullptr;
    guarded([&] {
        if (dtype != CT_FLOAT32 && dtype != CT_BFLOAT16) return;
        const auto *kernels = kernels_for(dtype == CT_BFLOAT16);
        if (kernels) name = kernels->name;
    });
    return name;
}

int32_t ct_encoder_error(ct_dtype dtype, int32_t part, uint64_t seed, double *error, double *tolerance) {
    return guarded([&] {
        const auto *kernels = kernels_for(dtype == CT_BFLOAT16);
        TORCH_CHECK(kernels && part >= 0 && part < static_cast<int32_t>(Part::count), "encoder: nothing to check");
        *error = error_of(*kernels, static_cast<Part>(part), seed);
        *tolerance = tolerance_of(*kernels);
    });
}

int32_t ct_encoder_create(int64_t width, int64_t heads, double eps, bool is_gated, ct_dtype dtype, ct_encoder *out) {
    return guarded([&] {
        const auto *kernels = ct_encoder_kernels(dtype) ? kernels_for(dtype == CT_BFLOAT16) : nullptr;
        TORCH_CHECK(kernels, "encoder: no kernels for ", dtype_of(dtype), " on this processor");
        TORCH_CHECK(width > 0 && heads > 0 && width % strip == 0 && width % heads == 0, "encoder: a width of ", width,
                    " with ", heads, " heads is not served");
        const EncoderShape shape{width, {heads, width / heads}, static_cast<float>(eps), is_gated};
        *out = new ct_encoder_s{Encoder(*kernels, shape)};
    });
}

int32_t ct_encoder_add_block(ct_encoder encoder, const ct_tensor *tensors) {
    return guarded([&] {
        const c10::InferenceMode no_graph;
        encoder->value.add_block(block_of(tensors, encoder->value.shape().width, encoder->value.shape().is_gated));
    });
}

int32_t ct_encoder_set_norm(ct_encoder encoder, ct_tensor weight, ct_tensor bias) {
    return guarded([&] {
        const c10::InferenceMode no_graph;
        const auto width = encoder->value.shape().width;
        encoder->value.set_norm(checked(weight, {width}), checked(bias, {width}));
    });
}

int32_t ct_encoder_run(ct_encoder encoder, ct_tensor tokens, int64_t wanted, int64_t last_blocks, ct_tensor *out) {
    return returning(out, [&] {
        const c10::InferenceMode no_graph;
        const auto x = tokens->value.contiguous();
        const auto width = encoder->value.shape().width;
        TORCH_CHECK(x.dim() == 3 && x.size(2) == width && x.scalar_type() == at::kFloat && x.device().is_cpu() &&
                        wanted > 0 && wanted <= x.size(1) && last_blocks > 0 &&
                        last_blocks <= encoder->value.block_count(),
                    "encoder: ", wanted, " tokens after ", last_blocks, " blocks from tokens of ", x.scalar_type(),
                    " of shape ", x.sizes(), " do not fit a width of ", width);
        return encoder->value.run(x, wanted, last_blocks);
    });
}

void ct_encoder_release(ct_encoder encoder) { delete encoder; }

}  // extern "C"
