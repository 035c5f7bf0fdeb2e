#include "products.h"

#include <algorithm>

namespace ctorch::block {
namespace {

// As many panels as leave half of a core's second cache (1 to 2 MiB) to the rows that pass by them.
constexpr int64_t group_bytes = 384 << 10;

/// Calls body(panel, first row, rows) so that a group of panels stays in the second cache while all rows pass by it.
template <typename Body>
void for_blocks(const Kernels &kernels, int64_t rows, const PackedMatrix &matrix, Body body) {
    const auto &panels = matrix.panels;
    const auto block = kernels.base->block_rows,
               group = std::max<int64_t>(1, group_bytes / (matrix.depth * panels.width * kernels.base->element_size));
    for (int64_t start = 0; start < panels.count(); start += group)
        for (int64_t row = 0; row < rows; row += block)
            for (auto panel = start; panel < std::min(start + group, panels.count()); ++panel)
                body(panel, row, std::min(block, rows - row));
}

}  // namespace

void multiply(const Kernels &kernels, const char *operands, int64_t pitch, int64_t rows, const PackedMatrix &matrix,
              float *scratch, c10::function_ref<void(const Tile &)> epilogue) {
    const auto size = kernels.base->element_size, scratch_pitch = matrix.panels.width;
    for_blocks(kernels, rows, matrix, [&](int64_t panel, int64_t row, int64_t count) {
        const auto width = matrix.panels.width_of(panel);
        kernels.base->product(operands + row * pitch * size, pitch, count, matrix.panel(panel, size), width,
                              matrix.depth, scratch, scratch_pitch);
        epilogue({scratch, scratch_pitch, row, count, matrix.panels.first_column(panel), width});
    });
}

void multiply_into(const Kernels &kernels, const char *operands, int64_t pitch, int64_t rows,
                   const PackedMatrix &matrix, float *out) {
    const auto size = kernels.base->element_size, columns = matrix.panels.columns;
    for_blocks(kernels, rows, matrix, [&](int64_t panel, int64_t row, int64_t count) {
        kernels.base->product(operands + row * pitch * size, pitch, count, matrix.panel(panel, size),
                              matrix.panels.width_of(panel), matrix.depth,
                              out + row * columns + matrix.panels.first_column(panel), columns);
    });
}

void pack_rows(const Kernels &kernels, const char *rows, int64_t pitch, int64_t count, const Panels &panels,
               int64_t depth, char *to) {
    const auto size = kernels.base->element_size;
    for (int64_t panel = 0; panel < panels.count(); ++panel) {
        const auto width = panels.width_of(panel);
        kernels.pack_rows(rows + panels.first_column(panel) * size, pitch, count, width,
                          to + panels.offset_of(panel, depth) * size, width * kernels.base->interleave);
    }
}

void pack_columns(const Kernels &kernels, const char *rows, int64_t pitch, int64_t count, const Panels &panels,
                  int64_t depth, char *to) {
    const auto size = kernels.base->element_size;
    for (int64_t panel = 0; panel < panels.count(); ++panel) {
        const auto width = panels.width_of(panel), first = panels.first_column(panel);
        kernels.pack_columns(rows + first * pitch * size, pitch, std::min(width, count - first), width, depth,
                             to + panels.offset_of(panel, depth) * size, width * kernels.base->interleave);
    }
}

}  // namespace ctorch::block
