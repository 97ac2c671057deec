/* The command line: finds the command and calls it.
 *
 * Place in the flow: main hands over to here; everything below a command is in its cmd_*.c. */
#include "engine/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "engine/cli/commands.h"

#define FB_COMMAND_ROW(name, summary) {#name, summary, fb_cmd_##name},
static const struct fb_command commands[] = {FB_COMMANDS(FB_COMMAND_ROW)};
#undef FB_COMMAND_ROW

const struct fb_command *fb_commands(size_t *n) {
    *n = sizeof commands / sizeof *commands;
    return commands;
}

const struct fb_command *fb_command_find(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

void fb_cli_usage(FILE *out) {
    fputs("usage: flyball COMMAND [OPTION...] [ARGUMENT...]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n  --version  version, commit and libraries\n"
          "  -h         on every command: its options and an example\n\n"
          "Example: flyball check pumps.rules\n",
          out);
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        fb_cli_usage(stderr);
        return FB_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0)
        return fb_cli_version(), FB_EXIT_OK;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return fb_cli_usage(stdout), FB_EXIT_OK;
    const struct fb_command *command = fb_command_find(name);
    if (!command) {
        const char *names[sizeof commands / sizeof *commands];
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            names[i] = commands[i].name;
        return fb_cli_wrong("command", name, names, sizeof commands / sizeof *commands);
    }
    char title[64];
    snprintf(title, sizeof title, "flyball %s", command->name);
    argv[1] = title;
    return command->run(argc - 1, argv + 1);
}

int fb_cli_main(int argc, char **argv) {
    int status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("flyball: the output could not be written\n", stderr);
        return status == FB_EXIT_OK ? FB_EXIT_IO : status;
    }
    return status;
}
