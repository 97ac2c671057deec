#include "tests/kafka/setup.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[256];

int fb_folder_make(void **state) {
    (void)state;
    const char *below = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/fb-test-kafka-XXXXXX", below && below[0] ? below : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

int fb_folder_remove(void **state) {
    (void)state;
    char command[sizeof folder + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return getenv("FB_KEEP") ? 0 : system(command);
}

const char *fb_folder(void) {
    return folder;
}

char *fb_path_of(const char *name) {
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void fb_write_text(const char *path, const char *format, ...) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    va_list args;
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    assert_int_equal(fclose(file), 0);
}

struct fb_program_run fb_engine_start(unsigned n) {
    char log[32];
    snprintf(log, sizeof log, "run-%u.log", n);
    const char *const args[] = {
        "run", "--rules", fb_path_of("a.rules"), "--config", fb_path_of("fb.properties"), NULL};
    return fb_program_start(folder, log, args);
}

void fb_engine_kill(const struct fb_program_run *run) {
    fb_program_signal(run, SIGKILL);
    assert_int_equal(fb_program_wait(run), 128 + SIGKILL);
}

int64_t fb_number_behind(const char *text, const char *name) {
    const char *at = strstr(text, name);
    assert_non_null(at);
    return strtoll(at + strlen(name), NULL, 10);
}

bool fb_torture(void) {
    const char *wish = getenv("FB_TORTURE");
    return wish && wish[0] && strcmp(wish, "0") != 0;
}
