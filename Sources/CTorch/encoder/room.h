// The memory of one image's pass: one arena, laid out again when the number of tokens changes.
//
//   x         [tokens, width] float32            the residual stream
//   normal    [tokens, width + padding]          normalised rows: operands of qkv and of the feed-forward layers
//   queries   [heads, tokens, head width]
//   keys      2 · [heads] packed matrices of depth `head width` and `tokens` columns
//   values    2 · [heads] packed matrices of depth `tokens` and `head width` columns
//   attended  [tokens, heads · head width + padding]
//   hidden    [tokens, hidden part + padding]    one part of the feed-forward layers at a time
//   projected [tokens, 2 · heads · head width] float32, queries and keys that are normalised or turned before their
//             product; otherwise not there
//
// In 8 bits `normal` has that type, and rows of `attended` and `hidden` are rounded in place before they are
// multiplied: their 8-bit numbers take the first half or quarter of their memory.
//
//   normal_steps, attended_steps, hidden_steps   [tokens] low and step of every row
//
//   for every thread:
//   tile      [block rows, panel width] float32  a product before its epilogue, and a second one for SwiGLU's gate
//   scores    [query rows, tokens + padding] float32
//   weights   the same as operands; float32 ones are written over the scores
//   factors   [query rows] float32
//
// Keys and values are there twice, for even and odd blocks: a thread that is done with a block may write those of the
// next one while another thread still reads these, so that one barrier a block is enough.
//
// Everything is zero at first, and the padding of values stays so: what multiplies it is zero, but zero times an
// accidental infinity is not.
#pragma once

#include <algorithm>

#include "encoder.h"

namespace ctorch::encoder {

struct Scratch {
    float *tile, *gate_tile, *scores, *factors;
    char *weights;
};

struct Room {
    Room(const Kernels &kernels, const EncoderShape &shape, int64_t widest_hidden, int64_t tokens, int64_t parts,
         bool prepares_heads)
        : tokens(tokens), parts(parts) {
        const auto head_width = shape.heads.padded_width();
        key_columns = rounded_up(tokens, strip);
        value_depth = rounded_up(tokens, std::max<int64_t>(kernels.depth_step, 2));
        normal_pitch = shape.width + row_padding;
        attended_pitch = shape.heads.columns() + row_padding;
        hidden_pitch = widest_hidden + row_padding;
        score_pitch = key_columns + row_padding;
        query_rows = kernels.block_rows / 2;
        const auto rows = rounded_up(tokens, 16), size = kernels.element_size;

        int64_t used = 0;
        const auto take = [&](int64_t bytes) {
            const auto start = used;
            used += rounded_up(bytes, 128);
            return start;
        };
        const auto x_at = take(tokens * shape.width * 4);
        const auto normal_at = take(rows * normal_pitch * size);
        const auto queries_at = take(shape.heads.count * tokens * head_width * size + 4096);
        const auto keys_at = take(2 * shape.heads.count * head_width * key_columns * size);
        const auto values_at = take(2 * shape.heads.count * value_depth * head_width * size);
        const auto attended_at = take(rows * attended_pitch * size);
        const auto hidden_at = take(rows * hidden_pitch * size);
        projected_pitch = 2 * shape.heads.columns();
        const auto projected_at = take(prepares_heads ? rows * projected_pitch * 4 : 0);
        const auto steps_at = take(kernels.int8 ? 3 * tokens * static_cast<int64_t>(sizeof(RowSteps)) : 0);
        struct Places {
            int64_t tile, gate_tile, scores, weights, factors;
        };
        std::vector<Places> places;
        for (int64_t part = 0; part < parts; ++part)
            places.push_back(
                {take(kernels.block_rows * kernels.panel_width * 4), take(kernels.block_rows * kernels.panel_width * 4),
                 take(rounded_up(query_rows, 16) * score_pitch * 4),
                 size == 4 ? 0 : take(rounded_up(query_rows, 16) * score_pitch * size), take(query_rows * 4)});
        memory = Memory(used);
        const auto at = [&](int64_t start) { return memory.data() + start; };
        x = reinterpret_cast<float *>(at(x_at));
        normal = at(normal_at);
        queries = at(queries_at);
        keys = at(keys_at);
        values = at(values_at);
        attended = at(attended_at);
        hidden = at(hidden_at);
        if (prepares_heads) projected = reinterpret_cast<float *>(at(projected_at));
        normal_steps = reinterpret_cast<RowSteps *>(at(steps_at));
        attended_steps = normal_steps + tokens;
        hidden_steps = attended_steps + tokens;
        for (const auto &place : places) {
            auto *scores = reinterpret_cast<float *>(at(place.scores));
            scratch.push_back(
                {reinterpret_cast<float *>(at(place.tile)), reinterpret_cast<float *>(at(place.gate_tile)), scores,
                 reinterpret_cast<float *>(at(place.factors)), size == 4 ? at(place.scores) : at(place.weights)});
        }
    }

    int64_t tokens, parts;
    int64_t key_columns, value_depth, normal_pitch, attended_pitch, hidden_pitch, score_pitch, query_rows,
        projected_pitch;
    Memory memory;
    float *x;
    char *normal, *queries, *keys, *values, *attended, *hidden;
    float *projected = nullptr;
    RowSteps *normal_steps, *attended_steps, *hidden_steps;
    std::vector<Scratch> scratch;
};

}  // namespace ctorch::encoder
