/* What a test program begins with: a folder of its own, the engine on what stands in it, and
 * whether the long form is wanted.
 *
 * Place in the flow: tests only; cmocka calls the first two around a program's tests. */
#ifndef FB_TESTS_KAFKA_SETUP_H
#define FB_TESTS_KAFKA_SETUP_H

#include "tests/kafka/program.h"

#include <stdint.h>

/* Makes the folder below $TMPDIR, or /tmp. 0: done. */
int fb_folder_make(void **state);
/* Removes it with what is in it, unless FB_KEEP is set. 0: done. */
int fb_folder_remove(void **state);
const char *fb_folder(void);
/* The path of a name in the folder; the eighth call after it takes its place. */
char *fb_path_of(const char *name);
__attribute__((format(printf, 2, 3))) void fb_write_text(const char *path, const char *format, ...);
/* `flyball run` with the folder's a.rules and fb.properties, for the nth time: it logs to
 * run-N.log.
 */
struct fb_program_run fb_engine_start(unsigned n);
/* kill -9, and waits for it. */
void fb_engine_kill(const struct fb_program_run *run);
/* The number that stands right behind the first `name` in a text; the test fails without it. */
int64_t fb_number_behind(const char *text, const char *name);
/* Whether FB_TORTURE asks for the long form. */
bool fb_torture(void);

#endif
