// Plain loops in double precision for every entry of a table of kernels, and their comparison.
//
// They run once in a process before a table is used, since a product that a library or a processor gets wrong is wrong
// silently, and for many shapes in the unit tests.
#include "check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "layout.h"
#include "packing.h"

namespace ctorch::encoder {

namespace {

class Random {
  public:
    explicit Random(uint64_t seed) : engine_(seed) {}

    int64_t integer(int64_t low, int64_t high) {
        return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
    }
    std::vector<float> numbers(int64_t count, float scale = 1) {
        std::vector<float> numbers(static_cast<size_t>(count));
        for (auto &number : numbers)
            number = scale * (static_cast<float>(engine_() >> 40) / static_cast<float>(1 << 23) - 1);
        return numbers;
    }

  private:
    std::mt19937_64 engine_;
};

/// Operands of a product: float32, or bfloat16 in half of the memory.
class Operands {
  public:
    Operands(const Kernels &kernels, int64_t count)
        : is_float_(kernels.element_size == sizeof(float)), memory_(count * kernels.element_size) {}
    Operands(const Kernels &kernels, const std::vector<float> &numbers)
        : Operands(kernels, static_cast<int64_t>(numbers.size())) {
        for (size_t i = 0; i < numbers.size(); ++i) {
            if (is_float_) {
                memory_.as<float>()[i] = numbers[i];
            } else {
                memory_.as<uint16_t>()[i] = bfloat16_bits(numbers[i]);
            }
        }
    }

    void *data() { return memory_.data(); }
    double operator[](int64_t index) const {
        if (is_float_) return memory_.as<float>()[index];
        const auto bits = static_cast<uint32_t>(memory_.as<uint16_t>()[index]) << 16;
        float value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }

  private:
    bool is_float_;
    Memory memory_;
};

/// Collects the largest difference and the largest magnitude.
struct Comparison {
    double difference = 0, magnitude = 0;

    void add(double found, double expected) {
        const auto error = std::abs(found - expected);
        // Written so that NaN is the largest.
        if (!(error <= difference)) difference = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
        magnitude = std::max(magnitude, std::abs(expected));
    }
    double error() const { return difference / std::max(magnitude, 1e-30); }
};

/// Where an element of a packed matrix is, from the drawing in layout.h.
int64_t packed_index(const Kernels &kernels, const Panels &panels, int64_t depth, int64_t k, int64_t column) {
    const auto panel = column / panels.width, width = panels.width_of(panel);
    return panels.offset_of(panel, depth) + k / kernels.interleave * width * kernels.interleave +
           (column - panels.first_column(panel)) * kernels.interleave + k % kernels.interleave;
}

double error_of_product(const Kernels &kernels, Random &random) {
    const auto rows = random.integer(1, kernels.block_rows), columns = strip * random.integer(1, 5),
               depth = rounded_up(random.integer(1, 200), kernels.depth_step), pitch = depth + 2;
    Operands a(kernels, random.numbers(rows * pitch));
    LinearSource source{nullptr, depth, columns, depth};
    const auto weight = random.numbers(columns * depth);
    source.weight = weight.data();
    const auto packed = pack(operand_format(kernels), depth, columns, {{source, 0, 0}});
    const Operands weights(kernels, weight);
    std::vector<float> tile(static_cast<size_t>((kernels.block_rows + 16) * kernels.panel_width));
    Comparison comparison;
    for (int64_t panel = 0; panel < packed.panels.count(); ++panel) {
        const auto width = packed.panels.width_of(panel), first = packed.panels.first_column(panel);
        kernels.product(a.data(), pitch, rows,
                        packed.weights.data() + packed.panels.offset_of(panel, depth) * kernels.element_size, width,
                        depth, tile.data(), kernels.panel_width);
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t column = 0; column < width; ++column) {
                double sum = 0;
                for (int64_t k = 0; k < depth; ++k) sum += a[row * pitch + k] * weights[(first + column) * depth + k];
                comparison.add(tile[static_cast<size_t>(row * kernels.panel_width + column)], sum);
            }
    }
    // Sums of products of both signs may all be small.
    comparison.magnitude = std::max(comparison.magnitude, std::sqrt(static_cast<double>(depth)) / 3);
    return comparison.error();
}

/// The normalised rows in double precision: calls add(row, column, value).
template <typename Add>
void normalize_plainly(const std::vector<float> &x, int64_t rows, int64_t pitch, int64_t width, float eps, Add add) {
    for (int64_t row = 0; row < rows; ++row) {
        const auto *from = x.data() + row * pitch;
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < width; ++i) mean += from[i] / static_cast<double>(width);
        for (int64_t i = 0; i < width; ++i)
            variance += (from[i] - mean) * (from[i] - mean) / static_cast<double>(width);
        for (int64_t i = 0; i < width; ++i) add(row, i, (from[i] - mean) / std::sqrt(variance + eps));
    }
}

