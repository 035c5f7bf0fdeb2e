// The C interface to libtorch, plain C11.
//
// Rules, for every function:
// - The result is 0 when it succeeded; otherwise ct_last_error() tells why and the outputs are untouched.
// - Output tensors are owned by the caller (+1): give each back with ct_tensor_release().
// - Input tensors are borrowed. No function keeps one beyond the call, except through autograd's graph.
// - Shapes and indices are int64_t; negative dimensions count from the end, as in libtorch.
#ifndef SWIFT_DEIT_CTORCH_H
#define SWIFT_DEIT_CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define CT_NONNULL _Nonnull
#define CT_NULLABLE _Nullable
#else
#define CT_NONNULL
#define CT_NULLABLE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// A reference to a libtorch tensor.
typedef struct ct_tensor_s *ct_tensor;

/// A point in the work of a device.
typedef struct ct_event_s *ct_event;

/// Element types, numbered as c10::ScalarType does.
typedef enum ct_dtype {
    CT_UINT8 = 0,
    CT_INT8 = 1,
    CT_INT16 = 2,
    CT_INT32 = 3,
    CT_INT64 = 4,
    CT_FLOAT16 = 5,
    CT_FLOAT32 = 6,
    CT_FLOAT64 = 7,
    CT_BOOL = 11,
    CT_BFLOAT16 = 15,
} ct_dtype;

/// Kinds of device, numbered as c10::DeviceType does.
typedef enum ct_device { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 13, CT_PRIVATE_USE = 20 } ct_device;

// ---- Errors, versions, threads (ctorch_runtime.cpp)

/// The message of the last failure on this thread; valid until the next one. Never null.
const char *CT_NONNULL ct_last_error(void);
/// Whether the last failure on this thread was a lack of memory.
bool ct_last_error_is_memory(void);
/// How many tensors have been handed out and not yet released.
int64_t ct_live_tensor_count(void);
/// The version of the headers that this file was compiled with.
const char *CT_NONNULL ct_version_of_headers(void);
/// The version that the loaded library tells, or an empty string.
const char *CT_NONNULL ct_version_of_library(void);
/// libtorch's description of how it was built and of the processor's capability.
const char *CT_NONNULL ct_build_description(void);
/// Whether the loaded libtorch has oneDNN, and the matrix product that ct_linear_onednn needs.
bool ct_has_onednn(void);
/// Whether the processor multiplies bfloat16 matrices in hardware (AVX-512 BF16 or AMX).
bool ct_has_fast_bfloat16(void);
int32_t ct_thread_count(void);
int32_t ct_set_thread_count(int32_t count);
/// Lets the allocator keep freed blocks for the next tensor; does nothing where glibc is not the allocator.
void ct_keep_freed_memory(void);
/// Gives memory that is free at present back to the system, wherever it lies.
void ct_give_back_freed_memory(void);
/// Calls `body` with 0 ..< count on libtorch's threads, which take over this thread's modes; libtorch's own operations
/// within it run on one thread each.
int32_t ct_parallel(int32_t count, void (*CT_NONNULL body)(void *CT_NULLABLE context, int32_t index),
                    void *CT_NULLABLE context);
/// Seeds libtorch's default generators on all devices.
int32_t ct_manual_seed(uint64_t seed);

// ---- Devices (ctorch_device.cpp)

