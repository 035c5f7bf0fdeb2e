#include "baseline.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <chrono>

template <typename Body>
static double seconds(int64_t count, Body body) {
    c10::NoGradGuard noGradients;
    const auto start = std::chrono::steady_clock::now();
    for (int64_t index = 0; index < count; ++index) body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double baseline_add(int64_t elements, int64_t count) {
    const at::Tensor a = at::ones({elements}), b = at::ones({elements});
    return seconds(count, [&] { at::Tensor c = at::add(a, b); });
}

double baseline_linear(int64_t rows, int64_t width, int64_t count) {
    const at::Tensor x = at::ones({rows, width}), weight = at::ones({width, width}), bias = at::ones({width});
    return seconds(count, [&] { at::Tensor y = at::linear(x, weight, bias); });
}
