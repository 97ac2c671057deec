/* The configuration of a command. */
#include "engine/cli/read_config.h"

#include "engine/cli/commands.h"

bool fb_cli_read_config(const char *path, const char *const *sets, uint32_t n_sets,
                        struct fb_config *config) {
    struct fb_buf errors = {0};
    bool ok = !path || fb_config_read(config, path, &errors);
    for (uint32_t i = 0; i < n_sets; i++)
        ok &= fb_config_set(config, sets[i], &errors);
    ok = ok && fb_config_finish(config, &errors);
    if (!ok)
        fb_cli_put(&errors, stderr);
    fb_buf_free(&errors);
    return ok;
}
