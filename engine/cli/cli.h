/* The command line: a table of commands, one cmd_*.c each.
 *
 * Place in the flow: turns arguments into calls of engine/run and rules, failures into exit
 * codes. */
#ifndef FB_CLI_CLI_H
#define FB_CLI_CLI_H

/* Exit status, a contract with scripts. */
enum fb_exit {
    FB_EXIT_OK = 0,
    FB_EXIT_PROBLEMS = 1, /* the work found problems: rules with errors, failed tests */
    FB_EXIT_USAGE = 2,    /* wrong usage or configuration */
    FB_EXIT_IO = 3,       /* input or output failed */
    FB_EXIT_INTERNAL = 4
};

int fb_cli_main(int argc, char **argv);

#endif
