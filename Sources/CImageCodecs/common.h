// Shared by the decoders of this target.
#pragma once
#include <stdint.h>
#include <stdio.h>

#include "image_codecs.h"

static inline ic_status ic_fail(char *message, ic_status status, const char *text) {
    snprintf(message, IC_MESSAGE_SIZE, "%s", text);
    return status;
}
