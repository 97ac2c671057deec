/* The frame of stored binary records. */
#include "engine/codec/binary.h"

enum { MAGIC_BYTES = 4, CHECKSUM_BYTES = 8 };

struct fb_bin fb_bin_open(struct fb_str bytes, const char magic[4], const char **why) {
    struct fb_bin bin = {.bad = true};
    if (bytes.n < MAGIC_BYTES + CHECKSUM_BYTES) {
        *why = "it is too short";
        return bin;
    }
    if (memcmp(bytes.p, magic, MAGIC_BYTES) != 0) {
        *why = "it begins with another mark: it is something else, or of another version";
        return bin;
    }
    struct fb_str content = {bytes.p, bytes.n - CHECKSUM_BYTES};
    bin = fb_bin_of((struct fb_str){bytes.p + content.n, CHECKSUM_BYTES});
    if (fb_bin_get_fixed(&bin) != fb_checksum64(content.p, content.n)) {
        *why = "its checksum is not that of its bytes: it was cut or changed";
        bin.bad = true;
        return bin;
    }
    *why = "its checksum is right and its content is not: no version of flyball wrote it";
    return fb_bin_of((struct fb_str){bytes.p + MAGIC_BYTES, content.n - MAGIC_BYTES});
}
