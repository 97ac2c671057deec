/* Devices, fields and actuators of a plant file found in a program.
 *
 * Place in the flow: see simulate_fit.h. */
#include "engine/run/simulate_fit.h"

#include <stdlib.h>

#include "engine/base/arena.h"
#include "engine/base/num.h"

struct fitting {
    const struct fb_program *program;
    const struct fb_plant_file *file;
    const char *name;
    struct fb_fit *fit;
    struct fb_err *err;
};

/* "NAME:12: there is no device `tonk` in the rules; did you mean `tank`?" */
static bool missing(struct fitting *f, uint32_t line, const char *what, struct fb_str name,
                    const struct fb_str *candidates, size_t n) {
    struct fb_str near = fb_str_nearest(name, candidates, n);
    return fb_fail(f->err, FB_FATAL, "%s:%u: there is no %s `%.*s` in the rules%s%.*s%s", f->name,
                   line, what, FB_ARG(name), near.n ? "; did you mean `" : "", FB_ARG(near),
                   near.n ? "`?" : "");
}

static bool fit_class(struct fitting *f) {
    const struct fb_class *class_ = fb_program_class(f->program, f->file->class_name);
    if (class_) {
        f->fit->class_ = class_;
        f->fit->class_index = (uint16_t)(class_ - f->program->classes);
        return class_->n_keys == 1 ||
               fb_fail(f->err, FB_FATAL, "%s:%u: `%.*s` has %u keys; a simulated device has one",
                       f->name, f->file->class_line, FB_ARG(class_->name), class_->n_keys);
    }
    struct fb_str *names = fb_alloc(sizeof *names * (f->program->n_classes + 1u));
    for (uint32_t i = 0; i < f->program->n_classes; i++)
        names[i] = f->program->classes[i].name;
    missing(f, f->file->class_line, "device", f->file->class_name, names, f->program->n_classes);
    free(names);
    return false;
}

static bool find_field(struct fitting *f, uint32_t line, struct fb_str name, uint16_t *index) {
    const struct fb_class *class_ = f->fit->class_;
    struct fb_str names[FB_FIELDS_MAX];
    for (uint16_t i = 0; i < class_->n_fields; i++) {
        names[i] = class_->fields[i].name;
        *index = i;
        if (i >= class_->n_keys && fb_str_eq(names[i], name))
            return true;
    }
    return missing(f, line, "field", name, names, class_->n_fields);
}

static bool find_actuator(struct fitting *f, uint32_t line, struct fb_str name, uint32_t *index) {
    const struct fb_class *class_ = f->fit->class_;
    struct fb_str names[2 * FB_ACTUATORS_MAX];
    for (uint32_t i = 0; i < class_->n_actuators; i++) {
        names[i] = class_->actuators[i].name;
        *index = i;
        if (!class_->actuators[i].shadow && fb_str_eq(names[i], name))
            return true;
    }
    return missing(f, line, "actuator", name, names, class_->n_actuators);
}

static bool is_number(const struct fb_field *field) {
    return field->type == FB_T_NUMBER || field->type == FB_T_COUNTER || field->type == FB_T_INTEGER;
}

static bool fit_inputs(struct fitting *f, const struct fb_plant_process *process,
                       uint32_t actuators[FB_PLANT_INPUTS_MAX]) {
    for (uint32_t i = 0; i < process->config.n_inputs; i++) {
        const struct fb_plant_acting *acting = &process->acting[i];
        actuators[i] = FB_NO_ACTUATOR;
        if (!acting->actuator.n)
            continue;
        if (!find_actuator(f, acting->line, acting->actuator, &actuators[i]))
            return false;
        for (uint32_t k = 0; k < i; k++)
            if (actuators[k] == actuators[i])
                return fb_fail(f->err, FB_FATAL, "%s:%u: `%.*s` acts twice on `%.*s`", f->name,
                               acting->line, FB_ARG(acting->actuator), FB_ARG(process->field));
    }
    return true;
}

