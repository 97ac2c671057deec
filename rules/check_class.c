/* Devices and parameters.
 *
 * Place in the flow: inside check; the types of fields come first, for everything else reads them.
 */
#include "rules/check_internal.h"

/* ---- fields --------------------------------------------------------------------------------- */

static bool is_number_type(enum fb_type type) {
    return type == FB_T_NUMBER || type == FB_T_COUNTER || type == FB_T_INTEGER;
}

bool fb_check_declared_number(struct fb_checker *ck, struct fb_node *node,
                              const struct fb_unit *unit, const char *what, double *value) {
    fb_check_node(ck, node, NULL);
    if (fb_check_failed(node))
        return false;
    if (node->type != FB_T_NUMBER) {
        fb_diag_add(ck->diags, FB_E_VALUE_TYPE, node->span, NULL, "%s is a number, and `%s` is %s",
                    what, fb_check_source(ck, node), fb_check_type_text(node->type));
        return false;
    }
    if (!fb_check_declared(ck, node, unit, node->span))
        return false;
    if (!fb_check_constant(node, unit, value)) {
        fb_diag_add(ck->diags, FB_E_NOT_CONSTANT, node->span, "write a number",
                    "%s must be known when the rules are read", what);
        return false;
    }
    return true;
}

static void check_range(struct fb_checker *ck, const struct fb_field_decl *field) {
    double low, high;
    if (!field->range_low)
        return;
    if (!is_number_type(field->type.type)) {
        fb_diag_add(ck->diags, FB_E_FIELD_OPTION, field->range_low->span, NULL,
                    "only numbers have a range, and `%.*s` is %s", FB_ARG(field->name),
                    fb_check_type_text(field->type.type));
        return;
    }
    bool ok = fb_check_declared_number(ck, field->range_low, field->type.unit, "a range", &low);
    ok &= fb_check_declared_number(ck, field->range_high, field->type.unit, "a range", &high);
    if (ok && low > high)
        fb_diag_add(ck->diags, FB_E_RANGE_ORDER, field->range_low->span,
                    "write the lower end first",
                    "the range is empty: its lower end is above its upper end");
}

static void check_null(struct fb_checker *ck, const struct fb_field_decl *field) {
    struct fb_node *node = field->null_value;
    double ignored;
    if (!node)
        return;
    if (is_number_type(field->type.type)) {
        fb_check_declared_number(ck, node, field->type.unit, "the null value", &ignored);
        return;
    }
    fb_check_node(ck, node, field->type.type == FB_T_ENUM ? &field->type : NULL);
    bool literal = node->kind == FB_N_TEXT || node->kind == FB_N_BOOL ||
                   (node->kind == FB_N_NAME && node->ref == FB_REF_WORD);
    if (!fb_check_failed(node) && (node->type != field->type.type || !literal))
        fb_diag_add(ck->diags, FB_E_VALUE_TYPE, node->span, NULL,
                    "the null value of `%.*s` must be %s", FB_ARG(field->name),
                    fb_check_type_text(field->type.type));
}

void fb_check_positive_span(struct fb_checker *ck, struct fb_node *node, const char *what) {
    int64_t us;
    if (node && fb_check_duration(ck, node, true, &us) && us == 0)
        fb_diag_add(ck->diags, FB_E_SPAN, node->span, NULL, "%s must be longer than nothing", what);
}

static void check_words(struct fb_checker *ck, const struct fb_field_decl *field) {
    const struct fb_type_decl *type = &field->type;
    for (uint32_t i = 0; i < type->n_words; i++)
        for (uint32_t k = 0; k < i; k++)
            if (fb_str_eq(type->words[i], type->words[k])) {
                fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, field->span, NULL,
                            "the word `%.*s` stands twice in `%.*s`", FB_ARG(type->words[i]),
                            FB_ARG(field->name));
                return;
            }
}

static void check_key_type(struct fb_checker *ck, const struct fb_field_decl *field) {
    if (field->role == FB_KEY && field->type.type != FB_T_TEXT && field->type.type != FB_T_INTEGER)
        fb_diag_add(ck->diags, FB_E_FIELD_OPTION, field->span, "declare it as text or integer",
                    "a key is a text or an integer, and `%.*s` is %s", FB_ARG(field->name),
                    fb_check_type_text(field->type.type));
}

