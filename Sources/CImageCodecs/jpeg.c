// JPEG through TurboJPEG, with the accurate integer DCT and smooth chroma upsampling: what Pillow uses.
#include <limits.h>
#include <string.h>
#include <turbojpeg.h>

#include "common.h"

// Reads the components' count of the frame as TurboJPEG sees it: 1, 3 or 4; 0 for others.
static int32_t channels_of(int colorspace) {
    switch (colorspace) {
        case TJCS_GRAY: return 1;
        case TJCS_RGB:
        case TJCS_YCbCr: return 3;
        case TJCS_CMYK:
        case TJCS_YCCK: return 4;
        default: return 0;
    }
}

ic_status ic_jpeg_info(const uint8_t *data, size_t size, ic_info *info, char *message) {
    if (size > ULONG_MAX) return ic_fail(message, IC_UNSUPPORTED, "the file is too large");
    tjhandle handle = tjInitDecompress();
    if (!handle) return ic_fail(message, IC_NO_MEMORY, "out of memory");
    int width = 0, height = 0, subsampling = -1, colorspace = -1;
    // The call fails for unusual subsampling although it has read the header; such files decode well.
    tjDecompressHeader3(handle, data, (unsigned long)size, &width, &height, &subsampling, &colorspace);
    ic_status status = IC_OK;
    if (width <= 0 || height <= 0) {
        const char *text = tjGetErrorStr2(handle);
        // With no end in sight libjpeg inserts an end-of-image marker and finds no picture before it.
        int ended = strstr(text, "Premature end") != NULL || strstr(text, "no image") != NULL;
        status = ic_fail(message, ended ? IC_TRUNCATED : IC_CORRUPT, text);
    } else if (channels_of(colorspace) == 0) {
        status = ic_fail(message, IC_UNSUPPORTED, "the colour space is neither grey, RGB, YCbCr, CMYK nor YCCK");
    } else {
        *info = (ic_info){width, height, channels_of(colorspace)};
    }
    tjDestroy(handle);
    return status;
}

// Whether an end-of-image marker follows the first scan. Within entropy-coded data 0xFF is always
// followed by 0x00 or a restart marker, so the pair cannot occur by chance.
static int has_end_marker(const uint8_t *data, size_t size) {
    size_t at = 2;
    while (at + 4 <= size) {
        if (data[at] != 0xFF) {
            at += 1;
            continue;
        }
        uint8_t marker = data[at + 1];
        if (marker == 0xFF) {
            at += 1;
            continue;
        }
        if (marker == 0xDA) break;
        if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += 2;
            continue;
        }
        at += 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
    }
    for (; at + 2 <= size; at += 1) {
        if (data[at] == 0xFF && data[at + 1] == 0xD9) return 1;
    }
    return 0;
}

ic_status ic_jpeg_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message) {
    if (size > ULONG_MAX || info.width > INT_MAX / 4) return ic_fail(message, IC_UNSUPPORTED, "the file is too large");
    int format = info.channels == 1 ? TJPF_GRAY : info.channels == 3 ? TJPF_RGB : TJPF_CMYK;
    tjhandle handle = tjInitDecompress();
    if (!handle) return ic_fail(message, IC_NO_MEMORY, "out of memory");
    ic_status status = IC_OK;
    // A few bytes can ask for hundreds of scans of a large picture: LIMITSCANS refuses those.
    int result = tjDecompress2(handle, data, (unsigned long)size, pixels, info.width, info.width * info.channels,
                               info.height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
    if (result != 0) {
        const char *text = tjGetErrorStr2(handle);
        if (strstr(text, "Premature end of JPEG file") != NULL) {
            status = ic_fail(message, IC_TRUNCATED, text);
        } else if (tjGetErrorCode(handle) != TJERR_WARNING) {
            status = ic_fail(message, IC_CORRUPT, text);
        } else if (!has_end_marker(data, size)) {
            // Only the first warning is kept, so an early harmless one may hide the end of the data.
            status = ic_fail(message, IC_TRUNCATED, "no end marker");
        }
        // Other warnings, such as stray bytes before a marker, leave a picture; Pillow accepts it too.
    }
    tjDestroy(handle);
    return status;
}
