#include "check.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "../encoder/block_tensors.h"
#include "block.h"

namespace ctorch::block {
namespace {

using encoder::block_members;
using Numbers = std::vector<double>;

class Random {
  public:
    explicit Random(uint64_t seed) : engine_(seed) {}

    int64_t integer(int64_t low, int64_t high) {
        return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
    }
    at::Tensor tensor(at::IntArrayRef sizes, float scale, float shift = 0) {
        auto tensor = at::empty(sizes, at::kFloat);
        auto *numbers = tensor.mutable_data_ptr<float>();
        for (int64_t i = 0; i < tensor.numel(); ++i)
            numbers[i] = shift + scale * (static_cast<float>(engine_() >> 40) / static_cast<float>(1 << 23) - 1);
        return tensor;
    }

  private:
    std::mt19937_64 engine_;
};

Numbers numbers_of(const at::Tensor &tensor) {
    if (!tensor.defined()) return {};
    const auto *data = tensor.const_data_ptr<float>();
    return {data, data + tensor.numel()};
}

double &at(Numbers &numbers, int64_t index) { return numbers[static_cast<size_t>(index)]; }

double at(const Numbers &numbers, int64_t index) { return numbers[static_cast<size_t>(index)]; }

Numbers zeros(int64_t count) { return Numbers(static_cast<size_t>(count)); }

/// The block of one image, layer by layer, keeping everything.
class Reference {
  public:
    Reference(const Shape &shape, const BlockTensors &tensors) : shape_(shape) {
        for (size_t i = 0; i < block_members.size(); ++i) {
            weights_[i] = numbers_of(tensors.*block_members[i]);
            gradients[i] = zeros(static_cast<int64_t>(weights_[i].size()));
        }
    }

    /// In the order of block_members.
    Numbers gradients[block_members.size()];

    /// The output; `x` becomes the gradient of the input, where `gradient` is that of the output.
    Numbers run(Numbers &x, const Numbers &gradient, double attention_factor, double feed_forward_factor) {
        const auto tokens = shape_.tokens, width = shape_.width, hidden = shape_.hidden;
        Normalized first, second;
        const auto normal1 = normalized(x, norm1, first);
        const auto qkv = linear(normal1, qkv_weight, 3 * width);
        Numbers weights;
        const auto attended = attention(qkv, weights);
        const auto projected = linear(attended, proj_weight, width);
        auto middle = x;
        add(middle, projected, scale1, attention_factor);
        const auto normal2 = normalized(middle, norm2, second);
        const auto before = linear(normal2, fc1_weight, hidden);
        auto active = before;
        for (auto &number : active) number *= share(number);
        const auto narrowed = linear(active, fc2_weight, width);
        auto out = middle;
        add(out, narrowed, scale2, feed_forward_factor);

        auto of_middle = gradient;
        auto of_active =
            linear_gradient(active, fc2_weight, add_gradient(gradient, narrowed, scale2, feed_forward_factor));
        for (size_t i = 0; i < of_active.size(); ++i) {
            const auto v = before[i];
            of_active[i] *= share(v) + v * std::exp(-v * v / 2) / std::sqrt(2 * std::acos(-1.0));
        }
        normalized_gradient(second, norm2, linear_gradient(normal2, fc1_weight, of_active), of_middle);
        x = of_middle;
        const auto of_attended =
            linear_gradient(attended, proj_weight, add_gradient(of_middle, projected, scale1, attention_factor));
        normalized_gradient(first, norm1,
                            linear_gradient(normal1, qkv_weight, attention_gradient(qkv, weights, of_attended)), x);
        (void)tokens;
        return out;
    }

  private:
    enum Index {
        norm1,
        qkv_weight = 2,
        proj_weight = 4,
        scale1 = 6,
        norm2,
        fc1_weight = 9,
        fc2_weight = 11,
        scale2 = 13
    };
    struct Normalized {
        Numbers rows, factors;
    };

    static double share(double x) { return std::erfc(-x * std::sqrt(0.5)) / 2; }

