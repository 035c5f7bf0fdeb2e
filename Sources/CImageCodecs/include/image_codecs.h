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

// A JPEG that is read from top to bottom. `*reader` is to be closed, after a failure too, unless it is NULL; `data`
// must stay until then. Open reads the header; start goes to a row and makes ready to read rows of which `columns`
// pixels from `left` on are wanted: each row read has `*row_columns` pixels, the wanted ones from `*offset` on.
// Finish, after the last row of a whole image, says whether the data ended too early.
typedef struct ic_jpeg ic_jpeg;
ic_status ic_jpeg_open(const uint8_t *data, size_t size, ic_jpeg **reader, ic_info *info, char *message);
ic_status ic_jpeg_start(ic_jpeg *reader, int32_t left, int32_t top, int32_t columns, int32_t *offset,
                        int32_t *row_columns, char *message);
ic_status ic_jpeg_read(ic_jpeg *reader, uint8_t *pixels, size_t stride, int32_t rows, char *message);
ic_status ic_jpeg_finish(ic_jpeg *reader, char *message);
void ic_jpeg_close(ic_jpeg *reader);

// Whether an end-of-image marker follows the first scan: without one the data ends too early.
int ic_jpeg_is_complete(const ic_jpeg *reader);

ic_status ic_png_info(const uint8_t *data, size_t size, ic_info *info, char *message);
ic_status ic_png_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message);

// Writes a PNG file of `info.channels` (1 or 3) interleaved bytes a pixel; ic_png_bound says how long it may become.
size_t ic_png_bound(ic_info info);
ic_status ic_png_encode(const uint8_t *pixels, ic_info info, uint8_t *output, size_t capacity, size_t *length,
                        char *message);

// The first frame where the file is an animation.
ic_status ic_webp_info(const uint8_t *data, size_t size, ic_info *info, char *message);
ic_status ic_webp_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message);

#if defined(__cplusplus)
}
#endif
