// Normalisation by the batch of maps whose channels are innermost, with what follows it in a residual network: the sum
// with another map and the positive part. One function, so that each map is read and written as few times as possible:
//
//   forward:   x → sums                          x (+ residual) → out
//   backward:  gradient, out, x → sums           gradient, out, x → gradient of x (and of the residual)
//
// libtorch goes through the maps once more for each of the three steps, in both directions.
#include "batch_norm.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "own_gradient.h"
#include "parallel.h"
#include "vectors.h"

namespace ctorch {
namespace {

constexpr int64_t most_channels = 4096;

// MARK: loops over some pixels of [pixels, channels]

/// Adds x − shift and its square to `sums`, [2, channels].
template <typename T>
INLINED void add_moments(const T *x, const float *shift, int64_t pixels, int64_t channels, double *sums) {
#pragma clang fp contract(fast)
    for (int64_t c = 0; c < channels; c += lanes) {
        Floats first, total{}, squares{};
        load(shift + c, first);
        for (auto at = c; at < pixels * channels; at += channels) {
            Floats value;
            load(x + at, value);
            const auto difference = value - first;
            total += difference;
            squares += difference * difference;
        }
        for (int64_t lane = 0; lane < lanes; ++lane) {
            sums[c + lane] = static_cast<double>(total[lane]);
            sums[channels + c + lane] = static_cast<double>(squares[lane]);
        }
    }
}

/// out = x · scale + shift (+ residual), of which the positive part where asked for; what is not a number stays so.
template <typename T, bool has_residual, bool positive>
INLINED void normalize(const T *x, const float *scale, const float *shift, const T *residual, int64_t pixels,
                       int64_t channels, T *out) {
#pragma clang fp contract(fast)
    for (int64_t pixel = 0; pixel < pixels; ++pixel, x += channels, out += channels) {
        for (int64_t c = 0; c < channels; c += lanes) {
            Floats value, factor, added;
            load(x + c, value);
            load(scale + c, factor);
            load(shift + c, added);
            value = value * factor + added;
            if constexpr (has_residual) {
                load(residual + pixel * channels + c, added);
                value += added;
            }
            if constexpr (positive) value = value < 0.0f ? Floats{} : value;
            store(out + c, value);
        }
    }
}

/// Adds g and g · (x − mean) to `sums`, [2, channels]; with `out` g counts only where out > 0.
template <typename T, bool positive>
INLINED void add_gradients(const T *g, const T *out, const T *x, const float *mean, int64_t pixels, int64_t channels,
                           double *sums) {
#pragma clang fp contract(fast)
    for (int64_t c = 0; c < channels; c += lanes) {
        Floats middle, total{}, products{};
        load(mean + c, middle);
        for (auto at = c; at < pixels * channels; at += channels) {
            Floats gradient, value;
            load(g + at, gradient);
            load(x + at, value);
            if constexpr (positive) {
                Floats result;
                load(out + at, result);
                gradient = result > 0.0f ? gradient : Floats{};
            }
            total += gradient;
            products += gradient * (value - middle);
        }
        for (int64_t lane = 0; lane < lanes; ++lane) {
            sums[c + lane] = static_cast<double>(total[lane]);
            sums[channels + c + lane] = static_cast<double>(products[lane]);
        }
    }
}

/// to = g · of_g + x · of_x + constant; `masked` gets g itself, unless it is null.
template <typename T, bool positive>
INLINED void gradient_of_x(const T *g, const T *out, const T *x, const float *of_g, const float *of_x,
                           const float *constant, int64_t pixels, int64_t channels, T *to, T *masked) {
#pragma clang fp contract(fast)
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
        for (int64_t c = 0; c < channels; c += lanes) {
            const auto at = pixel * channels + c;
            Floats gradient, value, factor, other, added;
            load(g + at, gradient);
            load(x + at, value);
            if constexpr (positive) {
                Floats result;
                load(out + at, result);
                gradient = result > 0.0f ? gradient : Floats{};
            }
            load(of_g + c, factor);
            load(of_x + c, other);
            load(constant + c, added);
            store(to + at, gradient * factor + value * other + added);
            if (masked) store(masked + at, gradient);
        }
    }
}

#define LOOPS(NAME, T) \
    PER_PROCESSOR void moments_##NAME(const T *x, const float *shift, int64_t pixels, int64_t channels, \
                                      double *sums) { \
        add_moments(x, shift, pixels, channels, sums); \
    } \
    PER_PROCESSOR void normalize_##NAME(const T *x, const float *scale, const float *shift, const T *residual, \
                                        bool positive, int64_t pixels, int64_t channels, T *out) { \
        if (residual && positive) return normalize<T, true, true>(x, scale, shift, residual, pixels, channels, out); \
        if (residual) return normalize<T, true, false>(x, scale, shift, residual, pixels, channels, out); \
        if (positive) return normalize<T, false, true>(x, scale, shift, residual, pixels, channels, out); \
        normalize<T, false, false>(x, scale, shift, residual, pixels, channels, out); \
    } \
    PER_PROCESSOR void gradients_##NAME(const T *g, const T *out, const T *x, const float *mean, int64_t pixels, \
                                        int64_t channels, double *sums) { \
        if (out) return add_gradients<T, true>(g, out, x, mean, pixels, channels, sums); \
        add_gradients<T, false>(g, out, x, mean, pixels, channels, sums); \
    } \
    PER_PROCESSOR void gradient_##NAME(const T *g, const T *out, const T *x, const float *of_g, const float *of_x, \
                                       const float *constant, int64_t pixels, int64_t channels, T *to, T *masked) { \
        if (out) return gradient_of_x<T, true>(g, out, x, of_g, of_x, constant, pixels, channels, to, masked); \
        gradient_of_x<T, false>(g, out, x, of_g, of_x, constant, pixels, channels, to, masked); \
    }
