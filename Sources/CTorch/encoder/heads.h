// What is done to queries and keys between their projection and their product: normalisation of every head, and rotary
// positions.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespace.
#pragma once

#include "epilogues.h"

namespace ctorch::encoder {
namespace {

INLINED void normalize_rows_of_heads(float *x, int64_t pitch, int64_t rows, int64_t width, float eps,
                                     const float *weight, const float *bias) {
    for (int64_t row = 0; row < rows; ++row, x += pitch)
        normalize_rows_affine(x, 1, width, eps, weight, bias, x, pitch);
}

INLINED void rotate_rows_of_heads(float *x, int64_t pitch, int64_t rows, int64_t width, const float *cosines,
                                  const float *sines, int64_t angle_pitch) {
#pragma clang fp contract(fast)
    const auto half = width / 2;
    for (int64_t row = 0; row < rows; ++row, x += pitch, cosines += angle_pitch, sines += angle_pitch)
        for (int64_t i = 0; i < half; i += lanes) {
            Floats first, second, cosine, sine;
            load(x + i, first);
            load(x + half + i, second);
            load(cosines + i, cosine);
            load(sines + i, sine);
            store(x + i, first * cosine - second * sine);
            store(x + half + i, second * cosine + first * sine);
        }
}

}  // namespace
}  // namespace ctorch::encoder
