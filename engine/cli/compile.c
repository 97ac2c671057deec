/* Compiles and reports.
 *
 * Place in the flow: see compile.h. */
#include "engine/cli/compile.h"

#include <stdio.h>

#include "engine/cli/cli.h"
#include "engine/cli/commands.h"

error_t fb_rules_request_option(struct fb_rules_request *request, int key, char *value,
                                struct argp_state *state) {
    if (key != 'r')
        return ARGP_ERR_UNKNOWN;
    if (request->n == FB_RULES_MAX)
        argp_error(state, "at most %d of --rules", FB_RULES_MAX);
    request->paths[request->n++] = value;
    return 0;
}

int fb_cli_compile(const char *const *paths, uint32_t n, struct fb_compiled *out) {
    struct fb_diags *diags = fb_diags_new();
    bool good = fb_compile_all(paths, n, diags, out);
    struct fb_buf text = {0};
    fb_diags_print(diags, out->sources, fb_cli_colour(stderr), &text);
    fb_cli_put(&text, stderr);
    fb_buf_free(&text);
    fb_diags_free(diags);
    if (good)
        return FB_EXIT_OK;
    int status = out->unreadable ? FB_EXIT_IO : FB_EXIT_PROBLEMS;
    fb_compiled_free(out);
    return status;
}
