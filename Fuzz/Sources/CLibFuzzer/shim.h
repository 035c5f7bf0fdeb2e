#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own main, as compiler-rt documents it ("Using libFuzzer as a library").
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one_input)(const uint8_t *data, size_t size));
