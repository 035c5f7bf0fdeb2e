// Processes that compute together: a store of small values, and collective operations on tensors (c10d over Gloo).
//
// The rules of ctorch.h hold here too. The collective functions are called by all processes of a group, in one order
// and with tensors of the same shapes and types; each waits until all have called it, at most for the group's time.
#ifndef SWIFT_DEIT_CTORCH_GROUP_H
#define SWIFT_DEIT_CTORCH_GROUP_H

#include "ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A process's place among others.
typedef struct ct_group_s *ct_group;

/// Whether the loaded libtorch has c10d with Gloo.
bool ct_has_group(void);
/// Connects to the store at an address, or opens it there if this process `serves` it. Keys get the prefix.
int32_t ct_group_connect(const char *CT_NONNULL host, int32_t port, bool serves, const char *CT_NONNULL prefix,
                         int32_t rank, int32_t size, int64_t timeout_ms, ct_group CT_NULLABLE *CT_NONNULL out);
/// Connects the processes with one another, after which the collective functions can be called.
int32_t ct_group_join(ct_group CT_NONNULL group);
/// Closes the connections to the other processes, whose collective functions then fail, and keeps the store.
int32_t ct_group_leave(ct_group CT_NONNULL group);
void ct_group_release(ct_group CT_NULLABLE group);

/// Writes bytes into the store.
int32_t ct_group_set(ct_group CT_NONNULL group, const char *CT_NONNULL key, const void *CT_NULLABLE bytes,
                     size_t count);
/// The bytes under a key as a tensor of uint8; null where it is absent.
int32_t ct_group_get(ct_group CT_NONNULL group, const char *CT_NONNULL key, ct_tensor CT_NULLABLE *CT_NONNULL out);

/// Adds up a tensor over all processes, in place.
int32_t ct_group_sum_(ct_group CT_NONNULL group, ct_tensor CT_NONNULL a);
/// Overwrites tensors with those of process 0.
int32_t ct_group_broadcast_(ct_group CT_NONNULL group, const ct_tensor CT_NONNULL *CT_NONNULL tensors, int32_t count);
/// The tensors of all processes, `[size, …]`.
int32_t ct_group_gather(ct_group CT_NONNULL group, ct_tensor CT_NONNULL a, ct_tensor CT_NULLABLE *CT_NONNULL out);
/// Replaces every parameter's gradient by the weighted mean over all processes, and adds up `numbers` in place.
///
/// The weight of a process is the first of its `numbers`, which are float32. A parameter without a gradient sends zeros
/// and gets none. Gradients travel in buckets of at most `bucket_bytes`, whose layout follows from the parameters
/// alone, so that sums round alike in every run.
int32_t ct_group_average_gradients(ct_group CT_NONNULL group, const ct_tensor CT_NONNULL *CT_NONNULL parameters,
                                   int32_t count, int64_t bucket_bytes, ct_tensor CT_NONNULL numbers);

#ifdef __cplusplus
}
#endif

#endif
