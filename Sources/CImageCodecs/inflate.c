// gzip and zlib streams through zlib; members of a gzip file that follow one another are joined.
#include <limits.h>
#include <zlib.h>

#include "common.h"

static uInt part(size_t count) { return count > UINT_MAX ? UINT_MAX : (uInt)count; }

ic_status ic_inflate(const uint8_t *data, size_t size, uint8_t *output, size_t capacity, size_t *length,
                     char *message) {
    z_stream stream = {0};
    if (inflateInit2(&stream, 15 + 32) != Z_OK) return ic_fail(message, IC_NO_MEMORY, "out of memory");
    size_t read = 0, written = 0;
    uint8_t beyond;  // takes the first byte that does not fit, which tells an exact fit from an overflow
    ic_status status = IC_OK;
    for (;;) {
        int full = written == capacity;
        stream.next_in = (Bytef *)(data + read);
        stream.avail_in = part(size - read);
        stream.next_out = full ? &beyond : output + written;
        stream.avail_out = full ? 1 : part(capacity - written);
        uInt in = stream.avail_in, out = stream.avail_out;
        int code = inflate(&stream, Z_NO_FLUSH);
        read += in - stream.avail_in;
        uInt made = out - stream.avail_out;
        if (full && made > 0) {
            status = ic_fail(message, IC_TOO_LARGE, "more data than expected");
            break;
        }
        written += made;
        if (code == Z_STREAM_END) {
            if (read + 2 > size || data[read] != 0x1F || data[read + 1] != 0x8B) break;
            if (inflateReset(&stream) != Z_OK) {
                status = ic_fail(message, IC_CORRUPT, "damaged compressed data");
                break;
            }
        } else if (code == Z_BUF_ERROR || (code == Z_OK && read == size && made == 0)) {
            status = ic_fail(message, IC_TRUNCATED, "the compressed data ends too early");
            break;
        } else if (code == Z_MEM_ERROR) {
            status = ic_fail(message, IC_NO_MEMORY, "out of memory");
            break;
        } else if (code != Z_OK) {
            status = ic_fail(message, IC_CORRUPT, stream.msg ? stream.msg : "damaged compressed data");
            break;
        }
    }
    inflateEnd(&stream);
    *length = written;
    return status;
}
