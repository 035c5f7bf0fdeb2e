// The micro-kernel: a tile of a product, which stays in registers over the whole depth.
//
// Included by kernels_*.cpp only, which compile it for their processor; hence the unnamed namespace.
//
//                 panel:  k0 │ b0   b1   b2   b3     vectors of 16 columns
//                         k1 │ b0   b1   b2   b3
//                            ⋮
//   a: row 0  k0 k1 …       s00  s01  s02  s03       with 6 rows of 4 vectors: 24 sums in registers, 4 for the panel
//      row 1  k0 k1 …       s10  s11  s12  s13
//      …                    …                        each step: 4 loads, 6 broadcasts, 24 multiply-adds
//
// 24 sums are enough to hide the latency of a multiply-add (4 steps at 2 a step), and 10 loads for 24 multiply-adds few
// enough for the load ports. On AVX2, with 16 registers of half the width, a tile is 6 rows of one vector.
#pragma once

#include <cstdint>

#include "../vectors.h"

namespace ctorch::encoder {
namespace {

constexpr int tile_rows = 6;

/// Keeps a sum as the number of the tile; operands_int8.h has another way.
struct AsItIs {
    INLINED AsItIs from(int64_t, int64_t) const { return {}; }
    INLINED void operator()(int64_t, int64_t, const Floats &sum, Floats &number) const { number = sum; }
};

// Sums are made in the order of depth, one at a time, whatever the number of rows: a row's result depends on nothing
// but that row.
template <typename Element, int rows, int vectors, typename Number>
INLINED void multiply_tile(const Element *a, int64_t a_pitch, const Element *panel, int64_t panel_pitch, int64_t depth,
                           float *tile, int64_t tile_pitch, const Number &number_of) {
    using Sums = typename SumsOf<Element>::type;
    Sums sums[rows][vectors];
    for (int row = 0; row < rows; ++row)
        for (int v = 0; v < vectors; ++v) sums[row][v] = Sums{};
    for (int64_t k = 0; k < depth; k += interleave_of<Element>) {
        Sums columns[vectors];
        for (int v = 0; v < vectors; ++v)
            load_columns(panel + k * panel_pitch + v * lanes * interleave_of<Element>, columns[v]);
        for (int row = 0; row < rows; ++row)
            for (int v = 0; v < vectors; ++v) multiply_add(a + row * a_pitch + k, columns[v], sums[row][v]);
    }
    for (int row = 0; row < rows; ++row)
        for (int v = 0; v < vectors; ++v) {
            Floats number;
            number_of(row, v * lanes, sums[row][v], number);
            store(tile + row * tile_pitch + v * lanes, number);
        }
}

template <typename Element, int vectors, typename Number>
INLINED void multiply_rows(const Element *a, int64_t a_pitch, int64_t rows, const Element *panel, int64_t panel_pitch,
                           int64_t depth, float *tile, int64_t tile_pitch, const Number &number_of) {
    int64_t row = 0;
    for (; row + tile_rows <= rows; row += tile_rows)
        multiply_tile<Element, tile_rows, vectors>(a + row * a_pitch, a_pitch, panel, panel_pitch, depth,
                                                   tile + row * tile_pitch, tile_pitch, number_of.from(row, 0));
    const auto *rest = a + row * a_pitch;
    auto *to = tile + row * tile_pitch;
    const auto number = number_of.from(row, 0);
    switch (rows - row) {
        case 1:
            return multiply_tile<Element, 1, vectors>(rest, a_pitch, panel, panel_pitch, depth, to, tile_pitch, number);
        case 2:
            return multiply_tile<Element, 2, vectors>(rest, a_pitch, panel, panel_pitch, depth, to, tile_pitch, number);
        case 3:
            return multiply_tile<Element, 3, vectors>(rest, a_pitch, panel, panel_pitch, depth, to, tile_pitch, number);
        case 4:
            return multiply_tile<Element, 4, vectors>(rest, a_pitch, panel, panel_pitch, depth, to, tile_pitch, number);
        case 5:
            return multiply_tile<Element, 5, vectors>(rest, a_pitch, panel, panel_pitch, depth, to, tile_pitch, number);
        default: return;
    }
}

/// The product of the tables: panels of 64 or 32 columns, tiles of `vectors` vectors.
template <typename Element, int vectors, typename Number = AsItIs>
INLINED void multiply_panel(const void *a, int64_t a_pitch, int64_t rows, const void *panel, int64_t width,
                            int64_t depth, float *tile, int64_t tile_pitch, const Number &number_of = {}) {
    const auto *elements = static_cast<const Element *>(a), *columns = static_cast<const Element *>(panel);
    int64_t column = 0;
    for (; column + vectors * lanes <= width; column += vectors * lanes)
        multiply_rows<Element, vectors>(elements, a_pitch, rows, columns + column * interleave_of<Element>, width,
                                        depth, tile + column, tile_pitch, number_of.from(0, column));
    if constexpr (vectors > 2)
        if (column < width)
            multiply_rows<Element, 2>(elements, a_pitch, rows, columns + column * interleave_of<Element>, width, depth,
                                      tile + column, tile_pitch, number_of.from(0, column));
}

}  // namespace
}  // namespace ctorch::encoder
