// Shared by the files of this target.
#pragma once
#include <stdint.h>
#include <stdio.h>

#include "image_codecs.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
// One function body, compiled for several processors; the loader takes the best one.
#define WIDE __attribute__((target_clones("avx2", "sse4.1", "default")))
#else
#define WIDE
#endif
// Into every function that calls it, so that it is compiled for that one's processors.
#define INLINE static inline __attribute__((always_inline))

static inline ic_status ic_fail(char *message, ic_status status, const char *text) {
    snprintf(message, IC_MESSAGE_SIZE, "%s", text);
    return status;
}
