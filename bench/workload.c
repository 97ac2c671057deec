/* The stream and the rules that the benchmarks have in common. */
#include "bench/workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static double unit(struct bench_stream *stream) {
    stream->random ^= stream->random << 13;
    stream->random ^= stream->random >> 7;
    stream->random ^= stream->random << 17;
    return (double)(stream->random >> 11) * (1.0 / 9007199254740992.0);
}

/* A smooth wave between -1 and 1 of period 1. */
static double wave(double turns) {
    double x = turns - (double)(int64_t)turns, half = x < 0.5 ? x * 2 : x * 2 - 1;
    double hill = 4 * half * (1 - half);
    return x < 0.5 ? hill : -hill;
}

void bench_stream_begin(struct bench_stream *stream) {
    stream->random = UINT64_C(88172645463325252);
    stream->i = 0;
    for (int i = 0; i < BENCH_DEVICES; i++)
        stream->base[i] = 20 + 10 * unit(stream);
}

size_t bench_stream_next(struct bench_stream *stream, char out[BENCH_EVENT_MAX]) {
    int64_t device = stream->i % BENCH_DEVICES, second = stream->i / BENCH_DEVICES;
    int64_t ts = INT64_C(1732147200000) + second * 1000 + device * 1000 / BENCH_DEVICES;
    double phase = (double)second * 0.0032 + (double)device * 0.059;
    double temperature = stream->base[device] + 5 * wave(phase) + 2 * (unit(stream) - .5);
    double vibration = 0.3 + 0.2 * wave(phase * 1.7) + 0.1 * unit(stream);
    double humidity = 45 + 15 * wave(phase * 0.6) + unit(stream);
    double pressure = 101 + 1.5 * wave(phase * 0.9) + .3 * unit(stream);
    bool fault = unit(stream) < .001;
    stream->i++;
    return (size_t)snprintf(out, BENCH_EVENT_MAX,
                            "{\"device\":\"dev-%06" PRId64 "\",\"ts\":%" PRId64
                            ",\"temperature\":%.2f,\"vibration\":%.3f,\"humidity\":%.1f,"
                            "\"pressure\":%.2f,\"status\":\"%s\",\"seq\":%" PRId64
                            ",\"site\":\"plant-%" PRId64 "\"}",
                            device, ts, temperature, vibration, humidity, pressure,
                            fault ? "fault" : "ok", second, device % 7);
}

struct fb_str bench_key(struct fb_str event) {
    return (struct fb_str){event.p + strlen("{\"device\":\""), strlen("dev-000000")};
}

static const struct {
    const char *name;
    double from, step;
} fields[] = {{"temperature", 34, .1},
              {"humidity", 60.5, .05},
              {"vibration", .55, .003},
              {"pressure", 102.5, .01}};
enum { FIELDS = sizeof fields / sizeof *fields };

static void put_w4(struct fb_buf *out, int k) {
    fb_buf_printf(out,
                  "alarm r%d on dev { raise high when temperature >= %.1f for 5s until temperature "
                  "< %.1f for 5s }\n",
                  k, 33 + .1 * k, 31 + .1 * k);
}

/* The same conditions, but each claims an actuator of its own. */
static void put_w4_acting(struct fb_buf *out, int k) {
    fb_buf_printf(out,
                  "actuator a%d on dev : (off, on) { safe off }\n"
                  "control r%d on dev { start when temperature >= %.1f for 5s until temperature "
                  "< %.1f for 5s  command a%d = on  rollout armed }\n",
                  k, k, 33 + .1 * k, 31 + .1 * k, k);
}

void bench_rules_write(enum bench_rules rules, int n, const char *topic, struct fb_buf *out) {
    fb_buf_printf(out,
                  "device dev from \"%s\" {\n  key device\n  time ts [ms]\n"
                  "  temperature : number\n  humidity : number\n  vibration : number\n"
                  "  pressure : number\n}\n",
                  topic);
    if (rules == BENCH_NONE)
        return;
    for (int k = 0; k < n; k++) {
        const char *field = fields[k % FIELDS].name;
        double limit = fields[k % FIELDS].from + fields[k % FIELDS].step * (k / FIELDS);
        if (rules == BENCH_W4)
            put_w4(out, k);
        else if (rules == BENCH_W4_ACTING)
            put_w4_acting(out, k);
        else if (rules == BENCH_W2)
            fb_buf_printf(out, "event r%d on dev { whenever avg(%s each 10s) > %.4f }\n", k, field,
                          limit);
        else if (k < FIELDS)
            fb_buf_printf(out, "event r%d on dev { whenever avg(%s each 10s) > 1000000 }\n", k,
                          field);
    }
}
