// PNG through libpng. No gamma or colour management; alpha is dropped, as Pillow's convert("RGB") does.
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t at;
    int ended;
    char *message;
    png_bytep *rows;
} source;

static void read_bytes(png_structp png, png_bytep into, size_t count) {
    source *from = png_get_io_ptr(png);
    if (count > from->size - from->at) {
        from->ended = 1;
        png_error(png, "the data ends too early");
    }
    memcpy(into, from->data + from->at, count);
    from->at += count;
}

static void on_error(png_structp png, png_const_charp text) {
    source *from = png_get_error_ptr(png);
    snprintf(from->message, IC_MESSAGE_SIZE, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

// Sets the transformations; returns the channels that rows then have.
static int32_t prepare(png_structp png, png_infop info) {
    int type = png_get_color_type(png, info);
    int depth = png_get_bit_depth(png, info);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
    // The high byte of 16 bits, as Pillow reads colours. Grey it clips at 255, which leaves a white image: not here.
    if (depth == 16) png_set_strip_16(png);
    png_set_strip_alpha(png);
    return (type & PNG_COLOR_MASK_COLOR) ? 3 : 1;
}

// Reads all rows. What is allocated is in the source, whose owner frees it, also after a long jump.
static void read_rows(png_structp png, png_infop info, ic_info shape, uint8_t *pixels, source *from) {
    size_t height = (size_t)shape.height;
    size_t stride = (size_t)shape.width * (size_t)shape.channels;
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != stride) png_error(png, "unexpected length of a row");
    from->rows = malloc(height * sizeof(png_bytep));
    if (!from->rows) png_error(png, "out of memory");
    for (size_t y = 0; y < height; y += 1) from->rows[y] = pixels + y * stride;
    png_read_image(png, from->rows);
}

// The part that a long jump may leave: it owns nothing and changes no local variable after setjmp.
static int read_guarded(png_structp png, png_infop info, ic_info *shape, uint8_t *pixels, source *from) {
    if (setjmp(png_jmpbuf(png))) return 0;
    png_set_read_fn(png, from, read_bytes);
    png_read_info(png, info);
    int32_t channels = prepare(png, info);
    ic_info found = {(int32_t)png_get_image_width(png, info), (int32_t)png_get_image_height(png, info), channels};
    if (!pixels) {
        *shape = found;
        return 1;
    }
    if (found.width != shape->width || found.height != shape->height || channels != shape->channels) {
        png_error(png, "the size changed between two reads");
    }
    read_rows(png, info, *shape, pixels, from);
    return 1;
}

static ic_status run(const uint8_t *data, size_t size, ic_info *shape, uint8_t *pixels, char *message) {
    source from = {.data = data, .size = size, .message = message};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &from, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        return ic_fail(message, IC_NO_MEMORY, "out of memory");
    }
    ic_status status = IC_OK;
    if (!read_guarded(png, info, shape, pixels, &from)) status = from.ended ? IC_TRUNCATED : IC_CORRUPT;
    free(from.rows);
    png_destroy_read_struct(&png, &info, NULL);
    return status;
}

ic_status ic_png_info(const uint8_t *data, size_t size, ic_info *info, char *message) {
    return run(data, size, info, NULL, message);
}

ic_status ic_png_decode(const uint8_t *data, size_t size, ic_info info, uint8_t *pixels, char *message) {
    return run(data, size, &info, pixels, message);
}

static png_image image_of(ic_info info) {
    png_image image = {0};
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)info.width;
    image.height = (png_uint_32)info.height;
    image.format = info.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    return image;
}

size_t ic_png_bound(ic_info info) {
    png_image image = image_of(info);
    return PNG_IMAGE_PNG_SIZE_MAX(image);
}

ic_status ic_png_encode(const uint8_t *pixels, ic_info info, uint8_t *output, size_t capacity, size_t *length,
                        char *message) {
    png_image image = image_of(info);
    png_alloc_size_t size = capacity;
    int made = png_image_write_to_memory(&image, output, &size, 0, pixels, 0, NULL);
    *length = made ? size : 0;
    ic_status status = made ? IC_OK : ic_fail(message, IC_CORRUPT, image.message);
    png_image_free(&image);
    return status;
}