static void check_fields(struct fb_checker *ck, const struct fb_class_decl *decl) {
    struct fb_map *names = fb_map_new();
    for (uint32_t i = 0; i < decl->n_fields; i++) {
        const struct fb_field_decl *field = decl->fields[i];
        if (fb_map_get(names, field->name) != FB_MAP_NONE)
            fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, field->span, NULL,
                        "`%.*s` is declared twice in `%.*s`", FB_ARG(field->name),
                        FB_ARG(decl->name));
        fb_map_put(names, field->name, i);
        if (field->broken)
            continue;
        check_words(ck, field);
        check_key_type(ck, field);
        check_range(ck, field);
        check_null(ck, field);
        fb_check_positive_span(ck, field->every, "`every`");
        fb_check_positive_span(ck, field->stale_after, "`stale after`");
    }
    fb_map_free(names);
}

void fb_check_field_types(struct fb_checker *ck, struct fb_class_decl *decl) {
    for (uint32_t i = 0; i < decl->n_fields; i++) {
        struct fb_field_decl *field = decl->fields[i];
        bool ok;
        field->type.unit = fb_check_unit(ck, field->type.unit_text, field->type.unit_span, &ok);
        field->broken |= !ok;
        if (field->broken)
            field->type.type = FB_T_NONE;
    }
}

/* ---- classes -------------------------------------------------------------------------------- */

static void check_time(struct fb_checker *ck, const struct fb_class_decl *decl) {
    static const struct fb_str units[] = {FB_S("s"), FB_S("ms"), FB_S("us"), FB_S("ns")};
    if (!decl->has_time) {
        fb_diag_add(ck->diags, FB_E_NO_TIME, decl->name_span,
                    "add `time ts` with the name of the record's time, or `time arrival`",
                    "the device `%.*s` does not say where its records' time is",
                    FB_ARG(decl->name));
        return;
    }
    if (decl->time_arrival || decl->time_unit.n == 0)
        return;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (fb_str_eq(decl->time_unit, units[i]))
            return;
    fb_diag_add(
        ck->diags, FB_E_TIME_UNIT, decl->time_span, "without a unit, ISO 8601 texts are expected",
        "times are numbers in [s], [ms], [us] or [ns], not [%.*s]", FB_ARG(decl->time_unit));
}

static void check_domain(struct fb_checker *ck, const struct fb_class_decl *decl) {
    const struct fb_field_decl *field = fb_check_domain_field(decl);
    if (decl->domain.n == 0 || field) {
        if (decl->domain.n && field->type.type != FB_T_TEXT && field->type.type != FB_T_INTEGER &&
            field->type.type != FB_T_NONE)
            fb_diag_add(ck->diags, FB_E_LINK_FIELDS, decl->domain_span,
                        "declare it as text or integer",
                        "a domain is a text or an integer, and `%.*s` is %s", FB_ARG(field->name),
                        fb_check_type_text(field->type.type));
        return;
    }
    struct fb_str *names = FB_ARENA_ARRAY(ck->arena, struct fb_str, decl->n_fields + 1);
    for (uint32_t i = 0; i < decl->n_fields; i++)
        names[i] = decl->fields[i]->name;
    const char *help = fb_check_suggest(ck, decl->domain, names, decl->n_fields);
    fb_diag_add(ck->diags, FB_E_UNKNOWN_NAME, decl->domain_span,
                help ? help : "a domain is named by a key or tag of the device",
                "the domain `%.*s` is no key, tag or field of `%.*s`", FB_ARG(decl->domain),
                FB_ARG(decl->name));
}

static void check_let_names(struct fb_checker *ck, const struct fb_checked_class *class) {
    for (uint32_t i = 0; i < class->n_lets; i++) {
        const struct fb_let_decl *let = class->lets[i];
        bool twice = fb_check_field(class->decl, let->name) != NULL;
        for (uint32_t k = 0; k < i; k++)
            twice |= fb_str_eq(class->lets[k]->name, let->name);
        if (twice)
            fb_diag_add(ck->diags, FB_E_DUPLICATE_NAME, let->span, NULL,
                        "`%.*s` is declared twice in `%.*s`", FB_ARG(let->name),
                        FB_ARG(class->decl->name));
    }
}

void fb_check_class(struct fb_checker *ck, uint32_t index) {
    const struct fb_checked_class *class = &ck->out->classes[index];
    struct fb_scope *scope = &ck->class_scopes[index];
    struct fb_facts facts = {0};
    ck->facts = &facts;
    ck->scope = NULL; /* a declaration's numbers know no fields */
    check_fields(ck, class->decl);
    if (!class->decl->broken) {
        check_time(ck, class->decl);
        check_domain(ck, class->decl);
    }
    if (class->decl->late)
        fb_check_duration(ck, class->decl->late, true, NULL);
    check_let_names(ck, class);
    for (uint32_t i = 0; i < scope->n_lets; i++)
        fb_check_define(ck, &scope->lets[i], scope, scope->lets[i].let->span);
}

