// What is done to rows between the products of a block, forward and backward, and to weights before and after.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespace.
#pragma once

#include <cmath>

#include "../encoder/softmax.h"

namespace ctorch::encoder {
namespace {

/// Calls body(row, column, first vector, second vector) for every strip of a tile.
template <typename Body>
INLINED void for_plain_strips(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, Body body) {
    Floats first, second;
    for (int64_t column = 0; column < width; column += strip)
        for (int64_t row = 0; row < rows; ++row) {
            load(tile + row * tile_pitch + column, first);
            load(tile + row * tile_pitch + column + lanes, second);
            body(row, column, first, second);
        }
}

/// Calls body(row, column, first vector, second vector), which changes the vectors, and adds them to the columns' sums.
template <typename Body>
INLINED void for_summed_strips(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, float *sums,
                               Body body) {
    Floats first, second, low, high;
    for (int64_t column = 0; column < width; column += strip) {
        load(sums + column, low);
        load(sums + column + lanes, high);
        for (int64_t row = 0; row < rows; ++row) {
            load(tile + row * tile_pitch + column, first);
            load(tile + row * tile_pitch + column + lanes, second);
            body(row, column, first, second);
            low += first;
            high += second;
        }
        store(sums + column, low);
        store(sums + column + lanes, high);
    }
}

// ---- Layer normalisation

template <typename Element>
INLINED void normalize_rows_keeping(const float *x, int64_t rows, int64_t width, float eps, void *out, int64_t pitch,
                                    float *rstd) {
    for (int64_t row = 0; row < rows; ++row, x += width) {
        auto *to = static_cast<Element *>(out) + row * pitch;
        const auto statistics = statistics_of_row(x, width, eps);
        rstd[row] = statistics.factor;
        Floats v, w;
        for (int64_t i = 0; i < width; i += strip) {
            load(x + i, v);
            load(x + i + lanes, w);
            store_pair(to + i, (v - statistics.mean) * statistics.factor, (w - statistics.mean) * statistics.factor);
        }
    }
}

template <typename Element>
INLINED void normalize_rows_gradient(const float *h, const void *n, int64_t n_pitch, const float *rstd, int64_t rows,
                                     int64_t width, const float *through, float *out) {
#pragma clang fp contract(fast)
    for (int64_t row = 0; row < rows; ++row, h += width, through += width, out += width) {
        const auto *normal = static_cast<const Element *>(n) + row * n_pitch;
        Floats g, v, sum, total{}, product{};
        for (int64_t i = 0; i < width; i += lanes) {
            load(h + i, g);
            load(normal + i, v);
            total += g;
            product += g * v;
        }
        const auto count = static_cast<float>(width), factor = rstd[row];
        const float mean = sum_across(total) / count, share = sum_across(product) / count;
        for (int64_t i = 0; i < width; i += lanes) {
            load(h + i, g);
            load(normal + i, v);
            load(through + i, sum);
            store(out + i, sum + (g - mean - v * share) * factor);
        }
    }
}

// ---- GELU

/// x · Φ(x) and its slope Φ(x) + x · φ(x).
template <typename Element>
INLINED void gelu_and_slope(const Floats &x, Floats &out, Floats &slope) {
#pragma clang fp contract(fast)
    Floats share, density;
    normal_share<Element>(x, share);
    power_of_two<Element>(x * x * -0.72134752f, density);
    out = x * share;
    slope = share + x * density * 0.3989422804f;
}

template <typename Element>
INLINED void store_rows_gelu_keeping(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width,
                                     const float *bias, void *before, void *after, int64_t pitch) {
    auto *plain = static_cast<Element *>(before), *active = static_cast<Element *>(after);
    for_strips(
        tile, tile_pitch, rows, width, bias,
        [&](int64_t row, int64_t column, const Floats &first, const Floats &second) __attribute__((always_inline)) {
            Floats low, high;
            normal_share<Element>(first, low);
            normal_share<Element>(second, high);
            store_pair(plain + row * pitch + column, first, second);
            store_pair(active + row * pitch + column, first * low, second * high);
        });
}

template <typename Element>
INLINED void store_rows_gelu_gradient(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width,
                                      const void *before, void *after, void *out, int64_t pitch, float *sums) {
    const auto *plain = static_cast<const Element *>(before);
    auto *active = static_cast<Element *>(after), *to = static_cast<Element *>(out);
    for_summed_strips(
        tile, tile_pitch, rows, width,
        sums, [&](int64_t row, int64_t column, Floats & first, Floats & second) __attribute__((always_inline)) {
            const auto place = row * pitch + column;
            Floats x, low, high, slope;
            load(plain + place, x);
            gelu_and_slope<Element>(x, low, slope);
            first *= slope;
            load(plain + place + lanes, x);
            gelu_and_slope<Element>(x, high, slope);
            second *= slope;
            store_pair(active + place, low, high);
            store_pair(to + place, first, second);
        });
}

// ---- Residual stream

INLINED void add_rows_scaled(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                             float factor, const float *x, float *out, int64_t pitch) {
#pragma clang fp contract(fast)
    for_strips(
        tile, tile_pitch, rows, width, bias,
        [&](int64_t row, int64_t column, const Floats &first, const Floats &second) __attribute__((always_inline)) {
            Floats low, high;
            load(x + row * pitch + column, low);
            load(x + row * pitch + column + lanes, high);
            store(out + row * pitch + column, low + first * factor);
            store(out + row * pitch + column + lanes, high + second * factor);
        });
}

template <typename Element>
INLINED void scale_rows(const float *x, int64_t rows, int64_t width, float factor, void *out, int64_t pitch,
                        float *sums) {
    auto *to = static_cast<Element *>(out);
    for_summed_strips(
        x, width, rows, width,
        sums, [&](int64_t row, int64_t column, Floats & first, Floats & second) __attribute__((always_inline)) {
            first *= factor;
            second *= factor;
            store_pair(to + row * pitch + column, first, second);
        });
}

template <typename Element>
INLINED void store_rows_summed(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, void *out,
                               int64_t pitch, float *sums) {
    auto *to = static_cast<Element *>(out);
    for_summed_strips(
        tile, tile_pitch, rows, width,
        sums, [&](int64_t row, int64_t column, Floats & first, Floats & second) __attribute__((always_inline)) {
            store_pair(to + row * pitch + column, first, second);
        });
}

// ---- Attention

template <typename Element>
INLINED void softmax_rows_keeping(const float *scores, int64_t pitch, int64_t rows, int64_t count, int64_t padded,
                                  void *out, int64_t out_pitch, float *factors, float *logarithms) {
    softmax_rows<Element>(scores, pitch, rows, count, padded, out, out_pitch, factors, logarithms);
    for (int64_t row = 0; row < rows; ++row) logarithms[row] -= std::log2(factors[row]);
}

template <typename Element>
INLINED void dots_of_rows(const void *a, int64_t a_pitch, const void *b, int64_t b_pitch, int64_t rows, int64_t width,
                          float *out) {
#pragma clang fp contract(fast)
    for (int64_t row = 0; row < rows; ++row) {
        const auto *left = static_cast<const Element *>(a) + row * a_pitch,
                   *right = static_cast<const Element *>(b) + row * b_pitch;
        Floats v, w, sum{};
        for (int64_t i = 0; i < width; i += lanes) {
            load(left + i, v);
            load(right + i, w);
            sum += v * w;
        }
        out[row] = sum_across(sum);
    }
}

template <typename Element>
INLINED void score_rows_gradient(const float *scores, const float *gradients, int64_t pitch, int64_t rows,
                                 int64_t width, const float *logarithms, const float *dots, void *weights, void *out,
                                 int64_t out_pitch) {
    auto *to_weights = static_cast<Element *>(weights), *to_scores = static_cast<Element *>(out);
    for_plain_strips(
        scores, pitch, rows, width,
        [&](int64_t row, int64_t column, const Floats &first, const Floats &second) __attribute__((always_inline)) {
            Floats numbers[2], slopes[2];
            for (int64_t half = 0; half < 2; ++half) {
                const auto at = column + half * lanes;
                Floats logarithm, dot, gradient;
                load(logarithms + at, logarithm);
                load(dots + at, dot);
                load(gradients + row * pitch + at, gradient);
                power_of_two<Element>((half ? second : first) - logarithm, numbers[half]);
                slopes[half] = numbers[half] * (gradient - dot) * 0.69314718056f;
            }
            store_pair(to_weights + row * out_pitch + column, numbers[0], numbers[1]);
            store_pair(to_scores + row * out_pitch + column, slopes[0], slopes[1]);
        });
}

// ---- Weights

template <typename Element>
INLINED float fold_row(const float *row, int64_t count, float factor, const float *norm_weight, const float *norm_bias,
                       void *out) {
#pragma clang fp contract(fast)
    auto *to = static_cast<Element *>(out);
    Floats v, w, scale = Floats{} + 1.0f, sum{};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        load(row + i, v);
        if (norm_bias) {
            load(norm_bias + i, w);
            sum += v * w;
        }
        if (norm_weight) load(norm_weight + i, scale);
        store(to + i, v * scale * factor);
    }
    if (const auto left = count - i; left > 0) {
        load_some(row + i, left, v);
        if (norm_bias) {
            load_some(norm_bias + i, left, w);
            sum += v * w;
        }
        if (norm_weight) load_some(norm_weight + i, left, scale);
        store_some(to + i, left, v * scale * factor);
    }
    return norm_bias ? sum_across(sum) : 0;
}

INLINED void unfold_row(const float *row, const float *gradient, int64_t count, float factor, float bias_gradient,
                        const float *norm_weight, const float *norm_bias, float *out, float *norm_weight_gradient,
                        float *norm_bias_gradient) {
#pragma clang fp contract(fast)
    Floats g, v, w, sum;
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        load(gradient + i, g);
        g *= factor;
        if (norm_weight) {
            load(row + i, v);
            load(norm_weight_gradient + i, sum);
            store(norm_weight_gradient + i, sum + v * g);
            load(norm_bias_gradient + i, sum);
            store(norm_bias_gradient + i, sum + v * (factor * bias_gradient));
            load(norm_weight + i, v);
            load(norm_bias + i, w);
            g = g * v + w * (factor * bias_gradient);
        }
        store(out + i, g);
    }
    for (; i < count; ++i) {
        auto number = gradient[i] * factor;
        if (norm_weight) {
            norm_weight_gradient[i] += row[i] * number;
            norm_bias_gradient[i] += row[i] * (factor * bias_gradient);
            number = number * norm_weight[i] + norm_bias[i] * (factor * bias_gradient);
        }
        out[i] = number;
    }
}

}  // namespace
}  // namespace ctorch::encoder
