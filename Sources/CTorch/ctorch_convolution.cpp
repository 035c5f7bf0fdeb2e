// Convolutions on oneDNN with packed filters and the activation fused, for inference; padding that is not symmetric.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/relu6.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include "guarded.h"

using namespace ctorch;

extern "C" {

int32_t ct_pad2d(ct_tensor x, int64_t left, int64_t right, int64_t top, int64_t bottom, ct_tensor *out) {
    return returning(out, [&] { return at::constant_pad_nd(x->value, {left, right, top, bottom}, 0); });
}

int32_t ct_relu6(ct_tensor x, ct_tensor *out) {
    return returning(out, [&] { return at::relu6(x->value); });
}

int32_t ct_pack_conv2d(ct_tensor weight, int64_t stride, int64_t padding, int64_t groups, const int64_t *input,
                       ct_tensor *out) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "")
                               .typed<at::Tensor(const at::Tensor &, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                                                 int64_t, at::OptionalIntArrayRef)>();
    return returning(out, [&] {
        const c10::InferenceMode no_graph;
        const int64_t strides[] = {stride, stride}, paddings[] = {padding, padding}, dilations[] = {1, 1};
        return op.call(weight->value.contiguous(), paddings, strides, dilations, groups, dims_of(input, 4));
    });
}

int32_t ct_conv2d_packed(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, int64_t groups,
                         int32_t activation, ct_tensor *out) {
    static const auto op =
        c10::Dispatcher::singleton()
            .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
            .typed<at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &,
                              at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t, c10::string_view,
                              c10::List<std::optional<at::Scalar>>, std::optional<c10::string_view>)>();
    return returning(out, [&] {
        TORCH_CHECK(x->value.dim() == 4 && x->value.size(1) == weight->value.size(1) * groups,
                    "conv2d: an input of shape ", x->value.sizes(), " does not fit filters of shape ",
                    weight->value.sizes(), " in ", groups, " groups");
        const at::NoGradGuard no_gradient;
        const int64_t strides[] = {stride, stride}, paddings[] = {padding, padding}, dilations[] = {1, 1};
        c10::List<std::optional<at::Scalar>> bounds;
        if (activation == 2) {
            bounds.push_back(at::Scalar(0.0));
            bounds.push_back(at::Scalar(6.0));
        }
        const c10::string_view names[] = {"none", "relu", "hardtanh"};
        TORCH_CHECK(activation >= 0 && activation < 3, "conv2d: an unknown activation");
        return op.call(x->value, weight->value, optional_of(bias), paddings, strides, dilations, groups,
                       names[activation], bounds, "");
    });
}

}  // extern "C"
