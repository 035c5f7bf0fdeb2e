// Products whose depth are the tokens, and the packing of rows for them.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespace.
//
// The gradient of a weight is (gradient of the outputs)ᵀ · inputs, both with a token a row. Packed as panels, in which
// two neighbouring tokens lie beside each other in bfloat16, both are read along the tokens as they lie:
//
//   a:  t0,t1: o0t0 o0t1 o1t0 o1t1 …  ──►  broadcast one pair for each row of the tile
//   b:  t0,t1: i0t0 i0t1 i1t0 i1t1 …  ──►  load sixteen pairs for each vector of the tile
#pragma once

#include <cstdint>
#include <cstring>

#include "../encoder/epilogues.h"
#include "../encoder/tile.h"

namespace ctorch::encoder {
namespace {

template <typename Element, int rows, int vectors>
INLINED void multiply_transposed_tile(const Element *a, int64_t a_step, const Element *panel, int64_t panel_step,
                                      int64_t steps, float *tile, int64_t tile_pitch, bool adds) {
    Floats sums[rows][vectors];
    for (int row = 0; row < rows; ++row)
        for (int v = 0; v < vectors; ++v) sums[row][v] = Floats{};
    if (adds)
        for (int row = 0; row < rows; ++row)
            for (int v = 0; v < vectors; ++v) load(tile + row * tile_pitch + v * lanes, sums[row][v]);
    for (int64_t step = 0; step < steps; ++step, a += a_step, panel += panel_step) {
        Floats columns[vectors];
        for (int v = 0; v < vectors; ++v) load_columns(panel + v * lanes * interleave_of<Element>, columns[v]);
        for (int row = 0; row < rows; ++row)
            for (int v = 0; v < vectors; ++v) multiply_add(a + row * interleave_of<Element>, columns[v], sums[row][v]);
    }
    for (int row = 0; row < rows; ++row)
        for (int v = 0; v < vectors; ++v) store(tile + row * tile_pitch + v * lanes, sums[row][v]);
}

template <typename Element, int vectors>
INLINED void multiply_transposed_rows(const Element *a, int64_t a_step, int64_t rows, const Element *panel,
                                      int64_t panel_step, int64_t steps, float *tile, int64_t pitch, bool adds) {
    constexpr auto next = tile_rows * interleave_of<Element>;
    for (; rows >= tile_rows; rows -= tile_rows, a += next, tile += tile_rows * pitch)
        multiply_transposed_tile<Element, tile_rows, vectors>(a, a_step, panel, panel_step, steps, tile, pitch, adds);
    switch (rows) {
        case 1:
            return multiply_transposed_tile<Element, 1, vectors>(a, a_step, panel, panel_step, steps, tile, pitch,
                                                                 adds);
        case 2:
            return multiply_transposed_tile<Element, 2, vectors>(a, a_step, panel, panel_step, steps, tile, pitch,
                                                                 adds);
        case 3:
            return multiply_transposed_tile<Element, 3, vectors>(a, a_step, panel, panel_step, steps, tile, pitch,
                                                                 adds);
        case 4:
            return multiply_transposed_tile<Element, 4, vectors>(a, a_step, panel, panel_step, steps, tile, pitch,
                                                                 adds);
        case 5:
            return multiply_transposed_tile<Element, 5, vectors>(a, a_step, panel, panel_step, steps, tile, pitch,
                                                                 adds);
        default: return;
    }
}

template <typename Element, int vectors>
INLINED void multiply_transposed(const void *a, int64_t a_step, int64_t rows, const void *panel, int64_t width,
                                 int64_t depth, float *tile, int64_t pitch, bool adds) {
    constexpr auto pairs = interleave_of<Element>;
    const auto *elements = static_cast<const Element *>(a), *columns = static_cast<const Element *>(panel);
    const auto steps = (depth + pairs - 1) / pairs, panel_step = width * pairs;
    int64_t column = 0;
    for (; column + vectors * lanes <= width; column += vectors * lanes)
        multiply_transposed_rows<Element, vectors>(elements, a_step, rows, columns + column * pairs, panel_step, steps,
                                                   tile + column, pitch, adds);
    if constexpr (vectors > 2)
        if (column < width)
            multiply_transposed_rows<Element, 2>(elements, a_step, rows, columns + column * pairs, panel_step, steps,
                                                 tile + column, pitch, adds);
}

template <typename Element>
INLINED void pack_as_depths(const void *rows, int64_t pitch, int64_t count, int64_t width, void *panel, int64_t step) {
    const auto *from = static_cast<const Element *>(rows);
    auto *to = static_cast<Element *>(panel);
    if constexpr (interleave_of<Element> == 1) {
        for (int64_t row = 0; row < count; ++row)
            std::memcpy(to + row * step, from + row * pitch, static_cast<size_t>(width) * sizeof(Element));
    } else {
        for (int64_t row = 0; row < count; row += 2, to += step) {
            const auto *first = from + row * pitch, *second = first + pitch;
            for (int64_t column = 0; column < width; column += lanes) {
                Halves low, high{};
                std::memcpy(&low, first + column, sizeof low);
                if (row + 1 < count) std::memcpy(&high, second + column, sizeof high);
                const auto pairs =
                    __builtin_shufflevector(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9,
                                            25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
                std::memcpy(to + column * 2, &pairs, sizeof pairs);
            }
        }
    }
}

// Squares of 16 · 16 numbers of 32 bits: single ones of float32, pairs of bfloat16.
template <typename Element>
INLINED void pack_as_columns(const void *rows, int64_t pitch, int64_t count, int64_t padded, int64_t depth, void *panel,
                             int64_t step) {
    constexpr auto pairs = interleave_of<Element>;
    const auto *from = static_cast<const Element *>(rows);
    auto *to = static_cast<Element *>(panel);
    for (int64_t block = 0; block < padded; block += lanes)
        for (int64_t k = 0; k < depth; k += lanes * pairs) {
            Floats lines[lanes];
            for (int64_t row = 0; row < lanes; ++row) {
                lines[row] = Floats{};
                if (block + row < count) std::memcpy(&lines[row], from + (block + row) * pitch + k, sizeof lines[row]);
            }
            transpose(lines);
            for (int64_t line = 0; line < lanes; ++line)
                std::memcpy(to + (k / pairs + line) * step + block * pairs, &lines[line], sizeof lines[line]);
        }
}

}  // namespace
}  // namespace ctorch::encoder
