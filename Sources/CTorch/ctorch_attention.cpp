// Attention on oneDNN's matrix products, one image's heads at a time, with its gradient.
//
// oneDNN's product takes strided operands, so queries, keys and values are read where the fused projection left them,
// and the result is written where the next layer wants it: nothing is copied. Images are shared among the threads,
// each of which keeps the scores of its own in its cache.
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "autocast.h"
#include "guarded.h"
#include "onednn.h"
#include "own_gradient.h"
#include "parallel.h"
#include "softmax.h"

namespace ctorch {
namespace {

struct Shape {
    int64_t batch, tokens, heads, width;

    float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(width))); }
};

/// Of a fused projection, `[batch, tokens, 3 · heads · width]`.
Shape shape_of(const at::Tensor &qkv, int64_t heads) {
    return {qkv.size(0), qkv.size(1), heads, qkv.size(2) / 3 / heads};
}

/// Some heads of one image.
struct Part {
    int64_t image, head, count;
};

/// Calls `body` for parts that together are all heads of all images. An image is one part, unless there are fewer
/// images than threads.
void for_parts(const Shape &shape, c10::function_ref<void(const Part &)> body) {
    const auto threads = at::in_parallel_region() ? 1 : static_cast<int64_t>(at::get_num_threads());
    const auto groups = std::min(shape.heads, (threads + shape.batch - 1) / std::max<int64_t>(shape.batch, 1));
    parallel_for(shape.batch * groups, 1, [&](int64_t from, int64_t to) {
        const c10::InferenceMode no_graph;
        for (auto part = from; part < to; ++part) {
            const auto group = part % groups, first = shape.heads * group / groups;
            body({part / groups, first, shape.heads * (group + 1) / groups - first});
        }
    });
}

/// Query, key or value (0, 1, 2) of a part within `[batch, tokens, 3 · heads · width]`: `[count, tokens, width]`.
at::Tensor operand(const at::Tensor &qkv, const Shape &shape, const Part &part, int64_t which) {
    return qkv.as_strided(
        {part.count, shape.tokens, shape.width}, {shape.width, qkv.stride(1), 1},
        qkv.storage_offset() + part.image * qkv.stride(0) + (which * shape.heads + part.head) * shape.width);
}

/// A part of `[batch, tokens, heads · width]`.
at::Tensor result(const at::Tensor &tokens, const Shape &shape, const Part &part) {
    return operand(tokens, shape, part, 0);
}

/// A part of the weights, `[batch, heads, tokens, tokens]`.
at::Tensor weights_of(const at::Tensor &weights, const Part &part) {
    return weights.select(0, part.image).narrow(0, part.head, part.count);
}

/// The attended tokens; the weights of all heads are written to `weights`.
at::Tensor attended(const at::Tensor &qkv, const Shape &shape, const at::Tensor &weights) {
    auto out = qkv.new_empty({shape.batch, shape.tokens, shape.heads * shape.width});
    for_parts(shape, [&](const Part &part) {
        auto own = weights_of(weights, part);
        onednn_matmul_out(operand(qkv, shape, part, 0), operand(qkv, shape, part, 1).transpose(1, 2), own,
                          shape.scale());
        softmax_(own);
        onednn_matmul_out(own, operand(qkv, shape, part, 2), result(out, shape, part), 1);
    });
    return out;
}

/// The attended tokens alone. Where there are fewer images than threads each takes some of the queries, which splits
/// a single image evenly whatever the number of heads.
at::Tensor attended(const at::Tensor &qkv, const Shape &shape) {
    auto out = qkv.new_empty({shape.batch, shape.tokens, shape.heads * shape.width});
    const auto threads = at::in_parallel_region() ? 1 : static_cast<int64_t>(at::get_num_threads());
    const auto ranges = std::min(shape.tokens, (threads + shape.batch - 1) / std::max<int64_t>(shape.batch, 1));
    parallel_for(shape.batch * ranges, 1, [&](int64_t from, int64_t to) {
        const c10::InferenceMode no_graph;
        for (auto item = from; item < to; ++item) {
            const Part all{item / ranges, 0, shape.heads};
            const auto range = item % ranges, first = shape.tokens * range / ranges,
                       count = shape.tokens * (range + 1) / ranges - first;
            auto weights = qkv.new_empty({shape.heads, count, shape.tokens});
            onednn_matmul_out(operand(qkv, shape, all, 0).narrow(1, first, count),
                              operand(qkv, shape, all, 1).transpose(1, 2), weights, shape.scale());
            softmax_(weights);
            onednn_matmul_out(weights, operand(qkv, shape, all, 2), result(out, shape, all).narrow(1, first, count), 1);
        }
    });
    return out;
}

/// attended(), with its gradient.
at::Tensor attention(const at::Tensor &qkv, int64_t heads) {
    const auto forward = [&](Kept &kept) {
        const auto shape = shape_of(qkv, heads);
        const auto weights = qkv.new_empty({shape.batch, heads, shape.tokens, shape.tokens});
        kept.tensors = {qkv, weights};
        kept.number = heads;
        return attended(qkv, shape, weights);
    };
    return with_gradient({qkv}, forward, [](const Incoming &arriving, const Kept &kept) -> std::vector<at::Tensor> {
        const auto &qkv = kept.tensors[0], &weights = kept.tensors[1];
        const auto shape = shape_of(qkv, kept.number);
        const auto incoming = arriving.gradient.to(qkv.scalar_type()).contiguous();
        const auto outgoing = qkv.new_empty(qkv.sizes());
        for_parts(shape, [&](const Part &part) {
            const auto gradient = result(incoming, shape, part), attention = weights_of(weights, part);
            onednn_matmul_out(attention.transpose(1, 2), gradient, operand(outgoing, shape, part, 2), 1);
            auto scores = qkv.new_empty({part.count, shape.tokens, shape.tokens});
            onednn_matmul_out(gradient, operand(qkv, shape, part, 2).transpose(1, 2), scores, 1);
            softmax_backward_(scores, attention);
            onednn_matmul_out(scores, operand(qkv, shape, part, 1), operand(outgoing, shape, part, 0), shape.scale());
            onednn_matmul_out(scores.transpose(1, 2), operand(qkv, shape, part, 0), operand(outgoing, shape, part, 1),
                              shape.scale());
        });
        return {outgoing};
    });
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

extern "C" {

int32_t ct_attention_onednn(ct_tensor qkv, int64_t heads, ct_tensor *out) {
    return returning(out, [&] {
        const auto &given = qkv->value;
        TORCH_CHECK(given.dim() == 3 && heads > 0 && given.size(2) % (3 * heads) == 0 && given.size(2) > 0,
                    "attention: a fused projection of shape ", given.sizes(), " cannot be split for ", heads, " heads");
        const auto value = autocast(given).contiguous();
        if (at::GradMode::is_enabled() && value.requires_grad()) return attention(value, heads);
        return attended(value, shape_of(value, heads));
    });
}

}  // extern "C"
