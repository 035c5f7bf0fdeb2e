// WebP through libwebp; of an animation the first frame, on an empty canvas.
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include "common.h"

static uint32_t little(const uint8_t *at, int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; i += 1) value |= (uint32_t)at[i] << (8 * i);
    return value;
}

// The first frame of an animation: where it lies on the canvas and its data.
typedef struct {
    int32_t x, y, width, height;
    const uint8_t *data;
    size_t size;
} frame;

static ic_status first_frame(const uint8_t *data, size_t size, frame *found, char *message) {
    size_t at = 12;  // after "RIFF", its size and "WEBP"
    while (at + 8 <= size) {
        size_t length = little(data + at + 4, 4);
        const uint8_t *body = data + at + 8;
        if (length > size - at - 8) return ic_fail(message, IC_TRUNCATED, "a chunk is cut short");
        if (memcmp(data + at, "ANMF", 4) == 0) {
            if (length < 16) return ic_fail(message, IC_CORRUPT, "a frame is too short");
            *found = (frame){(int32_t)little(body, 3) * 2,
                             (int32_t)little(body + 3, 3) * 2,
                             (int32_t)little(body + 6, 3) + 1,
                             (int32_t)little(body + 9, 3) + 1,
                             body + 16,
                             length - 16};
            return IC_OK;
        }
        at += 8 + length + (length & 1);
    }
    return ic_fail(message, IC_TRUNCATED, "the animation has no frame");
}

static ic_status status_of(VP8StatusCode code, char *message) {
    switch (code) {
        case VP8_STATUS_OK: return IC_OK;
        case VP8_STATUS_OUT_OF_MEMORY: return ic_fail(message, IC_NO_MEMORY, "out of memory");
        case VP8_STATUS_NOT_ENOUGH_DATA: return ic_fail(message, IC_TRUNCATED, "the data ends too early");
        case VP8_STATUS_UNSUPPORTED_FEATURE: return ic_fail(message, IC_UNSUPPORTED, "an unsupported feature");
        default: return ic_fail(message, IC_CORRUPT, "the bit stream is damaged");
    }
}

ic_status ic_webp_info(const uint8_t *data, size_t size, ic_info *info, char *message) {
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(data, size, &features);
    if (code != VP8_STATUS_OK) return status_of(code, message);
    *info = (ic_info){features.width, features.height, 3};
    return IC_OK;
}

// Decodes one still image of exactly `width` × `height` to rows that are `stride` bytes apart.
// Alpha is never requested: the colours do not depend on it.
static ic_status decode_still(const uint8_t *data, size_t size, int32_t width, int32_t height, uint8_t *pixels,
                              size_t stride, char *message) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return ic_fail(message, IC_UNSUPPORTED, "another version of libwebp");
    VP8StatusCode code = WebPGetFeatures(data, size, &config.input);
    if (code != VP8_STATUS_OK) return status_of(code, message);
    if (config.input.width != width || config.input.height != height) {
        return ic_fail(message, IC_CORRUPT, "the frame's size does not fit the canvas");
    }
    size_t room = stride * (size_t)height;
    if (stride > INT_MAX) return ic_fail(message, IC_UNSUPPORTED, "the image is too wide");
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = room;
    code = WebPDecode(data, size, &config);
    WebPFreeDecBuffer(&config.output);
    // libwebp stops with "suspended" where a still image's data is cut short.
    if (code == VP8_STATUS_SUSPENDED) code = VP8_STATUS_NOT_ENOUGH_DATA;
    return status_of(code, message);
}

ic_status ic_webp_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message) {
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(data, size, &features);
    if (code != VP8_STATUS_OK) return status_of(code, message);
    size_t stride = (size_t)info.width * 3;
    if (!features.has_animation) return decode_still(data, size, info.width, info.height, pixels, stride, message);
    frame first;
    ic_status status = first_frame(data, size, &first, message);
    if (status != IC_OK) return status;
    if (first.width > info.width - first.x || first.height > info.height - first.y) {
        return ic_fail(message, IC_CORRUPT, "a frame lies outside the canvas");
    }
    memset(pixels, 0, stride * (size_t)info.height);
    size_t own = (size_t)first.width * 3;
    uint8_t *scratch = malloc(own * (size_t)first.height);
    if (!scratch) return ic_fail(message, IC_NO_MEMORY, "out of memory");
    status = decode_still(first.data, first.size, first.width, first.height, scratch, own, message);
    for (int32_t y = 0; status == IC_OK && y < first.height; y += 1) {
        memcpy(pixels + (size_t)(first.y + y) * stride + (size_t)first.x * 3, scratch + (size_t)y * own, own);
    }
    free(scratch);
    return status;
}
