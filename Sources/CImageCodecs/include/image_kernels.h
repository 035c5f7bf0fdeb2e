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
} ic_weights;

// Convolves one row of `channels` (1 or 3) interleaved samples. Reads exactly the samples that the weights name.
void ic_convolve_row(const uint8_t *row, int32_t channels, ic_weights weights, uint8_t *output);

// Convolves `row_bytes` columns: old row r starts at input + r * row_bytes, new ones follow one another.
void ic_convolve_columns(const uint8_t *input, size_t row_bytes, ic_weights weights, uint8_t *output);

#if defined(__cplusplus)
}
#endif
