// The same operations called from C++ without any wrapper, to measure what the wrapper adds.
#ifndef SWIFT_DEIT_BASELINE_H
#define SWIFT_DEIT_BASELINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Seconds for `count` additions of two tensors of `elements` numbers, without gradients.
double baseline_add(int64_t elements, int64_t count);
/// Seconds for `count` linear layers `[rows, width]` by `[width, width]`, without gradients.
double baseline_linear(int64_t rows, int64_t width, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