/// Whether the loaded libtorch was built for such devices, wherever it runs.
bool ct_device_is_built(ct_device device);
/// How many of them can be used here.
int32_t ct_device_count(ct_device device);
/// Whether a device multiplies bfloat16 matrices in hardware.
bool ct_device_has_fast_bfloat16(ct_device device, int32_t index);
/// Waits until all work of a device is done.
int32_t ct_device_synchronize(ct_device device, int32_t index);
/// The bytes of a device's memory that nothing uses, and all of them.
int32_t ct_device_memory(ct_device device, int32_t index, int64_t *CT_NONNULL free, int64_t *CT_NONNULL total);
/// The most bytes that tensors of a device took since the start, or since ct_device_reset_peak().
int32_t ct_device_peak(ct_device device, int32_t index, int64_t *CT_NONNULL bytes);
int32_t ct_device_reset_peak(ct_device device, int32_t index);
/// Gives the memory that libtorch keeps for the next tensor back to the device.
int32_t ct_device_empty_cache(ct_device device);
/// Copies bytes to a device on a stream of their own, beside what the device computes; `bytes` are free afterwards.
int32_t ct_upload(const void *CT_NULLABLE bytes, size_t byte_count, ct_dtype dtype, const int64_t *CT_NULLABLE sizes,
                  int32_t rank, ct_device device, int32_t index, ct_tensor CT_NULLABLE *CT_NONNULL out,
                  ct_event CT_NULLABLE *CT_NONNULL done);
/// Lets the later work of this thread on the device wait for an upload, and gives its tensor (+1).
int32_t ct_upload_wait(ct_tensor CT_NONNULL uploaded, ct_event CT_NONNULL done, ct_tensor CT_NULLABLE *CT_NONNULL out);
void ct_event_release(ct_event CT_NULLABLE event);
/// Whether products of float32 matrices on NVIDIA's cards may round their inputs to 10 bits (TF32).
void ct_set_tf32(bool allowed);

// ---- Creation and conversion (ctorch_create.cpp)

