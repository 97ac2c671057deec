/* The table of profiles.
 *
 * Place in the flow: see profile.h. */
#include "engine/sample/profile.h"

#include <stddef.h>
#include <string.h>

const struct fb_profile fb_profiles[] = {
    {
        .name = "pumps",
        .about = "water works: pump stations with pressure, flow, bearing temperature",
        .key = "pump",
        .prefix = "pump",
        .site = "station",
        .every_s = 1,
        .signals =
            {
                {"temp", FB_SIGNAL_ANALOGUE, 62, 6, 0.4, 900, 1, {0}},
                {"pressure", FB_SIGNAL_ANALOGUE, 4.2, 0.3, 0.02, 300, 2, {0}},
                {"flow", FB_SIGNAL_ANALOGUE, 120, 15, 1.0, 600, 1, {0}},
                {"running", FB_SIGNAL_SWITCH, 0, 0, 0, 0, 0, {0}},
            },
        .faults =
            {
                {FB_FAULT_RAMP, "temp", 32, 240, 12},
                {FB_FAULT_STEP, "pressure", -2.6, 60, 8},
                {FB_FAULT_SWING, "pressure", 0.9, 120, 6},
                {FB_FAULT_STUCK, "flow", 0, 300, 6},
                {FB_FAULT_SPIKE, "temp", 60, 1, 10},
                {FB_FAULT_FLIP, "running", 0, 90, 8},
                {FB_FAULT_NULL, "temp", 0, 40, 6},
                {FB_FAULT_WRONG, "pressure", 0, 20, 4},
                {FB_FAULT_GAP, NULL, 0, 150, 8},
                {FB_FAULT_LATE, NULL, 14, 60, 8},
                {FB_FAULT_TWICE, NULL, 0, 60, 6},
            },
    },
    {
        .name = "cold-chain",
        .about = "pharmacies: vaccine fridges with temperature, door, mains supply",
        .key = "fridge",
        .prefix = "fridge",
        .site = "clinic",
        .every_s = 10,
        .signals =
            {
                {"temp", FB_SIGNAL_ANALOGUE, 5, 0.8, 0.1, 1800, 1, {0}},
                {"door", FB_SIGNAL_WORD, 0, 0, 0, 0, 0, {"closed", "open"}},
                {"mains", FB_SIGNAL_SWITCH, 0, 0, 0, 0, 0, {0}},
                {"battery", FB_SIGNAL_ANALOGUE, 92, 3, 0.2, 3600, 0, {0}},
            },
        .faults =
            {
                {FB_FAULT_RAMP, "temp", 7, 420, 30},
                {FB_FAULT_RAMP, "temp", -5, 300, 10},
                {FB_FAULT_FLIP, "door", 0, 240, 25},
                {FB_FAULT_FLIP, "mains", 0, 200, 15},
                {FB_FAULT_STUCK, "temp", 0, 400, 10},
                {FB_FAULT_GAP, NULL, 0, 300, 15},
                {FB_FAULT_LATE, NULL, 45, 120, 10},
            },
    },
    {
        .name = "servers",
        .about = "data centre: hosts with CPU, memory, disk, restarts",
        .key = "host",
        .prefix = "host",
        .site = "cluster",
        .every_s = 10,
        .signals =
            {
                {"cpu", FB_SIGNAL_ANALOGUE, 45, 20, 4, 1200, 1, {0}},
                {"memory", FB_SIGNAL_ANALOGUE, 61, 8, 0.5, 2400, 1, {0}},
                {"disk", FB_SIGNAL_ANALOGUE, 70, 4, 0.05, 7200, 2, {0}},
                {"inlet", FB_SIGNAL_ANALOGUE, 23, 1.5, 0.2, 1800, 1, {0}},
                {"restarts", FB_SIGNAL_COUNTER, 0.001, 0, 0, 0, 0, {0}},
            },
        .faults =
            {
                {FB_FAULT_STEP, "cpu", 45, 300, 20},
                {FB_FAULT_RAMP, "memory", 36, 300, 10},
                {FB_FAULT_STEP, "disk", 26, 240, 10},
                {FB_FAULT_RAMP, "inlet", 14, 300, 15},
                {FB_FAULT_FLIP, "restarts", 60, 120, 10},
                {FB_FAULT_GAP, NULL, 0, 200, 10},
                {FB_FAULT_NULL, "cpu", 0, 60, 10},
            },
    },
    {
        .name = "air-handlers",
        .about = "buildings: air handlers with temperatures, fan, valves",
        .key = "ahu",
        .prefix = "ahu",
        .site = "building",
        .every_s = 10,
        .signals =
            {
                {"supply", FB_SIGNAL_ANALOGUE, 16, 1, 0.1, 900, 1, {0}},
                {"mixed", FB_SIGNAL_ANALOGUE, 19, 2, 0.1, 1500, 1, {0}},
                {"outdoor", FB_SIGNAL_ANALOGUE, 12, 4, 0.1, 7200, 1, {0}},
                {"returned", FB_SIGNAL_ANALOGUE, 23, 1, 0.1, 3600, 1, {0}},
                {"fan", FB_SIGNAL_ANALOGUE, 60, 15, 1, 900, 0, {0}},
                {"heating", FB_SIGNAL_ANALOGUE, 4, 4, 0.5, 1800, 0, {0}},
                {"cooling", FB_SIGNAL_ANALOGUE, 4, 4, 0.5, 2000, 0, {0}},
            },
        .faults =
            {
                {FB_FAULT_STEP, "mixed", 9, 300, 20},
                {FB_FAULT_STEP, "heating", 40, 300, 20},
                {FB_FAULT_STEP, "cooling", 40, 300, 20},
                {FB_FAULT_STUCK, "outdoor", 0, 400, 20},
                {FB_FAULT_SPIKE, "supply", 12, 10, 20},
                {FB_FAULT_RAMP, "supply", 14, 400, 10},
                {FB_FAULT_GAP, NULL, 0, 240, 10},
            },
    },
    {
        .name = "turbines",
        .about = "wind farm: turbines with wind, power, bearing, vibration",
        .key = "turbine",
        .prefix = "wt",
        .site = "farm",
        .every_s = 1,
        .signals =
            {
                {"wind", FB_SIGNAL_ANALOGUE, 12, 4, 0.8, 400, 1, {0}},
                {"power", FB_SIGNAL_ANALOGUE, 1500, 500, 40, 400, 0, {0}},
                {"bearing", FB_SIGNAL_ANALOGUE, 58, 5, 0.3, 1200, 1, {0}},
                {"vibration", FB_SIGNAL_ANALOGUE, 2.1, 0.6, 0.2, 200, 2, {0}},
                {"state", FB_SIGNAL_WORD, 0, 0, 0, 0, 0, {"producing", "fault"}},
            },
        .faults =
            {
                {FB_FAULT_RAMP, "wind", 18, 240, 15},
                {FB_FAULT_RAMP, "bearing", 42, 360, 15},
                {FB_FAULT_STEP, "vibration", 6, 60, 15},
                {FB_FAULT_FLIP, "state", 0, 120, 10},
                {FB_FAULT_STEP, "power", -1400, 120, 10},
                {FB_FAULT_GAP, NULL, 0, 120, 10},
                {FB_FAULT_LATE, NULL, 3, 60, 10},
            },
    },
    {
        .name = "switches",
        .about = "network: ports with octets, errors, state",
        .key = "port",
        .prefix = "sw",
        .site = "rack",
        .every_s = 10,
        .signals =
            {
                {"octets", FB_SIGNAL_COUNTER, 4000000, 0, 0, 0, 0, {0}},
                {"errors", FB_SIGNAL_COUNTER, 0.01, 0, 0, 0, 0, {0}},
                {"oper", FB_SIGNAL_WORD, 0, 0, 0, 0, 0, {"up", "down"}},
                {"admin", FB_SIGNAL_WORD, 0, 0, 0, 0, 0, {"up", "down"}},
            },
        .faults =
            {
                {FB_FAULT_FLIP, "octets", 29, 240, 15},
                {FB_FAULT_FLIP, "errors", 2000, 240, 15},
                {FB_FAULT_FLIP, "oper", 0, 200, 15},
                {FB_FAULT_FLIP, "admin", 0, 200, 5},
                {FB_FAULT_RESET, "octets", 0, 10, 10},
                {FB_FAULT_GAP, NULL, 0, 200, 10},
            },
    },
    {
        .name = "batteries",
        .about = "grid storage: racks with cell voltages, temperature, current",
        .key = "rack",
        .prefix = "rack",
        .site = "site",
        .every_s = 1,
        .signals =
            {
                {"cell_min", FB_SIGNAL_ANALOGUE, 3.28, 0.02, 0.004, 1800, 3, {0}},
                {"cell_max", FB_SIGNAL_ANALOGUE, 3.34, 0.02, 0.004, 1800, 3, {0}},
                {"temp_max", FB_SIGNAL_ANALOGUE, 31, 3, 0.2, 1500, 1, {0}},
                {"current", FB_SIGNAL_ANALOGUE, 0, 80, 2, 900, 1, {0}},
            },
        .faults =
            {
                {FB_FAULT_STEP, "cell_max", 0.4, 90, 15},
                {FB_FAULT_STEP, "cell_min", -0.6, 90, 10},
                {FB_FAULT_RAMP, "temp_max", 34, 300, 15},
                {FB_FAULT_STEP, "cell_max", 0.2, 300, 10},
                {FB_FAULT_SWING, "current", 120, 100, 10},
                {FB_FAULT_GAP, NULL, 0, 60, 10},
            },
    },
    {.name = NULL},
};

const struct fb_profile *fb_profile_find(const char *name) {
    for (const struct fb_profile *profile = fb_profiles; profile->name; profile++)
        if (!strcmp(profile->name, name))
            return profile;
    return NULL;
}
