/* The names of alarms in expressions and what an alarm commands (A50, A51). */
#include "tests/oracle/oracle_acting.h"

#include "engine/base/err.h"

/* --- From the tree --- */

static struct ora_expr *expr_of(struct ora_scope *s, const struct fb_rule_decl *alarm, bool held) {
    struct ora_expr *e = ora_new_expr(s, ORA_ALARM, FB_T_BOOL);
    e->alarm = alarm;
    e->held = held;
    return e;
}

struct ora_expr *ora_held_alarm_expr(struct ora_scope *s, const struct fb_rule_decl *alarm) {
    return expr_of(s, alarm, true);
}

struct ora_expr *ora_alarm_expr(struct ora_scope *s, struct fb_str name) {
    for (uint32_t f = 0; f < s->o->tree->n_files; f++) {
        const struct fb_file *file = s->o->tree->files[f];
        for (uint32_t i = 0; i < file->n_items; i++) {
            const struct fb_item *item = &file->items[i];
            if (item->kind == FB_ITEM_RULE && item->rule->kind == FB_RULE_ALARM &&
                fb_str_eq(item->rule->name, name) && item->rule->by.n == 0 &&
                fb_str_eq(item->rule->class_name, s->class->decl->name))
                return expr_of(s, item->rule, false);
        }
    }
    return NULL;
}

/* --- Its value --- */

static const struct ora_rule *rule_of(const struct ora_device *device,
                                      const struct fb_rule_decl *alarm) {
    for (uint32_t i = 0; i < device->class->n_rules; i++)
        if (device->class->rules[i]->decl == alarm)
            return device->class->rules[i];
    FB_BUG("an alarm that is declared");
}

static uint8_t state_of(const struct ora_device *device, const struct ora_rule *rule, bool held) {
    if (device->rules[rule->index].severity == FB_SEV_NONE)
        return 0;
    if (!held || rule->decl->on_unknown != FB_UNKNOWN_HOLD)
        return 1;
    for (uint32_t i = 0; i < rule->n_conditions; i++)
        if (device->conditions[rule->conditions[i].index].value != 2)
            return 1;
    return 2;
}

struct fb_value ora_alarm_value(const struct ora_device *device, const struct ora_expr *e) {
    uint8_t state = state_of(device, rule_of(device, e->alarm), e->held);
    return state == 2 ? ora_not_known() : ora_known_bool(state == 1);
}

/* --- What reads it --- */

static bool is_told(const struct ora_condition *c, const struct ora_rule *rule, bool held) {
    for (uint32_t i = 0; i < c->n_alarms; i++)
        if (c->alarms[i]->alarm == rule->decl && c->alarms[i]->held == held)
            return true;
    return false;
}

static void tell(const struct ora_view *view, struct ora_device *device,
                 const struct ora_rule *rule, uint8_t *seen, bool held) {
    uint8_t now = state_of(device, rule, held);
    if (now == *seen)
        return;
    *seen = now;
    for (uint32_t i = 0; i < device->class->n_conditions; i++)
        if (is_told(device->class->conditions[i], rule, held) &&
            device->conditions[i].deadline > view->t)
            device->conditions[i].deadline = view->t;
}

void ora_alarm_tell(const struct ora_view *view, struct ora_device *device,
                    const struct ora_rule *rule) {
    tell(view, device, rule, &device->rules[rule->index].seen, false);
    tell(view, device, rule, &device->rules[rule->index].seen_held, true);
}
