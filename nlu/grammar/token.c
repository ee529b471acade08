/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a message into tokens: words, numbers and what is written like one (shapes such as 3/18 or
 * 15:30, from the rule files), signs, and stretches that nothing may take apart: addresses, quoted
 * text, #tags. Looks at every byte a bounded number of times.
 */
#include "nlu/grammar/fold.h"
#include "nlu/grammar/match.h"

struct scanner {
    struct nlu_match *m;
    const char *p;
    size_t at, len;
    uint16_t flags;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char char_at(const struct scanner *s, size_t at)
{
    return at < s->len ? s->p[at] : '\0';
}

/* Length of a typographic sign at the position that is no letter: spaces, dashes, quotes, dots. */
static size_t wide_sign(const struct scanner *s, size_t at, char *ret_plain)
{
    unsigned char a = (unsigned char)char_at(s, at), b = (unsigned char)char_at(s, at + 1),
                  c = (unsigned char)char_at(s, at + 2);
    *ret_plain = '\0';
    if (a == 0xc2 && b == 0xa0) {
        *ret_plain = ' ';
        return 2;
    }
    if (a != 0xe2 || b != 0x80)
        return 0;
    if (c >= 0x80 && c <= 0x8f)
        *ret_plain = ' ';
    else if (c >= 0x90 && c <= 0x95)
        *ret_plain = '-';
    else if (c == 0x98 || c == 0x99)
        *ret_plain = '\'';
    else if (c == 0x9c || c == 0x9d || c == 0x9e)
        *ret_plain = '"';
    else if (c == 0xa2)
        *ret_plain = '*';
    else if (c == 0xa6)
        *ret_plain = '.';
    return *ret_plain ? 3 : 0;
}

static bool letter_at(const struct scanner *s, size_t at)
{
    char plain;
    return at < s->len && is_letter(s->p[at]) && wide_sign(s, at, &plain) == 0;
}

static struct nlu_item *emit(struct scanner *s, uint16_t code, size_t end)
{
    struct nlu_match *m = s->m;
    struct nlu_item *item = &m->tokens[m->token_count];
    *item = (struct nlu_item){.code = code,
                              .flags = s->flags,
                              .first = (uint16_t)m->token_count,
                              .count = 1,
                              .start = (uint32_t)s->at,
                              .end = (uint32_t)end};
    m->token_count++;
    s->at = end;
    s->flags = NLU_TOKEN_GLUED;
    return item;
}

static void emit_word(struct scanner *s, size_t end)
{
    char folded[NLU_FOLD_MAX];
    struct base_sv raw = base_sv(s->p + s->at, end - s->at);
    const struct nlu_word *word = nlu_grammar_word(s->m->grammar, nlu_fold(raw, folded));
    if (raw.ptr[0] >= 'A' && raw.ptr[0] <= 'Z')
        s->flags |= NLU_TOKEN_CAPITAL;
    struct nlu_item *item = emit(s, word ? word->code : NLU_CODE_WORD, end);
    item->word = word;
}

/* A number too long to mean anything counts as text. */
static void emit_number(struct scanner *s, size_t end)
{
    int64_t n = 0;
    size_t digits = end - s->at;
    for (size_t i = s->at; i < end && digits <= 10; i++)
        n = n * 10 + (s->p[i] - '0');
    struct nlu_item *item = emit(s, digits <= 10 ? NLU_CODE_NUM : NLU_CODE_WORD, end);
    item->n = n;
}

static bool emit_shape(struct scanner *s)
{
    struct nlu_match *m = s->m;
    const struct nlu_grammar *g = m->grammar;
    if (!g->shape_code || m->budget == 0)
        return false;
    m->budget--;
    size_t limit = s->len - s->at < 64 ? s->len : s->at + 64;
    int rc = pcre2_jit_match_8(g->shape_code, (PCRE2_SPTR8)s->p, limit, s->at, 0, m->shape_data,
                               m->shape_context);
    PCRE2_SPTR8 mark = rc > 0 ? pcre2_get_mark_8(m->shape_data) : NULL;
    if (!mark)
        return false;
    size_t index = (size_t)(mark[0] - 'A') * 16 + (size_t)(mark[1] - 'A');
    const struct nlu_shape *shape = &g->shapes[index];
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer_8(m->shape_data);
    memset(m->eval.args, 0, sizeof(m->eval.args));
    for (int key = 0; key < NLU_KEYS; key++) {
        int group = shape->key_group[key];
        if (!group || group >= rc || at[2 * group] == PCRE2_UNSET)
            continue;
        struct nlu_arg *arg = &m->eval.args[key];
        arg->text = base_sv(s->p + at[2 * group], at[2 * group + 1] - at[2 * group]);
        char folded[NLU_FOLD_MAX];
        const struct nlu_word *word = nlu_grammar_word(g, nlu_fold(arg->text, folded));
        arg->set = true;
        if (!base_sv_int64(arg->text, &arg->n)) {
            if (!word || word->sense_count == 0)
                return false;
            arg->n = word->senses[0].value;
        }
    }
    struct nlu_value value = {0};
    if (!shape->action->run(&m->eval, &value))
        return false;
    struct nlu_value *kept = BASE_ARENA_NEW(m->eval.arena, struct nlu_value);
    if (!kept) {
        m->no_memory = true;
        return false;
    }
    *kept = value;
    emit(s, shape->class_id, at[1])->value = kept;
    return true;
}

static size_t chunk_end(const struct scanner *s)
{
    size_t end = s->at;
    while (end < s->len && !is_space(s->p[end]))
        end++;
    while (end > s->at + 1 && strchr(".,;:!?)]}'\"", s->p[end - 1]))
        end--;
    return end;
}

/* monday.com, a@b.org, https://x, report.pdf: letters on both sides of an inner dot, at or slashes
 */
static size_t link_end(const struct scanner *s)
{
    size_t end = chunk_end(s);
    struct base_sv chunk = base_sv(s->p + s->at, end - s->at);
    for (size_t i = 1; i + 1 < chunk.len; i++) {
        char c = chunk.ptr[i];
        if (c == ':' && i + 2 < chunk.len && chunk.ptr[i + 1] == '/' && chunk.ptr[i + 2] == '/')
            return end;
        if (c == '@' && base_sv_find(base_sv_sub(chunk, i, chunk.len), '.') < chunk.len - i &&
            is_letter(chunk.ptr[i - 1]))
            return end;
        if (c == '.' && i >= 2 && i + 2 < chunk.len && is_letter(chunk.ptr[i - 1]) &&
            is_letter(chunk.ptr[i - 2]) && is_letter(chunk.ptr[i + 1]) &&
            is_letter(chunk.ptr[i + 2]) && !(chunk.ptr[i + 1] >= 'A' && chunk.ptr[i + 1] <= 'Z'))
            return end;
        if (!is_letter(c) && !is_digit(c) && !strchr("-_./%", c))
            return 0;
    }
    return 0;
}

/* Text between quotes that stand like quotes: outside them are spaces or signs. */
static size_t quoted_end(const struct scanner *s, size_t open_len, char plain)
{
    size_t from = s->at + open_len;
    if (from >= s->len || is_space(s->p[from]) || is_digit(s->p[from]))
        return 0;
    for (size_t i = from; i < s->len && i < from + 300 && s->p[i] != '\n'; i++) {
        char sign = s->p[i];
        size_t n = wide_sign(s, i, &sign);
        if (n == 0) {
            n = 1;
            sign = s->p[i];
        }
        if (sign != plain || i == from)
            continue;
        if (plain == '\'' && letter_at(s, i + n))
            continue;
        return i + n;
    }
    return 0;
}

static bool emit_tag(struct scanner *s)
{
    size_t end = s->at + 1;
    if (!letter_at(s, end))
        return false;
    while (end < s->len && (letter_at(s, end) || is_digit(s->p[end]) || s->p[end] == '_' ||
                            (s->p[end] == '-' && letter_at(s, end + 1))))
        end++;
    (void)emit(s, s->p[s->at] == '#' ? NLU_CODE_TAG : NLU_CODE_PLUS, end);
    return true;
}

static void scan_word(struct scanner *s)
{
    size_t link = link_end(s);
    if (link) {
        (void)emit(s, NLU_CODE_LINK, link);
        return;
    }
    size_t end = s->at;
    while (letter_at(s, end))
        end++;
    for (;;) { /* don't, mom's, o'clock */
        char plain = '\0';
        size_t n = char_at(s, end) == '\'' ? 1 : wide_sign(s, end, &plain);
        if (n == 0 || (n > 1 && plain != '\'') || !letter_at(s, end + n))
            break;
        size_t after = end + n;
        while (letter_at(s, after))
            after++;
        char folded[NLU_FOLD_MAX];
        struct base_sv whole = base_sv(s->p + s->at, after - s->at);
        bool clitic = after == end + n + 1 && (s->p[end + n] | 32) == 's';
        if (clitic && !nlu_grammar_word(s->m->grammar, nlu_fold(whole, folded))) {
            emit_word(s, end);
            if (s->m->token_count < NLU_TOKENS_MAX)
                emit_word(s, after);
            return;
        }
        end = after;
    }
    if (is_digit(char_at(s, end))) { /* mp3, B2B: but "dec24", "p1", "at5" are words and numbers */
        char folded[NLU_FOLD_MAX];
        struct base_sv letters = base_sv(s->p + s->at, end - s->at);
        const struct nlu_word *word = nlu_grammar_word(s->m->grammar, nlu_fold(letters, folded));
        if (!word || word->sense_count == 0) {
            while (is_digit(char_at(s, end)) || letter_at(s, end))
                end++;
            emit_word(s, end);
            return;
        }
    }
    emit_word(s, end);
}

static void scan_number(struct scanner *s)
{
    bool glued_to_letter = s->at > 0 && (letter_at(s, s->at - 1) || s->p[s->at - 1] == '_');
    if (!glued_to_letter && emit_shape(s))
        return;
    size_t end = s->at;
    while (is_digit(char_at(s, end)))
        end++;
    if (letter_at(s, end)) { /* "5min" is two tokens, "3rd" was a shape, "2pac" is a word */
        size_t after = end;
        while (letter_at(s, after) || is_digit(char_at(s, after)))
            after++;
        size_t letters = end;
        while (letter_at(s, letters))
            letters++;
        char folded[NLU_FOLD_MAX];
        const struct nlu_word *word =
            nlu_grammar_word(s->m->grammar, nlu_fold(base_sv(s->p + end, letters - end), folded));
        if (!word || word->sense_count == 0) {
            emit_word(s, after);
            return;
        }
    }
    emit_number(s, end);
}

static void scan_sign(struct scanner *s)
{
    char plain;
    size_t n = wide_sign(s, s->at, &plain);
    if (n == 0) {
        n = 1;
        plain = s->p[s->at];
    }
    bool opens = s->at == 0 || is_space(s->p[s->at - 1]) || s->p[s->at - 1] == '(';
    if ((plain == '"' || (plain == '\'' && opens))) {
        size_t end = quoted_end(s, n, plain);
        if (end) {
            (void)emit(s, NLU_CODE_QUOTED, end);
            return;
        }
    }
    if ((plain == '#' || plain == '+') && opens && emit_tag(s))
        return;
    size_t run = n;
    while (n == 1 && (plain == '!' || plain == '.' || plain == '?' || plain == '-') &&
           char_at(s, s->at + run) == plain)
        run++;
    const struct nlu_word *word = nlu_grammar_word(s->m->grammar, base_sv(&plain, 1));
    struct nlu_item *item = emit(s, word ? word->code : NLU_CODE_PUNCT, s->at + run);
    item->word = word;
    item->n = (int64_t)run;
}

void nlu_match_tokens(struct nlu_match *match, const struct nlu_grammar *grammar,
                      struct base_sv text, struct time_civil now, struct base_arena *arena)
{
    match->grammar = grammar;
    match->text = text;
    match->token_count = 0;
    match->budget = 4000;
    match->no_memory = false;
    match->eval.now = now;
    match->eval.arena = arena;
    struct scanner s = {.m = match, .p = text.ptr, .len = text.len, .flags = NLU_TOKEN_LINE};
    while (s.at < s.len && match->token_count < NLU_TOKENS_MAX) {
        char c = s.p[s.at], plain;
        size_t wide = wide_sign(&s, s.at, &plain);
        if (is_space(c) || (wide && plain == ' ')) {
            s.flags = c == '\n' ? NLU_TOKEN_LINE : (uint16_t)(s.flags & NLU_TOKEN_LINE);
            s.at += wide ? wide : 1;
        } else if (is_digit(c)) {
            scan_number(&s);
        } else if (letter_at(&s, s.at)) {
            scan_word(&s);
        } else {
            scan_sign(&s);
        }
    }
    size_t n = match->token_count;
    for (size_t i = 0; i < n; i++)
        match->token_codes[i] = match->tokens[i].code;
    match->token_codes[n] = NLU_CODE_EOT;
    match->item_count = n;
    memcpy(match->items, match->tokens, n * sizeof(*match->items));
    memcpy(match->codes, match->token_codes, (n + 1) * sizeof(*match->codes));
}
