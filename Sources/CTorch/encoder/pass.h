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

/// Operands of a linear layer, row after row; steps only in 8 bits.
struct Rows {
    const char *data;
    int64_t pitch;
    const RowSteps *steps;
};

/// Works on tokens of the image in `room`, with memory of its own for tiles and scores.
class Pass {
  public:
    Pass(const Kernels &kernels, const EncoderShape &shape, const Rotary &rotary, Room &room, int64_t part)
        : kernels_(kernels),
          shape_(shape),
          rotary_(rotary),
          room_(room),
          scratch_(room.scratch[static_cast<size_t>(part)]) {}

    /// Queries, keys and values of a block from the residual stream; queries only of the first `wanted` tokens. The
    /// range starts at a multiple of 16.
    void project(const PackedBlock &block, int64_t index, Range tokens, int64_t wanted) const;

    /// Attention and the feed-forward layers, added to the residual stream. All tokens' keys and values are there.
    void finish(const PackedBlock &block, int64_t index, Range tokens) const;

  private:
    /// The tokens normalised, as operands; `weight` is the norm's, in 8 bits.
    Rows normalize(const std::vector<float> &weight, Range tokens) const;
    /// Operands as those of a linear layer: in 8 bits their rows are rounded, in place.
    Rows rounded(char *operands, int64_t pitch, int64_t width, RowSteps *steps, Range tokens) const;
    void store_queries(const float *numbers, int64_t pitch, int64_t rows, const float *bias, int64_t head, int64_t row,
                       int64_t within) const;
    /// Normalises and turns some tokens' queries or keys, which lie as float32; then calls store(row, rows, column of
    /// the head) for their strips.
    void prepare_head(int64_t head, const std::vector<float> &weight, const std::vector<float> &bias, Range tokens,
                      c10::function_ref<void(int64_t, int64_t, int64_t)> store) const;
    void attend(int64_t index, Range tokens) const;
    void feed_forward(const FeedForwardPart &part, const Rows &normal, Range tokens, bool is_first) const;
    void product(const Rows &rows, int64_t row, int64_t count, const PackedLinear &linear, int64_t index,
                 float *tile) const;
    void multiply(const Rows &rows, Range tokens, const PackedLinear &linear, int64_t first_panel, int64_t last_panel,
                  c10::function_ref<void(const Tile &)> epilogue) const;
    void add(const Tile &tile, const float *bias) const;
    char *keys(int64_t index, int64_t head) const;
    char *values(int64_t index, int64_t head) const;

    const Kernels &kernels_;
    const EncoderShape &shape_;
    const Rotary &rotary_;
    Room &room_;
    const Scratch &scratch_;
};

}  // namespace ctorch::encoder
