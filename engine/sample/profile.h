/* Profiles of sample telemetry: which fields an industry's devices have, and what goes wrong.
 *
 * Place in the flow: beside the engine; `flyball gen` and the demo make streams of them. Each
 * profile exercises the rule file of the same name in rules/examples. */
#ifndef FB_SAMPLE_PROFILE_H
#define FB_SAMPLE_PROFILE_H

#include <stdint.h>

enum fb_signal_kind {
    FB_SIGNAL_ANALOGUE, /* base + amplitude x wave + noise */
    FB_SIGNAL_COUNTER,  /* grows by base a second; wraps at 2^32, is reset by a restart */
    FB_SIGNAL_SWITCH,   /* true; false while flipped */
    FB_SIGNAL_WORD      /* the first of two words; the second while flipped */
};

struct fb_signal {
    const char *name;
    enum fb_signal_kind kind;
    double base, amplitude, noise;
    double period_s; /* of the wave */
    int decimals;
    const char *words[2]; /* FB_SIGNAL_WORD */
};

enum fb_fault_kind {
    FB_FAULT_RAMP,   /* the signal moves by `size` over the first half and back over the second */
    FB_FAULT_STEP,   /* it is off by `size` */
    FB_FAULT_STUCK,  /* it repeats its last value */
    FB_FAULT_SPIKE,  /* one sample is off by `size` */
    FB_FAULT_NULL,   /* null instead of a value */
    FB_FAULT_WRONG,  /* text instead of a value */
    FB_FAULT_SWING,  /* it swings by `size` from sample to sample */
    FB_FAULT_FLIP,   /* switch or word: the other state; counter: the rate times `size` */
    FB_FAULT_RESET,  /* counter: starts at 0 */
    FB_FAULT_GAP,    /* the device says nothing */
    FB_FAULT_LATE,   /* its records arrive `size` seconds late */
    FB_FAULT_TWICE   /* its records come twice */
};

struct fb_fault {
    enum fb_fault_kind kind;
    const char *signal; /* NULL: the device as a whole */
    double size;
    int seconds;      /* how long */
    int per_thousand; /* share of the devices */
};

enum { FB_PROFILE_SIGNALS = 8, FB_PROFILE_FAULTS = 12 };

struct fb_profile {
    const char *name, *about;
    const char *key, *prefix; /* the key field, and what ids begin with */
    const char *site;         /* name of the tag, or NULL */
    int every_s;
    struct fb_signal signals[FB_PROFILE_SIGNALS];
    struct fb_fault faults[FB_PROFILE_FAULTS];
};

/* NULL-terminated by a profile without a name. */
extern const struct fb_profile fb_profiles[];
const struct fb_profile *fb_profile_find(const char *name);

#endif
