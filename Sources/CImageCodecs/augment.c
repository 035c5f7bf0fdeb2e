#include "augment_kernels.h"

#include <string.h>

#include "common.h"

// A multiplication and an addition are two roundings, as on the processors that Pillow's wheels are built for.
#pragma STDC FP_CONTRACT OFF

INLINE uint8_t luma(const uint8_t *pixel) {
    return (uint8_t)((pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
}

INLINE uint8_t clip(float value) { return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)value; }

// Counts into four tables in turn, because neighbouring samples are often equal and an addition to the same place
// would wait for the one before.
INLINE void count_samples(const uint8_t *pixels, size_t count, size_t channels, uint32_t *counts) {
    uint32_t tables[4][3 * 256];
    memset(tables, 0, sizeof(tables));
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (size_t k = 0; k < 4; k += 1) {
            for (size_t c = 0; c < channels; c += 1) tables[k][c * 256 + pixels[(i + k) * channels + c]] += 1;
        }
    }
    for (; i < count; i += 1) {
        for (size_t c = 0; c < channels; c += 1) tables[0][c * 256 + pixels[i * channels + c]] += 1;
    }
    for (size_t k = 0; k < 4; k += 1) {
        for (size_t s = 0; s < channels * 256; s += 1) counts[s] += tables[k][s];
    }
}

void ic_count_samples(const uint8_t *pixels, size_t count, size_t channels, uint32_t *counts) {
    if (channels == 1) {
        count_samples(pixels, count, 1, counts);
    } else {
        count_samples(pixels, count, 3, counts);
    }
}

WIDE uint64_t ic_luma_sum(const uint8_t *pixels, size_t count) {
    uint64_t sum = 0;
    size_t i = 0;
    while (i < count) {
        size_t end = count - i < 65536 ? count : i + 65536;
        uint32_t part = 0;
        for (; i < end; i += 1) part += luma(pixels + 3 * i);
        sum += part;
    }
    return sum;
}

WIDE void ic_solarize(uint8_t *pixels, size_t count, uint8_t threshold) {
    for (size_t i = 0; i < count; i += 1) pixels[i] = pixels[i] < threshold ? pixels[i] : (uint8_t)(255 - pixels[i]);
}

WIDE void ic_mask(uint8_t *pixels, size_t count, uint8_t mask) {
    for (size_t i = 0; i < count; i += 1) pixels[i] &= mask;
}

WIDE void ic_blend_grey(uint8_t *pixels, size_t count, uint8_t grey, float factor) {
    for (size_t i = 0; i < count; i += 1) {
        pixels[i] = clip((float)grey + factor * (float)((int)pixels[i] - (int)grey));
    }
}

void ic_look_up(uint8_t *pixels, size_t count, size_t channels, const uint8_t *tables) {
    if (channels == 1) {
        for (size_t i = 0; i < count; i += 1) pixels[i] = tables[pixels[i]];
        return;
    }
    for (size_t i = 0; i < count; i += 1) {
        pixels[3 * i] = tables[pixels[3 * i]];
        pixels[3 * i + 1] = tables[256 + pixels[3 * i + 1]];
        pixels[3 * i + 2] = tables[512 + pixels[3 * i + 2]];
    }
}

enum { BLOCK = 256 };

WIDE void ic_blend_luma(uint8_t *pixels, size_t count, float factor) {
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t length = count - start < BLOCK ? count - start : BLOCK;
        uint8_t *block = pixels + 3 * start;
        uint8_t grey[3 * BLOCK];
        for (size_t i = 0; i < length; i += 1) {
            uint8_t value = luma(block + 3 * i);
            grey[3 * i] = value;
            grey[3 * i + 1] = value;
            grey[3 * i + 2] = value;
        }
        for (size_t i = 0; i < 3 * length; i += 1) {
            block[i] = clip((float)grey[i] + factor * (float)((int)block[i] - (int)grey[i]));
        }
    }
}

