// What happens to a tile of a product while it is in the first cache, and the normalisation before a product.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespace. Strips of 32
// columns are two vectors.
#pragma once

#include <cmath>

#include "layout.h"
#include "operands.h"

namespace ctorch::encoder {
namespace {

INLINED float sum_across(const Floats &v) {
    const auto eight = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                       __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    const auto four =
        __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

INLINED float largest_across(const Floats &v) {
    const auto low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
               high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15), eight = low > high ? low : high;
    const auto first = __builtin_shufflevector(eight, eight, 0, 1, 2, 3),
               second = __builtin_shufflevector(eight, eight, 4, 5, 6, 7), four = first > second ? first : second;
    const float even = four[0] > four[2] ? four[0] : four[2], odd = four[1] > four[3] ? four[1] : four[3];
    return even > odd ? even : odd;
}

// ---- Layer normalisation

struct RowStatistics {
    float mean, factor;
};

// As in ../layer_norm.cpp: the second pass mends the mean too.
INLINED RowStatistics statistics_of_row(const float *x, int64_t width, float eps) {
#pragma clang fp contract(fast)
    Floats v, total{}, differences{}, squares{};
    for (int64_t i = 0; i < width; i += lanes) {
        load(x + i, v);
        total += v;
    }
    const auto count = static_cast<float>(width), first = sum_across(total) / count;
    for (int64_t i = 0; i < width; i += lanes) {
        load(x + i, v);
        const auto difference = v - first;
        differences += difference;
        squares += difference * difference;
    }
    const float shift = sum_across(differences) / count, variance = sum_across(squares) / count - shift * shift;
    return {first + shift, 1 / std::sqrt((variance > 0 ? variance : 0) + eps)};
}

template <typename Element>
INLINED void normalize_rows(const float *x, int64_t rows, int64_t width, float eps, void *out, int64_t pitch) {
    for (int64_t row = 0; row < rows; ++row, x += width) {
        auto *to = static_cast<Element *>(out) + row * pitch;
        const auto statistics = statistics_of_row(x, width, eps);
        Floats v, w;
        for (int64_t i = 0; i < width; i += strip) {
            load(x + i, v);
            load(x + i + lanes, w);
            store_pair(to + i, (v - statistics.mean) * statistics.factor, (w - statistics.mean) * statistics.factor);
        }
    }
}

INLINED void normalize_rows_affine(const float *x, int64_t rows, int64_t width, float eps, const float *weight,
                                   const float *bias, float *out, int64_t pitch) {
#pragma clang fp contract(fast)
    for (int64_t row = 0; row < rows; ++row, x += width, out += pitch) {
        const auto statistics = statistics_of_row(x, width, eps);
        Floats v, scale, shift;
        for (int64_t i = 0; i < width; i += lanes) {
            load(x + i, v);
            load(weight + i, scale);
            load(bias + i, shift);
            store(out + i, (v - statistics.mean) * statistics.factor * scale + shift);
        }
    }
}

// ---- Rows that stay rows

/// Calls body(row, column, first vector, second vector) for every strip of a tile with the bias added.
template <typename Body>
INLINED void for_strips(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                        Body body) {
    for (int64_t column = 0; column < width; column += strip) {
        Floats low, high, first, second;
        load(bias + column, low);
        load(bias + column + lanes, high);
        for (int64_t row = 0; row < rows; ++row) {
            load(tile + row * tile_pitch + column, first);
            load(tile + row * tile_pitch + column + lanes, second);
            body(row, column, first + low, second + high);
        }
    }
}

template <typename Element>
INLINED void store_rows(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                        void *out, int64_t pitch) {
    auto *to = static_cast<Element *>(out);
    for_strips(
        tile, tile_pitch, rows, width, bias,
        [&](int64_t row, int64_t column, const Floats &first, const Floats &second)
            __attribute__((always_inline)) { store_pair(to + row * pitch + column, first, second); });
}

/// Φ(x): exactly enough for operands of float32; for bfloat16 a polynomial, with which the GELU is within 1.4e-4 (a fit
/// of ours for |x| ≤ 4 that is 0 and 1 at the ends).
template <typename Element>
INLINED void normal_share(const Floats &x, Floats &out) {
#pragma clang fp contract(fast)
    if constexpr (sizeof(Element) == sizeof(float)) {
        normal_distribution(x, out);
    } else {
        const auto low = x > -4.0f ? x : Floats{} - 4.0f, inside = low < 4.0f ? low : Floats{} + 4.0f;
        const auto u = inside * inside;
        auto p = u * -4.39595971e-10f + 5.0630149e-08f;
        p = p * u + -2.31267313e-06f;
        p = p * u + 5.74350634e-05f;
        p = p * u + -0.000883071683f;
        p = p * u + 0.00904082041f;
        p = p * u + -0.0650660545f;
        p = p * u + 0.398187757f;
        out = inside * p + 0.5f;
    }
}

template <typename Element>
struct ExactGelu {
    INLINED void operator()(const Floats &x, Floats &out) const {
        Floats share;
        normal_share<Element>(x, share);
        out = x * share;
    }
};

// x · 1 / (1 + e^−u), with e^−|u| so that nothing overflows.
INLINED void times_sigmoid(const Floats &x, const Floats &u, Floats &out) {
    Floats e;
    exponential(u < 0.0f ? u : -u, e);
    out = x * (u < 0.0f ? e : Floats{} + 1.0f) / (1.0f + e);
}

// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), where ½ (1 + tanh(u/2)) is the sigmoid of u.
struct TanhGelu {
    INLINED void operator()(const Floats &x, Floats &out) const {
        times_sigmoid(x, x * (1.59576912f + 0.0713548163f * x * x), out);
    }
};

struct QuickGelu {
    INLINED void operator()(const Floats &x, Floats &out) const { times_sigmoid(x, 1.702f * x, out); }
};

template <typename Element, typename Activation>
INLINED void store_rows_activated(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias,
                                  void *out, int64_t pitch, const Activation &activation) {
    auto *to = static_cast<Element *>(out);
    for_strips(
        tile, tile_pitch, rows, width, bias,
        [&](int64_t row, int64_t column, const Floats &first, const Floats &second) __attribute__((always_inline)) {
            Floats low, high;
            activation(first, low);
            activation(second, high);
            store_pair(to + row * pitch + column, low, high);
        });
}

template <typename Element>
INLINED void store_rows_swiglu(const float *gate, const float *tile, int64_t tile_pitch, int64_t rows, int64_t width,
                               const float *gate_bias, const float *bias, void *out, int64_t pitch) {
    auto *to = static_cast<Element *>(out);
    for_strips(
        gate, tile_pitch, rows, width, gate_bias,
        [&](int64_t row, int64_t column, const Floats &first, const Floats &second) __attribute__((always_inline)) {
            Floats values[2], biases[2], gates[2];
            times_sigmoid(first, first, gates[0]);
            times_sigmoid(second, second, gates[1]);
            for (int64_t half = 0; half < 2; ++half) {
                load(tile + row * tile_pitch + column + half * lanes, values[half]);
                load(bias + column + half * lanes, biases[half]);
            }
            store_pair(to + row * pitch + column, gates[0] * (values[0] + biases[0]),
                       gates[1] * (values[1] + biases[1]));
        });
}

INLINED void add_rows(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *bias, float *x,
                      int64_t pitch) {
    for (int64_t column = 0; column < width; column += lanes) {
        Floats shift{}, v, sum;
        if (bias) load(bias + column, shift);
        for (int64_t row = 0; row < rows; ++row) {
            load(tile + row * tile_pitch + column, v);
            load(x + row * pitch + column, sum);
            store(x + row * pitch + column, sum + (v + shift));
        }
    }
}

template <typename Element>
INLINED void store_rows_scaled(const float *tile, int64_t tile_pitch, int64_t rows, int64_t width, const float *factors,
                               void *out, int64_t pitch) {
    for (int64_t row = 0; row < rows; ++row) {
        auto *to = static_cast<Element *>(out) + row * pitch;
        Floats first, second;
        for (int64_t column = 0; column < width; column += strip) {
            load(tile + row * tile_pitch + column, first);
            load(tile + row * tile_pitch + column + lanes, second);
            store_pair(to + column, first * factors[row], second * factors[row]);
        }
    }
}

// ---- Keys, transposed, and values, as packed matrices

/// Transposes a square of 16 · 16: four rounds of interleaving row i with row i + 8, as one riffles a pack of cards.
INLINED void transpose(Floats (&rows)[lanes]) {
    for (int round = 0; round < 4; ++round) {
        Floats next[lanes];
        for (int i = 0; i < lanes / 2; ++i) {
            const auto &a = rows[i], &b = rows[i + lanes / 2];
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < lanes; ++i) rows[i] = next[i];
    }
}

/// Where sixteen columns from `column` start in a packed matrix, in elements, and how far apart steps of depth are.
template <typename Element>
INLINED int64_t place_of(const Panels &panels, int64_t depth, int64_t column, int64_t &step) {
    const auto panel = column / panels.width, width = panels.width_of(panel);
    step = width * interleave_of<Element>;
    return panels.offset_of(panel, depth) + (column - panel * panels.width) * interleave_of<Element>;
}

/// A strip of 32 depths of some keys. Steps of depth become rows of the packed matrix: single ones of float32, pairs of
/// bfloat16, which are 32 bits too.
template <typename Element, int64_t panel_width>
INLINED void store_keys_strip(const float *tile, int64_t tile_pitch, int64_t rows, const float *bias, void *keys,
                              int64_t columns, int64_t depth, int64_t first, int64_t first_depth) {
    const Panels panels{columns, panel_width};
    Floats low, high, v, w;
    load(bias, low);
    load(bias + lanes, high);
    for (int64_t block = 0; block < rows; block += lanes) {
        alignas(64) Element operands[lanes][strip];
        for (int64_t row = 0; row < lanes; ++row) {
            load(tile + (block + row) * tile_pitch, v);
            load(tile + (block + row) * tile_pitch + lanes, w);
            store_pair(operands[row], v + low, w + high);
        }
        int64_t step;
        auto *to = static_cast<Element *>(keys) + place_of<Element>(panels, depth, first + block, step) +
                   first_depth / interleave_of<Element> * step;
        constexpr int64_t squares = strip / (lanes * interleave_of<Element>);
        for (int64_t square = 0; square < squares; ++square) {
            Floats lines[lanes];
            for (int64_t row = 0; row < lanes; ++row)
                std::memcpy(&lines[row], operands[row] + square * lanes * interleave_of<Element>, sizeof lines[row]);
            transpose(lines);
            for (int64_t line = 0; line < lanes; ++line)
                std::memcpy(to + (square * lanes + line) * step, &lines[line], sizeof lines[line]);
        }
    }
}

/// A strip of 32 columns of some values. In bfloat16 each pair of rows is interleaved.
template <typename Element, int64_t panel_width>
INLINED void store_values_strip(const float *tile, int64_t tile_pitch, int64_t rows, const float *bias, void *values,
                                int64_t columns, int64_t depth, int64_t first, int64_t first_column) {
    int64_t step;
    auto *to = static_cast<Element *>(values) +
               place_of<Element>(Panels{columns, panel_width}, depth, first_column, step) +
               first / interleave_of<Element> * step;
    Floats shifts[2];
    load(bias, shifts[0]);
    load(bias + lanes, shifts[1]);
    for (int64_t row = 0; row < rows; row += interleave_of<Element>, to += step) {
        for (int64_t half = 0; half < 2; ++half) {
            Floats v, w{};
            load(tile + row * tile_pitch + half * lanes, v);
            v += shifts[half];
            if constexpr (interleave_of<Element> == 1) {
                store(to + half * lanes, v);
            } else {
                if (row + 1 < rows) {
                    load(tile + (row + 1) * tile_pitch + half * lanes, w);
                    w += shifts[half];
                }
                store_pair(to + half * strip,
                           __builtin_shufflevector(v, w, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                           __builtin_shufflevector(v, w, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
            }
        }
    }
}

}  // namespace
}  // namespace ctorch::encoder
