/* What the configuration says to the Kafka client. */
#include "engine/run/kafka_settings.h"

#include <stdint.h>
#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/run/config.h"

struct fb_kafka_settings fb_kafka_settings_of(const struct fb_config *config) {
    uint32_t n = fb_config_n_kafka(config);
    struct fb_kafka_setting *items = fb_alloc((n + 1) * sizeof *items);
    for (uint32_t i = 0; i < n; i++)
        fb_config_kafka(config, i, &items[i].name, &items[i].value);
    return (struct fb_kafka_settings){items, n};
}

void fb_kafka_settings_free(struct fb_kafka_settings settings) {
    free((struct fb_kafka_setting *)(uintptr_t)settings.items);
}
