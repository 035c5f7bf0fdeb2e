// Sums fit 32 bits: the weights of a sample sum to 2^22, overshoot by less than a factor of two, and samples
// have 8 bits.
#include "image_kernels.h"

#include <string.h>

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
// One function body, compiled for several processors; the loader takes the best one.
#define WIDE __attribute__((target_clones("avx2", "sse4.1", "default")))
#else
#define WIDE
#endif

enum { PRECISION = 32 - 8 - 2, HALF = 1 << (PRECISION - 1), TILE = 64 };

typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t quad __attribute__((vector_size(4)));

static inline uint8_t clip(int32_t sum) {
    sum >>= PRECISION;
    return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

WIDE static void convolve_grey(const uint8_t *row, ic_weights weights, uint8_t *output) {
    for (size_t x = 0; x < weights.count; x += 1) {
        const uint8_t *from = row + weights.starts[x];
        const int32_t *values = weights.values + x * weights.stride;
        int32_t sum = HALF;
        for (int32_t k = 0; k < weights.counts[x]; k += 1) sum += from[k] * values[k];
        output[x] = clip(sum);
    }
}

WIDE static void convolve_color(const uint8_t *row, ic_weights weights, uint8_t *output) {
    for (size_t x = 0; x < weights.count; x += 1) {
        const uint8_t *from = row + 3 * (size_t)weights.starts[x];
        const int32_t *values = weights.values + x * weights.stride;
        int32_t count = weights.counts[x];
        lanes sum = {HALF, HALF, HALF, HALF};
        // Four bytes are loaded for a pixel of three, so the last pixel is taken apart.
        for (int32_t k = 0; k + 1 < count; k += 1) {
            quad pixel;
            memcpy(&pixel, from + 3 * k, 4);
            sum += __builtin_convertvector(pixel, lanes) * values[k];
        }
        for (int c = 0; c < 3; c += 1) {
            output[3 * x + c] = clip(sum[c] + (count > 0 ? from[3 * (count - 1) + c] * values[count - 1] : 0));
        }
    }
}

void ic_convolve_row(const uint8_t *row, int32_t channels, ic_weights weights, uint8_t *output) {
    if (channels == 1) {
        convolve_grey(row, weights, output);
    } else {
        convolve_color(row, weights, output);
    }
}

WIDE void ic_convolve_columns(const uint8_t *input, size_t row_bytes, ic_weights weights, uint8_t *output) {
    for (size_t y = 0; y < weights.count; y += 1) {
        const uint8_t *from = input + (size_t)weights.starts[y] * row_bytes;
        const int32_t *values = weights.values + y * weights.stride;
        uint8_t *to = output + y * row_bytes;
        size_t x = 0;
        // A tile's sums stay in registers while all rows are added.
        for (; x + TILE <= row_bytes; x += TILE) {
            int32_t sums[TILE];
            for (int i = 0; i < TILE; i += 1) sums[i] = HALF;
            for (int32_t k = 0; k < weights.counts[y]; k += 1) {
                const uint8_t *row = from + (size_t)k * row_bytes + x;
                for (int i = 0; i < TILE; i += 1) sums[i] += row[i] * values[k];
            }
            for (int i = 0; i < TILE; i += 1) to[x + i] = clip(sums[i]);
        }
        for (; x < row_bytes; x += 1) {
            int32_t sum = HALF;
            for (int32_t k = 0; k < weights.counts[y]; k += 1) sum += from[(size_t)k * row_bytes + x] * values[k];
            to[x] = clip(sum);
        }
    }
}
