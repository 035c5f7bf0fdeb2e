// JPEG through libjpeg-turbo, with the accurate integer DCT and smooth chroma upsampling: what Pillow uses.
//
// A part of an image is read without decoding what is outside: its pixels equal those of the whole image.
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

// libjpeg's headers need stdio before them.
#include <jpeglib.h>
#include <jerror.h>

#include "common.h"

#if !defined(LIBJPEG_TURBO_VERSION)
#error "libjpeg-turbo is needed: other libjpegs cannot skip parts of an image"
#endif

enum {
    SCAN_LIMIT = 500,  // A few bytes can ask for hundreds of scans of a large image.
    MARGIN = 2,        // Upsampling mixes neighbours, and the outermost column has none.
};

struct ic_jpeg {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failure;
    int has_many_scans;
    const uint8_t *data;
    size_t size;
    int has_ended;                // the data ended before the image
    char first[JMSG_LENGTH_MAX];  // the first warning
};

static void on_error(j_common_ptr common) {
    ic_jpeg *reader = common->client_data;
    longjmp(reader->failure, 1);
}

static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;  // a trace
    ic_jpeg *reader = common->client_data;
    if (common->err->num_warnings++ == 0) common->err->format_message(common, reader->first);
    if (common->err->msg_code == JWRN_JPEG_EOF) reader->has_ended = 1;
}

static void on_output(j_common_ptr common) { (void)common; }

static void on_progress(j_common_ptr common) {
    ic_jpeg *reader = common->client_data;
    if (reader->decoder.input_scan_number <= SCAN_LIMIT) return;
    reader->has_many_scans = 1;
    longjmp(reader->failure, 1);
}

// What went wrong, after a jump.
static ic_status failed(ic_jpeg *reader, char *message) {
    if (reader->has_many_scans) return ic_fail(message, IC_CORRUPT, "the image has too many scans");
    char text[JMSG_LENGTH_MAX];
    reader->errors.format_message((j_common_ptr)&reader->decoder, text);
    if (reader->errors.msg_code == JERR_OUT_OF_MEMORY) return ic_fail(message, IC_NO_MEMORY, text);
    return ic_fail(message, reader->has_ended ? IC_TRUNCATED : IC_CORRUPT, text);
}

static int32_t channels_of(J_COLOR_SPACE space) {
    switch (space) {
        case JCS_GRAYSCALE: return 1;
        case JCS_RGB:
        case JCS_YCbCr: return 3;
        case JCS_CMYK:
        case JCS_YCCK: return 4;
        default: return 0;
    }
}

ic_status ic_jpeg_open(const uint8_t *data, size_t size, ic_jpeg **result, ic_info *info, char *message) {
    if (size > ULONG_MAX) return ic_fail(message, IC_UNSUPPORTED, "the file is too large");
    ic_jpeg *reader = calloc(1, sizeof *reader);
    if (!reader) return ic_fail(message, IC_NO_MEMORY, "out of memory");
    *result = reader;
    struct jpeg_decompress_struct *decoder = &reader->decoder;
    reader->data = data;
    reader->size = size;
    decoder->err = jpeg_std_error(&reader->errors);
    decoder->client_data = reader;
    reader->errors.error_exit = on_error;
    reader->errors.emit_message = on_message;
    reader->errors.output_message = on_output;
    if (setjmp(reader->failure) != 0) return failed(reader, message);
    jpeg_create_decompress(decoder);
    decoder->client_data = reader;
    reader->progress.progress_monitor = on_progress;
    decoder->progress = &reader->progress;
    jpeg_mem_src(decoder, data, (unsigned long)size);
    jpeg_read_header(decoder, TRUE);
    int32_t channels = channels_of(decoder->jpeg_color_space);
    if (channels == 0) {
        return ic_fail(message, IC_UNSUPPORTED, "the colour space is neither grey, RGB, YCbCr, CMYK nor YCCK");
    }
    decoder->out_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    decoder->dct_method = JDCT_ISLOW;
    *info = (ic_info){(int32_t)decoder->image_width, (int32_t)decoder->image_height, channels};
    return IC_OK;
}

