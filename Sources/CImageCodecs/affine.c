// The arithmetic of the filters is that of Pillow's src/libImaging/Geometry.c: doubles, cut off at the end.
#include "augment_kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "sse4.1", "default")))
#else
#define WIDE
#endif

enum { BORDER = 2 };

// Four channels at once; the fourth is padding.
typedef double reals __attribute__((vector_size(32)));
typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t quad __attribute__((vector_size(4)));

void ic_pad(const uint8_t *input, size_t height, size_t width, size_t channels, uint8_t *padded) {
    size_t stride = (width + 2 * BORDER) * 4;
    for (size_t y = 0; y < height; y += 1) {
        uint8_t *row = padded + (y + BORDER) * stride + BORDER * 4;
        const uint8_t *from = input + y * width * channels;
        for (size_t x = 0; x < width; x += 1) {
            uint32_t pixel = channels == 1 ? from[x]
                                           : (uint32_t)from[3 * x] | (uint32_t)from[3 * x + 1] << 8 |
                                                 (uint32_t)from[3 * x + 2] << 16;
            uint8_t bytes[4] = {(uint8_t)pixel, (uint8_t)(pixel >> 8), (uint8_t)(pixel >> 16), 0};
            memcpy(row + 4 * x, bytes, 4);
        }
        for (size_t x = 1; x <= BORDER; x += 1) {
            memcpy(row - 4 * x, row, 4);
            memcpy(row + 4 * (width - 1 + x), row + 4 * (width - 1), 4);
        }
    }
    for (size_t y = 0; y < BORDER; y += 1) {
        memcpy(padded + y * stride, padded + BORDER * stride, stride);
        memcpy(padded + (height + BORDER + y) * stride, padded + (height + BORDER - 1) * stride, stride);
    }
}

// What both filters share for one new pixel: where it comes from, or the next pixel where that is outside. `corner` is
// the padded pixel at the whole part of the place, `dx` and `dy` are the rest. The sums are formed as Pillow forms
// them.
#define FOR_EACH_PIXEL_INSIDE(affine, padded, output, body) \
    const double *m = (affine)->m; \
    size_t stride = ((affine)->width + 2 * BORDER) * 4; \
    double xsize = (double)(affine)->width, ysize = (double)(affine)->height; \
    for (size_t y = 0; y < (affine)->height; y += 1) { \
        double xrow = m[1] * ((double)y + 0.5), yrow = m[4] * ((double)y + 0.5); \
        uint8_t *to = (output) + y * (affine)->width * (affine)->channels; \
        for (size_t x = 0; x < (affine)->width; x += 1, to += (affine)->channels) { \
            double xin = m[0] * ((double)x + 0.5) + xrow + m[2], yin = m[3] * ((double)x + 0.5) + yrow + m[5]; \
            if (!(xin >= 0.0 && xin < xsize && yin >= 0.0 && yin < ysize)) continue; \
            xin -= 0.5; \
            yin -= 0.5; \
            ptrdiff_t column = xin < 0 ? -1 : (ptrdiff_t)xin, line = yin < 0 ? -1 : (ptrdiff_t)yin; \
            double dx = xin - (double)column, dy = yin - (double)line; \
            const uint8_t *corner = (padded) + (line + BORDER) * (ptrdiff_t)stride + (column + BORDER) * 4; \
            reals value; \
            body; \
            lanes whole = __builtin_convertvector(value, lanes); \
            to[0] = (uint8_t)whole[0]; \
            if ((affine)->channels == 3) { \
                to[1] = (uint8_t)whole[1]; \
                to[2] = (uint8_t)whole[2]; \
            } \
        } \
    }

#define LOAD(name, address) \
    lanes name; \
    do { \
        quad bytes; \
        memcpy(&bytes, address, 4); \
        name = __builtin_convertvector(bytes, lanes); \
    } while (0)

#define BILINEAR_ROW(result, row) \
    do { \
        LOAD(a, row); \
        LOAD(b, (row) + 4); \
        result = __builtin_convertvector(a, reals) + __builtin_convertvector(b - a, reals) * dx; \
    } while (0)

WIDE void ic_affine_bilinear(const uint8_t *padded, uint8_t *output, const ic_affine *affine){
    FOR_EACH_PIXEL_INSIDE(affine, padded, output,
                          {
                              BILINEAR_ROW(value, corner);
                              // A shear or a shift along the rows stays in one of them.
                              if (dy != 0) {
                                  reals below;
                                  BILINEAR_ROW(below, corner + stride);
                                  value = value + (below - value) * dy;
                              }
                          })}
