// Copies out of mapped files, plain C11.
//
// A mapped file that somebody shortens raises SIGBUS when a page beyond its new end is touched, and that
// kills the process. Memory that belongs to a mapping is therefore read through mf_copy() only.
#ifndef SWIFT_DEIT_MAPPED_FILE_H
#define SWIFT_DEIT_MAPPED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Copies `count` bytes from a mapping; false when the file behind it has become shorter or the disk failed,
/// and `destination` then holds an unknown part of them. The first call installs a handler of SIGBUS that
/// passes every fault elsewhere on to the handler before it.
bool mf_copy(void *destination, const void *source, size_t count);

#ifdef __cplusplus
}
#endif

#endif
