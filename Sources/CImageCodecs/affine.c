// The arithmetic of the filters is that of Pillow's src/libImaging/Geometry.c: doubles, cut off at the end.
#include "augment_kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common.h"

#pragma STDC FP_CONTRACT OFF

enum { BORDER = 2 };

// Sums of 16 products of at most 255 and weights below 1.3 in single precision are off by less than a tenth of this.
#define TRUST 0x1p-8f

// Four channels at once; the fourth is padding.
typedef double reals __attribute__((vector_size(32)));
typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t quad __attribute__((vector_size(4)));
typedef uint8_t octet __attribute__((vector_size(8)));
typedef int64_t pair __attribute__((vector_size(16)));
typedef float four __attribute__((vector_size(16)));
typedef float eight __attribute__((vector_size(32)));
typedef uint8_t sixteen __attribute__((vector_size(16)));

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_BYTES 3, 7, 11, 15
#else
#define LOW_BYTES 0, 4, 8, 12
#endif

// Puts a fourth byte behind the three of each pixel, four pixels at a time.
WIDE static void spread_color(const uint8_t *row, uint8_t *output, size_t width) {
    const sixteen zero = {0};
    size_t x = 0;
    // Sixteen bytes are loaded for four pixels of twelve, so the last two pixels are taken apart.
    for (; x + 6 <= width; x += 4) {
        sixteen pixels;
        memcpy(&pixels, row + 3 * x, 16);
        pixels = __builtin_shufflevector(pixels, zero, 0, 1, 2, 16, 3, 4, 5, 16, 6, 7, 8, 16, 9, 10, 11, 16);
        memcpy(output + 4 * x, &pixels, 16);
    }
    for (; x < width; x += 1) {
        memcpy(output + 4 * x, row + 3 * x, 3);
        output[4 * x + 3] = 0;
    }
}

static void spread_grey(const uint8_t *row, uint8_t *output, size_t width) {
    for (size_t x = 0; x < width; x += 1) {
        const uint8_t pixel[4] = {row[x], 0, 0, 0};
        memcpy(output + 4 * x, pixel, 4);
    }
}

