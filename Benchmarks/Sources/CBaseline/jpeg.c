// A JPEG read and written as a plain program does it with libjpeg-turbo.
#include "include/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

// libjpeg's header needs stdio before it.
#include <jpeglib.h>

struct guard {
    struct jpeg_error_mgr errors;
    jmp_buf failure;
};

static void on_error(j_common_ptr common) {
    struct guard *guard = common->client_data;
    longjmp(guard->failure, 1);
}

int32_t baseline_jpeg_decode(const uint8_t *data, size_t size, uint8_t *pixels, size_t capacity) {
    struct jpeg_decompress_struct decoder;
    struct guard guard;
    decoder.err = jpeg_std_error(&guard.errors);
    guard.errors.error_exit = on_error;
    jpeg_create_decompress(&decoder);
    decoder.client_data = &guard;
    if (setjmp(guard.failure) != 0) {
        jpeg_destroy_decompress(&decoder);
        return 1;
    }
    jpeg_mem_src(&decoder, data, (unsigned long)size);
    jpeg_read_header(&decoder, TRUE);
    decoder.out_color_space = JCS_RGB;
    jpeg_start_decompress(&decoder);
    const size_t row = (size_t)decoder.output_width * 3;
    const int fits = row * decoder.output_height <= capacity;
    while (fits && decoder.output_scanline < decoder.output_height) {
        JSAMPROW place = pixels + decoder.output_scanline * row;
        jpeg_read_scanlines(&decoder, &place, 1);
    }
    jpeg_destroy_decompress(&decoder);
    return fits ? 0 : 1;
}

size_t baseline_jpeg_encode(const uint8_t *pixels, int32_t height, int32_t width, int32_t quality, uint8_t *output,
                            size_t capacity) {
    struct jpeg_compress_struct encoder;
    struct guard guard;
    encoder.err = jpeg_std_error(&guard.errors);
    guard.errors.error_exit = on_error;
    jpeg_create_compress(&encoder);
    encoder.client_data = &guard;
    if (setjmp(guard.failure) != 0) {
        jpeg_destroy_compress(&encoder);
        return 0;
    }
    // Where `output` does not suffice, libjpeg takes memory of its own.
    unsigned char *place = output;
    unsigned long length = (unsigned long)capacity;
    jpeg_mem_dest(&encoder, &place, &length);
    encoder.image_width = (JDIMENSION)width;
    encoder.image_height = (JDIMENSION)height;
    encoder.input_components = 3;
    encoder.in_color_space = JCS_RGB;
    jpeg_set_defaults(&encoder);
    jpeg_set_quality(&encoder, quality, TRUE);
    jpeg_start_compress(&encoder, TRUE);
    while (encoder.next_scanline < encoder.image_height) {
        JSAMPROW row = (JSAMPROW)pixels + (size_t)encoder.next_scanline * (size_t)width * 3;
        jpeg_write_scanlines(&encoder, &row, 1);
    }
    jpeg_finish_compress(&encoder);
    jpeg_destroy_compress(&encoder);
    if (place == output) return (size_t)length;
    free(place);
    return 0;
}