double error_of_normalize(const Kernels &kernels, Random &random) {
    const auto rows = random.integer(1, 5), width = strip * random.integer(1, 48), pitch = width + row_padding;
    auto x = random.numbers(rows * width, 3);
    for (int64_t i = 0; i < rows * width; ++i) x[static_cast<size_t>(i)] += static_cast<float>(i / width);
    const auto weight = random.numbers(width), bias = random.numbers(width);
    const float eps = 1e-6f;
    Operands out(kernels, rows * pitch);
    std::vector<float> affine(static_cast<size_t>(rows * pitch));
    kernels.normalize(x.data(), rows, width, eps, out.data(), pitch);
    kernels.normalize_affine(x.data(), rows, width, eps, weight.data(), bias.data(), affine.data(), pitch);
    Comparison comparison;
    normalize_plainly(x, rows, width, width, eps, [&](int64_t row, int64_t i, double normal) {
        const auto at = static_cast<size_t>(i);
        comparison.add(out[row * pitch + i], normal);
        comparison.add(affine[static_cast<size_t>(row * pitch + i)], normal * weight[at] + bias[at]);
    });
    return comparison.error();
}

/// Checks an epilogue that leaves rows as rows: `expected` maps a tile's element, its row and its column.
template <typename Run, typename Expected>
double error_of_rows(const Kernels &kernels, Random &random, float scale, Run run, Expected expected) {
    const auto rows = random.integer(1, kernels.block_rows),
               width = strip * random.integer(1, kernels.panel_width / strip), tile_pitch = kernels.panel_width,
               pitch = width + row_padding;
    const auto tile = random.numbers(rows * tile_pitch, scale);
    Operands out(kernels, rows * pitch);
    run(tile.data(), tile_pitch, rows, width, out.data(), pitch);
    Comparison comparison;
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = 0; column < width; ++column)
            comparison.add(out[row * pitch + column],
                           expected(tile[static_cast<size_t>(row * tile_pitch + column)], row, column));
    return comparison.error();
}

double error_of_store(const Kernels &kernels, Random &random) {
    const auto bias = random.numbers(kernels.panel_width);
    return error_of_rows(
        kernels, random, 2,
        [&](auto *tile, auto tile_pitch, auto rows, auto width, auto *out, auto pitch) {
            kernels.store(tile, tile_pitch, rows, width, bias.data(), out, pitch);
        },
        [&](double x, int64_t, int64_t column) { return x + bias[static_cast<size_t>(column)]; });
}

double error_of_gelu(const Kernels &kernels, Random &random) {
    const auto bias = random.numbers(kernels.panel_width);
    return error_of_rows(
        kernels, random, 6,
        [&](auto *tile, auto tile_pitch, auto rows, auto width, auto *out, auto pitch) {
            kernels.store_gelu(tile, tile_pitch, rows, width, bias.data(), out, pitch);
        },
        [&](double x, int64_t, int64_t column) {
            const auto sum = x + bias[static_cast<size_t>(column)];
            return sum * 0.5 * std::erfc(-sum * std::sqrt(0.5));
        });
}

