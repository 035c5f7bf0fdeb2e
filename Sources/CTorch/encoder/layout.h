// How matrices lie in the memory of the fused encoder.
//
// A product multiplies rows of activations with a packed matrix:
//
//   a [rows, depth], row after row       packed [depth, columns], panel after panel
//
//   row 0: k0 k1 k2 …  pad               panel 0 (columns 0 ..< 64)   panel 1 (64 ..< 128)   … last
//   row 1: k0 k1 k2 …  pad               k0: c0 c1 … c63              k0: c64 c65 … c127
//   …                                    k1: c0 c1 … c63              k1: c64 c65 … c127
//                                        …                            …
//
// The columns are padded with zeros to whole strips of 32; the last panel may be narrower than the others. In bfloat16
// two neighbours in depth lie beside each other, since the processor multiplies them in one step:
//
//   k0,k1: c0k0 c0k1 c1k0 c1k1 … c63k0 c63k1
//   k2,k3: c0k2 c0k3 …
//
// In 8 bits there are four neighbours, k0 to k3. A weight is its column's step times a whole number of -127 ... 127; an
// activation is its row's smallest number plus 0 ... 255 times its row's step.
//
// Rows of activations are padded so that their starts do not fall on the same sets of the first cache: a pitch of 4096
// bytes would leave room for eight rows only.
#pragma once

#include <cstdint>

namespace ctorch::encoder {

/// Columns are padded to whole strips, the unit of the epilogues: a strip belongs to one head.
constexpr int64_t strip = 32;

/// Elements between the rows of activations that are not read.
constexpr int64_t row_padding = 32;

inline int64_t rounded_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

/// The panels of a packed matrix of `columns` columns, a multiple of `strip`.
struct Panels {
    int64_t columns, width;

    int64_t count() const { return (columns + width - 1) / width; }
    int64_t first_column(int64_t panel) const { return panel * width; }
    int64_t width_of(int64_t panel) const {
        const auto rest = columns - panel * width;
        return rest < width ? rest : width;
    }
    /// Where a panel starts, in elements from the start of the matrix.
    int64_t offset_of(int64_t panel, int64_t depth) const { return panel * width * depth; }
};

/// Where the parts of the projection of the normalised tokens are: queries, keys, values of every head, each padded to
/// whole strips with columns whose weights are zero.
struct Heads {
    int64_t count, width;

    int64_t padded_width() const { return rounded_up(width, strip); }
    int64_t columns() const { return count * padded_width(); }
};

}  // namespace ctorch::encoder