static bool fit_process(struct fitting *f, uint32_t i) {
    const struct fb_plant_process *process = &f->file->processes[i];
    struct fb_fit_sample *sample = &f->fit->samples[f->fit->n_samples++];
    *sample = (struct fb_fit_sample){.from = FB_FIT_PROCESS, .index = i};
    if (!find_field(f, process->line, process->field, &sample->field))
        return false;
    if (!is_number(&f->fit->class_->fields[sample->field]))
        return fb_fail(f->err, FB_FATAL, "%s:%u: `%.*s` is no number, so no process gives it",
                       f->name, process->line, FB_ARG(process->field));
    return fit_inputs(f, process, f->fit->actuators[i]);
}

static bool fit_constant(struct fitting *f, const struct fb_plant_field *from,
                         struct fb_sample *sample) {
    const struct fb_field *field = &f->fit->class_->fields[sample->field];
    switch (field->type) {
    case FB_T_NUMBER:
    case FB_T_COUNTER:
        if (fb_num_parse(from->value, &sample->num))
            return true;
        break;
    case FB_T_INTEGER:
        if (fb_num_parse_int(from->value, &sample->i))
            return true;
        break;
    case FB_T_BOOL:
        sample->i = fb_str_eq(from->value, FB_S("true"));
        if (sample->i || fb_str_eq(from->value, FB_S("false")))
            return true;
        break;
    case FB_T_ENUM:
        for (uint32_t i = 0; i < field->n_words; i++)
            if (fb_str_eq(field->words[i], from->value)) {
                sample->i = i;
                return true;
            }
        break;
    case FB_T_TEXT:
        sample->text = from->value;
        return true;
    case FB_T_TIME:
    case FB_T_NONE:
        break;
    }
    return fb_fail(f->err, FB_FATAL, "%s:%u: `%.*s` is no value of `%.*s`", f->name, from->line,
                   FB_ARG(from->value), FB_ARG(from->field));
}

static bool fit_field(struct fitting *f, const struct fb_plant_field *from) {
    struct fb_fit_sample *sample = &f->fit->samples[f->fit->n_samples++];
    *sample = (struct fb_fit_sample){.from = FB_FIT_CONSTANT};
    if (!find_field(f, from->line, from->field, &sample->field))
        return false;
    if (!from->follows.n) {
        sample->constant.field = sample->field;
        return fit_constant(f, from, &sample->constant);
    }
    sample->from = FB_FIT_ACTUATOR;
    if (!find_actuator(f, from->line, from->follows, &sample->index))
        return false;
    const struct fb_field *field = &f->fit->class_->fields[sample->field];
    const struct fb_actuator *actuator = &f->fit->class_->actuators[sample->index];
    bool fits = field->type == FB_T_BOOL || field->type == FB_T_ENUM ? actuator->is_switch
                                                                     : is_number(field);
    for (uint32_t w = 0; fits && field->type == FB_T_ENUM && w < 2; w++) {
        fits = false;
        for (uint32_t i = 0; i < field->n_words; i++)
            fits |= fb_str_eq(field->words[i], actuator->words[w]);
    }
    return fits || fb_fail(f->err, FB_FATAL, "%s:%u: `%.*s` cannot show what `%.*s` does", f->name,
                           from->line, FB_ARG(from->field), FB_ARG(from->follows));
}

static int by_field(const void *a, const void *b) {
    const struct fb_fit_sample *x = a, *y = b;
    return (x->field > y->field) - (x->field < y->field);
}

bool fb_fit_make(const struct fb_program *program, const struct fb_plant_file *file,
                 const char *file_name, struct fb_fit *fit, struct fb_err *err) {
    struct fitting f = {program, file, file_name, fit, err};
    *fit = (struct fb_fit){.n_samples = 1}; /* the key */
    if (!fit_class(&f))
        return false;
    for (uint32_t i = 0; i < file->n_processes; i++)
        if (!fit_process(&f, i))
            return false;
    for (uint32_t i = 0; i < file->n_fields; i++)
        if (!fit_field(&f, &file->fields[i]))
            return false;
    qsort(fit->samples, fit->n_samples, sizeof *fit->samples, by_field);
    for (uint16_t i = 1; i < fit->n_samples; i++)
        if (fit->samples[i].field == fit->samples[i - 1].field)
            return fb_fail(err, FB_FATAL, "%s: the field `%.*s` is given twice", file_name,
                           FB_ARG(fit->class_->fields[fit->samples[i].field].name));
    return true;
}