double error_of_sigmoid_gelu(const Kernels &kernels, Random &random, bool is_tanh) {
    const auto bias = random.numbers(kernels.panel_width);
    return error_of_rows(
        kernels, random, 6,
        [&](auto *tile, auto tile_pitch, auto rows, auto width, auto *out, auto pitch) {
            const auto store = is_tanh ? kernels.store_gelu_tanh : kernels.store_quick_gelu;
            store(tile, tile_pitch, rows, width, bias.data(), out, pitch);
        },
        [&](double x, int64_t, int64_t column) {
            const auto sum = x + bias[static_cast<size_t>(column)];
            if (!is_tanh) return sum / (1 + std::exp(-1.702 * sum));
            return 0.5 * sum * (1 + std::tanh(std::sqrt(2 / M_PI) * (sum + 0.044715 * sum * sum * sum)));
        });
}

double error_of_swiglu(const Kernels &kernels, Random &random) {
    const auto bias = random.numbers(kernels.panel_width), gate_bias = random.numbers(kernels.panel_width);
    const auto gate = random.numbers(kernels.block_rows * kernels.panel_width, 30);
    return error_of_rows(
        kernels, random, 2,
        [&](auto *tile, auto tile_pitch, auto rows, auto width, auto *out, auto pitch) {
            kernels.store_swiglu(gate.data(), tile, tile_pitch, rows, width, gate_bias.data(), bias.data(), out, pitch);
        },
        [&](double x, int64_t row, int64_t column) {
            const auto at = static_cast<size_t>(column);
            const double g = gate[static_cast<size_t>(row * kernels.panel_width + column)] + gate_bias[at];
            return g / (1 + std::exp(-g)) * (x + bias[at]);
        });
}

double error_of_scaled(const Kernels &kernels, Random &random) {
    const auto factors = random.numbers(kernels.block_rows);
    return error_of_rows(
        kernels, random, 2,
        [&](auto *tile, auto tile_pitch, auto rows, auto width, auto *out, auto pitch) {
            kernels.store_scaled(tile, tile_pitch, rows, width, factors.data(), out, pitch);
        },
        [&](double x, int64_t row, int64_t) { return x * factors[static_cast<size_t>(row)]; });
}

double error_of_add(const Kernels &kernels, Random &random) {
    const auto rows = random.integer(1, kernels.block_rows), width = 16 * random.integer(1, kernels.panel_width / 16),
               pitch = width + 16;
    const auto tile = random.numbers(rows * kernels.panel_width), bias = random.numbers(width);
    const auto before = random.numbers(rows * pitch);
    Comparison comparison;
    for (const auto *shift : {bias.data(), static_cast<const float *>(nullptr)}) {
        auto x = before;
        kernels.add(tile.data(), kernels.panel_width, rows, width, shift, x.data(), pitch);
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t column = 0; column < pitch; ++column) {
                const auto at = static_cast<size_t>(row * pitch + column);
                const double added =
                    column < width
                        ? static_cast<double>(tile[static_cast<size_t>(row * kernels.panel_width + column)]) +
                              (shift ? shift[column] : 0)
                        : 0;
                comparison.add(x[at], before[at] + added);
            }
    }
    return comparison.error();
}