/* ---- params --------------------------------------------------------------------------------- */

static bool check_param_range(struct fb_checker *ck, struct fb_param_decl *param) {
    double low, high;
    if (!param->range_low)
        return true;
    fb_check_node(ck, param->range_low, NULL);
    fb_check_node(ck, param->range_high, NULL);
    if (fb_check_failed(param->range_low) || fb_check_failed(param->range_high) ||
        !fb_check_declared(ck, param->range_low, param->unit, param->range_low->span) ||
        !fb_check_declared(ck, param->range_high, param->unit, param->range_high->span))
        return false;
    if (!fb_check_constant(param->range_low, param->unit, &low) ||
        !fb_check_constant(param->range_high, param->unit, &high)) {
        fb_diag_add(ck->diags, FB_E_NOT_CONSTANT, param->range_low->span, "write a number",
                    "a range must be known when the rules are read");
        return false;
    }
    if (low > high) {
        fb_diag_add(ck->diags, FB_E_RANGE_ORDER, param->range_low->span,
                    "write the lower end first",
                    "the range is empty: its lower end is above its upper end");
        return false;
    }
    for (uint32_t i = 0; i <= param->n_cases; i++) {
        const struct fb_node *value = i == 0 ? param->value : param->cases[i - 1].value;
        double x;
        if (!fb_check_constant(value, param->unit, &x) || (x >= low && x <= high))
            continue;
        fb_diag_add(ck->diags, FB_E_OUTSIDE_RANGE, value->span, NULL,
                    "`%s` is outside the range of `%.*s`", fb_check_source(ck, value),
                    FB_ARG(param->name));
        return false;
    }
    return true;
}

/* The default says type and unit; the cases follow it. */
static bool check_cases(struct fb_checker *ck, struct fb_param_decl *param) {
    uint32_t n = param->n_cases + 1;
    struct fb_node **values = FB_ARENA_ARRAY(ck->arena, struct fb_node *, n);
    bool ok = true;
    const struct fb_type_decl *words = fb_check_foresee(ck, param->value);
    for (uint32_t i = 0; i < n; i++) {
        values[i] = i == 0 ? param->value : param->cases[i - 1].value;
        fb_check_node(ck, values[i], words);
        if (i > 0)
            ok &= fb_check_condition(ck, param->cases[i - 1].where, "what stands behind `where`");
    }
    enum fb_type type;
    if (!fb_check_alike(ck, values, n, &type, param->name_span) || !ok)
        return false;
    if (type == FB_T_COUNTER)
        return fb_check_is_number(ck, param->value);
    if (param->unit || (type != FB_T_NUMBER && type != FB_T_INTEGER)) {
        for (uint32_t i = 0; i < n; i++)
            ok &= fb_check_declared(ck, values[i], param->unit,
                                    param->unit_text.n ? param->unit_span : values[i]->span);
        return ok;
    }
    if (!fb_check_bring(ck, values, n, param->name_span, "values of one parameter"))
        return false;
    param->unit = fb_check_common_unit(values, n);
    return true;
}

static bool check_lookup(struct fb_checker *ck) {
    const struct fb_node *node = ck->facts->lookup_only;
    if (!node)
        return true;
    if (node->kind == FB_N_LINKED || node->kind == FB_N_GROUP) {
        fb_diag_add(ck->diags, FB_E_PARAM_LOOKS_UP, node->span, "put it in a let of the device",
                    "a parameter is looked up; what other devices say is not part of it");
        return false;
    }
    fb_diag_add(ck->diags, FB_E_PARAM_LOOKS_UP, node->span, "put it in a let of the device",
                "a parameter is looked up; delays, windows and silence are not part of it");
    return false;
}

void fb_check_param_body(struct fb_checker *ck, struct fb_param_decl *param) {
    bool ok;
    param->unit = fb_check_unit(ck, param->unit_text, param->unit_span, &ok);
    ok = check_cases(ck, param) && ok;
    ok = ok && check_lookup(ck);
    ok = ok && check_param_range(ck, param);
    if (!ok)
        param->value->type = FB_T_NONE;
}