// The samples of a row but for the first and last pixel. The smoothing weighs the eight neighbours 1 and the centre 5;
// its floats in Pillow round as these integers do: (2 sum + 13) / 26 is never within 1/26 of the next whole number.
INLINE void sharpen_row(const uint8_t *row, uint8_t *output, size_t row_bytes, size_t channels, float factor) {
    const uint8_t *above = row - row_bytes, *below = row + row_bytes;
    for (size_t x = channels; x < row_bytes - channels; x += 1) {
        uint16_t left = (uint16_t)(above[x - channels] + row[x - channels] + below[x - channels]);
        uint16_t middle = (uint16_t)(above[x] + 5 * row[x] + below[x]);
        uint16_t right = (uint16_t)(above[x + channels] + row[x + channels] + below[x + channels]);
        uint32_t sum = (uint32_t)(left + middle + right);
        int smooth = (int)(((2 * sum + 13) * 161320u) >> 22);  // 161320 / 2^22 = 1 / 26 and a trifle
        output[x] = clip((float)smooth + factor * (float)((int)row[x] - smooth));
    }
}

WIDE void ic_sharpen(const uint8_t *input, uint8_t *output, size_t height, size_t width, size_t channels,
                     float factor) {
    size_t row_bytes = width * channels;
    if (height < 3 || width < 3) {
        memcpy(output, input, height * row_bytes);
        return;
    }
    memcpy(output, input, row_bytes);
    memcpy(output + (height - 1) * row_bytes, input + (height - 1) * row_bytes, row_bytes);
    for (size_t y = 1; y + 1 < height; y += 1) {
        const uint8_t *row = input + y * row_bytes;
        uint8_t *to = output + y * row_bytes;
        memcpy(to, row, channels);
        memcpy(to + row_bytes - channels, row + row_bytes - channels, channels);
        if (channels == 1) {
            sharpen_row(row, to, row_bytes, 1, factor);
        } else {
            sharpen_row(row, to, row_bytes, 3, factor);
        }
    }
}

// The hue of a pixel that is not grey; floats and doubles as in Pillow's rgb2hsv.
INLINE uint8_t hue_of(int r, int g, int b, int most, float range) {
    float rc = (float)(most - r) / range, gc = (float)(most - g) / range, bc = (float)(most - b) / range;
    float h = r == most ? bc - gc : g == most ? (float)(2.0 + rc - bc) : (float)(4.0 + gc - rc);
    double turned = h / 6.0 + 1.0;
    h = (float)(turned >= 1.0 ? turned - 1.0 : turned);
    int hue = (int)(h * 255.0);
    return (uint8_t)(hue < 0 ? 0 : hue > 255 ? 255 : hue);
}

void ic_shift_hue(uint8_t *pixels, size_t count, uint8_t shift) {
    // Which of v, q, p and t is red, green and blue in each sixth of the circle.
    static const uint8_t orders[6][3] = {{0, 3, 2}, {1, 0, 2}, {2, 0, 3}, {2, 1, 0}, {3, 2, 0}, {0, 2, 1}};
    uint8_t sectors[256];
    float fractions[256], parts[256];
    for (int v = 0; v < 256; v += 1) {
        int sector = (int)((float)v * 6.0 / 255.0);
        sectors[v] = (uint8_t)(sector % 6);
        fractions[v] = (float)((float)v * 6.0 / 255.0 - (float)sector);
        parts[v] = (float)((float)v / 255.0);
    }
    for (size_t i = 0; i < count; i += 1) {
        uint8_t *pixel = pixels + 3 * i;
        int r = pixel[0], g = pixel[1], b = pixel[2];
        int most = r > g ? (r > b ? r : b) : (g > b ? g : b);
        int least = r < g ? (r < b ? r : b) : (g < b ? g : b);
        if (least == most) continue;
        float range = (float)(most - least);
        int saturation = (int)(range / (float)most * 255.0);
        uint8_t hue = (uint8_t)(hue_of(r, g, b, most, range) + shift);
        uint8_t v = (uint8_t)most;
        if (saturation == 0) {
            pixel[0] = pixel[1] = pixel[2] = v;
            continue;
        }
        float fs = parts[saturation], f = fractions[hue];
        // The values lie between 0 and v, so rounding needs no clipping.
        uint8_t p = (uint8_t)((float)v * (1.0 - fs) + 0.5);
        uint8_t q = (uint8_t)((float)v * (1.0 - fs * f) + 0.5);
        uint8_t t = (uint8_t)((float)v * (1.0 - fs * (1.0 - f)) + 0.5);
        const uint8_t values[4] = {v, q, p, t};
        const uint8_t *order = orders[sectors[hue]];
        for (int c = 0; c < 3; c += 1) pixel[c] = values[order[c]];
    }
}