    /// A normalisation's weight is `index`, its bias the next one; so with linear layers.
    Numbers normalized(const Numbers &x, int index, Normalized &kept) const {
        const auto width = shape_.width;
        auto out = x;
        kept = {x, zeros(shape_.tokens)};
        for (int64_t row = 0; row < shape_.tokens; ++row) {
            double mean = 0, variance = 0;
            for (int64_t i = 0; i < width; ++i) mean += at(x, row * width + i) / static_cast<double>(width);
            for (int64_t i = 0; i < width; ++i)
                variance += std::pow(at(x, row * width + i) - mean, 2) / static_cast<double>(width);
            at(kept.factors, row) = 1 / std::sqrt(variance + static_cast<double>(shape_.eps));
            for (int64_t i = 0; i < width; ++i) {
                auto &normal = at(kept.rows, row * width + i);
                normal = (normal - mean) * at(kept.factors, row);
                at(out, row * width + i) = normal * at(weights_[index], i) + at(weights_[index + 1], i);
            }
        }
        return out;
    }

    void normalized_gradient(const Normalized &kept, int index, const Numbers &gradient, Numbers &to) {
        const auto width = shape_.width;
        for (int64_t row = 0; row < shape_.tokens; ++row) {
            double mean = 0, product = 0;
            for (int64_t i = 0; i < width; ++i) {
                const auto g = at(gradient, row * width + i), normal = at(kept.rows, row * width + i);
                at(gradients[index], i) += g * normal;
                at(gradients[index + 1], i) += g;
                mean += g * at(weights_[index], i) / static_cast<double>(width);
                product += g * at(weights_[index], i) * normal / static_cast<double>(width);
            }
            for (int64_t i = 0; i < width; ++i)
                at(to, row * width + i) += (at(gradient, row * width + i) * at(weights_[index], i) - mean -
                                            at(kept.rows, row * width + i) * product) *
                                           at(kept.factors, row);
        }
    }

    Numbers linear(const Numbers &x, int index, int64_t outputs) const {
        const auto inputs = static_cast<int64_t>(x.size()) / shape_.tokens;
        auto out = zeros(shape_.tokens * outputs);
        for (int64_t row = 0; row < shape_.tokens; ++row)
            for (int64_t o = 0; o < outputs; ++o) {
                auto &sum = at(out, row * outputs + o);
                sum = weights_[index + 1].empty() ? 0 : at(weights_[index + 1], o);
                for (int64_t i = 0; i < inputs; ++i)
                    sum += at(x, row * inputs + i) * at(weights_[index], o * inputs + i);
            }
        return out;
    }

    Numbers linear_gradient(const Numbers &x, int index, const Numbers &gradient) {
        const auto inputs = static_cast<int64_t>(x.size()) / shape_.tokens,
                   outputs = static_cast<int64_t>(gradient.size()) / shape_.tokens;
        auto to = zeros(shape_.tokens * inputs);
        for (int64_t row = 0; row < shape_.tokens; ++row)
            for (int64_t o = 0; o < outputs; ++o) {
                const auto g = at(gradient, row * outputs + o);
                if (!weights_[index + 1].empty()) at(gradients[index + 1], o) += g;
                for (int64_t i = 0; i < inputs; ++i) {
                    at(gradients[index], o * inputs + i) += g * at(x, row * inputs + i);
                    at(to, row * inputs + i) += g * at(weights_[index], o * inputs + i);
                }
            }
        return to;
    }

    void add(Numbers &x, const Numbers &branch, int index, double factor) const {
        for (size_t i = 0; i < x.size(); ++i)
            x[i] += branch[i] * factor * (weights_[index].empty() ? 1 : weights_[index][i % weights_[index].size()]);
    }

    Numbers add_gradient(const Numbers &gradient, const Numbers &branch, int index, double factor) {
        auto out = gradient;
        for (size_t i = 0; i < out.size(); ++i) {
            out[i] *= factor;
            if (weights_[index].empty()) continue;
            const auto column = i % weights_[index].size();
            gradients[index][column] += out[i] * branch[i];
            out[i] *= weights_[index][column];
        }
        return out;
    }