#define BICUBIC_ROW(result, row) \
    do { \
        LOAD(b, row); \
        result = __builtin_convertvector(b, reals); \
        if (dx != 0) { \
            LOAD(a, (row)-4); \
            LOAD(c, (row) + 4); \
            LOAD(d, (row) + 8); \
            reals p2 = __builtin_convertvector(c - a, reals); \
            reals p3 = __builtin_convertvector(2 * (a - b) + c - d, reals); \
            reals p4 = __builtin_convertvector(b - a + d - c, reals); \
            result += dx * (p2 + dx * (p3 + dx * p4)); \
        } \
    } while (0)

WIDE void ic_affine_bicubic(const uint8_t *padded, uint8_t *output, const ic_affine *affine) {
    const reals zero = {0, 0, 0, 0}, most = {255, 255, 255, 255};
    FOR_EACH_PIXEL_INSIDE(affine, padded, output, {
        BICUBIC_ROW(value, corner);
        if (dy != 0) {
            reals v1;
            reals v3;
            reals v4;
            BICUBIC_ROW(v1, corner - stride);
            BICUBIC_ROW(v3, corner + stride);
            BICUBIC_ROW(v4, corner + 2 * stride);
            reals q2 = v3 - v1;
            reals q3 = 2 * (v1 - value) + v3 - v4;
            reals q4 = value - v1 - v3 + v4;
            value += dy * (q2 + dy * (q3 + dy * q4));
        }
        value = __builtin_elementwise_max(zero, __builtin_elementwise_min(most, value));
    })
}

// Copies a pixel where the place lies within the picture.
static inline void pick(const uint8_t *input, uint8_t *to, const ic_affine *affine, int64_t x, int64_t y) {
    if (x < 0 || y < 0 || x >= (int64_t)affine->width || y >= (int64_t)affine->height) return;
    const uint8_t *from = input + ((size_t)y * affine->width + (size_t)x) * affine->channels;
    for (size_t c = 0; c < affine->channels; c += 1) to[c] = from[c];
}

static inline int64_t place(double v) { return v < 0 ? -1 : v < 1e15 ? (int64_t)v : (int64_t)1e15; }

// Whether 16 bits before the point hold the place that a corner comes from.
static bool fits(const double *m, double x, double y) {
    return fabs(x * m[0] + y * m[1] + m[2]) < 32768.0 && fabs(x * m[3] + y * m[4] + m[5]) < 32768.0;
}

static uint32_t fixed(double v) { return (uint32_t)(int64_t)floor(v * 65536.0 + 0.5); }

static void nearest_fixed(const uint8_t *input, uint8_t *output, const ic_affine *affine) {
    const double *m = affine->m;
    // Unsigned sums wrap where a place runs out of the range behind the last pixel; none is used.
    uint32_t a0 = fixed(m[0]), a1 = fixed(m[1]), a2 = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
    uint32_t a3 = fixed(m[3]), a4 = fixed(m[4]), a5 = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
    for (size_t y = 0; y < affine->height; y += 1) {
        uint8_t *to = output + y * affine->width * affine->channels;
        uint32_t xx = a2, yy = a5;
        for (size_t x = 0; x < affine->width; x += 1, to += affine->channels) {
            pick(input, to, affine, (int32_t)xx >> 16, (int32_t)yy >> 16);
            xx += a0;
            yy += a3;
        }
        a2 += a1;
        a5 += a4;
    }
}

// Also what Pillow does to a picture that is scaled or shifted alone.
static void nearest_summed(const uint8_t *input, uint8_t *output, const ic_affine *affine) {
    const double *m = affine->m;
    double xo = m[2] + m[1] * 0.5 + m[0] * 0.5, yo = m[5] + m[4] * 0.5 + m[3] * 0.5;
    for (size_t y = 0; y < affine->height; y += 1) {
        uint8_t *to = output + y * affine->width * affine->channels;
        double xx = xo, yy = yo;
        for (size_t x = 0; x < affine->width; x += 1, to += affine->channels) {
            pick(input, to, affine, place(xx), place(yy));
            xx += m[0];
            yy += m[3];
        }
        xo += m[1];
        yo += m[4];
    }
}

void ic_affine_nearest(const uint8_t *input, uint8_t *output, const ic_affine *affine) {
    const double *m = affine->m;
    double width = (double)affine->width, height = (double)affine->height;
    bool isScale = m[1] == 0 && m[3] == 0;
    if (!isScale && fits(m, 0, 0) && fits(m, width, height) && fits(m, 0, height) && fits(m, width, 0)) {
        nearest_fixed(input, output, affine);
    } else {
        nearest_summed(input, output, affine);
    }
}
