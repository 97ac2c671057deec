/* What a test program begins with: a folder of its own, and whether the long form is wanted.
 *
 * Place in the flow: tests only; cmocka calls the first two around a program's tests. */
#ifndef FB_TESTS_KAFKA_SETUP_H
#define FB_TESTS_KAFKA_SETUP_H

#include <stdbool.h>

/* Makes the folder below $TMPDIR, or /tmp. 0: done. */
int fb_folder_make(void **state);
/* Removes it with what is in it, unless FB_KEEP is set. 0: done. */
int fb_folder_remove(void **state);
const char *fb_folder(void);
/* The path of a name in the folder; the eighth call after it takes its place. */
char *fb_path_of(const char *name);
__attribute__((format(printf, 2, 3))) void fb_write_text(const char *path, const char *format, ...);
/* Whether FB_TORTURE asks for the long form. */
bool fb_torture(void);

#endif
