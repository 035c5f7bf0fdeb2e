#include "attention.h"

#include <algorithm>

namespace ctorch::block {
namespace {

/// Rows of scores at a time: they stay in the first cache.
int64_t score_rows(const Kernels &kernels) { return kernels.base->block_rows / 2; }

int64_t score_pitch(const Shape &shape) { return shape.token_columns() + encoder::row_padding; }

}  // namespace

AttentionScratch::AttentionScratch(const Kernels &kernels, const Shape &shape, bool is_backward, Places &places) {
    const auto head = shape.heads.padded_width(), size = shape.element_size(),
               rows = rounded_up(score_rows(kernels), 16), packed = head * shape.token_columns() * size,
               some = rows * score_pitch(shape);
    columns = places.take<char>(packed);
    depths[0] = places.take<char>(packed);
    scores = places.take<float>(some);
    weights = places.take<char>(some * size);
    factors = places.take<float>(rows);
    tile = places.take<float>(tile_elements(kernels));
    if (!is_backward) return;
    columns2 = places.take<char>(packed);
    depths[1] = places.take<char>(packed);
    depths[2] = places.take<char>(packed);
    slopes = places.take<float>(some);
    gradients = places.take<char>(some * size);
    score_gradients = places.take<char>(shape.token_depth() * shape.token_columns() * size);
    dots = places.take<float>(shape.token_columns());
}

void Attention::forward(const KeptImage &kept) const {
    const auto &base = *kernels_.base;
    const auto head_width = shape_.heads.padded_width(), size = shape_.element_size(), tokens = shape_.tokens,
               depth = shape_.token_depth(), pitch = shape_.pitch_of(3 * shape_.attended()),
               out_pitch = shape_.pitch_of(shape_.attended()), scores_pitch = score_pitch(shape_);
    const Panels keys{shape_.token_columns(), base.panel_width}, values{head_width, base.panel_width};
    for (int64_t head = 0; head < shape_.heads.count; ++head) {
        const auto *queries = kept.qkv + head * head_width * size;
        pack_columns(kernels_, queries + shape_.attended() * size, pitch, tokens, keys, head_width, scratch_.columns);
        pack_rows(kernels_, queries + 2 * shape_.attended() * size, pitch, tokens, values, depth, scratch_.depths[0]);
        for (int64_t row = 0; row < tokens; row += score_rows(kernels_)) {
            const auto rows = std::min(score_rows(kernels_), tokens - row);
            for (int64_t p = 0; p < keys.count(); ++p)
                base.product(queries + row * pitch * size, pitch, rows,
                             scratch_.columns + keys.offset_of(p, head_width) * size, keys.width_of(p), head_width,
                             scratch_.scores + keys.first_column(p), scores_pitch);
            kernels_.softmax(scratch_.scores, scores_pitch, rows, tokens, depth, scratch_.weights, scores_pitch,
                             scratch_.factors, kept.logarithms + head * shape_.token_columns() + row);
            for (int64_t p = 0; p < values.count(); ++p) {
                const auto column = values.first_column(p), width = values.width_of(p);
                base.product(scratch_.weights, scores_pitch, rows,
                             scratch_.depths[0] + values.offset_of(p, depth) * size, width, depth, scratch_.tile,
                             base.panel_width);
                base.store_scaled(scratch_.tile, base.panel_width, rows, width, scratch_.factors,
                                  kept.attended + (row * out_pitch + head * head_width + column) * size, out_pitch);
            }
        }
    }
}

void Attention::backward(const KeptImage &kept, const char *attended_gradient, char *qkv_gradient, float *sums) const {
    for (int64_t head = 0; head < shape_.heads.count; ++head)
        head_backward(kept, head, attended_gradient, qkv_gradient, sums);
}

void Attention::head_backward(const KeptImage &kept, int64_t head, const char *attended_gradient, char *qkv_gradient,
                              float *sums) const {
    const auto &base = *kernels_.base;
    const auto head_width = shape_.heads.padded_width(), size = shape_.element_size(), tokens = shape_.tokens,
               depth = shape_.token_depth(), columns = shape_.token_columns(), attended = shape_.attended(),
               pitch = shape_.pitch_of(3 * attended), out_pitch = shape_.pitch_of(attended),
               scores_pitch = score_pitch(shape_);
    const Panels across{columns, base.panel_width}, within{head_width, base.panel_width};
    const auto first = head * head_width;
    const auto *queries = kept.qkv + first * size, *keys = queries + attended * size, *values = keys + attended * size,
               *gradient = attended_gradient + first * size;
    // Gradients of queries, keys and values (0, 1, 2) from a tile in scratch_.tile.
    const auto store = [&](int64_t which, int64_t row, int64_t rows, int64_t column, int64_t width) {
        const auto at = which * attended + first + column;
        kernels_.store(scratch_.tile, base.panel_width, rows, width, qkv_gradient + (row * pitch + at) * size, pitch,
                       sums + at);
    };
    const auto multiply_packed = [&](const char *rows_of, int64_t count, const char *packed, int64_t which,
                                     int64_t row) {
        for (int64_t p = 0; p < within.count(); ++p) {
            const auto width = within.width_of(p);
            base.product(rows_of, scores_pitch, count, packed + within.offset_of(p, depth) * size, width, depth,
                         scratch_.tile, base.panel_width);
            store(which, row, count, within.first_column(p), width);
        }
    };
    const auto scores_of = [&](const char *rows_of, int64_t count, const char *packed, float *out) {
        for (int64_t p = 0; p < across.count(); ++p)
            base.product(rows_of, pitch, count, packed + across.offset_of(p, head_width) * size, across.width_of(p),
                         head_width, out + across.first_column(p), scores_pitch);
    };

    pack_columns(kernels_, queries, pitch, tokens, across, head_width, scratch_.columns);
    pack_columns(kernels_, gradient, out_pitch, tokens, across, head_width, scratch_.columns2);
    pack_rows(kernels_, queries, pitch, tokens, within, depth, scratch_.depths[0]);
    pack_rows(kernels_, gradient, out_pitch, tokens, within, depth, scratch_.depths[1]);
    pack_rows(kernels_, keys, pitch, tokens, within, depth, scratch_.depths[2]);
    kernels_.dot_rows(gradient, out_pitch, kept.attended + first * size, out_pitch, tokens, head_width, scratch_.dots);
    // Queries that there are not get weights of nothing.
    auto *logarithms = kept.logarithms + head * columns;
    std::fill(scratch_.dots + tokens, scratch_.dots + columns, 0.0f);
    std::fill(logarithms + tokens, logarithms + columns, 126.0f);

    for (int64_t row = 0; row < tokens; row += score_rows(kernels_)) {
        const auto rows = std::min(score_rows(kernels_), tokens - row);
        scores_of(keys + row * pitch * size, rows, scratch_.columns, scratch_.scores);
        scores_of(values + row * pitch * size, rows, scratch_.columns2, scratch_.slopes);
        kernels_.score_gradient(scratch_.scores, scratch_.slopes, scores_pitch, rows, columns, logarithms,
                                scratch_.dots, scratch_.weights, scratch_.gradients, scores_pitch);
        multiply_packed(scratch_.weights, rows, scratch_.depths[1], 2, row);
        multiply_packed(scratch_.gradients, rows, scratch_.depths[0], 1, row);
        for (int64_t p = 0; p < across.count(); ++p) {
            const auto width = across.width_of(p);
            kernels_.pack_rows(scratch_.gradients + across.first_column(p) * size, scores_pitch, rows, width,
                               scratch_.score_gradients + (across.offset_of(p, depth) + row * width) * size,
                               width * base.interleave);
        }
    }
    for (int64_t p = 0; p < across.count(); ++p) {
        const auto row = across.first_column(p), rows = std::min(across.width_of(p), tokens - row);
        for (int64_t q = 0; q < within.count(); ++q) {
            const auto width = within.width_of(q);
            kernels_.product_transposed(scratch_.score_gradients + across.offset_of(p, depth) * size,
                                        across.width_of(p) * base.interleave, rows,
                                        scratch_.depths[2] + within.offset_of(q, depth) * size, width, depth,
                                        scratch_.tile, base.panel_width, /*adds=*/false);
            store(0, row, rows, within.first_column(q), width);
        }
    }
}

}  // namespace ctorch::block