LOOPS(float, float)
LOOPS(bf16, BFloat16Bits)
#undef LOOPS

// MARK: their schedule

/// The memory of maps from a pixel on; null for none.
template <typename T>
T *pixel_of(const at::Tensor &maps, int64_t pixel) {
    return maps.defined() ? static_cast<T *>(maps.data_ptr()) + pixel * maps.size(1) : nullptr;
}

struct Pixels {
    explicit Pixels(const at::Tensor &maps)
        : channels(maps.size(1)),
          count(maps.numel() / maps.size(1)),
          // A block fits the first cache. Their number depends on nothing but the maps, so sums do not depend on
          // threads.
          a_block(std::max<int64_t>(64, 16384 / maps.size(1))) {}

    int64_t blocks() const { return (count + a_block - 1) / a_block; }

    /// Calls `body(block, first pixel, pixels)` on libtorch's threads.
    template <typename Body>
    void each(const Body &body) const {
        parallel_for(blocks(), 4, [&](int64_t from, int64_t to) {
            for (auto block = from; block < to; ++block)
                body(block, block * a_block, std::min(a_block, count - block * a_block));
        });
    }

    /// The sums of `body(first pixel, pixels, sums of a block)`, [2, channels], added up in the order of the blocks.
    template <typename Body>
    std::vector<double> sums(const Body &body) const {
        const auto size = static_cast<size_t>(2 * channels);
        std::vector<double> of_blocks(static_cast<size_t>(blocks()) * size), total(size);
        each([&](int64_t block, int64_t first, int64_t pixels) {
            body(first, pixels, of_blocks.data() + static_cast<size_t>(block) * size);
        });
        for (size_t i = 0; i < of_blocks.size(); ++i) total[i % size] += of_blocks[i];
        return total;
    }

    int64_t channels, count, a_block;
};

at::Tensor vector_of(const at::Tensor &like, const std::vector<float> &numbers) {
    auto out = at::empty({static_cast<int64_t>(numbers.size())}, like.options().dtype(at::kFloat));
    std::copy(numbers.begin(), numbers.end(), out.mutable_data_ptr<float>());
    return out;
}

bool is_float(const at::Tensor &maps) { return maps.scalar_type() == at::kFloat; }

struct Moments {
    std::vector<double> mean, variance;
};

Moments moments(const at::Tensor &x) {
    const Pixels pixels(x);
    // The first pixel is a number of the maps' size: differences from it lose nothing where their mean is large.
    std::vector<float> shift(static_cast<size_t>(pixels.channels));
    const auto first = x.select(0, 0).select(1, 0).select(1, 0).to(at::kFloat).contiguous();
    std::copy_n(first.const_data_ptr<float>(), shift.size(), shift.begin());
    const auto sums = pixels.sums([&](int64_t from, int64_t count, double *to) {
        if (is_float(x)) return moments_float(pixel_of<float>(x, from), shift.data(), count, pixels.channels, to);
        moments_bf16(pixel_of<BFloat16Bits>(x, from), shift.data(), count, pixels.channels, to);
    });
    Moments result;
    const auto count = static_cast<double>(pixels.count);
    for (size_t c = 0; c < shift.size(); ++c) {
        const auto difference = sums[c] / count, square = sums[shift.size() + c] / count;
        const auto variance = square - difference * difference;
        result.mean.push_back(static_cast<double>(shift[c]) + difference);
        result.variance.push_back(variance < 0 ? 0 : variance);
    }
    return result;
}

constexpr int64_t has_residual = 1, is_positive = 2;

