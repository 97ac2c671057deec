/* Any bytes as an operator's call.
 *
 * Place in the flow: libFuzzer target; seeds in corpus/calls. What is read is whole, and what is
 * not says why. */
#include <stdint.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/codec/call.h"

static bool is_name(struct fb_str text) {
    return text.n > 0 && text.n <= FB_CALL_NAME_MAX;
}

static void check_alarm(const struct fb_call *call) {
    FB_ASSERT(is_name(call->alarm) && is_name(call->device));
    FB_ASSERT(!memchr(call->alarm.p, '/', call->alarm.n));
}

/* What the core relies upon. */
static void check_call(const struct fb_call *call) {
    FB_ASSERT(is_name(call->who) && call->reason.n <= FB_CALL_NAME_MAX);
    switch (call->kind) {
    case FB_CALL_HAND:
        FB_ASSERT(call->is_number || is_name(call->word));
        FB_ASSERT(is_name(call->reason));
        FB_ASSERT(is_name(call->actuator) && is_name(call->device));
        break;
    case FB_CALL_AUTO:
    case FB_CALL_RESET:
        FB_ASSERT(is_name(call->actuator) && is_name(call->device));
        break;
    case FB_CALL_KILL:
        FB_ASSERT(call->mode != FB_KILL_NONE && is_name(call->reason));
        FB_ASSERT((call->scope == FB_SCOPE_ALL) == (call->name.n == 0));
        break;
    case FB_CALL_UNKILL:
        FB_ASSERT((call->scope == FB_SCOPE_ALL) == (call->name.n == 0));
        break;
    case FB_CALL_SHELVE:
        FB_ASSERT(is_name(call->reason));
        check_alarm(call);
        break;
    case FB_CALL_ACK:
    case FB_CALL_UNSHELVE:
        check_alarm(call);
        break;
    case FB_CALL_MAINTENANCE:
    case FB_CALL_SERVICE:
        FB_ASSERT(is_name(call->device));
        break;
    case FB_CALLS:
        FB_BUG("a call of no kind");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fb_call_reader *reader = fb_call_reader_new();
    struct fb_str bytes = {(const char *)data, size};
    for (int again = 0; again < 2; again++) { /* nothing of the call before is left over */
        static const struct fb_str other =
            FB_S("{\"call\":\"shelve\",\"alarm\":\"a/b\",\"until\":\"2026-01-01T00:00:00Z\","
                 "\"once\":true,\"who\":\"ann\",\"reason\":\"x\",\"class\":\"c\"}");
        struct fb_call_read read;
        if (fb_call_read(reader, bytes, &read))
            check_call(&read.call);
        else
            FB_ASSERT(read.wrong.n > 0);
        FB_ASSERT(fb_call_read(reader, other, &read) && read.call.once);
    }
    fb_call_reader_free(reader);
    return 0;
}