typedef uint8_t sixteen __attribute__((vector_size(16)));

// Mirrors five pixels at a time. A shuffled block begins with a byte of no meaning in front of its 15, which the block
// or pixel further left replaces; so the leftmost pixel is always taken apart.
WIDE static void mirror_color(const uint8_t *row, uint8_t *output, size_t width) {
    size_t x = 0;
    for (; x + 6 <= width; x += 5) {
        sixteen pixels;
        memcpy(&pixels, row + 3 * x, 16);
        pixels = __builtin_shufflevector(pixels, pixels, 15, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2);
        memcpy(output + 3 * (width - x - 5) - 1, &pixels, 16);
    }
    for (; x < width; x += 1) memcpy(output + 3 * (width - 1 - x), row + 3 * x, 3);
}

void ic_mirror(const uint8_t *input, uint8_t *output, size_t height, size_t width, size_t channels) {
    for (size_t y = 0; y < height; y += 1) {
        const uint8_t *row = input + y * width * channels;
        uint8_t *to = output + y * width * channels;
        if (channels == 3) {
            mirror_color(row, to, width);
        } else {
            for (size_t x = 0; x < width; x += 1) {
                for (size_t c = 0; c < channels; c += 1) to[(width - 1 - x) * channels + c] = row[x * channels + c];
            }
        }
    }
}

INLINE void box_blur(const uint8_t *input, uint8_t *output, size_t count, size_t step, size_t radius, uint32_t inner,
                     uint32_t outer) {
    enum { TILE = 64 };
    const uint8_t *first = input - radius * step;
    size_t i = 0;
    for (; i + TILE <= count; i += TILE) {
        uint32_t sums[TILE];
        for (size_t t = 0; t < TILE; t += 1) sums[t] = first[i + t];
        for (size_t k = 1; k <= 2 * radius; k += 1) {
            for (size_t t = 0; t < TILE; t += 1) sums[t] += first[k * step + i + t];
        }
        const uint8_t *before = first - step + i, *after = first + (2 * radius + 1) * step + i;
        for (size_t t = 0; t < TILE; t += 1) {
            uint32_t ends = (uint32_t)(before[t] + after[t]);
            output[i + t] = (uint8_t)((sums[t] * inner + ends * outer + (1u << 23)) >> 24);
        }
    }
    for (; i < count; i += 1) {
        uint32_t sum = 0;
        for (size_t k = 0; k <= 2 * radius; k += 1) sum += first[k * step + i];
        uint32_t ends = (uint32_t)((first - step)[i] + first[(2 * radius + 1) * step + i]);
        output[i] = (uint8_t)((sum * inner + ends * outer + (1u << 23)) >> 24);
    }
}

WIDE void ic_box_blur(const uint8_t *input, uint8_t *output, size_t count, size_t step, size_t radius, uint32_t inner,
                      uint32_t outer) {
    // The radii of usual blurs, as constants.
    if (radius == 0) {
        box_blur(input, output, count, step, 0, inner, outer);
    } else if (radius == 1) {
        box_blur(input, output, count, step, 1, inner, outer);
    } else {
        box_blur(input, output, count, step, radius, inner, outer);
    }
}

WIDE void ic_mix(float *values, const float *others, size_t count, float own, float other) {
    for (size_t i = 0; i < count; i += 1) values[i] = values[i] * own + others[i] * other;
}
