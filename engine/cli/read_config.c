/* The configuration of a command. */
#include "engine/cli/read_config.h"

#include "engine/cli/commands.h"

error_t fb_config_request_option(struct fb_config_request *request, int key, char *value,
                                 struct argp_state *state) {
    switch (key) {
    case 'c':
        request->path = value;
        return 0;
    case 'X':
        if (request->n_sets == FB_CONFIG_SETS_MAX)
            argp_error(state, "at most %d of -X", FB_CONFIG_SETS_MAX);
        request->sets[request->n_sets++] = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

bool fb_cli_read_config(const struct fb_config_request *request, struct fb_config *config) {
    struct fb_buf errors = {0};
    bool ok = !request->path || fb_config_read(config, request->path, &errors);
    for (uint32_t i = 0; i < request->n_sets; i++)
        ok &= fb_config_set(config, request->sets[i], &errors);
    ok = ok && fb_config_finish(config, &errors);
    if (!ok)
        fb_cli_put(&errors, stderr);
    fb_buf_free(&errors);
    return ok;
}