void ic_pad(const uint8_t *input, size_t height, size_t width, size_t channels, uint8_t *padded) {
    size_t stride = (width + 2 * BORDER) * 4;
    for (size_t y = 0; y < height; y += 1) {
        uint8_t *row = padded + (y + BORDER) * stride + BORDER * 4;
        if (channels == 1) {
            spread_grey(input + y * width, row, width);
        } else {
            spread_color(input + y * width * 3, row, width);
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

#define LOAD(name, address) \
    lanes name; \
    do { \
        quad bytes; \
        memcpy(&bytes, address, 4); \
        name = __builtin_convertvector(bytes, lanes); \
    } while (0)

#define LOAD_TWO(name, address) \
    eight name; \
    do { \
        octet bytes; \
        memcpy(&bytes, address, 8); \
        name = __builtin_convertvector(bytes, eight); \
    } while (0)

INLINE void bilinear_row(const uint8_t *row, double dx, reals *result) {
    LOAD(a, row);
    LOAD(b, row + 4);
    *result = __builtin_convertvector(a, reals) + __builtin_convertvector(b - a, reals) * dx;
}

INLINE void bilinear(const uint8_t *corner, size_t stride, double dx, double dy, reals *value) {
    bilinear_row(corner, dx, value);
    // A shear or a shift along the rows stays in one of them.
    if (dy == 0) return;
    reals below;
    bilinear_row(corner + stride, dx, &below);
    *value += (below - *value) * dy;
}

// The sums of whole numbers are exact in any order; those of reals are Pillow's.
INLINE void bicubic_row(const uint8_t *row, double dx, reals *result) {
    LOAD(b, row);
    *result = __builtin_convertvector(b, reals);
    if (dx == 0) return;
    LOAD(a, row - 4);
    LOAD(c, row + 4);
    LOAD(d, row + 8);
    lanes fall = a - b, p4 = (d - c) - fall;
    reals p2 = __builtin_convertvector(c - a, reals);
    reals p3 = __builtin_convertvector(fall - p4, reals);
    *result += dx * (p2 + dx * (p3 + dx * __builtin_convertvector(p4, reals)));
}

INLINE void bicubic(const uint8_t *corner, size_t stride, double dx, double dy, reals *value) {
    bicubic_row(corner, dx, value);
    if (dy != 0) {
        reals v1, v2 = *value, v3, v4;
        bicubic_row(corner - stride, dx, &v1);
        bicubic_row(corner + stride, dx, &v3);
        bicubic_row(corner + 2 * stride, dx, &v4);
        reals p2 = v3 - v1;
        reals p3 = 2 * (v1 - v2) + v3 - v4;
        reals p4 = v2 - v1 - v3 + v4;
        *value += dy * (p2 + dy * (p3 + dy * p4));
    }
    const reals zero = {0, 0, 0, 0}, most = {255, 255, 255, 255};
    *value = __builtin_elementwise_max(zero, __builtin_elementwise_min(most, *value));
}

// The four weights of a distance.
#define WEIGHTS(d) (a + (d) * (b + (d) * (c + (d)*e)))

// The same in single precision, by weights: half the work. Its error is below TRUST; where that leaves the whole part
// in doubt the answer is false, and the value has to be found in doubles.
INLINE bool bicubic_quickly(const uint8_t *corner, size_t stride, float dx, float dy, lanes *result) {
    const four a = {0, 1, 0, 0}, b = {-1, 0, 1, 0}, c = {2, -2, 1, -1}, e = {-1, 1, -1, 1};
    const uint8_t *row = corner - stride;
    four value = {0, 0, 0, 0};
    if (dx == 0) {
        // A shear or a shift along the columns stays in one of them.
        const four down = WEIGHTS(dy);
        for (int k = 0; k < 4; k += 1, row += stride) {
            LOAD(pixel, row);
            value += __builtin_convertvector(pixel, four) * down[k];
        }
    } else {
        const four across = WEIGHTS(dx);
        const eight left = __builtin_shufflevector(across, across, 0, 0, 0, 0, 1, 1, 1, 1);
        const eight right = __builtin_shufflevector(across, across, 2, 2, 2, 2, 3, 3, 3, 3);
        eight sum;
        if (dy == 0) {
            LOAD_TWO(before, corner - 4);
            LOAD_TWO(after, corner + 4);
            sum = before * left + after * right;
        } else {
            const four down = WEIGHTS(dy);
            sum = left - left;
            for (int k = 0; k < 4; k += 1, row += stride) {
                LOAD_TWO(before, row - 4);
                LOAD_TWO(after, row + 4);
                sum += (before * left + after * right) * down[k];
            }
        }
        value = __builtin_shufflevector(sum, sum, 0, 1, 2, 3) + __builtin_shufflevector(sum, sum, 4, 5, 6, 7);
    }
    const four zero = {0, 0, 0, 0}, most = {255, 255, 255, 255};
    four low = __builtin_elementwise_max(zero, __builtin_elementwise_min(most, value - TRUST));
    four high = __builtin_elementwise_max(zero, __builtin_elementwise_min(most, value + TRUST));
    *result = __builtin_convertvector(high, lanes);
    pair doubt = (pair)(*result ^ __builtin_convertvector(low, lanes));
    return (doubt[0] | doubt[1]) == 0;
}

// Where the pixels of a part of a row come from.
enum { PART = 64 };
typedef struct {
    int32_t column[PART], row[PART];
    double dx[PART], dy[PART];
    uint8_t isInside[PART];
} places;

// The sums are formed as Pillow forms them. The comparisons are false for what is not a number.
INLINE void find_places(const ic_affine *a, size_t start, size_t count, double xrow, double yrow, places *places) {
    const double xsize = (double)a->width, ysize = (double)a->height;
    const double m0 = a->m[0], m2 = a->m[2], m3 = a->m[3], m5 = a->m[5];
    for (size_t i = 0; i < count; i += 1) {
        double x = (double)(int32_t)(start + i) + 0.5;
        double xin = m0 * x + xrow + m2, yin = m3 * x + yrow + m5;
        bool isInside = (xin >= 0.0) & (xin < xsize) & (yin >= 0.0) & (yin < ysize);
        places->isInside[i] = isInside;
        xin = (isInside ? xin : 0.0) - 0.5;
        yin = (isInside ? yin : 0.0) - 0.5;
        double left = floor(xin), above = floor(yin);
        places->column[i] = (int32_t)left;
        places->row[i] = (int32_t)above;
        places->dx[i] = xin - left;
        places->dy[i] = yin - above;
    }
}

// One body for both filters and both counts of channels, each with its own constants.
INLINE void filter(const uint8_t *padded, uint8_t *output, const ic_affine *affine, size_t channels, bool isCubic) {
    const ic_affine a = *affine;
    const size_t stride = (a.width + 2 * BORDER) * 4;
    places places;
    for (size_t line = 0; line < a.height; line += 1) {
        const double y = (double)line + 0.5;
        for (size_t start = 0; start < a.width; start += PART) {
            size_t count = a.width - start < PART ? a.width - start : PART;
            find_places(&a, start, count, a.m[1] * y, a.m[4] * y, &places);
            uint8_t *to = output + (line * a.width + start) * channels;
            for (size_t i = 0; i < count; i += 1, to += channels) {
                if (!places.isInside[i]) continue;
                const uint8_t *corner =
                    padded + (size_t)(places.row[i] + BORDER) * stride + (size_t)(places.column[i] + BORDER) * 4;
                const double dx = places.dx[i], dy = places.dy[i];
                lanes whole;
                if (!isCubic || !bicubic_quickly(corner, stride, (float)dx, (float)dy, &whole)) {
                    reals value;
                    if (isCubic) {
                        bicubic(corner, stride, dx, dy, &value);
                    } else {
                        bilinear(corner, stride, dx, dy, &value);
                    }
                    whole = __builtin_convertvector(value, lanes);
                }
                sixteen bytes = (sixteen)whole;
                quad low = __builtin_shufflevector(bytes, bytes, LOW_BYTES);
                uint8_t pixel[4];
                memcpy(pixel, &low, 4);
                memcpy(to, pixel, channels);
            }
        }
    }
}

WIDE void ic_affine_bilinear(const uint8_t *padded, uint8_t *output, const ic_affine *affine) {
    if (affine->channels == 1) {
        filter(padded, output, affine, 1, false);
    } else {
        filter(padded, output, affine, 3, false);
    }
}

WIDE void ic_affine_bicubic(const uint8_t *padded, uint8_t *output, const ic_affine *affine) {
    if (affine->channels == 1) {
        filter(padded, output, affine, 1, true);
    } else {
        filter(padded, output, affine, 3, true);
    }
}

// Copies a pixel where the place is within the image.
INLINE void pick(const uint8_t *input, uint8_t *to, const ic_affine *affine, int64_t x, int64_t y) {
    if (x < 0 || y < 0 || x >= (int64_t)affine->width || y >= (int64_t)affine->height) return;
    const uint8_t *from = input + ((size_t)y * affine->width + (size_t)x) * affine->channels;
    for (size_t c = 0; c < affine->channels; c += 1) to[c] = from[c];
}

INLINE int64_t place(double v) { return v < 0 ? -1 : v < 1e15 ? (int64_t)v : (int64_t)1e15; }

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

// Also what Pillow does to an image that is scaled or shifted alone.
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