void ct_tensor_release(ct_tensor CT_NULLABLE tensor);
/// Copies `byte_count` bytes, which must be exactly what `sizes` and `dtype` need.
int32_t ct_from_bytes(const void *CT_NULLABLE bytes, size_t byte_count, ct_dtype dtype,
                      const int64_t *CT_NULLABLE sizes, int32_t rank, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// A tensor on the CPU whose elements are whatever its memory held.
int32_t ct_empty(const int64_t *CT_NULLABLE sizes, int32_t rank, ct_dtype dtype, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// A tensor of the shape and type of `like` without elements: reading it is an error.
int32_t ct_without_elements(ct_tensor CT_NONNULL like, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_full(const int64_t *CT_NULLABLE sizes, int32_t rank, double value, ct_dtype dtype, ct_device device,
                int32_t device_index, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_arange(int64_t count, ct_dtype dtype, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Standard normal numbers from the default generator.
int32_t ct_randn(const int64_t *CT_NULLABLE sizes, int32_t rank, ct_dtype dtype, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Uniform numbers in [0, 1) from the default generator, with the type and device of `like`.
int32_t ct_rand_like(ct_tensor CT_NONNULL like, const int64_t *CT_NULLABLE sizes, int32_t rank,
                     ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_clone(ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_to_dtype(ct_tensor CT_NONNULL a, ct_dtype dtype, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_to_device(ct_tensor CT_NONNULL a, ct_device device, int32_t index, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_contiguous(ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_channels_last(ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out);

int32_t ct_rank(ct_tensor CT_NONNULL a);
/// Writes ct_rank() sizes.
void ct_sizes(ct_tensor CT_NONNULL a, int64_t *CT_NONNULL out);
int64_t ct_element_count(ct_tensor CT_NONNULL a);
int32_t ct_dtype_of(ct_tensor CT_NONNULL a);
void ct_device_of(ct_tensor CT_NONNULL a, int32_t *CT_NONNULL type, int32_t *CT_NONNULL index);
/// The address of a contiguous CPU tensor's elements; valid while the tensor lives.
int32_t ct_data(ct_tensor CT_NONNULL a, const void *CT_NULLABLE *CT_NONNULL out);
/// The address of a contiguous CPU tensor's elements, for writing; null for any other tensor.
int32_t ct_mutable_data(ct_tensor CT_NONNULL a, void *CT_NULLABLE *CT_NONNULL out);
/// A number that every change of the elements increases; -1 where changes are not counted.
int64_t ct_version(ct_tensor CT_NONNULL a);
/// The only element, as a double; waits for the device.
int32_t ct_item(ct_tensor CT_NONNULL a, double *CT_NONNULL out);

// ---- Arithmetic, comparison, reduction (ctorch_math.cpp)

#define CT_UNARY(name) int32_t ct_##name(ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out)
#define CT_BINARY(name) \
    int32_t ct_##name(ct_tensor CT_NONNULL a, ct_tensor CT_NONNULL b, ct_tensor CT_NULLABLE *CT_NONNULL out)
CT_UNARY(neg);
CT_UNARY(exp);
CT_UNARY(log);
CT_UNARY(sqrt);
CT_UNARY(abs);
CT_UNARY(relu);
CT_UNARY(sigmoid);
CT_UNARY(tanh);
CT_UNARY(floor);
CT_UNARY(isfinite);
CT_BINARY(add);
CT_BINARY(sub);
CT_BINARY(mul);
CT_BINARY(div);
CT_BINARY(matmul);
CT_BINARY(eq);
CT_BINARY(lt);
CT_BINARY(gt);
int32_t ct_add_scalar(ct_tensor CT_NONNULL a, double b, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_mul_scalar(ct_tensor CT_NONNULL a, double b, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_pow_scalar(ct_tensor CT_NONNULL a, double b, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_clamp(ct_tensor CT_NONNULL a, double low, double high, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// `dim_count` of 0 reduces over all dimensions.
int32_t ct_sum(ct_tensor CT_NONNULL a, const int64_t *CT_NULLABLE dims, int32_t dim_count, bool keep,
               ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_mean(ct_tensor CT_NONNULL a, const int64_t *CT_NULLABLE dims, int32_t dim_count, bool keep,
                ct_tensor CT_NULLABLE *CT_NONNULL out);
/// The largest and smallest element over all dimensions.
CT_UNARY(max);
CT_UNARY(min);
int32_t ct_argmax(ct_tensor CT_NONNULL a, int64_t dim, bool keep, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_topk(ct_tensor CT_NONNULL a, int64_t k, int64_t dim, ct_tensor CT_NULLABLE *CT_NONNULL values,
                ct_tensor CT_NULLABLE *CT_NONNULL indices);
int32_t ct_norm(ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out);

// ---- Shape and indexing (ctorch_shape.cpp)

int32_t ct_reshape(ct_tensor CT_NONNULL a, const int64_t *CT_NULLABLE sizes, int32_t rank,
                   ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_permute(ct_tensor CT_NONNULL a, const int64_t *CT_NULLABLE dims, int32_t rank,
                   ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_transpose(ct_tensor CT_NONNULL a, int64_t first, int64_t second, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_expand(ct_tensor CT_NONNULL a, const int64_t *CT_NULLABLE sizes, int32_t rank,
                  ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_flatten(ct_tensor CT_NONNULL a, int64_t from, int64_t to, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_squeeze(ct_tensor CT_NONNULL a, int64_t dim, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_unsqueeze(ct_tensor CT_NONNULL a, int64_t dim, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// The elements `start ..< end` of a dimension.
int32_t ct_narrow(ct_tensor CT_NONNULL a, int64_t dim, int64_t start, int64_t end,
                  ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_select(ct_tensor CT_NONNULL a, int64_t dim, int64_t index, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_index_select(ct_tensor CT_NONNULL a, int64_t dim, ct_tensor CT_NONNULL index,
                        ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_gather(ct_tensor CT_NONNULL a, int64_t dim, ct_tensor CT_NONNULL index,
                  ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_flip(ct_tensor CT_NONNULL a, int64_t dim, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_cat(const ct_tensor CT_NONNULL *CT_NONNULL tensors, int32_t count, int64_t dim,
               ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_stack(const ct_tensor CT_NONNULL *CT_NONNULL tensors, int32_t count, int64_t dim,
                 ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_one_hot(ct_tensor CT_NONNULL labels, int64_t classes, ct_tensor CT_NULLABLE *CT_NONNULL out);
CT_BINARY(masked_select);
int32_t ct_where(ct_tensor CT_NONNULL condition, ct_tensor CT_NONNULL a, ct_tensor CT_NONNULL b,
                 ct_tensor CT_NULLABLE *CT_NONNULL out);

// ---- Layers' functions (ctorch_nn.cpp)

int32_t ct_linear(ct_tensor CT_NONNULL x, ct_tensor CT_NONNULL weight, ct_tensor CT_NULLABLE bias,
                  ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_conv2d(ct_tensor CT_NONNULL x, ct_tensor CT_NONNULL weight, ct_tensor CT_NULLABLE bias, int64_t stride_h,
                  int64_t stride_w, int64_t padding_h, int64_t padding_w, int64_t groups,
                  ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_layer_norm(ct_tensor CT_NONNULL x, int64_t width, ct_tensor CT_NULLABLE weight, ct_tensor CT_NULLABLE bias,
                      double eps, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// In training the running statistics are updated in place.
int32_t ct_batch_norm(ct_tensor CT_NONNULL x, ct_tensor CT_NULLABLE weight, ct_tensor CT_NULLABLE bias,
                      ct_tensor CT_NONNULL running_mean, ct_tensor CT_NONNULL running_var, bool training,
                      double momentum, double eps, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// ct_batch_norm() in training, then the sum with `residual` and, with `positive`, the positive part: by one function
/// of our own with its gradient where it serves the tensors, by libtorch's otherwise. The running statistics are
/// updated in place.
int32_t ct_batch_norm_vectors(ct_tensor CT_NONNULL x, ct_tensor CT_NONNULL weight, ct_tensor CT_NONNULL bias,
                              ct_tensor CT_NONNULL running_mean, ct_tensor CT_NONNULL running_var,
                              ct_tensor CT_NULLABLE residual, bool positive, double momentum, double eps,
                              ct_tensor CT_NULLABLE *CT_NONNULL out);
/// The exact (erf) form.
CT_UNARY(gelu);
/// The approximation with tanh.
CT_UNARY(gelu_tanh);
int32_t ct_softmax(ct_tensor CT_NONNULL x, int64_t dim, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_log_softmax(ct_tensor CT_NONNULL x, int64_t dim, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_dropout(ct_tensor CT_NONNULL x, double probability, ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_attention(ct_tensor CT_NONNULL q, ct_tensor CT_NONNULL k, ct_tensor CT_NONNULL v, double dropout,
                     ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_max_pool2d(ct_tensor CT_NONNULL x, int64_t kernel, int64_t stride, int64_t padding,
                      ct_tensor CT_NULLABLE *CT_NONNULL out);
int32_t ct_avg_pool2d(ct_tensor CT_NONNULL x, int64_t kernel, int64_t stride, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Bicubic or bilinear resampling of `[batch, channels, height, width]`, `align_corners` off.
int32_t ct_resize2d(ct_tensor CT_NONNULL x, int64_t height, int64_t width, bool bicubic, bool antialias,
                    ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Bicubic resampling whose source positions follow from the given factors instead of the ratio of the sizes, as
/// `interpolate(scale_factor=…)` does; no antialiasing, `align_corners` off.
int32_t ct_resize2d_by_factors(ct_tensor CT_NONNULL x, int64_t height, int64_t width, double factor_h, double factor_w,
                               ct_tensor CT_NULLABLE *CT_NONNULL out);
/// `[batch, channels · factor², height, width]` to `[batch, channels, height · factor, width · factor]`.
int32_t ct_pixel_shuffle(ct_tensor CT_NONNULL x, int64_t factor, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Mean cross-entropy; `targets` holds class indices, or probabilities of the logits' shape.
int32_t ct_cross_entropy(ct_tensor CT_NONNULL logits, ct_tensor CT_NONNULL targets, double smoothing,
                         ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Mean binary cross-entropy of every logit's logistic function against a target of 0 to 1.
int32_t ct_binary_cross_entropy(ct_tensor CT_NONNULL logits, ct_tensor CT_NONNULL targets,
                                ct_tensor CT_NULLABLE *CT_NONNULL out);

// ---- Convolutions (ctorch_convolution.cpp)

/// Zeros around `[batch, channels, height, width]`, as many on each side as said.
int32_t ct_pad2d(ct_tensor CT_NONNULL x, int64_t left, int64_t right, int64_t top, int64_t bottom,
                 ct_tensor CT_NULLABLE *CT_NONNULL out);
/// The positive part, at most 6.
CT_UNARY(relu6);
/// Filters of ct_conv2d, of `float32` or `bfloat16`, in the order in which oneDNN reads them fastest for inputs of
/// about the four sizes of `input`. Only ct_conv2d_packed takes them.
int32_t ct_pack_conv2d(ct_tensor CT_NONNULL weight, int64_t stride, int64_t padding, int64_t groups,
                       const int64_t *CT_NONNULL input, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// A convolution with packed filters, without a gradient; `x` and `bias` have the filters' type. The activation is 0
/// for none, 1 for relu, 2 for relu6.
int32_t ct_conv2d_packed(ct_tensor CT_NONNULL x, ct_tensor CT_NONNULL weight, ct_tensor CT_NULLABLE bias,
                         int64_t stride, int64_t padding, int64_t groups, int32_t activation,
                         ct_tensor CT_NULLABLE *CT_NONNULL out);

// ---- oneDNN kernels with their gradients (ctorch_onednn.cpp, ctorch_attention.cpp)

/// ct_linear on oneDNN's matrix product: forward, input gradient and weight gradient.
int32_t ct_linear_onednn(ct_tensor CT_NONNULL x, ct_tensor CT_NONNULL weight, ct_tensor CT_NULLABLE bias,
                         ct_tensor CT_NULLABLE *CT_NONNULL out);
/// A weight of ct_linear in `dtype` and in the order in which oneDNN reads it fastest, for inputs of some `rows` rows.
/// Only ct_linear_packed takes it.
int32_t ct_pack_linear(ct_tensor CT_NONNULL weight, ct_dtype dtype, int64_t rows,
                       ct_tensor CT_NULLABLE *CT_NONNULL out);
/// ct_linear_onednn with a packed weight, without a gradient; `bias` has the weight's type, `x` gets it.
int32_t ct_linear_packed(ct_tensor CT_NONNULL x, ct_tensor CT_NONNULL weight, ct_tensor CT_NULLABLE bias,
                         ct_tensor CT_NULLABLE *CT_NONNULL out);
/// softmax(q kᵀ / √width) v from a fused projection `[batch, tokens, 3 · heads · width]`, ordered q, k, v.
/// The result is `[batch, tokens, heads · width]`.
int32_t ct_attention_onednn(ct_tensor CT_NONNULL qkv, int64_t heads, ct_tensor CT_NULLABLE *CT_NONNULL out);

// ---- A transformer's blocks as one function, without gradients (encoder/)

/// A packed network; it keeps nothing of the tensors that it was made from.
typedef struct ct_encoder_s *ct_encoder;

/// What is between the feed-forward layers. With SwiGLU the first half of the outputs of fc1 gates the second.
typedef enum ct_encoder_activation {
    CT_GELU = 0,
    CT_GELU_TANH = 1,
    CT_QUICK_GELU = 2,
    CT_SWIGLU = 3,
} ct_encoder_activation;

/// The kernels that this processor has for operands of `float32` or `bfloat16`, or of `int8` in linear layers; null for
/// none.
const char *CT_NULLABLE ct_encoder_kernels(ct_dtype dtype);
/// An encoder without blocks for operands of `dtype`. The width is a multiple of 32; a head's too where queries and
/// keys are turned, and of 16 where they are normalised.
int32_t ct_encoder_create(int64_t width, int64_t heads, double eps, ct_encoder_activation activation,
                          bool normalizes_heads, ct_dtype dtype, ct_encoder CT_NULLABLE *CT_NONNULL out);
/// Packs the weights of the next pre-norm block, 22 tensors of float32 on the CPU: weight and bias of norm1, qkv and
/// proj, the first layer scale, weight and bias of norm2, fc1 and fc2, the second layer scale, weight and bias of the
/// norms of queries and of keys, and the steps of the outputs of qkv, proj, fc1 and fc2. Biases of linear layers and
/// layer scales may be null, the heads' norms where there are none, the steps but for int8. There a weight is its
/// output's step times whole numbers of -127 ... 127.
int32_t ct_encoder_add_block(ct_encoder CT_NONNULL encoder, const ct_tensor CT_NULLABLE *CT_NONNULL tensors);
/// Adds a normalisation after the last block.
int32_t ct_encoder_set_norm(ct_encoder CT_NONNULL encoder, ct_tensor CT_NONNULL weight, ct_tensor CT_NONNULL bias);
void ct_encoder_release(ct_encoder CT_NULLABLE encoder);
/// The first `wanted` tokens of every image after each of the last blocks, normalised where there is a normalisation:
/// `[last_blocks, images, wanted, width]`, from those that enter the first block, `[images, tokens, width]`. Threads
/// may share an encoder that has all its blocks. Cosines and sines, `[turned tokens, half of a head's width]`, turn the
/// queries and keys of the last tokens; null for none.
int32_t ct_encoder_run(ct_encoder CT_NONNULL encoder, ct_tensor CT_NONNULL tokens, ct_tensor CT_NULLABLE cosines,
                       ct_tensor CT_NULLABLE sines, int64_t wanted, int64_t last_blocks,
                       ct_tensor CT_NULLABLE *CT_NONNULL out);
/// For tests: the error of one kernel (0 ..< 17, see encoder/check.h) against plain loops in double precision, on
/// random numbers of a random shape, and the error that is allowed; 0 for a kernel that the type has not.
int32_t ct_encoder_error(ct_dtype dtype, int32_t part, uint64_t seed, double *CT_NONNULL error,
                         double *CT_NONNULL tolerance);

// ---- A transformer block with its gradient, for training (block/)

/// The kernels that this processor has for operands of `float32` or `bfloat16`; null for none.
const char *CT_NULLABLE ct_block_kernels(ct_dtype dtype);
/// A pre-norm block with a GELU, of tokens `[images, tokens, width]` in float32, where the width is a multiple of 32.
/// Products have autocast's type. `tensors` are those of ct_encoder_add_block(); the factors, one for each image, are
/// those of stochastic depth, or null.
int32_t ct_block(ct_tensor CT_NONNULL x, const ct_tensor CT_NULLABLE *CT_NONNULL tensors, int64_t heads, double eps,
                 ct_tensor CT_NULLABLE attention_factors, ct_tensor CT_NULLABLE feed_forward_factors,
                 ct_tensor CT_NULLABLE *CT_NONNULL out);
/// For tests: the largest error of a block's output and gradients against plain loops in double precision, on random
/// numbers of a random shape, and the error that is allowed.
int32_t ct_block_error(ct_dtype dtype, uint64_t seed, double *CT_NONNULL error, double *CT_NONNULL tolerance);

// ---- Loops of our own with their gradients (ctorch_kernels.cpp); libtorch's for tensors that they do not serve

/// ct_gelu. Where no gradient is wanted and `may_overwrite`, the result may be written over `a`.
int32_t ct_gelu_vectors(ct_tensor CT_NONNULL a, bool may_overwrite, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// `x + branch` in x's type, where `branch` may have half of its precision.
int32_t ct_add_branch(ct_tensor CT_NONNULL x, ct_tensor CT_NONNULL branch, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// ct_layer_norm; `for_product` lets the result have autocast's type, if autocast is on, instead of float32.
int32_t ct_layer_norm_vectors(ct_tensor CT_NONNULL x, int64_t width, ct_tensor CT_NULLABLE weight,
                              ct_tensor CT_NULLABLE bias, double eps, bool for_product,
                              ct_tensor CT_NULLABLE *CT_NONNULL out);

// ---- Gradients and autocast (ctorch_autograd.cpp); modes belong to the calling thread

int32_t ct_backward(ct_tensor CT_NONNULL loss);
/// Null in `out` when there is no gradient.
int32_t ct_grad(ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Drops the gradient.
int32_t ct_clear_grad(ct_tensor CT_NONNULL a);
int32_t ct_detach(ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out);
bool ct_requires_grad(ct_tensor CT_NONNULL a);
int32_t ct_set_requires_grad(ct_tensor CT_NONNULL a, bool value);
bool ct_grad_mode(void);
void ct_set_grad_mode(bool enabled);
/// The type that autocast computes in on this thread, or -1 where it is off.
int32_t ct_autocast_dtype(ct_device device);
bool ct_autocast_enabled(ct_device device);
/// Switches autocast on with `dtype`, or off; leaving the outermost scope drops its cache of converted weights.
int32_t ct_autocast_enter(ct_device device, ct_dtype dtype, bool enabled, bool *CT_NONNULL was_enabled,
                          int32_t *CT_NONNULL previous_dtype);
int32_t ct_autocast_leave(ct_device device, bool was_enabled, int32_t previous_dtype);

// ---- In place, for initialisers and optimisers (ctorch_inplace.cpp); never recorded by autograd

int32_t ct_copy_(ct_tensor CT_NONNULL into, ct_tensor CT_NONNULL from);
int32_t ct_fill_(ct_tensor CT_NONNULL a, double value);
int32_t ct_mul_(ct_tensor CT_NONNULL a, double factor);
int32_t ct_normal_(ct_tensor CT_NONNULL a, double mean, double std);
int32_t ct_uniform_(ct_tensor CT_NONNULL a, double low, double high);
/// One AdamW step over many tensors; `steps` hold one float32 each, counted from 1 and advanced here.
int32_t ct_adamw_(const ct_tensor CT_NONNULL *CT_NONNULL parameters, const ct_tensor CT_NONNULL *CT_NONNULL gradients,
                  const ct_tensor CT_NONNULL *CT_NONNULL first_moments,
                  const ct_tensor CT_NONNULL *CT_NONNULL second_moments, const ct_tensor CT_NONNULL *CT_NONNULL steps,
                  int32_t count, double lr, double beta1, double beta2, double weight_decay, double eps);
/// One SGD step over many tensors; `is_first` starts the momentum buffers from the gradients.
int32_t ct_sgd_(const ct_tensor CT_NONNULL *CT_NONNULL parameters, const ct_tensor CT_NONNULL *CT_NONNULL gradients,
                const ct_tensor CT_NONNULL *CT_NONNULL momenta, int32_t count, double lr, double momentum,
                double weight_decay, bool nesterov, bool is_first);
/// a[i] ← a[i] + weight · (b[i] − a[i]).
int32_t ct_lerp_many_(const ct_tensor CT_NONNULL *CT_NONNULL a, const ct_tensor CT_NONNULL *CT_NONNULL b, int32_t count,
                      double weight);
int32_t ct_mul_many_(const ct_tensor CT_NONNULL *CT_NONNULL a, int32_t count, double factor);
/// a[i] ← a[i] · factor; `found_infinite` becomes 1 where an element was not finite.
int32_t ct_unscale_(const ct_tensor CT_NONNULL *CT_NONNULL a, int32_t count, ct_tensor CT_NONNULL found_infinite,
                    ct_tensor CT_NONNULL factor);
/// The step of torch.amp.GradScaler.update().
int32_t ct_update_scale_(ct_tensor CT_NONNULL scale, ct_tensor CT_NONNULL growth_tracker,
                         ct_tensor CT_NONNULL found_infinite, double growth, double backoff, int64_t interval);
/// The L2 norm of all elements of all tensors together.
int32_t ct_norm_many(const ct_tensor CT_NONNULL *CT_NONNULL a, int32_t count, double *CT_NONNULL out);

#undef CT_UNARY
#undef CT_BINARY

#ifdef __cplusplus
}
#endif

#include "ctorch_group.h"

#endif
