/* What the parts of the parser share: the present token, reports, recovery.
 *
 * Place in the flow: inside the third stage only: parse.c (statements), parse_device.c,
 * parse_actuator.c, parse_rule.c, parse_control.c, parse_test.c, parse_expr.c, parse_text.c
 * (messages), feedback.c, alarm_commands.c and asks.c (what a clause stands for), and parser.c,
 * which this belongs to. */
#ifndef FB_RULES_PARSER_H
#define FB_RULES_PARSER_H

#include "rules/lex.h"
#include "rules/parse.h"

struct fb_p_clause;

struct fb_parser {
    struct fb_arena *arena; /* the tree's */
    const struct fb_sources *sources;
    struct fb_diags *diags;
    struct fb_str text; /* of the file */
    struct fb_tokens tokens;
    uint32_t at; /* index of the present token; never behind END */
    uint32_t depth;
    bool in_message;
    bool in_argument;                  /* `3 of rack` is a limit and the devices, no vote */
    const struct fb_p_clause *clauses; /* of the block that is being read; NULL: none */
    bool fields;                       /* `NAME :` begins a field there */
};

/* ---- tokens -------------------------------------------------------------------------------- */

const struct fb_token *fb_p_peek(const struct fb_parser *p, uint32_t ahead);
void fb_p_next(struct fb_parser *p);
bool fb_p_is(const struct fb_parser *p, enum fb_token_kind kind);
/* The present token, or the one `ahead` of it, is this word, not in back quotes. */
bool fb_p_is_word(const struct fb_parser *p, uint32_t ahead, const char *word);
bool fb_p_accept(struct fb_parser *p, enum fb_token_kind kind);
bool fb_p_accept_word(struct fb_parser *p, const char *word);
struct fb_str fb_p_text(const struct fb_parser *p, const struct fb_token *token);
/* What a NAME says: without its back quotes; `and` for a (reported) `&&`. */
struct fb_str fb_p_name_text(const struct fb_parser *p, const struct fb_token *token);
struct fb_span fb_p_span(const struct fb_parser *p, const struct fb_token *token);
/* From a token's start to the end of the last token taken. */
struct fb_span fb_p_span_from(const struct fb_parser *p, const struct fb_token *first);
struct fb_str fb_p_source(const struct fb_parser *p, struct fb_span span);

/* ---- reports; all return false, so that `return fb_p_unexpected(..)` reads well ------------- */

/* E120: found what stands here, expected `what`; help may be NULL. Silent where the lexer has
 * reported already. */
bool fb_p_unexpected(struct fb_parser *p, const char *what, const char *help);
bool fb_p_expect(struct fb_parser *p, enum fb_token_kind kind, const char *what);
bool fb_p_expect_word(struct fb_parser *p, const char *word);
/* "did you mean `x`?" for the nearest of the candidates, else NULL; lives in the tree's arena. */
const char *fb_p_did_you_mean(struct fb_parser *p, struct fb_str word,
                              const char *const *candidates, size_t n);
/* The same for the present token, where it is a word. */
const char *fb_p_did_you_mean_here(struct fb_parser *p, const char *const *candidates, size_t n);
/* E126 where `already`. */
void fb_p_once(struct fb_parser *p, bool already, struct fb_span span, const char *clause);
/* A block has no such clause. */
bool fb_p_missing(struct fb_parser *p, struct fb_span span, const char *help, const char *of,
                  struct fb_str name, const char *clause);

/* ---- pieces that several parts need -------------------------------------------------------- */

/* NAME */
bool fb_p_name(struct fb_parser *p, const char *what, struct fb_str *name, struct fb_span *span);
/* names = NAME { "," NAME } ; `what` names one */
bool fb_p_names(struct fb_parser *p, const char *what, struct fb_str **names, uint32_t *n);
/* TEXT, escapes resolved. */
bool fb_p_text_literal(struct fb_parser *p, const char *what, struct fb_str *text);
/* INT: E135 unless it is a whole number from 1 to a million without a unit. */
bool fb_p_count(struct fb_parser *p, const char *what, uint32_t *count);
/* The same, with a help of its own. */
bool fb_p_count_or(struct fb_parser *p, const char *what, const char *help, uint32_t *count);
/* unit = "[" UNIT "]" ; optional */
void fb_p_unit(struct fb_parser *p, struct fb_str *unit, struct fb_span *span);

/* Room for one more in an arena array: the capacity follows from n. */
void *fb_p_room(struct fb_parser *p, void *items, uint32_t n, size_t bytes);
#define FB_P_PUSH(p, items, n)                                                                     \
    ((items) = fb_p_room((p), (items), (n), sizeof *(items)), &(items)[(n)++])

/* How many items an array of fixed size has. */
#define FB_P_COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- blocks -------------------------------------------------------------------------------- */

/* An item's first word and what must follow for it to be one, when looking for a place to go on. */
struct fb_p_clause {
    const char *word;
    /* A word, or words, of which the first must; "NAME", "TEXT": any of these; "LINE": anything,
     * but the first word stands first on its line; NULL: anything but an operator. */
    const char *next;
};

/* block = "{" { item } "}" ; item parses one and returns false after a report. Recovers at the next
 * item, so that one mistake gives one report. `clauses` ends with a NULL word. */
