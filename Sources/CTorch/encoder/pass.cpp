// The order of work inside a thread: which rows meet which panels, and what becomes of a tile.
#include "pass.h"

#include <algorithm>

namespace ctorch::encoder {

namespace {

// As many panels as leave half of a core's second cache (1 to 2 MiB) to the rows that pass by them.
constexpr int64_t group_bytes = 384 << 10;

constexpr float no_bias[strip] = {};

}  // namespace

void Pass::project(const PackedBlock &block, int64_t index, Range tokens, int64_t wanted) const {
    const auto normal = normalize(block.norm1_weight, tokens);
    const bool prepares_heads = room_.projected && (shape_.normalizes_heads || rotary_.cosines);
    const auto head_width = shape_.heads.padded_width(), columns = shape_.heads.columns();
    const auto epilogue = [&](const Tile &tile) {
        for (int64_t at = 0; at < tile.width; at += strip) {
            const auto column = tile.column + at, which = column / columns, head = column % columns / head_width,
                       within = column % head_width;
            const auto *numbers = tile.numbers + at;
            const auto *bias = block.qkv.bias.data() + column;
            if (prepares_heads && which < 2) {
                auto *to = room_.projected + tile.row * room_.projected_pitch + column;
                for (int64_t row = 0; row < tile.rows; ++row)
                    for (int64_t i = 0; i < strip; ++i)
                        to[row * room_.projected_pitch + i] = numbers[row * tile.pitch + i] + bias[i];
                continue;
            }
            switch (which) {
                case 0: store_queries(numbers, tile.pitch, tile.rows, bias, head, tile.row, within); break;
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
    const Range queried{tokens.from, std::min(tokens.to, wanted)};
    multiply(normal, queried, block.qkv, 0, query_panels, epilogue);
    multiply(normal, tokens, block.qkv, query_panels, block.qkv.panels.count(), epilogue);
    if (!prepares_heads) return;
    for (int64_t head = 0; head < shape_.heads.count; ++head) {
        prepare_head(head, block.q_norm_weight, block.q_norm_bias, queried, [&](int64_t row, int64_t rows, int64_t at) {
            store_queries(room_.projected + row * room_.projected_pitch + head * head_width + at, room_.projected_pitch,
                          rows, no_bias, head, row, at);
        });
        prepare_head(shape_.heads.count + head, block.k_norm_weight, block.k_norm_bias, tokens,
                     [&](int64_t row, int64_t rows, int64_t at) {
                         kernels_.store_keys(
                             room_.projected + row * room_.projected_pitch + columns + head * head_width + at,
                             room_.projected_pitch, rows, no_bias, keys(index, head), room_.key_columns, head_width,
                             row, at);
                     });
    }
}

void Pass::store_queries(const float *numbers, int64_t pitch, int64_t rows, const float *bias, int64_t head,
                         int64_t row, int64_t within) const {
    const auto head_width = shape_.heads.padded_width();
    auto *to = room_.queries + ((head * room_.tokens + row) * head_width + within) * kernels_.element_size;
    kernels_.store(numbers, pitch, rows, strip, bias, to, head_width);
}

void Pass::prepare_head(int64_t head, const std::vector<float> &weight, const std::vector<float> &bias, Range tokens,
                        c10::function_ref<void(int64_t, int64_t, int64_t)> store) const {
    const auto width = shape_.heads.width;
    for (auto row = tokens.from; row < tokens.to; row += kernels_.block_rows) {
        const auto rows = std::min(kernels_.block_rows, tokens.to - row);
        const auto at = [&](int64_t token) {
            return room_.projected + token * room_.projected_pitch + head * shape_.heads.padded_width();
        };
        if (!weight.empty())
            kernels_.normalize_heads(at(row), room_.projected_pitch, rows, width, shape_.eps, weight.data(),
                                     bias.data());
        const auto first = std::max(row, rotary_.first);
        if (rotary_.cosines && first < row + rows) {
            const auto angles = (first - rotary_.first) * (width / 2);
            kernels_.rotate_heads(at(first), room_.projected_pitch, row + rows - first, width, rotary_.cosines + angles,
                                  rotary_.sines + angles, width / 2);
        }
        for (int64_t within = 0; within < shape_.heads.padded_width(); within += strip) store(row, rows, within);
    }
}

void Pass::finish(const PackedBlock &block, int64_t index, Range tokens) const {
    attend(index, tokens);
    const auto attended =
        rounded(room_.attended, room_.attended_pitch, shape_.heads.columns(), room_.attended_steps, tokens);
    multiply(attended, tokens, block.proj, 0, block.proj.panels.count(),
             [&](const Tile &tile) { add(tile, block.proj.bias.data()); });
    const auto normal = normalize(block.norm2_weight, tokens);
    bool is_first = true;
    for (const auto &part : block.feed_forward) {
        feed_forward(part, normal, tokens, is_first);
        is_first = false;
    }
}

Rows Pass::normalize(const std::vector<float> &weight, Range tokens) const {
    const Rows rows{room_.normal, room_.normal_pitch, room_.normal_steps};
    if (tokens.is_empty()) return rows;
    const auto *x = room_.x + tokens.from * shape_.width;
    if (kernels_.int8) {
        kernels_.int8->normalize(x, tokens.count(), shape_.width, shape_.eps, weight.data(),
                                 room_.normal + tokens.from * room_.normal_pitch, room_.normal_pitch,
                                 room_.normal_steps + tokens.from);
    } else {
        kernels_.normalize(x, tokens.count(), shape_.width, shape_.eps,
                           room_.normal + tokens.from * room_.normal_pitch * kernels_.element_size, room_.normal_pitch);
    }
    return rows;
}

Rows Pass::rounded(char *operands, int64_t pitch, int64_t width, RowSteps *steps, Range tokens) const {
    if (!kernels_.int8) return {operands, pitch, nullptr};
    const auto bytes = pitch * kernels_.element_size;
    kernels_.int8->quantize(operands + tokens.from * bytes, bytes, tokens.count(), width, steps + tokens.from);
    return {operands, bytes, steps};
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

void Pass::feed_forward(const FeedForwardPart &part, const Rows &normal, Range tokens, bool is_first) const {
    multiply(normal, tokens, part.up, 0, part.up.panels.count(), [&](const Tile &tile) {
        const auto *bias = part.up.bias.data() + tile.column;
        auto *hidden = room_.hidden + (tile.row * room_.hidden_pitch + tile.column) * kernels_.element_size;
        const auto activate = [&](decltype(Kernels::store_gelu) store) {
            store(tile.numbers, tile.pitch, tile.rows, tile.width, bias, hidden, room_.hidden_pitch);
        };
        switch (shape_.activation) {
            case Activation::gelu: activate(kernels_.store_gelu); break;
            case Activation::gelu_tanh: activate(kernels_.store_gelu_tanh); break;
            case Activation::quick_gelu: activate(kernels_.store_quick_gelu); break;
            case Activation::swiglu:
                // The gate's panel of the same columns.
                product(normal, tile.row, tile.rows, part.gate, tile.column / part.gate.panels.width,
                        scratch_.gate_tile);
                kernels_.store_swiglu(scratch_.gate_tile, tile.numbers, tile.pitch, tile.rows, tile.width,
                                      part.gate.bias.data() + tile.column, bias, hidden, room_.hidden_pitch);
        }
    });
    const auto hidden = rounded(room_.hidden, room_.hidden_pitch, part.up.panels.columns, room_.hidden_steps, tokens);
    multiply(hidden, tokens, part.down, 0, part.down.panels.count(),
             [&](const Tile &tile) { add(tile, is_first ? part.down.bias.data() : nullptr); });
}

void Pass::add(const Tile &tile, const float *bias) const {
    // The padding of the last strip is not a part of the stream.
    const auto width = std::min(tile.width, shape_.width - tile.column);
    kernels_.add(tile.numbers, tile.pitch, tile.rows, width, bias ? bias + tile.column : nullptr,
                 room_.x + tile.row * shape_.width + tile.column, shape_.width);
}

void Pass::product(const Rows &rows, int64_t row, int64_t count, const PackedLinear &linear, int64_t index,
                   float *tile) const {
    const auto *operands = rows.data + row * rows.pitch * linear.element_size;
    const auto width = linear.panels.width_of(index);
    if (kernels_.int8) {
        const auto column = linear.panels.first_column(index);
        kernels_.int8->product(operands, rows.pitch, count, rows.steps + row, linear.panel(index),
                               {linear.steps.data() + column, linear.sums.data() + column}, width, linear.depth, tile,
                               kernels_.panel_width);
    } else {
        kernels_.product(operands, rows.pitch, count, linear.panel(index), width, linear.depth, tile,
                         kernels_.panel_width);
    }
}

// A group of panels stays in the second cache while all rows pass by it; a block of rows stays there while the panels
// of the group do.
void Pass::multiply(const Rows &rows, Range tokens, const PackedLinear &linear, int64_t first_panel, int64_t last_panel,
                    c10::function_ref<void(const Tile &)> epilogue) const {
    const auto group = std::max<int64_t>(1, group_bytes / (linear.depth * linear.panels.width * linear.element_size));
    for (auto start = first_panel; start < last_panel; start += group) {
        const auto end = std::min(start + group, last_panel);
        for (auto row = tokens.from; row < tokens.to; row += kernels_.block_rows) {
            const auto count = std::min(kernels_.block_rows, tokens.to - row);
            for (auto index = start; index < end; ++index) {
                product(rows, row, count, linear, index, scratch_.tile);
                epilogue({scratch_.tile, kernels_.panel_width, row, count, linear.panels.first_column(index),
                          linear.panels.width_of(index)});
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
