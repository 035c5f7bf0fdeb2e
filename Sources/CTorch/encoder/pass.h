// One thread's share of a pass: some of an image's tokens through the parts of a block.
#pragma once

#include <c10/util/FunctionRef.h>

#include "room.h"

namespace ctorch::encoder {

/// The tokens from ..< to.
struct Range {
    int64_t from, to;

    int64_t count() const { return to - from; }
    bool is_empty() const { return to <= from; }
};

/// A tile of a product and where it belongs.
struct Tile {
    const float *numbers;
    int64_t pitch, row, rows, column, width;
};

/// Works on tokens of the image in `room`, with memory of its own for tiles and scores.
class Pass {
  public:
    Pass(const Kernels &kernels, const EncoderShape &shape, Room &room, int64_t part)
        : kernels_(kernels), shape_(shape), room_(room), scratch_(room.scratch[static_cast<size_t>(part)]) {}

    /// Queries, keys and values of a block from the residual stream; queries only of the first `wanted` tokens. The
    /// range starts at a multiple of 16.
    void project(const PackedBlock &block, int64_t index, Range tokens, int64_t wanted) const;

    /// Attention and the feed-forward layers, added to the residual stream. All tokens' keys and values are there.
    void finish(const PackedBlock &block, int64_t index, Range tokens) const;

  private:
    void normalize(Range tokens) const;
    void attend(int64_t index, Range tokens) const;
    void feed_forward(const FeedForwardPart &part, Range tokens, bool is_first) const;
    void multiply(const char *operands, int64_t pitch, Range rows, const PackedLinear &linear, int64_t first_panel,
                  int64_t last_panel, c10::function_ref<void(const Tile &)> epilogue) const;
    void add(const Tile &tile, const float *bias) const;
    const char *panel(const PackedLinear &linear, int64_t index) const {
        return linear.weights.data() + linear.panels.offset_of(index, linear.depth) * kernels_.element_size;
    }
    char *keys(int64_t index, int64_t head) const;
    char *values(int64_t index, int64_t head) const;

    const Kernels &kernels_;
    const EncoderShape &shape_;
    Room &room_;
    const Scratch &scratch_;
};

}  // namespace ctorch::encoder
