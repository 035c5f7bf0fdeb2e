// libjpeg's header needs stdio and size_t before it.
#include <stddef.h>
#include <stdio.h>
#include <jpeglib.h>
