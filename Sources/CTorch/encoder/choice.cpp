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

std::vector<const Kernels *> int8_candidates() {
    std::vector<const Kernels *> list;
    if (!__builtin_cpu_supports("x86-64-v4") || !__builtin_cpu_supports("avx512vnni")) return list;
    if (__builtin_cpu_supports("avx512bf16")) {
        if (__builtin_cpu_supports("amx-int8") && __builtin_cpu_supports("amx-bf16") && has_brgemm())
            list.push_back(&amx_int8);
        list.push_back(&avx512_vnni_bf16);
    }
    list.push_back(&avx512_vnni);
    return list;
}
#else
std::vector<const Kernels *> candidates(bool) { return {}; }
std::vector<const Kernels *> int8_candidates() { return {}; }
#endif

bool is_sound(const Kernels &kernels) {
    try {
        bool is_right = true;
        for (int part = 0; part < static_cast<int>(Part::count); ++part)
            for (uint64_t seed = 1; seed <= 3; ++seed)
                is_right = is_right && error_of(kernels, static_cast<Part>(part), seed) <=
                                           tolerance_of(kernels, static_cast<Part>(part));
        if (kernels.release) kernels.release();
        return is_right;
    } catch (const std::exception &) { return false; }  // brgemm() throws where it lacks something
}

const Kernels *first_sound(const std::vector<const Kernels *> &candidates) {
    for (const auto *kernels : candidates)
        if (is_sound(*kernels)) return kernels;
    return nullptr;
}

}  // namespace

// Each is checked when it is asked for: that takes some 10 ms, which matters where one image is classified.
const Kernels *kernels_for(bool is_bfloat16) {
    if (is_bfloat16) {
        static const auto *const of_bfloat16 = first_sound(candidates(true));
        return of_bfloat16;
    }
    static const auto *const of_float = first_sound(candidates(false));
    return of_float;
}

const Kernels *int8_kernels() {
    static const auto *const of_int8 = first_sound(int8_candidates());
    return of_int8;
}

}  // namespace ctorch::encoder
