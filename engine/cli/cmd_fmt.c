/* `flyball fmt [--check] RULES...`
 *
 * Place in the flow: the parser and the formatter, and nothing behind them: a file that names what
 * is not there is laid out as well as any other. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/cli/commands.h"
#include "rules/format.h"
#include "rules/parse.h"

struct arguments {
    bool check;
    char **paths; /* of argv */
    int n_paths;
};

static error_t parse_option(int key, char *value, struct argp_state *state) {
    (void)value;
    struct arguments *arguments = state->input;
    switch (key) {
    case 'c':
        arguments->check = true;
        return 0;
    case ARGP_KEY_ARGS:
        arguments->paths = state->argv + state->next;
        arguments->n_paths = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name a rule file, a folder of them, or - for standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool read_stdin(struct fb_sources *sources, struct fb_err *err) {
    struct fb_buf text = {0};
    char block[65536];
    size_t n;
    while (text.n <= FB_SOURCE_BYTES_MAX && (n = fread(block, 1, sizeof block, stdin)) > 0) {
        fb_buf_put(&text, block, n);
    }
    bool ok = ferror(stdin) == 0 ||
              fb_fail(err, FB_FATAL, "cannot read standard input: %s", strerror(errno));
    if (ok) {
        fb_sources_add(sources, FB_S("<stdin>"), (struct fb_str){text.p, text.n});
    }
    fb_buf_free(&text);
    return ok;
}

static bool write_all(int fd, struct fb_str text) {
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        text.p += n > 0 ? n : 0;
        text.n -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Puts a text in a file's place: whoever reads it sees the old one or the new one, whole. */
static bool replace(const char *path, struct fb_str text, struct fb_err *err) {
    struct stat status;
    struct fb_buf name = {0};
    fb_buf_printf(&name, "%s.XXXXXX", path);
    fb_buf_terminated(&name);
    int fd = stat(path, &status) == 0 ? mkostemp(name.p, O_CLOEXEC) : -1;
    bool ok = fd >= 0 && fchmod(fd, status.st_mode & 07777) == 0 && write_all(fd, text) &&
              fsync(fd) == 0;
    int failure = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        failure = errno;
        ok = false;
    }
    if (ok && rename(name.p, path) != 0) {
        failure = errno;
        ok = false;
    }
    if (!ok) {
        if (fd >= 0) {
            unlink(name.p);
        }
        fb_fail(err, FB_FATAL, "cannot write %s: %s", path, strerror(failure));
    }
    fb_buf_free(&name);
    return ok;
}

/* One file; returns its exit status. */
static int format_file(struct fb_sources *sources, uint32_t index, bool check) {
    struct fb_diags *diags = fb_diags_new();
    struct fb_tree *tree = fb_parse_alone(sources, index, diags);
    const struct fb_source *source = &sources->files[index];
    bool is_stdin = source->real_path.n == 0;
    struct fb_buf out = {0};
    struct fb_err err = {0};
    int status = FB_EXIT_OK;
    if (diags->errors > 0) {
        fb_diags_print(diags, sources, fb_cli_colour(stderr), &out);
        fb_cli_put(&out, stderr);
        status = FB_EXIT_PROBLEMS;
    } else {
        fb_format(tree, 0, &out);
        bool changed = !fb_str_eq((struct fb_str){out.p, out.n}, source->text);
        if (is_stdin && !check) {
            fb_cli_put(&out, stdout);
        } else if (changed) {
            bool ok = check || replace(source->real_path.p, (struct fb_str){out.p, out.n}, &err);
            if (ok) {
                printf("%.*s\n", FB_ARG(source->path));
            } else {
                fprintf(stderr, "flyball fmt: %s\n", err.text);
            }
            status = !ok ? FB_EXIT_IO : check ? FB_EXIT_PROBLEMS : FB_EXIT_OK;
        }
    }
    fb_buf_free(&out);
    fb_tree_free(tree);
    fb_diags_free(diags);
    return status;
}

int fb_cmd_fmt(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"check", 'c', NULL, 0, "Change nothing; list the files that would change and fail", 0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "RULES...",
        .doc = "Bring rule files into their canonical layout, in place; list those that changed. "
               "RULES is a file, a folder of *.rules, or - for standard input to output. Files "
               "with syntax errors are left alone.\v"
               "Example: flyball fmt --check rules/"};
    struct arguments arguments = {0};
    fb_cli_options(&argp, argc, argv, &arguments);
    struct fb_sources *sources = fb_sources_new();
    struct fb_err err = {0};
    int status = FB_EXIT_OK;
    for (int i = 0; i < arguments.n_paths; i++) {
        bool ok = strcmp(arguments.paths[i], "-") == 0
                      ? read_stdin(sources, &err)
                      : fb_sources_load(sources, arguments.paths[i], &err);
        if (!ok) {
            fprintf(stderr, "flyball fmt: %s\n", err.text);
            status = FB_EXIT_IO;
        }
    }
    for (uint32_t i = 0; i < sources->n_files; i++) {
        int one = format_file(sources, i, arguments.check);
        status = one > status ? one : status;
    }
    fb_sources_free(sources);
    return status;
}
