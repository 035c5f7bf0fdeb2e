// Packing of a network, and the schedule: which thread does what when.
//
// - As many images as threads or more: an image is one thread's from the first block to the last. No thread waits for
//   another, and an image's activations stay in a core's second cache.
// - Fewer: an image's tokens are shared among the threads. Attention needs the keys and values of all of them, so there
//   is one barrier a block (the end of a parallel region of libtorch's, whose threads these are):
//
//     thread 0   project 0 │ finish 0, project 1 │ finish 1, project 2 │ …   tokens 0 ..< n/2
//     thread 1   project 0 │ finish 0, project 1 │ finish 1, project 2 │ …   the others
//
//   It pays for networks of some size on a machine that is idle. Two single runs a way and one now and then decide.
#include "encoder.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "../parallel.h"
#include "pass.h"

namespace ctorch::encoder {

namespace {

// About so many hidden units a part of the feed-forward layers; their activations take 1 KiB a token in bfloat16.
constexpr int64_t hidden_units = 768;

const float *data_of(const at::Tensor &tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }

const float *offset(const float *start, int64_t count) { return start ? start + count : nullptr; }

std::vector<float> numbers_of(const at::Tensor &tensor, double factor = 1) {
    if (!tensor.defined()) return {};
    const auto *data = tensor.const_data_ptr<float>();
    std::vector<float> numbers(data, data + tensor.numel());
    for (auto &number : numbers) number = static_cast<float>(number * factor);
    return numbers;
}

// Scores of powers of two, over the square root of a head's width.
double score_scale(const Heads &heads) { return 1.4426950408889634 / std::sqrt(static_cast<double>(heads.width)); }

// The columns of a packed projection: queries of all heads, keys, values. The scale of the scores is the queries',
// unless these are normalised, which would undo it.
PackedLinear pack_qkv(const Kernels &kernels, const EncoderShape &shape, const BlockTensors &block) {
    const auto &heads = shape.heads;
    std::vector<PackedPart> parts;
    for (int64_t which = 0; which < 3; ++which)
        for (int64_t head = 0; head < heads.count; ++head) {
            const auto row = (which * heads.count + head) * heads.width;
            LinearSource source{data_of(block.qkv_weight) + row * shape.width, shape.width, heads.width, shape.width};
            source.bias = offset(data_of(block.qkv_bias), row);
            source.norm_weight = data_of(block.norm1_weight);
            source.norm_bias = data_of(block.norm1_bias);
            source.steps = offset(data_of(block.qkv_steps), row);
            if (which == 0 && !shape.normalizes_heads) source.scale = score_scale(heads);
            parts.push_back({source, which * heads.columns() + head * heads.padded_width(), 0});
        }
    return pack(weight_format(kernels), shape.width, 3 * heads.columns(), parts);
}

// The depths are those of attended tokens: every head padded.
PackedLinear pack_proj(const Kernels &kernels, const EncoderShape &shape, const BlockTensors &block) {
    const auto &heads = shape.heads;
    std::vector<PackedPart> parts;
    for (int64_t head = 0; head < heads.count; ++head) {
        LinearSource source{data_of(block.proj_weight) + head * heads.width, heads.count * heads.width, shape.width,
                            heads.width};
        source.bias = data_of(block.proj_bias);
        source.gain = data_of(block.scale1);
        source.steps = data_of(block.proj_steps);
        parts.push_back({source, 0, head * heads.padded_width()});
    }
    return pack(weight_format(kernels), heads.columns(), shape.width, parts);
}

FeedForwardPart pack_feed_forward(const Kernels &kernels, const EncoderShape &shape, const BlockTensors &block,
                                  int64_t first, int64_t count) {
    const auto hidden = block.fc2_weight.size(1);
    const auto widening = [&](int64_t row) {
        LinearSource source{data_of(block.fc1_weight) + row * shape.width, shape.width, count, shape.width};
        source.bias = offset(data_of(block.fc1_bias), row);
        source.norm_weight = data_of(block.norm2_weight);
        source.norm_bias = data_of(block.norm2_bias);
        source.steps = offset(data_of(block.fc1_steps), row);
        return pack(weight_format(kernels), shape.width, count, {{source, 0, 0}});
    };
    LinearSource source{data_of(block.fc2_weight) + first, hidden, shape.width, count};
    source.bias = data_of(block.fc2_bias);
    source.gain = data_of(block.scale2);
    source.steps = data_of(block.fc2_steps);
    FeedForwardPart part;
    if (shape.is_gated()) part.gate = widening(first);
    part.up = widening(first + (shape.is_gated() ? hidden : 0));
    part.down = pack(weight_format(kernels), rounded_up(count, strip), shape.width, {{source, 0, 0}});
    return part;
}

/// Ends a thread's work with the kernels.
class Released {
  public:
    explicit Released(const Kernels &kernels) : kernels_(kernels) {}
    Released(const Released &) = delete;
    ~Released() {
        if (kernels_.release) kernels_.release();
    }

