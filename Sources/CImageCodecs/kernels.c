// Sums fit 32 bits: the weights of a sample sum to 2^22, overshoot by less than a factor of two, and samples
// have 8 bits.
#include "image_kernels.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common.h"

enum {
    PRECISION = 32 - 8 - 2,
    HALF = 1 << (PRECISION - 1),
    TILE = 64,      // the bytes of a row that are convolved at once with those below them
    GROUP = 4,      // the pixels of a row that are convolved at once
    LOW_BITS = 11,  // of a weight's lower part
    ROWS = 4,       // the rows that share the loads of weights
};

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

static void convolve_row(const uint8_t *row, int32_t channels, ic_weights weights, uint8_t *output) {
    if (channels == 1) {
        convolve_grey(row, weights, output);
    } else {
        convolve_color(row, weights, output);
    }
}

static inline size_t groups_of(int32_t count) { return ((size_t)count + GROUP - 1) / GROUP; }

size_t ic_packed_count(ic_weights weights) { return weights.count * groups_of((int32_t)weights.stride) * 2 * GROUP; }

void ic_pack_weights(ic_weights weights, int16_t *packed) {
    size_t stride = groups_of((int32_t)weights.stride) * 2 * GROUP;
    memset(packed, 0, weights.count * stride * sizeof *packed);
    for (size_t i = 0; i < weights.count; i += 1) {
        for (int32_t k = 0; k < weights.counts[i]; k += 1) {
            int32_t value = weights.values[i * weights.stride + (size_t)k];
            int16_t *group = packed + i * stride + (size_t)(k / GROUP) * 2 * GROUP;
            group[k % GROUP] = (int16_t)(value & ((1 << LOW_BITS) - 1));
            group[GROUP + k % GROUP] = (int16_t)(value >> LOW_BITS);
        }
    }
}

#if defined(__x86_64__)
// Four pixels of three bytes become, for each channel, two pairs of 16 bits: the first two pixels in the lower half of
// the register and the other two in the upper.
#define PAIRS(a, b) a, -1, b, -1, a + 1, -1, b + 1, -1, a + 2, -1, b + 2, -1, -1, -1, -1, -1

// Convolves up to ROWS rows at once, which share the loads of the weights. A weight of 24 bits is split into two of at
// most 13, so that a product of 16 bits with the addition of its neighbour serves two pixels; the sum is the same.
__attribute__((target("avx2"), always_inline)) static inline void convolve_rows_avx2(const uint8_t *input,
                                                                                     size_t stride, size_t rows,
                                                                                     ic_weights weights,
                                                                                     uint8_t *output) {
    const __m256i pairs = _mm256_setr_epi8(PAIRS(0, 3), PAIRS(6, 9));
    const __m256i low_lanes = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m256i high_lanes = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
    size_t packed_stride = groups_of((int32_t)weights.stride) * 2 * GROUP;
    for (size_t x = 0; x < weights.count; x += 1) {
        const uint8_t *from = input + 3 * (size_t)weights.starts[x];
        const int16_t *packed = weights.packed + x * packed_stride;
        size_t groups = groups_of(weights.counts[x]);
        __m256i low[ROWS], high[ROWS];
        for (size_t r = 0; r < rows; r += 1) low[r] = high[r] = _mm256_setzero_si256();
        for (size_t g = 0; g < groups; g += 1) {
            __m256i both =
                _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(packed + g * 2 * GROUP)));
            __m256i lower = _mm256_permutevar8x32_epi32(both, low_lanes);
            __m256i higher = _mm256_permutevar8x32_epi32(both, high_lanes);
            for (size_t r = 0; r < rows; r += 1) {
                const void *at = from + r * stride + g * 3 * GROUP;
                __m256i pixels = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)at));
                pixels = _mm256_shuffle_epi8(pixels, pairs);
                low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(pixels, lower));
                high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(pixels, higher));
            }
        }
        for (size_t r = 0; r < rows; r += 1) {
            __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high[r], LOW_BITS), low[r]);
            __m128i pixel = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
            pixel = _mm_srai_epi32(_mm_add_epi32(pixel, _mm_set1_epi32(HALF)), PRECISION);
            pixel = _mm_packs_epi32(pixel, pixel);
            uint32_t bytes = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(pixel, pixel));
            memcpy(output + 3 * (r * weights.count + x), &bytes, 3);
        }
    }
}

