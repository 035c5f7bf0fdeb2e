// Which table of kernels serves this processor: what it has, and what gives the right numbers.
#include "check.h"
#include "kernels.h"

namespace ctorch::encoder {

namespace {

#if defined(__x86_64__)
// The fastest first. __builtin_cpu_supports() looks at the operating system's support of the registers too.
const Kernels *candidate(bool is_bfloat16) {
    if (is_bfloat16)
        return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16") ? &avx512_bf16 : nullptr;
    if (__builtin_cpu_supports("x86-64-v4")) return &avx512_float;
    return __builtin_cpu_supports("x86-64-v3") ? &avx2_float : nullptr;
}
#else
const Kernels *candidate(bool) { return nullptr; }
#endif

bool is_sound(const Kernels &kernels) {
    for (int part = 0; part < static_cast<int>(Part::count); ++part)
        for (uint64_t seed = 1; seed <= 3; ++seed)
            if (!(error_of(kernels, static_cast<Part>(part), seed) <= tolerance_of(kernels))) return false;
    return true;
}

const Kernels *checked(bool is_bfloat16) {
    const auto *kernels = candidate(is_bfloat16);
    return kernels && is_sound(*kernels) ? kernels : nullptr;
}

}  // namespace

const Kernels *kernels_for(bool is_bfloat16) {
    static const auto *const of_float = checked(false), *const of_bfloat16 = checked(true);
    return is_bfloat16 ? of_bfloat16 : of_float;
}

}  // namespace ctorch::encoder
