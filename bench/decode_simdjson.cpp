/* simdjson's half of the decode benchmark: On-Demand, the quickest of its interfaces. */
#include "bench/decode.h"

#include <simdjson.h>

#include <cstring>
#include <string>
#include <string_view>

using simdjson::ondemand::object;
using simdjson::ondemand::parser;

static double look_up(object &o) {
    std::string_view device = o["device"];
    int64_t ts = o["ts"];
    double sum = double(o["temperature"]) + double(o["vibration"]) + double(o["humidity"]) +
                 double(o["pressure"]);
    std::string_view status = o["status"];
    return sum + static_cast<double>(device.size() + status.size()) + static_cast<double>(ts % 2);
}

static double walk_over(object &o) {
    double sum = 0;
    for (auto field : o) {
        std::string_view name = field.unescaped_key();
        if (name == "temperature" || name == "vibration" || name == "humidity" ||
            name == "pressure")
            sum += double(field.value());
        else if (name == "device" || name == "status")
            sum += static_cast<double>(std::string_view(field.value()).size());
        else if (name == "ts")
            sum += static_cast<double>(int64_t(field.value()) % 2);
    }
    return sum;
}

double bench_simdjson(const struct bench_document *documents, size_t n, bool copied, bool walk) {
    static parser reader;
    static char padded[4096];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const char *bytes = documents[i].bytes;
        if (copied) {
            std::memcpy(padded, bytes, documents[i].n);
            bytes = padded;
        }
        simdjson::ondemand::document document;
        if (reader.iterate(bytes, documents[i].n, documents[i].n + simdjson::SIMDJSON_PADDING)
                .get(document))
            return -1;
        object o = document.get_object();
        sum += walk ? walk_over(o) : look_up(o);
    }
    return sum;
}

const char *bench_simdjson_name(void) {
    static const std::string name = simdjson::get_active_implementation()->name();
    return name.c_str();
}
