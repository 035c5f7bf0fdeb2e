// The functions behind the layers, as libtorch computes them by default.
#include <ATen/core/Reduction.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "autocast.h"
#include "guarded.h"

using namespace ctorch;

namespace {

// Whether oneDNN's bfloat16 gradient of a convolution is not to be trusted: where an image is no larger than its
// padding, parts of a filter meet zeros alone, and their gradient can be left as the memory was (seen with an image of
// one pixel, kernels of 3 to 7 and a stride of 2, oneDNN of libtorch 2.13).
bool has_wrong_gradient(const at::Tensor &x, int64_t padding_h, int64_t padding_w) {
    if (!x.is_cpu() || x.dim() != 4 || !at::GradMode::is_enabled()) return false;
    if (x.size(2) > padding_h && x.size(3) > padding_w) return false;
    return x.scalar_type() == at::kBFloat16 || cpu_autocast_dtype() == at::kBFloat16;
}

}  // namespace

extern "C" {

int32_t ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
    return returning(out, [&] { return at::linear(x->value, weight->value, optional_of(bias)); });
}

int32_t ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride_h, int64_t stride_w, int64_t padding_h,
                  int64_t padding_w, int64_t groups, ct_tensor *out) {
    return returning(out, [&] {
        const int64_t stride[] = {stride_h, stride_w}, padding[] = {padding_h, padding_w}, dilation[] = {1, 1};
        if (has_wrong_gradient(x->value, padding_h, padding_w)) {
            const c10::impl::ExcludeDispatchKeyGuard in_float32(c10::DispatchKey::AutocastCPU);
            const auto added = optional_of(bias);
            const auto bias32 = added.has_value() ? std::optional(added->to(at::kFloat)) : std::nullopt;
            return at::conv2d(x->value.to(at::kFloat), weight->value.to(at::kFloat), bias32, stride, padding, dilation,
                              groups)
                .to(at::kBFloat16);
        }
        return at::conv2d(x->value, weight->value, optional_of(bias), stride, padding, dilation, groups);
    });
}

int32_t ct_layer_norm(ct_tensor x, int64_t width, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out) {
    return returning(out,
                     [&] { return at::layer_norm(x->value, {width}, optional_of(weight), optional_of(bias), eps); });
}

int32_t ct_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var,
                      bool training, double momentum, double eps, ct_tensor *out) {
    return returning(out, [&] {
        return at::batch_norm(x->value, optional_of(weight), optional_of(bias), running_mean->value, running_var->value,
                              training, momentum, eps, /*cudnn_enabled=*/true);
    });
}

int32_t ct_gelu(ct_tensor a, ct_tensor *out) {
    return returning(out, [&] { return at::gelu(a->value, "none"); });
}

int32_t ct_gelu_tanh(ct_tensor a, ct_tensor *out) {
    return returning(out, [&] { return at::gelu(a->value, "tanh"); });
}

int32_t ct_softmax(ct_tensor x, int64_t dim, ct_tensor *out) {
    return returning(out, [&] { return at::softmax(x->value, dim); });
}

int32_t ct_log_softmax(ct_tensor x, int64_t dim, ct_tensor *out) {
    return returning(out, [&] { return at::log_softmax(x->value, dim); });
}

int32_t ct_dropout(ct_tensor x, double probability, ct_tensor *out) {
    return returning(out, [&] { return at::dropout(x->value, probability, /*train=*/true); });
}

int32_t ct_attention(ct_tensor q, ct_tensor k, ct_tensor v, double dropout, ct_tensor *out) {
    return returning(
        out, [&] { return at::scaled_dot_product_attention(q->value, k->value, v->value, std::nullopt, dropout); });
}

int32_t ct_max_pool2d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_tensor *out) {
    return returning(out, [&] {
        return at::max_pool2d(x->value, {kernel, kernel}, {stride, stride}, {padding, padding});
    });
}

int32_t ct_avg_pool2d(ct_tensor x, int64_t kernel, int64_t stride, ct_tensor *out) {
    return returning(out, [&] { return at::avg_pool2d(x->value, {kernel, kernel}, {stride, stride}); });
}

int32_t ct_resize2d(ct_tensor x, int64_t height, int64_t width, bool bicubic, bool antialias, ct_tensor *out) {
    return returning(out, [&] {
        const int64_t size[] = {height, width};
        if (bicubic) {
            return antialias ? at::_upsample_bicubic2d_aa(x->value, size, false)
                             : at::upsample_bicubic2d(x->value, size, false);
        }
        return antialias ? at::_upsample_bilinear2d_aa(x->value, size, false)
                         : at::upsample_bilinear2d(x->value, size, false);
    });
}

int32_t ct_resize2d_by_factors(ct_tensor x, int64_t height, int64_t width, double factor_h, double factor_w,
                               ct_tensor *out) {
    return returning(out, [&] {
        const int64_t size[] = {height, width};
        return at::upsample_bicubic2d(x->value, size, /*align_corners=*/false, factor_h, factor_w);
    });
}

int32_t ct_pixel_shuffle(ct_tensor x, int64_t factor, ct_tensor *out) {
    return returning(out, [&] { return at::pixel_shuffle(x->value, factor); });
}

int32_t ct_cross_entropy(ct_tensor logits, ct_tensor targets, double smoothing, ct_tensor *out) {
    return returning(out, [&] {
        return at::cross_entropy_loss(logits->value, targets->value, std::nullopt, at::Reduction::Mean, -100,
                                      smoothing);
    });
}

int32_t ct_binary_cross_entropy(ct_tensor logits, ct_tensor targets, ct_tensor *out) {
    return returning(out, [&] {
        return at::binary_cross_entropy_with_logits(logits->value, targets->value, std::nullopt, std::nullopt,
                                                    at::Reduction::Mean);
    });
}

}  // extern "C"