std::vector<at::Tensor> backward(const Incoming &incoming, const Kept &kept) {
    const auto &saved = kept.tensors;
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &rstd = saved[3];
    const auto out = kept.number & is_positive ? saved[4] : at::Tensor();
    const auto g = incoming.gradient.to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const Pixels pixels(x);
    const auto channels = pixels.channels;
    const auto *means = mean.const_data_ptr<float>();
    const auto sums = pixels.sums([&](int64_t from, int64_t count, double *to) {
        if (is_float(x))
            return gradients_float(pixel_of<float>(g, from), pixel_of<float>(out, from), pixel_of<float>(x, from),
                                   means, count, channels, to);
        gradients_bf16(pixel_of<BFloat16Bits>(g, from), pixel_of<BFloat16Bits>(out, from),
                       pixel_of<BFloat16Bits>(x, from), means, count, channels, to);
    });

    // With n = (x − mean) · rstd: gradient of x = weight · rstd · (g − mean(g) − n · mean(g · n)).
    std::vector<float> of_g, of_x, constant, of_weight, of_bias;
    for (int64_t c = 0; c < channels; ++c) {
        const auto total = sums[static_cast<size_t>(c)], product = sums[static_cast<size_t>(channels + c)];
        const auto count = static_cast<double>(pixels.count);
        const auto deviation = static_cast<double>(rstd.const_data_ptr<float>()[c]);
        const auto scale = static_cast<double>(weight.const_data_ptr<float>()[c]) * deviation;
        const auto factor = -scale * deviation * deviation * product / count;
        of_g.push_back(static_cast<float>(scale));
        of_x.push_back(static_cast<float>(factor));
        constant.push_back(static_cast<float>(-factor * static_cast<double>(means[c]) - scale * total / count));
        of_weight.push_back(static_cast<float>(product * deviation));
        of_bias.push_back(static_cast<float>(total));
    }
    const auto gradient = at::empty_like(x);
    const bool adds = kept.number & has_residual;
    // Without a positive part the residual's gradient is the incoming one.
    const auto masked = adds && out.defined() ? at::empty_like(x) : at::Tensor();
    pixels.each([&](int64_t, int64_t from, int64_t count) {
        if (is_float(x))
            return gradient_float(pixel_of<float>(g, from), pixel_of<float>(out, from), pixel_of<float>(x, from),
                                  of_g.data(), of_x.data(), constant.data(), count, channels,
                                  pixel_of<float>(gradient, from), pixel_of<float>(masked, from));
        gradient_bf16(pixel_of<BFloat16Bits>(g, from), pixel_of<BFloat16Bits>(out, from),
                      pixel_of<BFloat16Bits>(x, from), of_g.data(), of_x.data(), constant.data(), count, channels,
                      pixel_of<BFloat16Bits>(gradient, from), pixel_of<BFloat16Bits>(masked, from));
    });
    std::vector<at::Tensor> gradients = {gradient, vector_of(weight, of_weight), vector_of(weight, of_bias)};
    if (adds) gradients.push_back(masked.defined() ? masked : g);
    return gradients;
}

bool is_vector(const at::Tensor &tensor, int64_t channels) {
    return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
           tensor.dim() == 1 && tensor.numel() == channels;
}

}  // namespace

bool has_batch_norm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                    const std::optional<at::Tensor> &residual) {
    const auto is_map = [&](const at::Tensor &maps) {
        return maps.device().is_cpu() && maps.dim() == 4 && maps.is_contiguous(at::MemoryFormat::ChannelsLast) &&
               maps.scalar_type() == x.scalar_type() && maps.sizes() == x.sizes();
    };
    if (!is_map(x) || (residual && !is_map(*residual))) return false;
    const auto channels = x.size(1);
    return (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && channels > 0 &&
           channels % lanes == 0 && channels <= most_channels && x.numel() >= 2 * channels &&
           is_vector(weight, channels) && is_vector(bias, channels);
}

NormalizedMaps batch_norm_vectors(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                                  const std::optional<at::Tensor> &residual, bool positive, double eps) {
    NormalizedMaps result;
    const auto forward = [&](Kept &kept) {
        const auto [mean, variance] = moments(x);
        std::vector<float> scale, shift, means, rstds, variances;
        for (size_t c = 0; c < mean.size(); ++c) {
            const auto rstd = 1 / std::sqrt(variance[c] + eps);
            const auto factor = rstd * static_cast<double>(weight.const_data_ptr<float>()[c]);
            scale.push_back(static_cast<float>(factor));
            shift.push_back(
                static_cast<float>(static_cast<double>(bias.const_data_ptr<float>()[c]) - mean[c] * factor));
            means.push_back(static_cast<float>(mean[c]));
            rstds.push_back(static_cast<float>(rstd));
            variances.push_back(static_cast<float>(variance[c]));
        }
        const auto out = at::empty_like(x);
        const auto added = residual.value_or(at::Tensor());
        const Pixels pixels(x);
        pixels.each([&](int64_t, int64_t from, int64_t count) {
            if (is_float(x))
                return normalize_float(pixel_of<float>(x, from), scale.data(), shift.data(),
                                       pixel_of<float>(added, from), positive, count, pixels.channels,
                                       pixel_of<float>(out, from));
            normalize_bf16(pixel_of<BFloat16Bits>(x, from), scale.data(), shift.data(),
                           pixel_of<BFloat16Bits>(added, from), positive, count, pixels.channels,
                           pixel_of<BFloat16Bits>(out, from));
        });
        result.mean = vector_of(weight, means);
        result.variance = vector_of(weight, variances);
        kept.tensors = {x, weight, result.mean, vector_of(weight, rstds)};
        if (positive) kept.tensors.push_back(out);
        kept.number = (residual ? has_residual : 0) | (positive ? is_positive : 0);
        return out;
    };
    std::vector<at::Tensor> inputs = {x, weight, bias};
    if (residual) inputs.push_back(*residual);
    result.out = with_gradient(inputs, forward, backward);
    return result;
}

}  // namespace ctorch