/// Checks that a strip of a tile ends up transposed among the keys, or as it is among the values, and that nothing else
/// is written but what may be.
double error_of_operand(const Kernels &kernels, Random &random, bool is_keys) {
    const auto tokens = random.integer(1, 300), head_width = strip * random.integer(1, 4);
    const auto columns = is_keys ? rounded_up(tokens, strip) : head_width,
               depth = is_keys ? head_width : rounded_up(tokens, std::max<int64_t>(kernels.depth_step, 2));
    const auto first = 16 * random.integer(0, (tokens - 1) / 16),
               first_in_head = strip * random.integer(0, head_width / strip - 1);
    const auto rows = std::min(random.integer(1, kernels.block_rows), tokens - first);
    const auto tile = random.numbers(rounded_up(rows, 16) * kernels.panel_width), bias = random.numbers(strip);
    Operands out(kernels, columns * depth);
    const Panels panels{columns, kernels.panel_width};
    if (is_keys) {
        kernels.store_keys(tile.data(), kernels.panel_width, rows, bias.data(), out.data(), columns, depth, first,
                           first_in_head);
    } else {
        kernels.store_values(tile.data(), kernels.panel_width, rows, bias.data(), out.data(), columns, depth, first,
                             first_in_head);
    }
    Comparison comparison;
    for (int64_t token = 0; token < (is_keys ? columns : depth); ++token)
        for (int64_t within = 0; within < head_width; ++within) {
            const auto row = token - first, column = within - first_in_head;
            const bool is_inside = row >= 0 && row < rows && column >= 0 && column < strip;
            if (is_keys && !is_inside && row >= rows && row < rounded_up(rows, 16)) continue;
            const auto index = is_keys ? packed_index(kernels, panels, depth, within, token)
                                       : packed_index(kernels, panels, depth, token, within);
            comparison.add(out[index], is_inside ? static_cast<double>(
                                                       tile[static_cast<size_t>(row * kernels.panel_width + column)]) +
                                                       bias[static_cast<size_t>(column)]
                                                 : 0);
        }
    return comparison.error();
}

double error_of_softmax(const Kernels &kernels, Random &random) {
    const auto rows = random.integer(1, kernels.block_rows / 2), count = random.integer(1, 400),
               padded = rounded_up(count, std::max<int64_t>(kernels.depth_step, 2)),
               pitch = rounded_up(count, strip) + strip;
    auto scores = random.numbers(rows * pitch, 40);
    // What lies behind the scores is whatever the memory held.
    for (int64_t row = 0; row < rows; ++row)
        for (auto column = count; column < pitch; ++column)
            scores[static_cast<size_t>(row * pitch + column)] = std::numeric_limits<float>::quiet_NaN();
    Operands out(kernels, rows * pitch);
    std::vector<float> factors(static_cast<size_t>(rows));
    kernels.softmax(scores.data(), pitch, rows, count, padded, out.data(), pitch, factors.data());
    Comparison comparison;
    for (int64_t row = 0; row < rows; ++row) {
        const auto *from = scores.data() + row * pitch;
        double largest = from[0], sum = 0;
        for (int64_t column = 0; column < count; ++column) largest = std::max<double>(largest, from[column]);
        for (int64_t column = 0; column < count; ++column) sum += std::exp2(from[column] - largest);
        for (int64_t column = 0; column < padded; ++column)
            comparison.add(out[row * pitch + column], column < count ? std::exp2(from[column] - largest) : 0);
        comparison.add(factors[static_cast<size_t>(row)], 1 / sum);
    }
    return comparison.error();
}

