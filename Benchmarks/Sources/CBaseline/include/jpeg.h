// libjpeg-turbo without this library around it.
#ifndef SWIFT_DEIT_BASELINE_JPEG_H
#define SWIFT_DEIT_BASELINE_JPEG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Decodes a JPEG into RGB, rows without padding. Returns 0, or 1 where the file is damaged or larger than `capacity`.
int32_t baseline_jpeg_decode(const uint8_t *data, size_t size, uint8_t *pixels, size_t capacity);
/// Writes RGB as a JPEG. Returns its length, or 0 where it does not fit into `capacity` bytes.
size_t baseline_jpeg_encode(const uint8_t *pixels, int32_t height, int32_t width, int32_t quality, uint8_t *output,
                            size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