  private:
    const Kernels &kernels_;
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Encoder::Encoder(const Kernels &kernels, const EncoderShape &shape) : kernels_(kernels), shape_(shape) {}

Encoder::~Encoder() = default;

void Encoder::add_block(const BlockTensors &block) {
    PackedBlock packed;
    packed.qkv = pack_qkv(kernels_, shape_, block);
    packed.proj = pack_proj(kernels_, shape_, block);
    if (kernels_.int8) {
        packed.norm1_weight = numbers_of(block.norm1_weight);
        packed.norm2_weight = numbers_of(block.norm2_weight);
    }
    if (shape_.normalizes_heads) {
        packed.q_norm_weight = numbers_of(block.q_norm_weight, score_scale(shape_.heads));
        packed.q_norm_bias = numbers_of(block.q_norm_bias, score_scale(shape_.heads));
        packed.k_norm_weight = numbers_of(block.k_norm_weight);
        packed.k_norm_bias = numbers_of(block.k_norm_bias);
    }
    const auto hidden = block.fc2_weight.size(1), parts = (hidden + hidden_units - 1) / hidden_units,
               count = rounded_up((hidden + parts - 1) / parts, kernels_.panel_width);
    for (int64_t first = 0; first < hidden; first += count)
        packed.feed_forward.push_back(
            pack_feed_forward(kernels_, shape_, block, first, std::min(count, hidden - first)));
    widest_hidden_ = std::max(widest_hidden_, count);
    blocks_.push_back(std::move(packed));
}

void Encoder::set_norm(const at::Tensor &weight, const at::Tensor &bias) {
    norm_weight_ = numbers_of(weight);
    norm_bias_ = numbers_of(bias);
}

at::Tensor Encoder::run(const at::Tensor &tokens, int64_t wanted, int64_t last_blocks, const Rotary &rotary) const {
    const auto images = tokens.size(0), count = tokens.size(1);
    auto out = at::empty({last_blocks, images, wanted, shape_.width}, tokens.options());
    const auto *from = tokens.const_data_ptr<float>();
    auto *to = out.mutable_data_ptr<float>();
    const auto image_at = [&](int64_t index) {
        return Image{from + index * count * shape_.width,
                     to + index * wanted * shape_.width,
                     images * wanted * shape_.width,
                     wanted,
                     last_blocks,
                     rotary};
    };
    const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    if (images >= threads) {
        parallel_for(images, 1, [&](int64_t first, int64_t last) {
            auto room = take_room(count, 1, rotary.cosines);
            const Released released(kernels_);
            for (auto index = first; index < last; ++index) run_image(*room, image_at(index));
            give_back(std::move(room));
        });
        return out;
    }
    for (int64_t index = 0; index < images; ++index) {
        bool is_split;
        {
            const std::lock_guard lock(mutex_);
            const auto run = single_runs_++;
            const bool split_is_faster = split_seconds_ <= whole_seconds_;
            is_split = run < 4 ? run % 2 == 0 : split_is_faster != (run % 64 == 0);
        }
        const auto start = seconds();
        auto room = take_room(count, is_split ? threads : 1, rotary.cosines);
        if (is_split) {
            run_image_split(*room, image_at(index));
        } else {
            const Released released(kernels_);
            run_image(*room, image_at(index));
        }
        give_back(std::move(room));
        const auto time = seconds() - start;
        const std::lock_guard lock(mutex_);
        auto &best = is_split ? split_seconds_ : whole_seconds_;
        // Slowly forgotten, as the machine's load changes.
        best = best == 0 ? time : std::min(best * 1.02, time);
    }
    return out;
}

int64_t Encoder::left_after(int64_t index, const Room &room, const Image &image) const {
    return index + 1 < static_cast<int64_t>(blocks_.size()) ? room.tokens : image.wanted;
}

void Encoder::write_out(int64_t index, const Room &room, const Image &image) const {
    const auto slot = index - static_cast<int64_t>(blocks_.size()) + image.last_blocks;
    if (slot < 0) return;
    auto *out = image.out + slot * image.stride;
    if (norm_weight_.empty()) {
        std::memcpy(out, room.x, static_cast<size_t>(image.wanted * shape_.width) * sizeof(float));
        return;
    }
    kernels_.normalize_affine(room.x, image.wanted, shape_.width, shape_.eps, norm_weight_.data(), norm_bias_.data(),
                              out, shape_.width);
}

void Encoder::run_image(Room &room, const Image &image) const {
    std::memcpy(room.x, image.tokens, static_cast<size_t>(room.tokens * shape_.width) * sizeof(float));
    const Pass pass(kernels_, shape_, image.rotary, room, 0);
    for (int64_t index = 0; const auto &block : blocks_) {
        const auto left = left_after(index, room, image);
        pass.project(block, index, {0, room.tokens}, left);
        pass.finish(block, index, {0, left});
        write_out(index, room, image);
        ++index;
    }
}

void Encoder::run_image_split(Room &room, const Image &image) const {
    // Keys are stored in blocks of 16.
    const auto boundary = [&](int64_t part) {
        return part == room.parts ? room.tokens : room.tokens * part / room.parts / 16 * 16;
    };
    const auto in_parts = [&](c10::function_ref<void(const Pass &, Range)> body) {
        parallel_for(room.parts, 1, [&](int64_t first, int64_t last) {
            const Released released(kernels_);
            for (auto part = first; part < last; ++part)
                body(Pass(kernels_, shape_, image.rotary, room, part), {boundary(part), boundary(part + 1)});
        });
    };
    const auto project = [&](const Pass &pass, int64_t index, Range range) {
        pass.project(blocks_[static_cast<size_t>(index)], index, range, left_after(index, room, image));
    };
    in_parts([&](const Pass &pass, Range range) {
        std::memcpy(room.x + range.from * shape_.width, image.tokens + range.from * shape_.width,
                    static_cast<size_t>(range.count() * shape_.width) * sizeof(float));
        project(pass, 0, range);
    });
    const auto count = static_cast<int64_t>(blocks_.size());
    for (int64_t index = 0; index < count; ++index) {
        in_parts([&](const Pass &pass, Range range) {
            const Range left{range.from, std::min(range.to, left_after(index, room, image))};
            if (!left.is_empty()) pass.finish(blocks_[static_cast<size_t>(index)], index, left);
            if (index + 1 < count) project(pass, index + 1, range);
        });
        write_out(index, room, image);
    }
}

std::unique_ptr<Room> Encoder::take_room(int64_t tokens, int64_t parts, bool is_rotary) const {
    const bool prepares_heads = shape_.normalizes_heads || is_rotary;
    {
        const std::lock_guard lock(mutex_);
        while (!rooms_.empty()) {
            auto room = std::move(rooms_.back());
            rooms_.pop_back();
            if (room->tokens == tokens && room->parts >= parts && (room->projected || !prepares_heads)) {
                room->parts = parts;
                return room;
            }
        }
    }
    return std::make_unique<Room>(kernels_, shape_, widest_hidden_, tokens, parts, prepares_heads);
}

void Encoder::give_back(std::unique_ptr<Room> room) const {
    const std::lock_guard lock(mutex_);
    room->parts = static_cast<int64_t>(room->scratch.size());
    rooms_.push_back(std::move(room));
}

}  // namespace ctorch::encoder
