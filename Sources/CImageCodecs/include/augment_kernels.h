// The inner loops of augmentation, in C so that the processor's widest instructions can be chosen at run time.
//
// Pixels are interleaved bytes, rows without padding. Each kernel's arithmetic is that of Pillow on x86, so results
// agree bit for bit.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

// Adds to counts[channel * 256 + sample] how often each sample occurs in `count` pixels of `channels` (1 or 3).
void ic_count_samples(const uint8_t *pixels, size_t count, size_t channels, uint32_t *counts);

// The sum of the luma (ITU-R 601-2 in Pillow's integers) of `count` pixels of RGB.
uint64_t ic_luma_sum(const uint8_t *pixels, size_t count);

// Replaces each sample by tables[channel * 256 + sample].
void ic_look_up(uint8_t *pixels, size_t count, size_t channels, const uint8_t *tables);

// 255 minus the sample, for `count` samples from the threshold on.
void ic_solarize(uint8_t *pixels, size_t count, uint8_t threshold);

// Keeps the bits of the mask in `count` samples.
void ic_mask(uint8_t *pixels, size_t count, uint8_t mask);

// Moves `count` samples from one grey (factor 0) to themselves (1) and beyond.
void ic_blend_grey(uint8_t *pixels, size_t count, uint8_t grey, float factor);

// Mirrors an image left to right.
void ic_mirror(const uint8_t *input, uint8_t *output, size_t height, size_t width, size_t channels);

// Moves `count` pixels of RGB from their luma (factor 0) to themselves (1) and beyond.
void ic_blend_luma(uint8_t *pixels, size_t count, float factor);

// Moves an image from its smoothed self (factor 0) to itself (1) and beyond. The border keeps its samples.
void ic_sharpen(const uint8_t *input, uint8_t *output, size_t height, size_t width, size_t channels, float factor);

// Adds to the hue of `count` pixels of RGB, 256 for a full turn, by way of Pillow's HSV.
void ic_shift_hue(uint8_t *pixels, size_t count, uint8_t shift);

// One pass of a box blur: sample i becomes the mean of the samples i - radius * step ... i + radius * step, weighed
// `inner` each, and of the two beyond, weighed `outer` each, in units of 2^-24. `input` points at the first sample and
// has (radius + 1) * step more to both sides.
void ic_box_blur(const uint8_t *input, uint8_t *output, size_t count, size_t step, size_t radius, uint32_t inner,
                 uint32_t outer);

// Copies an image into four bytes for each pixel with a border of two pixels that repeats the outermost ones:
// (height + 4) * (width + 4) * 4 bytes.
void ic_pad(const uint8_t *input, size_t height, size_t width, size_t channels, uint8_t *padded);

// A new image whose pixel at (x, y) comes from (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]) of another one, all
// counted from the corner, with pixels' centres at halves. Pixels that come from outside are left as they are.
typedef struct {
    double m[6];
    size_t height;
    size_t width;
    size_t channels;
} ic_affine;

// `padded` is what ic_pad made of the old image, of the same size as the new one.
void ic_affine_bilinear(const uint8_t *padded, uint8_t *output, const ic_affine *affine);
void ic_affine_bicubic(const uint8_t *padded, uint8_t *output, const ic_affine *affine);
// `input` is the old image itself.
void ic_affine_nearest(const uint8_t *input, uint8_t *output, const ic_affine *affine);

// values[i] = values[i] * own + others[i] * other, and the reverse, for images that are mixed with each other.
void ic_mix(float *values, const float *others, size_t count, float own, float other);

#if defined(__cplusplus)
}
#endif
