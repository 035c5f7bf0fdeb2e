// Which table of kernels serves this processor: what it has, and what gives the right numbers.
#include <exception>
#include <vector>

#include "check.h"
#include "kernels.h"

namespace ctorch::encoder {

namespace {

#if defined(__x86_64__)
// The fastest first. __builtin_cpu_supports() looks at the operating system's support of the registers too.
std::vector<const Kernels *> candidates(bool is_bfloat16) {
    const bool has_avx512 = __builtin_cpu_supports("x86-64-v4"), has_avx2 = __builtin_cpu_supports("x86-64-v3");
    std::vector<const Kernels *> list;
    if (is_bfloat16) {
        if (!has_avx512 || !__builtin_cpu_supports("avx512bf16")) return list;
        if (__builtin_cpu_supports("amx-bf16") && has_brgemm()) list.push_back(&amx_bf16);
        list.push_back(&avx512_bf16);
    } else {
        if (has_avx512) list.push_back(&avx512_float);
        if (has_avx2) list.push_back(&avx2_float);
    }
    return list;
}
#else
std::vector<const Kernels *> candidates(bool) { return {}; }
#endif

bool is_sound(const Kernels &kernels) {
    try {
        bool is_right = true;
        for (int part = 0; part < static_cast<int>(Part::count); ++part)
            for (uint64_t seed = 1; seed <= 3; ++seed)
                is_right = is_right && error_of(kernels, static_cast<Part>(part), seed) <= tolerance_of(kernels);
        if (kernels.release) kernels.release();
        return is_right;
    } catch (const std::exception &) { return false; }  // brgemm() throws where it lacks something
}

const Kernels *first_sound(bool is_bfloat16) {
    for (const auto *kernels : candidates(is_bfloat16))
        if (is_sound(*kernels)) return kernels;
    return nullptr;
}

}  // namespace

const Kernels *kernels_for(bool is_bfloat16) {
    static const auto *const of_float = first_sound(false), *const of_bfloat16 = first_sound(true);
    return is_bfloat16 ? of_bfloat16 : of_float;
}

}  // namespace ctorch::encoder
