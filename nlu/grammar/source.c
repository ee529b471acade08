/* SPDX-License-Identifier: Apache-2.0 */
/* Rule files: a heading at the margin, indented lines below it. See docs/nlu.md for the format. */
#include "nlu/grammar/source.h"

#include <stdarg.h>
#include <stdio.h>

enum { ERRORS_MAX = 50 };

void nlu_source_init(struct nlu_source *source, struct base_arena *arena, struct base_buf *errors)
{
    *source = (struct nlu_source){.arena = arena, .errors = errors};
    source->last = &source->first;
}

void nlu_source_error(struct nlu_source *source, struct nlu_where where, const char *fmt, ...)
{
    source->error_count++;
    if (!source->errors || source->error_count > ERRORS_MAX)
        return;
    char text[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    base_buf_addf(source->errors, "%s:%d: %s\n", where.file, where.line, text);
}

struct reader {
    struct nlu_source *source;
    struct nlu_where where;
    enum nlu_source_kind heading;
    bool has_heading;
    struct base_sv name;
    int64_t score;
    bool capital;
    struct nlu_source_line *current;
};

static struct nlu_source_line *append(struct reader *r, enum nlu_source_kind kind)
{
    struct nlu_source_line *line = BASE_ARENA_NEW(r->source->arena, struct nlu_source_line);
    if (!line) {
        nlu_source_error(r->source, r->where, "out of memory");
        return NULL;
    }
    line->where = r->where;
    line->kind = kind;
    line->name = r->name;
    line->number = r->score;
    line->capital = r->capital;
    *r->source->last = line;
    r->source->last = &line->next;
    r->current = line;
    return line;
}

static struct base_sv next_word(struct base_sv *rest)
{
    *rest = base_sv_trim(*rest);
    size_t n = base_sv_find(*rest, ' ');
    struct base_sv word = base_sv_sub(*rest, 0, n);
    *rest = base_sv_trim(base_sv_sub(*rest, n, rest->len));
    return word;
}

/* Cuts text at the last occurrence of the separator; the part behind it is returned. */
static struct base_sv cut_behind(struct base_sv *text, struct base_sv separator)
{
    for (size_t i = text->len; i >= separator.len && i > 0; i--) {
        if (!base_sv_eq(base_sv_sub(*text, i - separator.len, i), separator))
            continue;
        struct base_sv behind = base_sv_trim(base_sv_sub(*text, i, text->len));
        *text = base_sv_trim(base_sv_sub(*text, 0, i - separator.len));
        return behind;
    }
    return SV_NULL;
}

static void read_heading(struct reader *r, struct base_sv line)
{
    struct base_sv rest = line;
    struct base_sv keyword = next_word(&rest);
    r->current = NULL;
    r->score = 0;
    r->has_heading = true;
    static const struct {
        const char *word;
        enum nlu_source_kind kind;
    } HEADINGS[] = {{"words", NLU_SOURCE_WORDS},   {"define", NLU_SOURCE_DEFINE},
                    {"shapes", NLU_SOURCE_SHAPE},  {"level", NLU_SOURCE_RULE},
                    {"intent", NLU_SOURCE_INTENT}, {"lead", NLU_SOURCE_LEAD},
                    {"tail", NLU_SOURCE_TAIL},     {"joint", NLU_SOURCE_JOINT}};
    size_t i = 0;
    while (i < sizeof(HEADINGS) / sizeof(*HEADINGS) && !base_sv_eq_c(keyword, HEADINGS[i].word))
        i++;
    if (i == sizeof(HEADINGS) / sizeof(*HEADINGS)) {
        nlu_source_error(r->source, r->where, "unknown heading '%.*s'", SV_FMT(keyword));
        r->has_heading = false;
        return;
    }
    r->heading = HEADINGS[i].kind;
    r->name = next_word(&rest);
    r->capital = r->heading == NLU_SOURCE_INTENT && base_sv_ends(rest, SV(" capital"));
    if (r->capital)
        rest = base_sv_trim(base_sv_sub(rest, 0, rest.len - strlen(" capital")));
    if (r->heading == NLU_SOURCE_INTENT &&
        (!base_sv_int64(rest, &r->score) || r->score < 1 || r->score > 100))
        nlu_source_error(r->source, r->where, "an intent needs a score from 1 to 100");
    if (r->heading == NLU_SOURCE_DEFINE) {
        struct nlu_source_line *line_out = append(r, NLU_SOURCE_DEFINE);
        if (line_out)
            line_out->text = rest;
        if (rest.len == 0)
            nlu_source_error(r->source, r->where, "define needs a name and a pattern");
    }
}

static void read_words(struct reader *r, struct base_sv line)
{
    int64_t value = 0;
    size_t colon = base_sv_find(line, ':');
    if (colon < line.len) {
        if (!base_sv_int64(base_sv_trim(base_sv_sub(line, 0, colon)), &value)) {
            nlu_source_error(r->source, r->where, "the value before ':' must be a number");
            return;
        }
        line = base_sv_trim(base_sv_sub(line, colon + 1, line.len));
    }
    struct nlu_source_line *out = append(r, NLU_SOURCE_WORDS);
    if (!out)
        return;
    out->number = value;
    out->text = line;
}

static void read_example(struct reader *r, struct base_sv line, enum nlu_example_kind kind)
{
    if (!r->current) {
        nlu_source_error(r->source, r->where, "an example must stand below its rule");
        return;
    }
    struct nlu_source_example *example =
        BASE_ARENA_NEW(r->source->arena, struct nlu_source_example);
    if (!example)
        return;
    example->where = r->where;
    example->kind = kind;
    example->text = base_sv_trim(base_sv_sub(line, 1, line.len));
    example->value = cut_behind(&example->text, SV("->"));
    example->next = r->current->examples;
    r->current->examples = example;
}

static void read_indented(struct reader *r, struct base_sv line)
{
    if (!r->has_heading) {
        nlu_source_error(r->source, r->where, "an indented line needs a heading above it");
        return;
    }
    if (line.len > 1 && line.ptr[1] == ' ' && r->heading != NLU_SOURCE_WORDS) {
        if (line.ptr[0] == '=') {
            read_example(r, line, NLU_EXAMPLE_IS);
            return;
        }
        if (line.ptr[0] == '!') {
            read_example(r, line, NLU_EXAMPLE_IS_NOT);
            return;
        }
    }
    if (r->heading == NLU_SOURCE_WORDS) {
        read_words(r, line);
        return;
    }
    if (r->heading == NLU_SOURCE_DEFINE) {
        r->current->text.len = (size_t)(line.ptr + line.len - r->current->text.ptr);
        return;
    }
    struct nlu_source_line *out = append(r, r->heading);
    if (!out)
        return;
    out->text = line;
    if (r->heading == NLU_SOURCE_RULE || r->heading == NLU_SOURCE_SHAPE) {
        out->action = cut_behind(&out->text, SV("=>"));
        if (out->action.len == 0)
            nlu_source_error(r->source, r->where, "'=> class action' is missing");
    }
}

void nlu_source_read(struct nlu_source *source, const char *file, struct base_sv text)
{
    struct reader r = {.source = source, .where = {.file = file}};
    struct base_sv rest = text;
    while (rest.ptr) {
        struct base_sv raw = base_sv_split(&rest, '\n');
        r.where.line++;
        struct base_sv line = base_sv_trim(raw);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (raw.ptr[0] == ' ' || raw.ptr[0] == '\t')
            read_indented(&r, line);
        else
            read_heading(&r, line);
    }
}
