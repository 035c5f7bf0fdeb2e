// Errors, versions, threads and the seed.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "block/memory.h"
#include "guarded.h"
#include "onednn.h"

namespace ctorch {

std::string &last_error() {
    thread_local std::string message = "no error";
    return message;
}

bool &last_error_is_memory() {
    thread_local bool is_memory = false;
    return is_memory;
}

std::atomic<int64_t> &live_tensors() {
    static std::atomic<int64_t> count{0};
    return count;
}

namespace {

// The library's version stands nowhere in its API, only in the text that describes its build.
std::string version_in(const std::string &description) {
    const std::string key = "TORCH_VERSION=";
    const auto start = description.find(key);
    if (start == std::string::npos) return "";
    const auto from = start + key.size();
    return description.substr(from, description.find_first_of(", \n", from) - from);
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

extern "C" {

const char *ct_last_error(void) { return last_error().c_str(); }

bool ct_last_error_is_memory(void) { return last_error_is_memory(); }

int64_t ct_live_tensor_count(void) { return live_tensors().load(std::memory_order_relaxed); }

const char *ct_version_of_headers(void) { return TORCH_VERSION; }

const char *ct_version_of_library(void) {
    static const std::string version = [] {
        std::string found;
        guarded([&] { found = version_in(at::show_config()); });
        return found;
    }();
    return version.c_str();
}

const char *ct_build_description(void) {
    static const std::string description = [] {
        std::string text;
        guarded([&] { text = at::show_config(); });
        return text;
    }();
    return description.c_str();
}

bool ct_has_onednn(void) {
    bool has = false;
    guarded([&] { has = at::hasMKLDNN() && has_onednn_matmul(); });
    return has;
}

bool ct_has_fast_bfloat16(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16") || __builtin_cpu_supports("amx-bf16");
#else
    return false;
#endif
}

int32_t ct_thread_count(void) { return at::get_num_threads(); }

int32_t ct_set_thread_count(int32_t count) {
    return guarded([&] {
        TORCH_CHECK(count > 0, "the number of threads must be positive, not ", count);
        at::set_num_threads(count);
    });
}

void ct_give_back_freed_memory(void) {
    block::empty_pool();
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

void ct_keep_freed_memory(void) {
#if defined(__GLIBC__)
    // One arena: those of other threads are heaps of 64 MiB, which go back to the system as a whole.
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 16 << 20);
#endif
}

int32_t ct_manual_seed(uint64_t seed) {
    return guarded([&] { at::manual_seed(seed); });
}

}  // extern "C"
