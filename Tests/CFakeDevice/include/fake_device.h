// An accelerator for tests: libtorch's PrivateUse1 device over pages that the processor must not touch.
//
// Every operator runs on the CPU behind the scenes, on copies. A tensor of the CPU among its operands is refused as
// CUDA refuses it, unless it has no dimensions; reading a tensor's memory directly is a SIGSEGV. So a tensor that is
// made on the wrong device fails a test on a machine without a GPU.
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Registers the device with libtorch; a second call does nothing.
void fake_device_install(void);
/// Limits the bytes that its tensors may take; 0 for no limit.
void fake_device_set_limit(int64_t bytes);
/// How often the elements of one of its tensors were copied to the CPU or read as a number, since the start.
int64_t fake_device_read_count(void);

#ifdef __cplusplus
}
#endif

#endif