double error_of_heads(const Kernels &kernels, Random &random, bool is_rotation) {
    const auto rows = random.integer(1, 20), width = (is_rotation ? 32 : 16) * random.integer(1, 8),
               pitch = width + 16 * random.integer(0, 3);
    const auto x = random.numbers(rows * pitch, 3), first = random.numbers(rows * width),
               second = random.numbers(rows * width);
    auto found = x, expected = x;
    const auto half = width / 2;
    if (is_rotation) {
        kernels.rotate_heads(found.data(), pitch, rows, width, first.data(), second.data(), half);
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t i = 0; i < half; ++i) {
                const auto at = static_cast<size_t>(row * pitch + i), other = at + static_cast<size_t>(half),
                           angle = static_cast<size_t>(row * half + i);
                const double a = x[at], b = x[other];
                expected[at] = static_cast<float>(a * first[angle] - b * second[angle]);
                expected[other] = static_cast<float>(b * first[angle] + a * second[angle]);
            }
    } else {
        const float eps = 1e-6f;
        kernels.normalize_heads(found.data(), pitch, rows, width, eps, first.data(), second.data());
        normalize_plainly(x, rows, pitch, width, eps, [&](int64_t row, int64_t i, double normal) {
            const auto at = static_cast<size_t>(i);
            expected[static_cast<size_t>(row * pitch + i)] = static_cast<float>(normal * first[at] + second[at]);
        });
    }
    Comparison comparison;
    for (size_t i = 0; i < found.size(); ++i) comparison.add(found[i], expected[i]);
    return comparison.error();
}

double error_of_int8_product(const Kernels &kernels, Random &random) {
    const auto depth_step = kernels.int8->depth_step;
    const auto rows = random.integer(1, kernels.block_rows), columns = strip * random.integer(1, 5),
               inputs = random.integer(1, 900), depth = rounded_up(inputs, depth_step), pitch = depth + 4;
    Memory a(rows * pitch);
    for (int64_t i = 0; i < rows * pitch; ++i) a.as<uint8_t>()[i] = static_cast<uint8_t>(random.integer(0, 255));
    std::vector<RowSteps> row_steps;
    for (int64_t row = 0; row < rows; ++row) {
        const auto numbers = random.numbers(2);
        row_steps.push_back({numbers[0], (numbers[1] + 2) / 255});
    }
    std::vector<float> weight(static_cast<size_t>(columns * inputs)), steps;
    for (int64_t column = 0; column < columns; ++column) steps.push_back((random.numbers(1)[0] + 2) / 127);
    for (size_t i = 0; i < weight.size(); ++i)
        weight[i] = static_cast<float>(random.integer(-127, 127)) * steps[i / static_cast<size_t>(inputs)];
    LinearSource source{weight.data(), inputs, columns, inputs};
    source.steps = steps.data();
    const auto packed = pack(weight_format(kernels), inputs, columns, {{source, 0, 0}});
    std::vector<float> tile(static_cast<size_t>((kernels.block_rows + 16) * kernels.panel_width));
    Comparison comparison;
    for (int64_t panel = 0; panel < packed.panels.count(); ++panel) {
        const auto width = packed.panels.width_of(panel), first = packed.panels.first_column(panel);
        kernels.int8->product(a.data(), pitch, rows, row_steps.data(), packed.panel(panel),
                              {packed.steps.data() + first, packed.sums.data() + first}, width, packed.depth,
                              tile.data(), kernels.panel_width);
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t column = 0; column < width; ++column) {
                const auto &of_row = row_steps[static_cast<size_t>(row)];
                double sum = 0;
                for (int64_t k = 0; k < inputs; ++k)
                    sum += (of_row.low + static_cast<double>(of_row.step) * a.as<uint8_t>()[row * pitch + k]) *
                           weight[static_cast<size_t>((first + column) * inputs + k)];
                comparison.add(tile[static_cast<size_t>(row * kernels.panel_width + column)], sum);
            }
    }
    comparison.magnitude = std::max(comparison.magnitude, std::sqrt(static_cast<double>(inputs)) / 3);
    return comparison.error();
}

/// The error of rounding to 8 bits, relative to the range of a row: half a step is 1/510.
double error_of_steps(const std::vector<double> &expected, const uint8_t *found, int64_t pitch,
                      const std::vector<RowSteps> &steps, int64_t width) {
    Comparison comparison;
    comparison.magnitude = 1;
    for (size_t row = 0; row < steps.size(); ++row) {
        const auto *from = expected.data() + row * static_cast<size_t>(width);
        const auto [low, high] = std::minmax_element(from, from + width);
        const auto range = std::max(*high - *low, 1e-6);
        for (int64_t i = 0; i < width; ++i) {
            const auto number =
                steps[row].low + static_cast<double>(steps[row].step) * found[static_cast<int64_t>(row) * pitch + i];
            comparison.add((number - from[i]) / range, 0);
        }
    }
    return comparison.error();
}

