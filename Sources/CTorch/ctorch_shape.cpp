// Shapes and indexing.
#include <ATen/ops/cat.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/masked_select.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include "guarded.h"

using namespace ctorch;

extern "C" {

int32_t ct_reshape(ct_tensor a, const int64_t *sizes, int32_t rank, ct_tensor *out) {
    return returning(out, [&] { return a->value.reshape(dims_of(sizes, rank)); });
}

int32_t ct_permute(ct_tensor a, const int64_t *dims, int32_t rank, ct_tensor *out) {
    return returning(out, [&] { return a->value.permute(dims_of(dims, rank)); });
}

int32_t ct_transpose(ct_tensor a, int64_t first, int64_t second, ct_tensor *out) {
    return returning(out, [&] { return a->value.transpose(first, second); });
}

int32_t ct_expand(ct_tensor a, const int64_t *sizes, int32_t rank, ct_tensor *out) {
    return returning(out, [&] { return a->value.expand(dims_of(sizes, rank)); });
}

int32_t ct_flatten(ct_tensor a, int64_t from, int64_t to, ct_tensor *out) {
    return returning(out, [&] { return a->value.flatten(from, to); });
}

int32_t ct_squeeze(ct_tensor a, int64_t dim, ct_tensor *out) {
    return returning(out, [&] { return a->value.squeeze(dim); });
}

int32_t ct_unsqueeze(ct_tensor a, int64_t dim, ct_tensor *out) {
    return returning(out, [&] { return a->value.unsqueeze(dim); });
}

int32_t ct_narrow(ct_tensor a, int64_t dim, int64_t start, int64_t end, ct_tensor *out) {
    return returning(out, [&] { return a->value.narrow(dim, start, end - start); });
}

int32_t ct_select(ct_tensor a, int64_t dim, int64_t index, ct_tensor *out) {
    return returning(out, [&] { return a->value.select(dim, index); });
}

int32_t ct_index_select(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor *out) {
    return returning(out, [&] { return at::index_select(a->value, dim, index->value); });
}

int32_t ct_gather(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor *out) {
    return returning(out, [&] { return at::gather(a->value, dim, index->value); });
}

int32_t ct_flip(ct_tensor a, int64_t dim, ct_tensor *out) {
    return returning(out, [&] { return at::flip(a->value, dim); });
}

int32_t ct_cat(const ct_tensor *tensors, int32_t count, int64_t dim, ct_tensor *out) {
    return returning(out, [&] { return at::cat(list_of(tensors, count), dim); });
}

int32_t ct_stack(const ct_tensor *tensors, int32_t count, int64_t dim, ct_tensor *out) {
    return returning(out, [&] { return at::stack(list_of(tensors, count), dim); });
}

int32_t ct_one_hot(ct_tensor labels, int64_t classes, ct_tensor *out) {
    return returning(out, [&] { return at::one_hot(labels->value, classes).to(at::kFloat); });
}

int32_t ct_masked_select(ct_tensor a, ct_tensor b, ct_tensor *out) {
    return returning(out, [&] { return at::masked_select(a->value, b->value); });
}

int32_t ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_tensor *out) {
    return returning(out, [&] { return at::where(condition->value, a->value, b->value); });
}

}  // extern "C"
