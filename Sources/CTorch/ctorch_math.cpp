// Arithmetic, comparison and reduction.
#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/div.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/min.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/topk.h>

#include "guarded.h"

using namespace ctorch;

#define UNARY(name) \
    int32_t ct_##name(ct_tensor a, ct_tensor *out) { \
        return returning(out, [&] { return at::name(a->value); }); \
    }
#define BINARY(name) \
    int32_t ct_##name(ct_tensor a, ct_tensor b, ct_tensor *out) { \
        return returning(out, [&] { return at::name(a->value, b->value); }); \
    }

extern "C" {

UNARY(neg)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(abs)
UNARY(relu)
UNARY(sigmoid)
UNARY(tanh)
UNARY(floor)
UNARY(isfinite)
UNARY(max)
UNARY(min)
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(matmul)
BINARY(eq)
BINARY(lt)
BINARY(gt)

int32_t ct_add_scalar(ct_tensor a, double b, ct_tensor *out) {
    return returning(out, [&] { return at::add(a->value, b); });
}

int32_t ct_mul_scalar(ct_tensor a, double b, ct_tensor *out) {
    return returning(out, [&] { return at::mul(a->value, b); });
}

int32_t ct_pow_scalar(ct_tensor a, double b, ct_tensor *out) {
    return returning(out, [&] { return at::pow(a->value, b); });
}

int32_t ct_clamp(ct_tensor a, double low, double high, ct_tensor *out) {
    return returning(out, [&] { return at::clamp(a->value, low, high); });
}

int32_t ct_sum(ct_tensor a, const int64_t *dims, int32_t dim_count, bool keep, ct_tensor *out) {
    return returning(
        out, [&] { return dim_count == 0 ? at::sum(a->value) : at::sum(a->value, dims_of(dims, dim_count), keep); });
}

int32_t ct_mean(ct_tensor a, const int64_t *dims, int32_t dim_count, bool keep, ct_tensor *out) {
    return returning(
        out, [&] { return dim_count == 0 ? at::mean(a->value) : at::mean(a->value, dims_of(dims, dim_count), keep); });
}

int32_t ct_argmax(ct_tensor a, int64_t dim, bool keep, ct_tensor *out) {
    return returning(out, [&] { return at::argmax(a->value, dim, keep); });
}

int32_t ct_topk(ct_tensor a, int64_t k, int64_t dim, ct_tensor *values, ct_tensor *indices) {
    return guarded([&] {
        auto [top, where] = at::topk(a->value, k, dim);
        give(values, std::move(top));
        give(indices, std::move(where));
    });
}

int32_t ct_norm(ct_tensor a, ct_tensor *out) {
    return returning(out, [&] { return at::linalg_vector_norm(a->value); });
}

}  // extern "C"
