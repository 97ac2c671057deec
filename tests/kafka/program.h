/* `flyball` as a process of its own, what it says in a file.
 *
 * Place in the flow: tests only. What fails here ends the test program with a message. */
#ifndef FB_TESTS_KAFKA_PROGRAM_H
#define FB_TESTS_KAFKA_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

struct fb_program_run {
    pid_t pid;
    char log[256]; /* the file with its stdout and stderr */
};

/* args: without the program's name, ended by NULL. The log goes to folder/name. It is killed when
 * the test program ends. */
struct fb_program_run fb_program_start(const char *folder, const char *name,
                                       const char *const *args);
void fb_program_signal(const struct fb_program_run *run, int signal);
/* One that fb_program_do ran, for what it said. */
struct fb_program_run fb_program_done(const char *folder, const char *name);
/* What it has said so far goes to this program's own errors. */
void fb_program_show(const struct fb_program_run *run);
/* Its exit status; 128 + the signal where one ended it. */
int fb_program_wait(const struct fb_program_run *run);
/* Start and wait. */
int fb_program_do(const char *folder, const char *name, const char *const *args);
/* True where its log holds this text by now. */
bool fb_program_said(const struct fb_program_run *run, const char *text);
/* Waits for the text; ends the test after a minute without it. */
void fb_program_await(const struct fb_program_run *run, const char *text);

#endif