void ic_jpeg_close(ic_jpeg *reader) {
    if (!reader) return;
    jpeg_destroy_decompress(&reader->decoder);
    free(reader);
}

int ic_jpeg_is_complete(const ic_jpeg *reader) {
    const uint8_t *data = reader->data;
    size_t at = 2, size = reader->size;
    // The first scan: within its data 0xFF is always followed by 0x00 or a restart marker.
    while (at + 4 <= size && !(data[at] == 0xFF && data[at + 1] == 0xDA)) {
        uint8_t marker = data[at + 1];
        if (data[at] != 0xFF || marker == 0xFF) {
            at += 1;
        } else if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += 2;
        } else {
            at += 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
        }
    }
    for (size_t end = size; end >= at + 2; end -= 1) {
        if (data[end - 2] == 0xFF && data[end - 1] == 0xD9) return 1;
    }
    return 0;
}

ic_status ic_jpeg_start(ic_jpeg *reader, int32_t left, int32_t top, int32_t columns, int32_t *offset,
                        int32_t *row_columns, char *message) {
    struct jpeg_decompress_struct *decoder = &reader->decoder;
    if (setjmp(reader->failure) != 0) return failed(reader, message);
    jpeg_start_decompress(decoder);
    JDIMENSION width = decoder->output_width, first = 0;
    if (left < 0 || top < 0 || columns < 1 || (JDIMENSION)left + (JDIMENSION)columns > width ||
        (JDIMENSION)top >= decoder->output_height) {
        return ic_fail(message, IC_CORRUPT, "the part lies outside the image");
    }
    JDIMENSION end = (JDIMENSION)left + (JDIMENSION)columns;
    if ((JDIMENSION)columns < width) {
        first = left > MARGIN ? (JDIMENSION)left - MARGIN : 0;
        JDIMENSION wanted = (end + MARGIN < width ? end + MARGIN : width) - first;
        jpeg_crop_scanline(decoder, &first, &wanted);
    }
    *offset = left - (int32_t)first;
    *row_columns = (int32_t)decoder->output_width;
    if (top > 0) jpeg_skip_scanlines(decoder, (JDIMENSION)top);
    return IC_OK;
}

ic_status ic_jpeg_read(ic_jpeg *reader, uint8_t *pixels, size_t stride, int32_t rows, char *message) {
    struct jpeg_decompress_struct *decoder = &reader->decoder;
    if (setjmp(reader->failure) != 0) return failed(reader, message);
    JDIMENSION start = decoder->output_scanline, end = start + (JDIMENSION)rows;
    if (rows < 0 || end > decoder->output_height) {
        return ic_fail(message, IC_CORRUPT, "the part lies outside the image");
    }
    while (decoder->output_scanline < end) {
        enum { MOST = 16 };
        JSAMPROW lines[MOST];
        JDIMENSION at = decoder->output_scanline - start, count = end - decoder->output_scanline;
        if (count > MOST) count = MOST;
        for (JDIMENSION i = 0; i < count; i += 1) lines[i] = pixels + (size_t)(at + i) * stride;
        jpeg_read_scanlines(decoder, lines, count);
    }
    return IC_OK;
}

ic_status ic_jpeg_finish(ic_jpeg *reader, char *message) {
    struct jpeg_decompress_struct *decoder = &reader->decoder;
    if (setjmp(reader->failure) != 0) return failed(reader, message);
    jpeg_finish_decompress(decoder);
    if (reader->has_ended) return ic_fail(message, IC_TRUNCATED, reader->first);
    // Other warnings, such as stray bytes before a marker, leave an image; Pillow accepts it too.
    return IC_OK;
}
