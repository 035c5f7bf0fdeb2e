// The operators of the fake device: those of the CPU on copies, after a look at where the operands are.
#include <ATen/EmptyTensor.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/view_native.h>
#include <torch/library.h>

#include <atomic>

#include "fake_device.h"
#include "memory.h"

namespace fake {
namespace {

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

std::atomic<int64_t> reads{0};

// ---- Operands

/// Refuses a tensor of another device, as CUDA does; a number may come from the CPU.
void require_here(const std::string &operation, const Tensor &tensor) {
    TORCH_CHECK(!tensor.defined() || tensor.device().type() == kind || tensor.dim() == 0,
                "Expected all tensors to be on the same device, but ", operation, " got one of shape ", tensor.sizes(),
                " on ", tensor.device());
}

void require_here(const std::string &operation, const OptionalTensor &tensor) {
    if (tensor) require_here(operation, *tensor);
}

/// A copy on the CPU, without a count as a read.
Tensor on_cpu(const Tensor &tensor) {
    if (!tensor.defined() || tensor.device().is_cpu()) return tensor;
    const Open open(tensor);
    return opened(tensor).clone();
}

OptionalTensor on_cpu(const OptionalTensor &tensor) { return tensor ? OptionalTensor(on_cpu(*tensor)) : std::nullopt; }

Tensor back(const Tensor &tensor) { return tensor.defined() ? tensor.to(c10::Device(kind, 0)) : tensor; }

// ---- Memory

Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
             std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
    return at::detail::empty_generic(sizes, allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                     dtype.value_or(at::kFloat), format);
}

Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides, std::optional<at::ScalarType> dtype,
                     std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
    return at::detail::empty_strided_generic(
        sizes, strides, allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), dtype.value_or(at::kFloat));
}

Tensor copy_from(const Tensor &from, const Tensor &into, bool) {
    const at::NoGradGuard no_gradient;
    if (into.device().is_cpu()) reads += 1;
    const Open source(from), target(into);
    opened(into).copy_(opened(from));
    return into;
}

Tensor copy_from_and_resize(const Tensor &from, const Tensor &into) {
    if (from.sizes() != into.sizes()) into.resize_(from.sizes());
    return copy_from(from, into, false);
}

at::Scalar number(const Tensor &tensor) {
    reads += 1;
    const Open open(tensor);
    return opened(tensor).item();
}

const Tensor &resize(const Tensor &tensor, at::IntArrayRef sizes, std::optional<at::MemoryFormat>) {
    auto bytes = tensor.itemsize();
    for (const auto size : sizes) bytes *= static_cast<size_t>(size);
    auto *storage = tensor.storage().unsafeGetStorageImpl();
    if (storage->nbytes() < bytes) {
        storage->set_data_ptr_noswap(allocator()->allocate(bytes));
        storage->set_nbytes(bytes);
    }
    tensor.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
    return tensor;
}

// ---- Operators that libtorch does not hand to the fallback, or not whole

Tensor convolution(const Tensor &x, const Tensor &weight, const OptionalTensor &bias, at::IntArrayRef stride,
                   at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding,
                   int64_t groups) {
    require_here("convolution", x);
    require_here("convolution", weight);
    require_here("convolution", bias);
    return back(at::convolution(on_cpu(x), on_cpu(weight), on_cpu(bias), stride, padding, dilation, transposed,
                                output_padding, groups));
}

std::tuple<Tensor, Tensor, Tensor> convolution_backward(const Tensor &gradient, const Tensor &x, const Tensor &weight,
                                                        at::IntArrayRef stride, at::IntArrayRef padding,
                                                        at::IntArrayRef dilation, bool transposed,
                                                        at::IntArrayRef output_padding, int64_t groups,
                                                        std::array<bool, 3> wanted) {
    require_here("convolution_backward", gradient);
    const int64_t bias_sizes[] = {weight.size(0)};
    const auto [dx, dw, db] =
        at::convolution_backward(on_cpu(gradient), on_cpu(x), on_cpu(weight), at::OptionalIntArrayRef(bias_sizes),
                                 stride, padding, dilation, transposed, output_padding, groups, wanted);
    return {back(dx), back(dw), back(db)};
}

/// Its running statistics change in place, which its schema does not say.
std::tuple<Tensor, Tensor, Tensor> batch_norm(const Tensor &x, const OptionalTensor &weight, const OptionalTensor &bias,
                                              const OptionalTensor &mean, const OptionalTensor &variance, bool training,
                                              double momentum, double eps) {
    for (const auto &tensor : {OptionalTensor(x), weight, bias, mean, variance}) require_here("batch_norm", tensor);
    const auto new_mean = on_cpu(mean), new_variance = on_cpu(variance);
    const auto [out, saved_mean, saved_scale] =
        at::native_batch_norm(on_cpu(x), on_cpu(weight), on_cpu(bias), new_mean, new_variance, training, momentum, eps);
    if (training && mean) copy_from(*new_mean, *mean, false);
    if (training && variance) copy_from(*new_variance, *variance, false);
    return {back(out), back(saved_mean), back(saved_scale)};
}

// ---- All others

void fallback(const c10::OperatorHandle &operation, torch::jit::Stack *stack) {
    const auto &name = operation.schema().name();
    const auto count = operation.schema().arguments().size();
    // CUDA accepts indices from the CPU.
    const bool takes_indices = name == "aten::index" || name == "aten::index_put_" || name == "aten::_index_put_impl_";
    for (size_t i = 0; i < count; ++i) {
        const auto &value = (*stack)[stack->size() - count + i];
        if (value.isTensor()) {
            require_here(name, value.toTensor());
        } else if (value.isTensorList()) {
            for (const auto &tensor : value.toTensorVector()) require_here(name, tensor);
        } else if (value.isList() && !takes_indices) {
            for (const auto &element : value.toListRef()) {
                if (element.isTensor()) require_here(name, element.toTensor());
            }
        }
    }
    // The copies of its operands are no reads of the program's.
    const auto before = reads.load();
    at::native::cpu_fallback(operation, stack);
    reads = before;
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
    m.impl("empty.memory_format", empty);
    m.impl("empty_strided", empty_strided);
    m.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
    m.impl("view", TORCH_FN(static_cast<Tensor (*)(const Tensor &, at::IntArrayRef)>(at::native::view)));
    m.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
    m.impl("resize_", resize);
    m.impl("_copy_from", copy_from);
    m.impl("_copy_from_and_resize", copy_from_and_resize);
    m.impl("_local_scalar_dense", number);
    m.impl("convolution_overrideable", convolution);
    m.impl("convolution_backward_overrideable", convolution_backward);
    m.impl("native_batch_norm", batch_norm);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>()); }

}  // namespace
}  // namespace fake

extern "C" int64_t fake_device_read_count(void) { return fake::reads.load(); }