    /// Calls body(place of a query's head, of a key's, of a value's, of a weight, of a result) for every pair.
    template <typename Body>
    void for_pairs(Body body) const {
        const auto width = shape_.width, tokens = shape_.tokens;
        for (int64_t head = 0; head < shape_.heads.count; ++head)
            for (int64_t i = 0; i < tokens; ++i)
                for (int64_t j = 0; j < tokens; ++j) {
                    const auto column = head * shape_.heads.width;
                    body(i * 3 * width + column, j * 3 * width + width + column, j * 3 * width + 2 * width + column,
                         (head * tokens + i) * tokens + j, i * width + column);
                }
    }
    double scale() const { return 1 / std::sqrt(static_cast<double>(shape_.heads.width)); }

    Numbers attention(const Numbers &qkv, Numbers &weights) const {
        const auto tokens = shape_.tokens, head = shape_.heads.width;
        weights = zeros(shape_.heads.count * tokens * tokens);
        for_pairs([&](int64_t q, int64_t k, int64_t, int64_t weight, int64_t) {
            double score = 0;
            for (int64_t c = 0; c < head; ++c) score += at(qkv, q + c) * at(qkv, k + c);
            at(weights, weight) = std::exp(score * scale());
        });
        for (int64_t row = 0; row < shape_.heads.count * tokens; ++row) {
            double sum = 0;
            for (int64_t j = 0; j < tokens; ++j) sum += at(weights, row * tokens + j);
            for (int64_t j = 0; j < tokens; ++j) at(weights, row * tokens + j) /= sum;
        }
        auto out = zeros(tokens * shape_.width);
        for_pairs([&](int64_t, int64_t, int64_t v, int64_t weight, int64_t result) {
            for (int64_t c = 0; c < head; ++c) at(out, result + c) += at(weights, weight) * at(qkv, v + c);
        });
        return out;
    }

    Numbers attention_gradient(const Numbers &qkv, const Numbers &weights, const Numbers &gradient) const {
        const auto tokens = shape_.tokens, head = shape_.heads.width;
        auto of_weights = zeros(static_cast<int64_t>(weights.size())), out = zeros(static_cast<int64_t>(qkv.size()));
        for_pairs([&](int64_t, int64_t, int64_t v, int64_t weight, int64_t result) {
            for (int64_t c = 0; c < head; ++c) {
                at(of_weights, weight) += at(gradient, result + c) * at(qkv, v + c);
                at(out, v + c) += at(weights, weight) * at(gradient, result + c);
            }
        });
        for (int64_t row = 0; row < shape_.heads.count * tokens; ++row) {
            double dot = 0;
            for (int64_t j = 0; j < tokens; ++j)
                dot += at(weights, row * tokens + j) * at(of_weights, row * tokens + j);
            for (int64_t j = 0; j < tokens; ++j)
                at(of_weights, row * tokens + j) =
                    at(weights, row * tokens + j) * (at(of_weights, row * tokens + j) - dot) * scale();
        }
        for_pairs([&](int64_t q, int64_t k, int64_t, int64_t weight, int64_t) {
            for (int64_t c = 0; c < head; ++c) {
                at(out, q + c) += at(of_weights, weight) * at(qkv, k + c);
                at(out, k + c) += at(of_weights, weight) * at(qkv, q + c);
            }
        });
        return out;
    }

