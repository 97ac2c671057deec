/* The table of commands: one row here, one cmd_*.c each.
 *
 * Place in the flow: cli.c finds the command by its name and hands it the rest of the line.
 *
 * A new command is a row in FB_COMMANDS and a file cmd_NAME.c with `int fb_cmd_NAME(argc, argv)`.
 * argv[0] is "flyball NAME", as argp wants it for its messages; the result is an enum fb_exit.
 * Options are read with fb_cli_options, so that -h, the usage and its exit status are alike. */
#ifndef FB_CLI_COMMANDS_H
#define FB_CLI_COMMANDS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* name, what it does in a line */
#define FB_COMMANDS(COMMAND)                                                                       \
    COMMAND(audit, "check audit records, or print the heads of their chains")                      \
    COMMAND(check, "find every mistake in rule files, and say what the rules cost")                \
    COMMAND(deploy, "give a running application other rules, or those before")                     \
    COMMAND(diff, "say what other rules would have told of recorded events")                       \
    COMMAND(drain, "end a running application with its state in snapshots")                        \
    COMMAND(explain, "say why an alarm or a command came, or was blocked")                         \
    COMMAND(fmt, "bring rule files into their canonical layout")                                   \
    COMMAND(gen, "write a stream of sample telemetry with faults in it")                           \
    COMMAND(operator, "take actuators in hand, or stop commands, of a running application")        \
    COMMAND(plan, "say what a change of rules keeps of running state")                             \
    COMMAND(replay, "run rules over recorded events")                                              \
    COMMAND(run, "run rules over live events: Kafka to Kafka, or pipes")                           \
    COMMAND(simulate, "run rules in a closed loop with modelled plants")                           \
    COMMAND(test, "run the tests that stand in rule files")                                        \
    COMMAND(help, "explain a command or a diagnostic code, as in `flyball help E401`")

struct fb_buf;

struct fb_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};

#define FB_COMMAND_DECLARE(name, summary) int fb_cmd_##name(int argc, char **argv);
FB_COMMANDS(FB_COMMAND_DECLARE)
#undef FB_COMMAND_DECLARE

/* ---- cli.c ---- */
const struct fb_command *fb_commands(size_t *n);
/* NULL: there is none of this name. */
const struct fb_command *fb_command_find(const char *name);
/* The usage with all commands, on stdout or stderr. */
void fb_cli_usage(FILE *out);

/* ---- terminal.c ---- */
/* Says what is wrong with the command line on stderr, with the nearest of the candidates (may be
 * none) as a suggestion; returns FB_EXIT_USAGE. */
int fb_cli_wrong(const char *what, const char *given, const char *const *candidates, size_t n);

/* argp_parse with -h and --help added, which end the process with status 0; wrong usage ends it
 * with FB_EXIT_USAGE. `argp->doc` holds a sentence, then \v and an example. */
void fb_cli_options(const struct argp *argp, int argc, char **argv, void *input);
/* Colour on this stream: a terminal, and no NO_COLOR. */
bool fb_cli_colour(FILE *out);

/* Writes what is in the buffer, which may be nothing. */
void fb_cli_put(const struct fb_buf *buf, FILE *out);

/* ---- version.c ---- */
/* "flyball 0.1.0 (commit)" and a line for each library, on stdout. */
void fb_cli_version(void);
/* "0.1.0": of this build. */
const char *fb_cli_build(void);

#endif
