// The one instantiation of torch::autograd::Function.
#include "own_gradient.h"

#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace ctorch {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the graph keeps beside the tensors.
struct Plan : torch::CustomClassHolder {
    Plan(Backward backward, int64_t number) : backward(backward), number(number) {}
    Backward backward;
    int64_t number;
};

struct OwnGradient : torch::autograd::Function<OwnGradient> {
    static at::Tensor forward(AutogradContext *context, at::TensorList, c10::function_ref<at::Tensor(Kept &)> forward,
                              Backward backward) {
        at::AutoDispatchBelowADInplaceOrView below_autograd;
        Kept kept;
        auto out = forward(kept);
        context->save_for_backward(std::move(kept.tensors));
        context->saved_data["plan"] = at::IValue::make_capsule(c10::make_intrusive<Plan>(backward, kept.number));
        return out;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto holder = context->saved_data["plan"].toCapsule();
        const auto &plan = static_cast<const Plan &>(*holder);
        const auto needs = [&](size_t input) { return context->needs_input_grad(input); };
        auto result = plan.backward({gradients[0], needs}, {context->get_saved_variables(), plan.number});
        // One for each argument of forward(): the two behind the inputs have no gradient.
        result.resize(result.size() + 2);
        return result;
    }
};

}  // namespace

at::Tensor with_gradient(at::ArrayRef<at::Tensor> inputs, c10::function_ref<at::Tensor(Kept &)> forward,
                         Backward backward) {
    return OwnGradient::apply(inputs, forward, backward);
}

}  // namespace ctorch
