// zlib (RFC 1950, 1952), as Debian's zlib1g-dev has it.
#include <zlib.h>

// Macros in zlib.h. 31 is a window of 2^15 bytes with the header and trailer of gzip.
static inline int poyang_deflate_init_gzip(z_streamp stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
}

static inline int poyang_inflate_init_gzip(z_streamp stream) {
    return inflateInit2(stream, 31);
}
