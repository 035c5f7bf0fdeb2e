// A vision transformer's blocks and last normalisation as one function, for inference on the CPU.
//
//   tokens [images, tokens, width]
//      │      for every block:
//      ├──► normalise ──► queries, keys, values ──► attention ──► project ──► + ──┐
//      └──────────────────────────────────────────────────────────────────────────┤
//      ├──► normalise ──► widen, GELU or SwiGLU ──► narrow ──────────────────► + ──┐
//      └──────────────────────────────────────────────────────────────────────────┤
//      └──► normalise with weight and bias ──► out [images, wanted, width]
//
// The residual stream stays in float32; operands of products have the type of the kernels, or 8 bits those of linear
// layers.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <mutex>
#include <vector>

#include "kernels.h"
#include "packing.h"

namespace ctorch::encoder {

/// The tensors of a block, all float32 and contiguous; biases, layer scales and the norms of queries and keys may be
/// undefined. Steps are those of the weights' outputs, in 8 bits.
struct BlockTensors {
    at::Tensor norm1_weight, norm1_bias, qkv_weight, qkv_bias, proj_weight, proj_bias, scale1;
    at::Tensor norm2_weight, norm2_bias, fc1_weight, fc1_bias, fc2_weight, fc2_bias, scale2;
    at::Tensor q_norm_weight, q_norm_bias, k_norm_weight, k_norm_bias;
    at::Tensor qkv_steps, proj_steps, fc1_steps, fc2_steps;
};

/// What is between the feed-forward layers. With SwiGLU the first half of fc1's outputs gates the second.
enum class Activation { gelu, gelu_tanh, quick_gelu, swiglu };

struct EncoderShape {
    int64_t width;
    Heads heads;
    float eps;
    Activation activation;
    /// Whether every head's queries and keys are normalised.
    bool normalizes_heads;

    bool is_gated() const { return activation == Activation::swiglu; }
};

/// Rotary positions of the tokens from `first` on: half a head's cosines and sines for each of them; null for none.
struct Rotary {
    const float *cosines = nullptr, *sines = nullptr;
    int64_t first = 0;
};

/// A part of the feed-forward layers: some hidden units, with the rows of fc1 and the columns of fc2 that belong to
/// them. Its hidden activations fit the second cache, and the part adds its share to the residual stream by itself.
struct FeedForwardPart {
    PackedLinear gate, up, down;
};

struct PackedBlock {
    PackedLinear qkv, proj;
    /// The norms' weights, in 8 bits; see LinearSource.
    std::vector<float> norm1_weight, norm2_weight;
    /// The norms of a head's queries, scaled as the queries of other networks are, and of its keys.
    std::vector<float> q_norm_weight, q_norm_bias, k_norm_weight, k_norm_bias;
    std::vector<FeedForwardPart> feed_forward;
};

struct Room;

/// The packed network. Threads may run it at the same time, once it has all its blocks.
class Encoder {
  public:
    /// An encoder without blocks and without a last normalisation.
    Encoder(const Kernels &kernels, const EncoderShape &shape);
    ~Encoder();

    const EncoderShape &shape() const { return shape_; }
    const Kernels &kernels() const { return kernels_; }
    int64_t block_count() const { return static_cast<int64_t>(blocks_.size()); }

    void add_block(const BlockTensors &block);
    void set_norm(const at::Tensor &weight, const at::Tensor &bias);

    /// The first `wanted` tokens of every image after each of the last blocks and the last normalisation, if there is
    /// one: `[last_blocks, images, wanted, width]`.
    ///
    /// A token's result does not depend on the number of threads, on the other images, or on what is wanted.
    at::Tensor run(const at::Tensor &tokens, int64_t wanted, int64_t last_blocks, const Rotary &rotary) const;

  private:
    /// What a pass reads and writes.
    struct Image {
        const float *tokens;
        /// The first result; those of later blocks are `stride` further on.
        float *out;
        int64_t stride, wanted, last_blocks;
        Rotary rotary;
    };
    /// How many tokens at the beginning matter after a block.
    int64_t left_after(int64_t index, const Room &room, const Image &image) const;
    void write_out(int64_t index, const Room &room, const Image &image) const;
    void run_image(Room &room, const Image &image) const;
    void run_image_split(Room &room, const Image &image) const;
    std::unique_ptr<Room> take_room(int64_t tokens, int64_t parts, bool is_rotary) const;
    void give_back(std::unique_ptr<Room> room) const;

    const Kernels &kernels_;
    const EncoderShape shape_;
    std::vector<PackedBlock> blocks_;
    /// Empty where there is no last normalisation.
    std::vector<float> norm_weight_, norm_bias_;
    int64_t widest_hidden_ = 0;

    /// Memory of earlier passes, for the next ones of as many tokens.
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<Room>> rooms_;

    /// The best times of a single image on all threads and on one; see run().
    mutable double split_seconds_ = 0, whole_seconds_ = 0;
    mutable int64_t single_runs_ = 0;
};

}  // namespace ctorch::encoder