__attribute__((target("avx2"))) static void convolve_four_rows(const uint8_t *input, size_t stride, ic_weights weights,
                                                               uint8_t *output) {
    convolve_rows_avx2(input, stride, ROWS, weights, output);
}

__attribute__((target("avx2"))) static void convolve_one_row(const uint8_t *row, ic_weights weights, uint8_t *output) {
    convolve_rows_avx2(row, 0, 1, weights, output);
}

// The bytes of a row that convolve_rows_avx2 reads: more than the weights name.
static size_t reach_of(ic_weights weights) {
    size_t reach = 0;
    for (size_t x = 0; x < weights.count; x += 1) {
        size_t end = 3 * ((size_t)weights.starts[x] + groups_of(weights.counts[x]) * GROUP) + 4;
        if (end > reach) reach = end;
    }
    return reach;
}

// Convolves the first rows, as far as reading beyond a row's end stays within the image; returns how many.
static size_t convolve_first_rows(const uint8_t *input, size_t stride, size_t rows, size_t readable, ic_weights weights,
                                  uint8_t *output) {
    if (!weights.packed || !__builtin_cpu_supports("avx2")) return 0;
    size_t reach = reach_of(weights), y = 0;
    while (y < rows && readable >= reach && y * stride <= readable - reach) {
        const uint8_t *row = input + y * stride;
        uint8_t *to = output + y * 3 * weights.count;
        if (rows - y >= ROWS && (y + ROWS - 1) * stride <= readable - reach) {
            convolve_four_rows(row, stride, weights, to);
            y += ROWS;
        } else {
            convolve_one_row(row, weights, to);
            y += 1;
        }
    }
    return y;
}
#else
static size_t convolve_first_rows(const uint8_t *input, size_t stride, size_t rows, size_t readable, ic_weights weights,
                                  uint8_t *output) {
    (void)input, (void)stride, (void)rows, (void)readable, (void)weights, (void)output;
    return 0;
}
#endif

void ic_convolve_rows(const uint8_t *input, size_t stride, size_t rows, size_t readable, int32_t channels,
                      ic_weights weights, uint8_t *output) {
    size_t y = channels == 3 ? convolve_first_rows(input, stride, rows, readable, weights, output) : 0;
    for (; y < rows; y += 1) {
        convolve_row(input + y * stride, channels, weights, output + y * (size_t)channels * weights.count);
    }
}

static inline float normalized(uint8_t sample, float mean, float std) { return ((float)sample / 255 - mean) / std; }

// Divisions of many samples at once cost less than looking them up one by one, and round like single ones.
WIDE static void normalize_color(const uint8_t *pixels, size_t count, const float *mean, const float *std,
                                 float *output) {
    float *restrict red = output, *restrict green = output + count, *restrict blue = output + 2 * count;
    for (size_t i = 0; i < count; i += 1) {
        red[i] = normalized(pixels[3 * i], mean[0], std[0]);
        green[i] = normalized(pixels[3 * i + 1], mean[1], std[1]);
        blue[i] = normalized(pixels[3 * i + 2], mean[2], std[2]);
    }
}

WIDE static void normalize_grey(const uint8_t *pixels, size_t count, float mean, float std, float *restrict output) {
    for (size_t i = 0; i < count; i += 1) output[i] = normalized(pixels[i], mean, std);
}

void ic_normalize(const uint8_t *pixels, size_t count, size_t channels, const float *mean, const float *std,
                  float *output) {
    if (channels == 3) {
        normalize_color(pixels, count, mean, std, output);
        return;
    }
    if (channels == 1) {
        normalize_grey(pixels, count, mean[0], std[0], output);
        return;
    }
    // Samples further apart would have to be gathered; a table takes fewer divisions.
    for (size_t c = 0; c < channels; c += 1) {
        float table[256];
        for (int value = 0; value < 256; value += 1) table[value] = normalized((uint8_t)value, mean[c], std[c]);
        for (size_t i = 0; i < count; i += 1) output[c * count + i] = table[pixels[i * channels + c]];
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
