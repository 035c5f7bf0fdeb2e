// What is between the two halves of a backward pass: the gradients of a group's linear layers.
#pragma once

#include "weights.h"

namespace ctorch::block {

/// The gradients of the outputs of an image's linear layers, packed with the tokens as depth, and their columns' sums,
/// which are those of the biases. `active` is fc2's input, packed as well.
struct OutputGradients {
    char *qkv, *proj, *fc1, *fc2, *active;
    float *qkv_sums, *proj_sums, *fc1_sums, *fc2_sums;

    OutputGradients(const Shape &shape, Places &places) {
        const auto panels = [&](int64_t columns) {
            return places.take<char>(shape.token_depth() * columns * shape.element_size());
        };
        qkv = panels(3 * shape.attended());
        proj = panels(shape.width);
        fc1 = panels(shape.padded_hidden());
        fc2 = panels(shape.width);
        active = panels(shape.padded_hidden());
        qkv_sums = places.take<float>(3 * shape.attended());
        proj_sums = places.take<float>(shape.width);
        fc1_sums = places.take<float>(shape.padded_hidden());
        fc2_sums = places.take<float>(shape.width);
    }

    static int64_t bytes(const Shape &shape) {
        Places counting(nullptr);
        OutputGradients(shape, counting);
        return counting.used();
    }
};

/// One image of a group.
struct GroupImage {
    KeptImage kept;
    OutputGradients gradients;
    bool has_attention, has_feed_forward;
};

/// The gradients of the folded weights and biases of all four layers, sums over the images so far.
class WeightSums {
  public:
    /// Those of `gradients` that are defined are wanted.
    WeightSums(const Kernels &kernels, const Shape &shape, const Layers &layers, const BlockTensors &gradients);

    /// Adds a group's gradients.
    void add(const std::vector<GroupImage> &group);

    /// Writes the gradients of the weights themselves.
    void write() const;

  private:
    struct Sum {
        const Layer &layer;
        LayerGradients gradients;
        std::vector<float> bias;
        float *weight;
        bool is_empty = true;
    };
    void add_panel(const std::vector<GroupImage> &group, int which, int64_t panel, int64_t first_output,
                   int64_t last_output, char *scratch);

    const Kernels &kernels_;
    const Shape &shape_;
    Borrowed memory_;
    std::vector<Sum> sums_;
};

}  // namespace ctorch::block
