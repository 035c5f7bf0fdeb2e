// The inner loops of a resize, in C so that the processor's widest instructions can be chosen at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

// The weights of one direction: new sample i is the sum of counts[i] old ones from starts[i] on, each times
// values[i * stride + k], shifted right by 22 bits with rounding and clipped to 0...255.
typedef struct {
    const int32_t *starts;
    const int32_t *counts;
    const int32_t *values;
    size_t stride;
    size_t count;
    // The same weights for products of 16 bits, as ic_pack_weights writes them; may be NULL.
    const int16_t *packed;
} ic_weights;

// The numbers that ic_pack_weights writes.
size_t ic_packed_count(ic_weights weights);
void ic_pack_weights(ic_weights weights, int16_t *packed);

// Convolves `rows` rows of `channels` (1 or 3) interleaved samples, `stride` bytes apart; new rows follow one another.
// `readable` bytes may be read from input on; that the weights name no sample beyond is the caller's to know.
void ic_convolve_rows(const uint8_t *input, size_t stride, size_t rows, size_t readable, int32_t channels,
                      ic_weights weights, uint8_t *output);

// Convolves `row_bytes` columns: old row r starts at input + r * row_bytes, new ones follow one another.
void ic_convolve_columns(const uint8_t *input, size_t row_bytes, ic_weights weights, uint8_t *output);

// Writes (sample / 255 - mean) / std of `count` interleaved pixels of `channels`, one plane for each channel; every
// step is rounded to float.
void ic_normalize(const uint8_t *pixels, size_t count, size_t channels, const float *mean, const float *std,
                  float *output);

#if defined(__cplusplus)
}
#endif
