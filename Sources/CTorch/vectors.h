// Sixteen numbers at a time: what the kernels of this folder are written in.
//
// The types are the compiler's own vectors, which it lowers to whatever registers the processor at hand has. Functions
// marked PER_PROCESSOR are compiled once for each level of x86-64 and the loader picks one; those here are inlined into
// them, and take vectors by reference because passing one by value depends on the level (for the same reason there is
// no std::bit_cast).
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__) && defined(__linux__)
#define PER_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PER_PROCESSOR
#endif
#define INLINED inline __attribute__((always_inline))

namespace ctorch {

constexpr int64_t lanes = 16;
using Floats = float __attribute__((vector_size(64)));
using Ints = int32_t __attribute__((vector_size(64)));
using Bits = uint32_t __attribute__((vector_size(64)));
using Halves = uint16_t __attribute__((vector_size(32)));

/// A bfloat16 as it is in memory: the upper half of a float.
using BFloat16Bits = uint16_t;

INLINED void load(const float *from, Floats &to) { std::memcpy(&to, from, sizeof to); }

INLINED void load(const BFloat16Bits *from, Floats &to) {
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    to = __builtin_bit_cast(Floats, __builtin_convertvector(halves, Bits) << 16);
}

INLINED void store(float *to, const Floats &from) { std::memcpy(to, &from, sizeof from); }

/// Rounds to the nearest even; what is not a number stays so.
INLINED void store(BFloat16Bits *to, const Floats &from) {
    const auto bits = __builtin_bit_cast(Bits, from);
    const auto rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const auto is_nan = __builtin_bit_cast(Bits, from != from);
    const auto halves = __builtin_convertvector((rounded & ~is_nan) | (is_nan & 0x7fc0u), Halves);
    std::memcpy(to, &halves, sizeof halves);
}

/// The first `count` numbers, 1 ..< lanes; the other lanes are `filler`.
template <typename T>
INLINED void load_some(const T *from, int64_t count, Floats &to, float filler = 0) {
    T numbers[lanes];
    store(numbers, Floats{} + filler);
    std::memcpy(numbers, from, static_cast<size_t>(count) * sizeof(T));
    load(numbers, to);
}

template <typename T>
INLINED void store_some(T *to, int64_t count, const Floats &from) {
    T numbers[lanes];
    store(numbers, from);
    std::memcpy(to, numbers, static_cast<size_t>(count) * sizeof(T));
}

INLINED float sum_of(const Floats &vector) {
    float numbers[lanes];
    store(numbers, vector);
    for (int64_t half = lanes / 2; half > 0; half /= 2)
        for (int64_t i = 0; i < half; ++i) numbers[i] += numbers[i + half];
    return numbers[0];
}

INLINED float largest_of(const Floats &vector) {
    float numbers[lanes];
    store(numbers, vector);
    for (int64_t half = lanes / 2; half > 0; half /= 2)
        for (int64_t i = 0; i < half; ++i) numbers[i] = numbers[i + half] > numbers[i] ? numbers[i + half] : numbers[i];
    return numbers[0];
}

/// e^x for x ≤ 0, to 2 units in the last place: 2^n · 2^f with a polynomial of degree 6 for f in ±½; not a number stays
/// so.
INLINED void exponential(const Floats &x, Floats &out) {
#pragma clang fp contract(fast)
    const auto inside = x < -87.0f ? Floats{} - 87.0f : x;
    const auto shifted = inside * 1.44269502f + 12582912.0f;  // 1.5 · 2²³: the integer part ends up in the low bits
    const auto whole = shifted - 12582912.0f;
    // log₂ e in two parts: with one, the rounding of a product of some tens would be a part of e^x.
    const auto f = (inside * 1.44269502f - whole) + inside * 1.92596299e-8f;
    auto p = f * 1.535336188e-4f + 1.339887440e-3f;
    p = p * f + 9.618437357e-3f;
    p = p * f + 5.550332471e-2f;
    p = p * f + 2.402264791e-1f;
    p = p * f + 6.931472028e-1f;
    p = p * f + 1.0f;
    const auto power = __builtin_bit_cast(Ints, shifted) << 23;
    const auto result = __builtin_bit_cast(Floats, __builtin_bit_cast(Ints, p) + power);
    out = x == x ? result : x;
}

/// Φ(x), the share of the standard normal distribution below x, within 6e-8: ½ + x · P(x²) / Q(x²).
///
/// The coefficients are a least-squares fit of ours, reweighted towards the largest error, for |x| ≤ 5.4; beyond, Φ is
/// 0 or 1 to that precision.
INLINED void normal_distribution(const Floats &x, Floats &out) {
#pragma clang fp contract(fast)
    const auto square = x * x;
    const auto u = square > 29.16f ? Floats{} + 29.16f : square;
    auto p = u * 2.3386792490417527e-08f + 6.359993262950406e-06f;
    p = p * u + 0.00016431980530376699f;
    p = p * u + 0.004650839811725143f;
    p = p * u + 0.03337205885305056f;
    p = p * u + 0.3989422453842118f;
    auto q = u * 1.2165906458421858e-06f + 7.239950197435523e-05f;
    q = q * u + 0.0018589710125038112f;
    q = q * u + 0.028378587724505567f;
    q = q * u + 0.2503174354860735f;
    q = q * u + 1.0f;
    const auto inside = 0.5f + x * (p / q);
    const auto floor = x < -5.4f ? Floats{} : inside;
    out = x > 5.4f ? Floats{} + 1.0f : floor;
}

}  // namespace ctorch