    const Shape &shape_;
    Numbers weights_[block_members.size()];
};

/// The largest difference relative to the largest magnitude.
double error_between(const at::Tensor &found, const Numbers &expected) {
    double difference = 0, magnitude = 1e-30;
    const auto numbers = numbers_of(found);
    for (size_t i = 0; i < expected.size(); ++i) {
        const auto error = std::abs(numbers[i] - expected[i]);
        // Written so that NaN is the largest.
        if (!(error <= difference)) difference = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
        magnitude = std::max(magnitude, std::abs(expected[i]));
    }
    return difference / magnitude;
}

BlockTensors random_tensors(Random &random, const Shape &shape) {
    const auto width = shape.width, hidden = shape.hidden;
    const bool has_bias = random.integer(0, 2) > 0, has_scale = random.integer(0, 1) > 0;
    const auto matrix = [&](int64_t outputs, int64_t inputs) {
        return random.tensor({outputs, inputs}, static_cast<float>(2 / std::sqrt(static_cast<double>(inputs))));
    };
    BlockTensors tensors;
    for (auto *norm : {&tensors.norm1_weight, &tensors.norm2_weight}) *norm = random.tensor({width}, 0.3f, 1);
    for (auto *norm : {&tensors.norm1_bias, &tensors.norm2_bias}) *norm = random.tensor({width}, 0.3f);
    tensors.qkv_weight = matrix(3 * width, width);
    tensors.proj_weight = matrix(width, width);
    tensors.fc1_weight = matrix(hidden, width);
    tensors.fc2_weight = matrix(width, hidden);
    if (has_bias) tensors.qkv_bias = random.tensor({3 * width}, 0.3f);
    tensors.proj_bias = random.tensor({width}, 0.3f);
    tensors.fc1_bias = random.tensor({hidden}, 0.3f);
    if (has_bias) tensors.fc2_bias = random.tensor({width}, 0.3f);
    if (has_scale)
        for (auto *scale : {&tensors.scale1, &tensors.scale2}) *scale = random.tensor({width}, 0.5f, 0.7f);
    return tensors;
}

}  // namespace

double error_of(const Kernels &kernels, uint64_t seed) {
    const c10::InferenceMode no_graph;
    Random random(seed);
    const auto width = strip * random.integer(1, 3), heads = random.integer(0, 1) ? width / 16 : width / 32;
    const Shape shape{random.integer(1, 4),           random.integer(2, 40),  width,
                      random.integer(20, 140),        {heads, width / heads}, 1e-6f,
                      kernels.base->element_size == 2};
    const auto tensors = random_tensors(random, shape);
    const auto x = random.tensor({shape.images, shape.tokens, width}, 1.5f),
               gradient = random.tensor({shape.images, shape.tokens, width}, 1);
    std::vector<float> attention, feed_forward;
    const bool drops = random.integer(0, 1) > 0;
    for (int64_t image = 0; image < shape.images; ++image) {
        attention.push_back(drops ? static_cast<float>(random.integer(0, 1)) * 1.25f : 1);
        feed_forward.push_back(drops ? static_cast<float>(random.integer(0, 1)) * 1.25f : 1);
    }
    const BranchFactors factors{attention.data(), feed_forward.data()};

    const auto memory = borrowed_tensor({shape.images * KeptImage::bytes(shape)}, at::kByte);
    auto *kept = static_cast<char *>(memory.mutable_data_ptr());
    const auto out = forward(kernels, shape, tensors, factors, x, kept);
    Gradients found;
    found.x = at::empty(x.sizes(), at::kFloat);
    for (const auto member : block_members)
        if ((tensors.*member).defined()) found.tensors.*member = at::empty((tensors.*member).sizes(), at::kFloat);
    backward(kernels, shape, tensors, factors, gradient, kept, found);

    Reference reference(shape, tensors);
    Numbers expected, expected_x;
    const auto size = shape.tokens * width;
    for (int64_t image = 0; image < shape.images; ++image) {
        const auto index = static_cast<size_t>(image);
        auto image_x = numbers_of(x[image]);
        const auto image_out =
            reference.run(image_x, numbers_of(gradient[image]), static_cast<double>(attention[index]),
                          static_cast<double>(feed_forward[index]));
        expected.insert(expected.end(), image_out.begin(), image_out.end());
        expected_x.insert(expected_x.end(), image_x.begin(), image_x.begin() + size);
    }
    auto error = std::max(error_between(out, expected), error_between(found.x, expected_x));
    for (size_t i = 0; i < block_members.size(); ++i)
        error = std::max(error, error_between(found.tensors.*block_members[i], reference.gradients[i]));
    return error;
}

double tolerance_of(const Kernels &kernels) { return kernels.base->element_size == sizeof(float) ? 1e-5 : 4e-2; }

}  // namespace ctorch::block
