/* What this build is made of.
 *
 * Place in the flow: `flyball --version`. */
#include <librdkafka/rdkafka.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <xxhash.h>
#include <zstd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/base/err.h"
#include "engine/cli/commands.h"
#include "fb_build.h" /* made by CMake: FB_VERSION, FB_COMMIT, FB_UDUNITS */

/* Only in the program, not in builds with sanitizers. */
__attribute__((weak)) int mallctl(const char *name, void *old, size_t *old_bytes, void *new,
                                  size_t new_bytes);

const char *fb_cli_build(void) {
    return FB_VERSION;
}

void fb_cli_version(void) {
    char pcre[64] = "";
    FB_ASSERT(pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof pcre);
    pcre2_config(PCRE2_CONFIG_VERSION, pcre);
    unsigned hash = XXH_versionNumber();
    printf("flyball %s (%s)\n", FB_VERSION, FB_COMMIT);
    printf("librdkafka %s\nPCRE2 %s\nZstandard %s\nUDUNITS %s\n%s\nxxHash %u.%u.%u\n",
           rd_kafka_version_str(), pcre, ZSTD_versionString(), FB_UDUNITS,
           OpenSSL_version(OPENSSL_VERSION), hash / 10000, hash / 100 % 100, hash % 100);
    const char *jemalloc = NULL;
    size_t bytes = sizeof jemalloc;
    if (mallctl && mallctl("version", &jemalloc, &bytes, NULL, 0) == 0)
        printf("jemalloc %s\n", jemalloc);
}