double error_of_int8_rows(const Kernels &kernels, Random &random, bool is_normalization) {
    const auto rows = random.integer(1, 5), width = strip * random.integer(1, 48), pitch = width + row_padding;
    auto x = random.numbers(rows * width, 3);
    // Of a row that is one number nothing is left to round.
    if (random.integer(0, 9) == 0) std::fill_n(x.begin(), width, 0.7f);
    std::vector<RowSteps> steps(static_cast<size_t>(rows));
    std::vector<double> expected(x.begin(), x.end());
    if (is_normalization) {
        const auto weight = random.numbers(width);
        const float eps = 1e-6f;
        Memory out(rows * pitch);
        kernels.int8->normalize(x.data(), rows, width, eps, weight.data(), out.data(), pitch, steps.data());
        normalize_plainly(x, rows, width, width, eps, [&](int64_t row, int64_t i, double normal) {
            expected[static_cast<size_t>(row * width + i)] = normal * weight[static_cast<size_t>(i)];
        });
        return error_of_steps(expected, out.as<uint8_t>(), pitch, steps, width);
    }
    std::vector<float> padded(static_cast<size_t>(rows * pitch));
    for (int64_t row = 0; row < rows; ++row) std::copy_n(x.begin() + row * width, width, padded.begin() + row * pitch);
    Operands operands(kernels, padded);
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < width; ++i) expected[static_cast<size_t>(row * width + i)] = operands[row * pitch + i];
    const auto bytes = pitch * kernels.element_size;
    kernels.int8->quantize(operands.data(), bytes, rows, width, steps.data());
    return error_of_steps(expected, static_cast<const uint8_t *>(operands.data()), bytes, steps, width);
}

}  // namespace

double error_of(const Kernels &kernels, Part part, uint64_t seed) {
    Random random(seed);
    switch (part) {
        case Part::product: return error_of_product(kernels, random);
        case Part::normalize: return error_of_normalize(kernels, random);
        case Part::store: return error_of_store(kernels, random);
        case Part::keys: return error_of_operand(kernels, random, true);
        case Part::values: return error_of_operand(kernels, random, false);
        case Part::gelu: return error_of_gelu(kernels, random);
        case Part::gelu_tanh: return error_of_sigmoid_gelu(kernels, random, true);
        case Part::quick_gelu: return error_of_sigmoid_gelu(kernels, random, false);
        case Part::swiglu: return error_of_swiglu(kernels, random);
        case Part::add: return error_of_add(kernels, random);
        case Part::scaled: return error_of_scaled(kernels, random);
        case Part::softmax: return error_of_softmax(kernels, random);
        case Part::normalize_heads: return error_of_heads(kernels, random, false);
        case Part::rotate_heads: return error_of_heads(kernels, random, true);
        case Part::int8_product: return kernels.int8 ? error_of_int8_product(kernels, random) : 0;
        case Part::int8_normalize: return kernels.int8 ? error_of_int8_rows(kernels, random, true) : 0;
        case Part::int8_quantize: return kernels.int8 ? error_of_int8_rows(kernels, random, false) : 0;
        case Part::count: break;
    }
    return std::numeric_limits<double>::infinity();
}

double tolerance_of(const Kernels &kernels, Part part) {
    switch (part) {
        case Part::int8_normalize:
        case Part::int8_quantize: return 1.0 / 510 + 1e-5;
        case Part::normalize_heads:
        case Part::rotate_heads:
        case Part::int8_product: return 2e-6;
        default: return kernels.element_size == sizeof(float) ? 2e-6 : 5e-3;
    }
}

}  // namespace ctorch::encoder
