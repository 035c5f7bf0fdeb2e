// Decoders of JPEG, PNG, WebP and gzip behind one plain C11 interface, and the kernels of a resize.
//
// Every function returns an `ic_status`; none prints, exits or keeps state. `message` receives the
// library's own words (UTF-8 or ASCII, always terminated) when the status is not IC_OK.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "image_kernels.h"

#if defined(__cplusplus)
extern "C" {
#endif

enum {
    IC_OK = 0,
    IC_TRUNCATED = 1,    // the data ends too early
    IC_CORRUPT = 2,      // the data breaks the format's rules
    IC_UNSUPPORTED = 3,  // a legal file of a kind that is not decoded
    IC_NO_MEMORY = 4,
    IC_TOO_LARGE = 5,  // the output does not fit into the buffer that the caller offers
};
typedef int32_t ic_status;

enum { IC_MESSAGE_SIZE = 256 };

// What a decoder will write: `channels` interleaved bytes for each pixel, rows without padding.
// 1 is grey, 3 is RGB, 4 is CMYK with 0 for full ink (as Adobe's programs store it).
typedef struct {
    int32_t width;
    int32_t height;
    int32_t channels;
} ic_info;

ic_status ic_jpeg_info(const uint8_t *data, size_t size, ic_info *info, char *message);
ic_status ic_jpeg_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message);

ic_status ic_png_info(const uint8_t *data, size_t size, ic_info *info, char *message);
ic_status ic_png_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message);

// The first frame where the file is an animation.
ic_status ic_webp_info(const uint8_t *data, size_t size, ic_info *info, char *message);
ic_status ic_webp_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message);

// Inflates a gzip or zlib stream into `output`, which holds `capacity` bytes; `*length` receives how many
// were written. IC_TOO_LARGE when the stream holds more.
ic_status ic_inflate(const uint8_t *data, size_t size, uint8_t *output, size_t capacity, size_t *length, char *message);

#if defined(__cplusplus)
}
#endif
