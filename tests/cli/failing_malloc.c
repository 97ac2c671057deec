/* Memory that runs out at the call that FB_FAIL_AT counts to; FB_FAIL_TOLD names a file that comes
 * to be when it did.
 *
 * Place in the flow: loaded before the other libraries by out_of_memory.sh. Only calls by the
 * program itself, by libpcre2 and by libc count: libcrypto crashes by itself where its first
 * allocations fail, and expat, udunits, librdkafka and the loader are not this project's either. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *p);

static atomic_ulong calls, fail_at;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("FB_FAIL_AT");
    if (at)
        atomic_store(&fail_at, strtoul(at, NULL, 10));
}

static bool counts(const void *caller) {
    Dl_info from;
    if (!dladdr(caller, &from) || !from.dli_fname)
        return false;
    const char *slash = strrchr(from.dli_fname, '/');
    const char *name = slash ? slash + 1 : from.dli_fname;
    return !strcmp(name, "flyball") || !strncmp(name, "libpcre2", 8) || !strncmp(name, "libc.", 5);
}

static bool fails(const void *caller) {
    unsigned long at = atomic_load(&fail_at);
    if (!at || !counts(caller) || atomic_fetch_add(&calls, 1) + 1 != at)
        return false;
    const char *told = getenv("FB_FAIL_TOLD");
    int file = told ? open(told, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
    if (file >= 0)
        close(file);
    errno = ENOMEM;
    return true;
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

void *malloc(size_t bytes) {
    return fails(CALLER) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes) {
    return fails(CALLER) ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *old, size_t bytes) {
    return fails(CALLER) ? NULL : __libc_realloc(old, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    return fails(CALLER) ? NULL : __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return fails(CALLER) ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **p, size_t alignment, size_t bytes) {
    void *got = fails(CALLER) ? NULL : __libc_memalign(alignment, bytes);
    if (!got)
        return ENOMEM;
    *p = got;
    return 0;
}

void free(void *p) {
    __libc_free(p);
}