bool fb_p_block(struct fb_parser *p, const char *of, struct fb_str name,
                const struct fb_p_clause *clauses, bool fields,
                bool (*item)(struct fb_parser *p, void *context), void *context,
                struct fb_span *block);
/* Where a value may stand there is the first word of the next clause. */
bool fb_p_at_clause(const struct fb_parser *p);
/* E122 or E120: nothing that can stand in this block. */
bool fb_p_unknown_clause(struct fb_parser *p, const char *of, const struct fb_p_clause *clauses);
/* A line begins here with a word that begins statements, those of later stages too. */
bool fb_p_at_statement(const struct fb_parser *p);
/* Goes to where the next statement may begin. */
void fb_p_next_statement(struct fb_parser *p);

/* ---- expressions (parse_expr.c); NULL after a report --------------------------------------- */

struct fb_node *fb_p_cond(struct fb_parser *p);
struct fb_node *fb_p_or(struct fb_parser *p);   /* also `expr` */
struct fb_node *fb_p_sum(struct fb_parser *p);
struct fb_node *fb_p_dur(struct fb_parser *p);
/* A number with or without a unit, with or without a minus; no operators. */
struct fb_node *fb_p_quantity(struct fb_parser *p);
bool fb_p_range(struct fb_parser *p, struct fb_node **low, struct fb_node **high);
/* { "." NAME } behind a name; the dot is the present token. */
struct fb_node *fb_p_linked(struct fb_parser *p, struct fb_str name, const struct fb_token *first);
/* relop; false without a report if there is none. */
bool fb_p_relop(struct fb_parser *p, enum fb_op *op);
/* let = "let" NAME [ unit ] "=" cond ; the word is taken */
struct fb_let_decl *fb_p_let(struct fb_parser *p);

/* ---- parse_text.c -------------------------------------------------------------------------- */

/* TEXT of a message or response, split into its parts. */
struct fb_text_decl *fb_p_message(struct fb_parser *p);

/* ---- parse_device.c ------------------------------------------------------------------------ */

/* device = "device" NAME [ "from" TEXT { "," TEXT } ] "{" { devitem } "}" ; the word is taken */
bool fb_p_device(struct fb_parser *p, struct fb_item *item);

/* ---- parse_rule.c -------------------------------------------------------------------------- */

/* alarm = "alarm" NAME scope "{" .. "}" ;   event = "event" NAME scope "{" .. "}" ;
 * control = "control" NAME scope "{" .. "}" ; the word is taken */
bool fb_p_rule(struct fb_parser *p, struct fb_item *item, enum fb_rule_kind kind);

/* ---- parse_control.c ----------------------------------------------------------------------- */

/* command = "command" target "=" expr [ "where" or ] [ "at" "priority" INT ] [ "for" dur ] ;
 * target = NAME | NAME "." NAME | "each" NAME "." NAME [ "by" names ] ; the word, `first`, is
 * taken; adds it to the rule's commands or, with *is_ask, to its asks */
bool fb_p_command(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first,
                  bool *is_ask);
/* step = "step" NAME "by" expr "every" dur "within" range [ "from" expr ] [ "at" "priority" INT ] ;
 * likewise */
bool fb_p_step(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first);
/* state = "state" ( NAME | "any" ) "{" { "stay" dur | command | step | go } "}" ; likewise */
bool fb_p_state(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first);
/* rollout = "rollout" ( "shadow" | "canary" PERCENT | "armed" ) ; the word, `first`, is taken */
bool fb_p_rollout(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first);

/* fleet = "fleet" PERCENT "per" dur ; likewise */
bool fb_p_fleet(struct fb_parser *p, struct fb_rule_decl *rule, const struct fb_token *first);

/* ---- parse_actuator.c ---------------------------------------------------------------------- */

/* actuator = "actuator" NAME "on" NAME ":" ( "(" NAME "," NAME ")" | "number" [ unit ] "range"
 * range ) "{" .. "}" ; the word is taken */
bool fb_p_actuator(struct fb_parser *p, struct fb_item *item);

/* ---- alarm_commands.c ---------------------------------------------------------------------- */

/* The control that the commands of an alarm are, as the item that follows it; it takes them over.
 */
struct fb_item fb_p_commands_of(struct fb_parser *p, struct fb_rule_decl *alarm);

/* ---- asks.c -------------------------------------------------------------------------------- */

/* The control of other devices that a command of the rule is for them, as an item behind it; what
 * starts it, and of which class it is, finds the checker. */
struct fb_item fb_p_asked_of(struct fb_parser *p, const struct fb_rule_decl *rule,
                             const struct fb_ask_decl *ask);

/* ---- feedback.c ---------------------------------------------------------------------------- */

/* E111: the condition made of it would be higher than an expression may be. NULL fits. */
bool fb_p_feedback_fits(struct fb_parser *p, const struct fb_node *node);
/* The alarm that an actuator's `feedback` stands for, as the item that follows it; of a broken
 * actuator only its name and device. */
struct fb_item fb_p_feedback_alarm(struct fb_parser *p, const struct fb_actuator_decl *actuator,
                                   bool broken);

/* ---- parse_test.c -------------------------------------------------------------------------- */

/* test = "test" TEXT [ "on" NAME ] "{" .. "}" ; the word test is taken. */
struct fb_test_decl *fb_p_test(struct fb_parser *p);

#endif
