// A copy that survives SIGBUS: the handler jumps back into it when the fault is at one of its own addresses.
#if !defined(__APPLE__)
#define _GNU_SOURCE
#endif
#include "mapped_file.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    sigjmp_buf back;
    uintptr_t start, end;
} guarded_copy;

static _Thread_local guarded_copy *volatile current;
static struct sigaction previous;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool installed;

static void pass_on(int signal, siginfo_t *info, void *context) {
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signal, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal);
    } else {
        // Returning repeats the faulting instruction, which now ends the process as it would have without us.
        struct sigaction standard = {0};
        standard.sa_handler = SIG_DFL;
        sigaction(signal, &standard, NULL);
        // One that was sent by kill() has no instruction to repeat.
        if (info->si_code <= 0) raise(signal);
    }
}

static void handle(int signal, siginfo_t *info, void *context) {
    guarded_copy *copy = current;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (copy && info->si_code > 0 && address >= copy->start && address < copy->end) siglongjmp(copy->back, 1);
    pass_on(signal, info, context);
}

static void install(void) {
    struct sigaction action = {0};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    installed = sigaction(SIGBUS, &action, &previous) == 0;
}

bool mf_copy(void *destination, const void *source, size_t count) {
    if (count == 0) return true;
    pthread_once(&once, install);
    if (!installed) return false;
    guarded_copy copy = {.start = (uintptr_t)source, .end = (uintptr_t)source + count};
    // The signal mask is saved, since the handler is left without returning from it.
    if (sigsetjmp(copy.back, 1) != 0) {
        current = NULL;
        return false;
    }
    current = &copy;
    memcpy(destination, source, count);
    current = NULL;
    return true;
}
