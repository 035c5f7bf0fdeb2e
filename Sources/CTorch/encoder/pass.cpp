// The order of work inside a thread: which rows meet which panels, and what becomes of a tile.
#include "pass.h"

#include <algorithm>

namespace ctorch::encoder {

namespace {

// As many panels as leave half of a core's second cache (1 to 2 MiB) to the rows that pass by them.
constexpr int64_t group_bytes = 384 << 10;

}  // namespace

void Pass::project(const PackedBlock &block, int64_t index, Range tokens, int64_t wanted) const {
    normalize(tokens);
    const auto head_width = shape_.heads.padded_width(), columns = shape_.heads.columns();
    const auto epilogue = [&](const Tile &tile) {
        for (int64_t at = 0; at < tile.width; at += strip) {
            const auto column = tile.column + at, which = column / columns, head = column % columns / head_width,
                       within = column % head_width;
            const auto *numbers = tile.numbers + at;
            const auto *bias = block.qkv.bias.data() + column;
            switch (which) {
                case 0:
                    kernels_.store(numbers, tile.pitch, tile.rows, strip, bias,
                                   room_.queries +
                                       ((head * room_.tokens + tile.row) * head_width + within) * kernels_.element_size,
                                   head_width);
                    break;
                case 1:
                    kernels_.store_keys(numbers, tile.pitch, tile.rows, bias, keys(index, head), room_.key_columns,
                                        head_width, tile.row, within);
                    break;
                default:
                    kernels_.store_values(numbers, tile.pitch, tile.rows, bias, values(index, head), head_width,
                                          room_.value_depth, tile.row, within);
            }
        }
    };
    // Panels of nothing but queries take the tokens whose queries are wanted; the others take all.
    const auto query_panels = columns / kernels_.panel_width;
    multiply(room_.normal, room_.normal_pitch, {tokens.from, std::min(tokens.to, wanted)}, block.qkv, 0, query_panels,
             epilogue);
    multiply(room_.normal, room_.normal_pitch, tokens, block.qkv, query_panels, block.qkv.panels.count(), epilogue);
}

void Pass::finish(const PackedBlock &block, int64_t index, Range tokens) const {
    attend(index, tokens);
    multiply(room_.attended, room_.attended_pitch, tokens, block.proj, 0, block.proj.panels.count(),
             [&](const Tile &tile) { add(tile, block.proj.bias.data()); });
    normalize(tokens);
    bool is_first = true;
    for (const auto &part : block.feed_forward) {
        feed_forward(part, tokens, is_first);
        is_first = false;
    }
}

void Pass::normalize(Range tokens) const {
    if (tokens.is_empty()) return;
    kernels_.normalize(room_.x + tokens.from * shape_.width, tokens.count(), shape_.width, shape_.eps,
                       room_.normal + tokens.from * room_.normal_pitch * kernels_.element_size, room_.normal_pitch);
}

// softmax(q kᵀ) v, some queries of one head at a time: their scores stay in the first cache.
void Pass::attend(int64_t index, Range tokens) const {
    const auto head_width = shape_.heads.padded_width(), size = kernels_.element_size;
    const Panels key_panels{room_.key_columns, kernels_.panel_width}, value_panels{head_width, kernels_.panel_width};
    for (int64_t head = 0; head < shape_.heads.count; ++head) {
        const auto *head_keys = keys(index, head), *head_values = values(index, head);
        for (auto row = tokens.from; row < tokens.to; row += room_.query_rows) {
            const auto rows = std::min(room_.query_rows, tokens.to - row);
            const auto *queries = room_.queries + (head * room_.tokens + row) * head_width * size;
            for (int64_t p = 0; p < key_panels.count(); ++p)
                kernels_.product(queries, head_width, rows, head_keys + key_panels.offset_of(p, head_width) * size,
                                 key_panels.width_of(p), head_width, scratch_.scores + key_panels.first_column(p),
                                 room_.score_pitch);
            kernels_.softmax(scratch_.scores, room_.score_pitch, rows, room_.tokens, room_.value_depth,
                             scratch_.weights, room_.score_pitch, scratch_.factors);
            for (int64_t p = 0; p < value_panels.count(); ++p) {
                const auto column = value_panels.first_column(p), width = value_panels.width_of(p);
                kernels_.product(scratch_.weights, room_.score_pitch, rows,
                                 head_values + value_panels.offset_of(p, room_.value_depth) * size, width,
                                 room_.value_depth, scratch_.tile, kernels_.panel_width);
                kernels_.store_scaled(scratch_.tile, kernels_.panel_width, rows, width, scratch_.factors,
                                      room_.attended + (row * room_.attended_pitch + head * head_width + column) * size,
                                      room_.attended_pitch);
            }
        }
    }
}

void Pass::feed_forward(const FeedForwardPart &part, Range tokens, bool is_first) const {
    const auto hidden = [&](const Tile &tile) {
        return room_.hidden + (tile.row * room_.hidden_pitch + tile.column) * kernels_.element_size;
    };
    multiply(room_.normal, room_.normal_pitch, tokens, part.up, 0, part.up.panels.count(), [&](const Tile &tile) {
        const auto *bias = part.up.bias.data() + tile.column;
        if (!shape_.is_gated) {
            kernels_.store_gelu(tile.numbers, tile.pitch, tile.rows, tile.width, bias, hidden(tile),
                                room_.hidden_pitch);
            return;
        }
        // The gate's panel of the same columns.
        kernels_.product(room_.normal + tile.row * room_.normal_pitch * kernels_.element_size, room_.normal_pitch,
                         tile.rows, panel(part.gate, tile.column / part.gate.panels.width), tile.width, part.gate.depth,
                         scratch_.gate_tile, tile.pitch);
        kernels_.store_swiglu(scratch_.gate_tile, tile.numbers, tile.pitch, tile.rows, tile.width,
                              part.gate.bias.data() + tile.column, bias, hidden(tile), room_.hidden_pitch);
    });
    multiply(room_.hidden, room_.hidden_pitch, tokens, part.down, 0, part.down.panels.count(),
             [&](const Tile &tile) { add(tile, is_first ? part.down.bias.data() : nullptr); });
}

void Pass::add(const Tile &tile, const float *bias) const {
    // The padding of the last strip is not a part of the stream.
    const auto width = std::min(tile.width, shape_.width - tile.column);
    kernels_.add(tile.numbers, tile.pitch, tile.rows, width, bias ? bias + tile.column : nullptr,
                 room_.x + tile.row * shape_.width + tile.column, shape_.width);
}

// A group of panels stays in the second cache while all rows pass by it; a block of rows stays there while the panels
// of the group do.
void Pass::multiply(const char *operands, int64_t pitch, Range rows, const PackedLinear &linear, int64_t first_panel,
                    int64_t last_panel, c10::function_ref<void(const Tile &)> epilogue) const {
    const auto size = kernels_.element_size;
    const auto group = std::max<int64_t>(1, group_bytes / (linear.depth * linear.panels.width * kernels_.element_size));
    for (auto start = first_panel; start < last_panel; start += group) {
        const auto end = std::min(start + group, last_panel);
        for (auto row = rows.from; row < rows.to; row += kernels_.block_rows) {
            const auto count = std::min(kernels_.block_rows, rows.to - row);
            for (auto index = start; index < end; ++index) {
                const auto width = linear.panels.width_of(index);
                kernels_.product(operands + row * pitch * size, pitch, count, panel(linear, index), width, linear.depth,
                                 scratch_.tile, kernels_.panel_width);
                epilogue({scratch_.tile, kernels_.panel_width, row, count, linear.panels.first_column(index), width});
            }
        }
    }
}

char *Pass::keys(int64_t index, int64_t head) const {
    const auto bytes = shape_.heads.padded_width() * room_.key_columns * kernels_.element_size;
    return room_.keys + (index % 2 * shape_.heads.count + head) * bytes;
}

char *Pass::values(int64_t index, int64_t head) const {
    const auto bytes = shape_.heads.padded_width() * room_.value_depth * kernels_.element_size;
    return room_.values + (index % 2 * shape_.heads.count + head) * bytes;
}

}  // namespace ctorch::encoder
