// A residual connection: the sum of the tokens and a branch that may come in bfloat16, in one pass.
//
// libtorch first writes the branch in float32 and then adds, which takes twice the traffic.
#include "kernels.h"
#include "parallel.h"
#include "vectors.h"

namespace ctorch {
namespace {

constexpr int64_t grain = 1 << 14;

template <typename T>
INLINED void add_all(const float *x, const T *branch, float *out, int64_t count) {
    Floats a, b;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        load(x + i, a);
        load(branch + i, b);
        store(out + i, a + b);
    }
    if (i < count) {
        load_some(x + i, count - i, a);
        load_some(branch + i, count - i, b);
        store_some(out + i, count - i, a + b);
    }
}

PER_PROCESSOR void add_float(const float *x, const float *branch, float *out, int64_t count) {
    add_all(x, branch, out, count);
}

PER_PROCESSOR void add_bf16(const float *x, const BFloat16Bits *branch, float *out, int64_t count) {
    add_all(x, branch, out, count);
}

}  // namespace

at::Tensor add_branch(const at::Tensor &x, const at::Tensor &branch) {
    auto out = x.new_empty(x.sizes());
    const auto *tokens = x.const_data_ptr<float>();
    const auto *added = branch.const_data_ptr();
    auto *to = out.mutable_data_ptr<float>();
    const bool is_float = branch.scalar_type() == at::kFloat;
    parallel_for(x.numel(), grain, [&](int64_t begin, int64_t end) {
        if (is_float) {
            add_float(tokens + begin, static_cast<const float *>(added) + begin, to + begin, end - begin);
        } else {
            add_bf16(tokens + begin, static_cast<const BFloat16Bits *>(added) + begin, to + begin, end - begin);
        }
    });
    return out;
}

}  // namespace ctorch
