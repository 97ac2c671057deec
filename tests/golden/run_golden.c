/* Golden tests: NAME.rules gives what NAME.expect says, to the byte.
 *
 * Place in the flow: ctest runs it once for each kind of output. `run_golden KIND FOLDER`; KIND is
 * syntax (the reports of the parser), check (those of all stages), format (the formatter's output,
 * which must also parse to the same tree and format to itself), listing (the compiled program and
 * its cost) or conflicts (as check; the file's name says the verdict that must be among them). With
 * FB_GOLDEN_UPDATE=1 it writes the expectations anew. */
#include "rules/compile.h"
#include "rules/cost.h"
#include "rules/format.h"
#include "rules/lint.h"
#include "rules/listing.h"
#include "rules/parse.h"
#include "tests/golden/dump_tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parsed {
    struct fb_sources *sources;
    struct fb_diags *diags;
    struct fb_tree *tree;
};

static struct parsed parse(struct fb_str name, const struct fb_buf *text) {
    struct parsed p = {.sources = fb_sources_new(), .diags = fb_diags_new()};
    fb_sources_add(p.sources, name, (struct fb_str){text->p, text->n});
    p.tree = fb_parse(p.sources, p.diags);
    return p;
}

static void drop(struct parsed *p) {
    fb_tree_free(p->tree);
    fb_diags_free(p->diags);
    fb_sources_free(p->sources);
}

static bool read_all(const char *path, struct fb_buf *out) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    char block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof block, file)) > 0) {
        fb_buf_put(out, block, n);
    }
    fclose(file);
    return true;
}

static bool same(const struct fb_buf *a, const struct fb_buf *b) {
    return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* Formatting keeps the tree, and formats its own output to itself. */
static bool format(const char *name, const struct fb_buf *text, struct fb_buf *out) {
    struct parsed first = parse(fb_str_of(name), text);
    if (first.diags->errors > 0) {
        fb_diags_print(first.diags, first.sources, false, out);
        drop(&first);
        return true;
    }
    fb_format(first.tree, 0, out);
    struct parsed second = parse(fb_str_of(name), out);
    struct fb_buf before = {0}, after = {0}, again = {0};
    dump_file(first.tree, 0, &before);
    dump_file(second.tree, 0, &after);
    fb_format(second.tree, 0, &again);
    bool ok = true;
    if (second.diags->errors > 0 || !same(&before, &after)) {
        fprintf(stderr, "%s: the formatted text has another tree\n", name);
        struct fb_buf report = {0};
        fb_diags_print(second.diags, second.sources, false, &report);
        fwrite(report.p, 1, report.n, stderr);
        fb_buf_free(&report);
        ok = false;
    }
    if (!same(out, &again)) {
        fprintf(stderr, "%s: formatting again changes the text to\n%.*s\n", name, (int)again.n,
                again.p);
        ok = false;
    }
    fb_buf_free(&before);
    fb_buf_free(&after);
    fb_buf_free(&again);
    drop(&first);
    drop(&second);
    return ok;
}

static bool syntax(const char *name, const struct fb_buf *text, struct fb_buf *out) {
    struct parsed p = parse(fb_str_of(name), text);
    fb_diags_print(p.diags, p.sources, false, out);
    drop(&p);
    /* What parses must survive the formatter too. */
    struct fb_buf formatted = {0};
    bool ok = format(name, text, &formatted);
    fb_buf_free(&formatted);
    return ok;
}

/* The reports of all stages; with `print` the program and its cost. */
static void compile(const char *name, const struct fb_buf *text, bool print, struct fb_buf *out) {
    struct fb_sources *sources = fb_sources_new();
    struct fb_diags *diags = fb_diags_new();
    struct fb_compiled compiled;
    fb_sources_add(sources, fb_str_of(name), (struct fb_str){text->p, text->n});
    if (fb_compile_sources(sources, diags, &compiled) && !print) {
        fb_lint(&compiled.checked, diags);
    }
    fb_diags_print(diags, compiled.sources, false, out);
    if (print && compiled.program) {
        fb_listing(compiled.program, out);
        fb_buf_char(out, '\n');
        fb_cost_text(compiled.program, out);
    }
    fb_compiled_free(&compiled);
    fb_diags_free(diags);
}

static bool check(const char *name, const struct fb_buf *text, struct fb_buf *out) {
    compile(name, text, false, out);
    return true;
}

/* Whether the reports of controls on one actuator are those that the name asks for: conflict-,
 * apart-, alike-, combined-. */
static bool conflicts(const char *name, const struct fb_buf *text, struct fb_buf *out) {
    compile(name, text, false, out);
    const char *reports = fb_buf_terminated(out);
    bool refused = strstr(reports, "error[") != NULL;
    bool conflict = strstr(reports, "error[E519]") != NULL;
    bool alike = strstr(reports, "note[H707]") != NULL;
    bool right = (strncmp(name, "conflict-", 9) == 0 && conflict && !alike) ||
                 (strncmp(name, "apart-", 6) == 0 && !refused && !alike) ||
                 (strncmp(name, "alike-", 6) == 0 && !refused && alike) ||
                 (strncmp(name, "combined-", 9) == 0 && !refused && !alike);
    if (!right)
        fprintf(stderr, "%s: this is not the verdict of its name\n%s", name, reports);
    return right;
}

static bool listing(const char *name, const struct fb_buf *text, struct fb_buf *out) {
    compile(name, text, true, out);
    return true;
}

static bool compare(const char *name, const struct fb_buf *actual) {
    char path[512];
    snprintf(path, sizeof path, "%.*s.expect", (int)(strlen(name) - strlen(".rules")), name);
    if (getenv("FB_GOLDEN_UPDATE") != NULL) {
        FILE *file = fopen(path, "wb");
        bool ok = file != NULL && fwrite(actual->p, 1, actual->n, file) == actual->n;
        return file != NULL && fclose(file) == 0 && ok;
    }
    struct fb_buf expected = {0};
    bool ok = read_all(path, &expected) && same(&expected, actual);
    if (!ok) {
        fprintf(stderr, "---- %s: expected\n%.*s---- but got\n%.*s----\n", name, (int)expected.n,
                expected.p, (int)actual->n, actual->p);
    }
    fb_buf_free(&expected);
    return ok;
}

static int is_rules(const struct dirent *entry) {
    size_t n = strlen(entry->d_name);
    return n > 6 && strcmp(entry->d_name + n - 6, ".rules") == 0;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        bool (*run)(const char *, const struct fb_buf *, struct fb_buf *);
    } kinds[] = {{"syntax", syntax}, {"check", check}, {"format", format}, {"listing", listing},
                 {"conflicts", conflicts}};
    bool (*run)(const char *, const struct fb_buf *, struct fb_buf *) = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && argc == 3; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            run = kinds[i].run;
    if (!run || chdir(argv[2]) != 0) {
        fprintf(stderr, "usage: run_golden syntax|check|format|listing|conflicts FOLDER\n");
        return 2;
    }
    struct dirent **entries;
    int n = scandir(".", &entries, is_rules, alphasort), failed = 0;
    for (int i = 0; i < n; i++) {
        struct fb_buf text = {0}, actual = {0};
        const char *name = entries[i]->d_name;
        bool ok = read_all(name, &text) && run(name, &text, &actual);
        ok = compare(name, &actual) && ok;
        failed += !ok;
        fb_buf_free(&text);
        fb_buf_free(&actual);
        free(entries[i]);
    }
    free(entries);
    printf("%s: %d files, %d failed\n", argv[1], n, failed);
    return n <= 0 || failed > 0;
}
