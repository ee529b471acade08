/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the examples that stand beside the rules. An example of a level must yield a span with the
 * value given (or any span), one of an intent must get that intent; a counter-example must not.
 */
#include "nlu/command/fill.h"
#include "nlu/language.h"

struct checker {
    const struct nlu *nlu;
    struct nlu_scratch *scratch;
    struct base_buf *out;
    struct base_arena arena;
    struct base_sv language;
    size_t count, bad;
};

/* All examples were written on Wednesday, 11 March 2026 at 9:30. */
static const struct time_civil REFERENCE = {
    .year = 2026, .month = 3, .day = 11, .hour = 9, .minute = 30};

static bool has_span(const struct nlu_result *result, struct base_sv value)
{
    for (size_t i = 0; i < result->span_count; i++) {
        struct base_sv found = result->spans[i].value;
        if (value.len == 0 || base_sv_starts(found, value))
            return true;
    }
    return false;
}

static void report(struct checker *c, const struct nlu_source_example *e,
                   const struct nlu_result *result)
{
    c->bad++;
    base_buf_addf(c->out, "%s:%d: \"%.*s\" %s %.*s; understood %s", e->where.file, e->where.line,
                  SV_FMT(e->text), e->kind == NLU_EXAMPLE_IS ? "should be" : "should not be",
                  SV_FMT(e->value), nlu_intent_name(result->commands[0].intent));
    for (size_t i = 0; i < result->span_count; i++)
        base_buf_addf(c->out, ", %s %.*s", result->spans[i].type, SV_FMT(result->spans[i].value));
    base_buf_add_char(c->out, '\n');
}

static void check_one(struct checker *c, const struct nlu_source_example *e, int intent)
{
    base_arena_reset(&c->arena);
    struct nlu_input input = {.text = e->text,
                              .zone = time_zone_utc(),
                              .locale = c->language,
                              .now_us = time_zone_instant(time_zone_utc(), REFERENCE, NULL)};
    struct nlu_result result = {0};
    c->count++;
    if (nlu_parse(c->nlu, c->scratch, &input, &c->arena, &result) != BASE_OK) {
        base_buf_addf(c->out, "%s:%d: cannot be parsed\n", e->where.file, e->where.line);
        c->bad++;
        return;
    }
    bool fits =
        intent >= 0 ? (int)result.commands[0].intent == intent : has_span(&result, e->value);
    if (fits != (e->kind == NLU_EXAMPLE_IS))
        report(c, e, &result);
}

static void check_level(struct checker *c, const struct nlu_level *level, bool intents)
{
    for (size_t i = 0; i < level->rule_count; i++) {
        const struct nlu_rule *rule = &level->rules[i];
        for (const struct nlu_source_example *e = rule->examples; e; e = e->next)
            check_one(c, e, intents ? rule->intent : -1);
    }
}

size_t nlu_check(const struct nlu *nlu, struct nlu_scratch *scratch, struct base_buf *out,
                 size_t *ret_examples)
{
    struct checker c = {.nlu = nlu, .scratch = scratch, .out = out};
    base_arena_init(&c.arena, 1 << 20);
    for (size_t l = 0; l < nlu->language_count; l++) {
        const struct nlu_grammar *g = nlu->languages[l];
        c.language = base_sv_from(g->language);
        for (size_t i = 0; i < g->level_count; i++)
            check_level(&c, &g->levels[i], false);
        for (size_t i = 0; i < g->shape_count; i++) {
            for (const struct nlu_source_example *e = g->shapes[i].examples; e; e = e->next)
                check_one(&c, e, -1);
        }
        check_level(&c, &g->intents, true);
    }
    base_arena_done(&c.arena);
    *ret_examples = c.count;
    return c.bad;
}
