/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive descent over the pattern's text; depth and size are bounded, so a bad rule file cannot
 * do more than be refused. */
#include "nlu/grammar/pattern.h"

enum { DEPTH_MAX = 40 };

void nlu_codeset_add(struct nlu_codeset *set, unsigned code)
{
    set->bits[code / 64] |= UINT64_C(1) << (code % 64);
}

bool nlu_codeset_has(const struct nlu_codeset *set, unsigned code)
{
    return (set->bits[code / 64] >> (code % 64)) & 1;
}

void nlu_codeset_or(struct nlu_codeset *set, const struct nlu_codeset *other)
{
    for (size_t i = 0; i < NLU_CODE_WORDS; i++)
        set->bits[i] |= other->bits[i];
}

static size_t count(const struct nlu_codeset *set)
{
    size_t n = 0;
    for (size_t i = 0; i < NLU_CODE_WORDS; i++)
        n += (size_t)__builtin_popcountll(set->bits[i]);
    return n;
}

/* ---- parsing ---- */

struct parser {
    struct nlu_source *source;
    struct nlu_where where;
    struct base_sv in;
    size_t at;
    struct nlu_pattern *pattern;
    nlu_macro_fn macro;
    void *context;
    int depth;
    bool failed;
};

static struct nlu_node *parse_alt(struct parser *p);

static void fail(struct parser *p, const char *reason)
{
    if (!p->failed)
        nlu_source_error(p->source, p->where, "pattern: %s at '%.*s'", reason,
                         SV_FMT(base_sv_sub(p->in, p->at, p->at + 20)));
    p->failed = true;
}

static struct nlu_node *node_new(struct parser *p, enum nlu_node_kind kind)
{
    struct nlu_node *node = BASE_ARENA_NEW(p->source->arena, struct nlu_node);
    if (!node) {
        fail(p, "out of memory");
        return NULL;
    }
    node->kind = kind;
    return node;
}

static char peek(const struct parser *p)
{
    return p->at < p->in.len ? p->in.ptr[p->at] : '\0';
}

static bool looking_at(struct parser *p, const char *text)
{
    struct base_sv sv = base_sv_from(text);
    return base_sv_starts(base_sv_sub(p->in, p->at, p->in.len), sv);
}

static bool take(struct parser *p, const char *text)
{
    if (!looking_at(p, text))
        return false;
    p->at += strlen(text);
    return true;
}

static void skip_space(struct parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n')
        p->at++;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static struct base_sv take_name(struct parser *p)
{
    size_t from = p->at;
    while (is_name(peek(p)))
        p->at++;
    if (p->at == from)
        fail(p, "a name is missing");
    return base_sv_sub(p->in, from, p->at);
}

static struct nlu_node *capture(struct parser *p, struct base_sv name, struct base_sv class_name,
                                struct nlu_node *child)
{
    struct nlu_node *node = node_new(p, NLU_NODE_CAPTURE);
    if (!node)
        return NULL;
    if (p->pattern->group_count + 1 >= NLU_GROUPS_MAX) {
        fail(p, "too many captures");
        return NULL;
    }
    p->pattern->groups[++p->pattern->group_count] = (struct nlu_group){name, class_name, -1};
    node->group = p->pattern->group_count;
    node->child = child;
    return node;
}

static struct nlu_node *parse_class(struct parser *p)
{
    struct nlu_node *node = node_new(p, NLU_NODE_CLASS);
    if (!node)
        return NULL;
    node->text = take_name(p);
    if (take(p, ":"))
        node = capture(p, take_name(p), node->text, node);
    if (!take(p, ">"))
        fail(p, "'>' is missing");
    return node;
}

static struct nlu_node *any_run(struct parser *p, char repeat, bool lazy)
{
    struct nlu_node *node = node_new(p, NLU_NODE_REPEAT);
    if (!node)
        return NULL;
    node->repeat = repeat;
    node->lazy = lazy;
    node->child = node_new(p, NLU_NODE_ANY);
    return node;
}

static struct nlu_node *parse_paren(struct parser *p)
{
    static const struct {
        const char *text;
        bool negative, behind;
    } LOOKS[] = {
        {"?=", false, false}, {"?!", true, false}, {"?<=", false, true}, {"?<!", true, true}};
    for (size_t i = 0; i < sizeof(LOOKS) / sizeof(*LOOKS); i++) {
        if (!take(p, LOOKS[i].text))
            continue;
        struct nlu_node *node = node_new(p, NLU_NODE_LOOK);
        if (!node)
            return NULL;
        node->negative = LOOKS[i].negative;
        node->behind = LOOKS[i].behind;
        node->child = parse_alt(p);
        if (!take(p, ")"))
            fail(p, "')' is missing");
        return node;
    }
    size_t back = p->at;
    struct base_sv name = SV_NULL;
    while (is_name(peek(p)))
        p->at++;
    if (peek(p) == ':' && p->at > back) {
        name = base_sv_sub(p->in, back, p->at);
        p->at++;
    } else {
        p->at = back;
    }
    struct nlu_node *child = parse_alt(p);
    if (!take(p, ")"))
        fail(p, "')' is missing");
    if (name.len)
        return capture(p, name, SV_NULL, child);
    struct nlu_node *group = node_new(p, NLU_NODE_SEQ);
    if (group)
        group->child = child;
    return group;
}

static struct nlu_node *parse_macro(struct parser *p)
{
    struct base_sv name = take_name(p);
    struct base_sv text = p->macro(p->context, name);
    if (!text.ptr) {
        fail(p, "no such define before");
        return NULL;
    }
    struct base_sv in = p->in;
    size_t at = p->at;
    p->in = text;
    p->at = 0;
    struct nlu_node *node = node_new(p, NLU_NODE_SEQ);
    if (node)
        node->child = parse_alt(p);
    if (!p->failed && p->at != text.len)
        fail(p, "unexpected");
    p->in = in;
    p->at = at;
    return node;
}

static bool ends_word(char c)
{
    return c == '\0' || c == ' ' || c == '\t' || c == '\n' || c == '(' || c == ')' || c == '|' ||
           c == '<' || c == '>' || c == '{' || c == '?' || c == '*' || c == '+';
}

static struct nlu_node *parse_atom(struct parser *p)
{
    if (take(p, "<"))
        return parse_class(p);
    if (take(p, "("))
        return parse_paren(p);
    if (take(p, "@") && !ends_word(peek(p)))
        return parse_macro(p);
    if (p->at && p->in.ptr[p->at - 1] == '@')
        p->at--; /* a lone @ is a word */
    if (take(p, "..."))
        return any_run(p, '*', true);
    if (take(p, "{")) {
        struct base_sv name = take_name(p);
        struct nlu_node *run = any_run(p, '+', true);
        if (!take(p, "}"))
            fail(p, "'}' is missing");
        return capture(p, name, SV_NULL, run);
    }
    if (take(p, "_"))
        return node_new(p, NLU_NODE_ANY);
    if (take(p, "^"))
        return node_new(p, NLU_NODE_START);
    if (take(p, "$"))
        return node_new(p, NLU_NODE_END);
    struct nlu_node *node = node_new(p, NLU_NODE_WORD);
    if (!node)
        return NULL;
    size_t from = p->at;
    if (take(p, "\\")) {
        from = p->at++;
    } else {
        while (!ends_word(peek(p)))
            p->at++;
    }
    node->text = base_sv_sub(p->in, from, p->at);
    if (node->text.len == 0)
        fail(p, "unexpected");
    return node;
}

static struct nlu_node *parse_seq(struct parser *p)
{
    struct nlu_node *seq = node_new(p, NLU_NODE_SEQ);
    struct nlu_node **last = seq ? &seq->child : NULL;
    for (;;) {
        skip_space(p);
        char c = peek(p);
        if (p->failed || !seq || c == '\0' || c == '|' || c == ')')
            return seq;
        struct nlu_node *atom = parse_atom(p);
        if (!atom)
            return seq;
        c = peek(p);
        if (c == '?' || c == '*' || c == '+') {
            struct nlu_node *repeat = node_new(p, NLU_NODE_REPEAT);
            if (!repeat)
                return seq;
            p->at++;
            repeat->repeat = c;
            repeat->child = atom;
            atom = repeat;
        }
        *last = atom;
        last = &atom->next;
    }
}

static struct nlu_node *parse_alt(struct parser *p)
{
    if (++p->depth > DEPTH_MAX)
        fail(p, "nested too deeply");
    struct nlu_node *alt = node_new(p, NLU_NODE_ALT);
    struct nlu_node **last = alt ? &alt->child : NULL;
    while (alt && !p->failed) {
        *last = parse_seq(p);
        if (*last)
            last = &(*last)->next;
        if (!take(p, "|"))
            break;
    }
    p->depth--;
    return alt;
}

struct nlu_pattern *nlu_pattern_parse(struct nlu_source *source, struct nlu_where where,
                                      struct base_sv text, nlu_macro_fn macro, void *context)
{
    struct nlu_pattern *pattern = BASE_ARENA_NEW(source->arena, struct nlu_pattern);
    if (!pattern)
        return NULL;
    struct parser p = {source, where, text, 0, pattern, macro, context, 0, false};
    pattern->root = parse_alt(&p);
    if (!p.failed && p.at != text.len)
        fail(&p, "unexpected");
    return p.failed ? NULL : pattern;
}

/* ---- the prefilter's sets ---- */

struct sets {
    nlu_codes_fn codes;
    void *context;
    const struct nlu_node *unknown;
};

static void all_codes(struct nlu_codeset *set)
{
    memset(set->bits, 0xff, sizeof(set->bits));
}

static void prefix_of(struct sets *s, const struct nlu_node *node, struct nlu_prefix *out);

/* The rarer need is the better filter. */
static void prefer_need(struct nlu_prefix *out, const struct nlu_prefix *other)
{
    if (other->has_need && (!out->has_need || count(&other->need) < count(&out->need))) {
        out->has_need = true;
        out->need = other->need;
    }
}

static void append_prefix(struct nlu_prefix *a, const struct nlu_prefix *b)
{
    if (a->nullable)
        nlu_codeset_or(&a->second, &b->second);
    if (a->single)
        nlu_codeset_or(&a->second, &b->first);
    if (a->nullable)
        nlu_codeset_or(&a->first, &b->first);
    a->single = (a->single && b->nullable) || (a->nullable && b->single);
    a->nullable = a->nullable && b->nullable;
    prefer_need(a, b);
}

static void sequence(struct sets *s, const struct nlu_node *first, struct nlu_prefix *out)
{
    *out = (struct nlu_prefix){.nullable = true};
    for (const struct nlu_node *n = first; n; n = n->next) {
        struct nlu_prefix part;
        prefix_of(s, n, &part);
        append_prefix(out, &part);
    }
}

static void alternatives(struct sets *s, const struct nlu_node *node, struct nlu_prefix *out)
{
    *out = (struct nlu_prefix){.has_need = true};
    for (const struct nlu_node *n = node->child; n; n = n->next) {
        struct nlu_prefix part;
        prefix_of(s, n, &part);
        out->nullable |= part.nullable;
        out->single |= part.single;
        nlu_codeset_or(&out->first, &part.first);
        nlu_codeset_or(&out->second, &part.second);
        out->has_need = out->has_need && part.has_need;
        nlu_codeset_or(&out->need, &part.need);
    }
}

static void prefix_of(struct sets *s, const struct nlu_node *node, struct nlu_prefix *out)
{
    *out = (struct nlu_prefix){0};
    switch (node->kind) {
    case NLU_NODE_WORD:
    case NLU_NODE_CLASS:
        if (!s->codes(s->context, node, &out->first) && !s->unknown)
            s->unknown = node;
        out->single = true;
        out->has_need = true;
        out->need = out->first;
        return;
    case NLU_NODE_ANY:
        all_codes(&out->first);
        out->single = true;
        return;
    case NLU_NODE_SEQ:
    case NLU_NODE_CAPTURE:
        sequence(s, node->child, out);
        return;
    case NLU_NODE_ALT:
        alternatives(s, node, out);
        return;
    case NLU_NODE_REPEAT:
        prefix_of(s, node->child, out);
        if (node->repeat != '?' && out->single)
            nlu_codeset_or(&out->second, &out->first);
        if (node->repeat != '+') {
            out->nullable = true;
            out->has_need = false;
        }
        return;
    case NLU_NODE_LOOK: { /* consumes nothing; its words must exist all the same */
        struct nlu_prefix ignored;
        prefix_of(s, node->child, &ignored);
        out->nullable = true;
        return;
    }
    case NLU_NODE_START:
    case NLU_NODE_END:
        out->nullable = true;
        return;
    }
}

bool nlu_pattern_prefix(const struct nlu_pattern *pattern, nlu_codes_fn codes, void *context,
                        struct nlu_prefix *ret_prefix, const struct nlu_node **ret_unknown)
{
    struct sets s = {codes, context, NULL};
    prefix_of(&s, pattern->root, ret_prefix);
    if (ret_prefix->single || ret_prefix->nullable)
        all_codes(&ret_prefix->second); /* anything may follow the match */
    *ret_unknown = s.unknown;
    return !s.unknown;
}

/* ---- the pcre2 pattern ---- */

static void emit_set(const struct nlu_codeset *set, struct base_buf *out)
{
    if (count(set) > 1)
        base_buf_add_char(out, '[');
    for (unsigned code = 0; code < NLU_CODES; code++) {
        if (set->bits[code / 64] == 0) {
            code |= 63; /* nothing in this word: on to the next */
            continue;
        }
        if (!nlu_codeset_has(set, code))
            continue;
        unsigned last = code;
        while (last + 1 < NLU_CODES && nlu_codeset_has(set, last + 1))
            last++;
        base_buf_addf(out, "\\x{%x}", code);
        if (last > code)
            base_buf_addf(out, "-\\x{%x}", last);
        code = last;
    }
    if (count(set) > 1)
        base_buf_add_char(out, ']');
}

static void emit(const struct nlu_node *node, nlu_codes_fn codes, void *context,
                 struct base_buf *out);

/* pcre2 looks behind over alternatives of different lengths only at the top of the assertion. */
static void emit_branches(const struct nlu_node *node, nlu_codes_fn codes, void *context,
                          struct base_buf *out)
{
    while ((node->kind == NLU_NODE_SEQ || node->kind == NLU_NODE_ALT) && node->child &&
           !node->child->next)
        node = node->child;
    if (node->kind != NLU_NODE_ALT) {
        emit(node, codes, context, out);
        return;
    }
    for (const struct nlu_node *n = node->child; n; n = n->next) {
        emit(n, codes, context, out);
        if (n->next)
            base_buf_add_char(out, '|');
    }
}

static void emit(const struct nlu_node *node, nlu_codes_fn codes, void *context,
                 struct base_buf *out)
{
    switch (node->kind) {
    case NLU_NODE_WORD:
    case NLU_NODE_CLASS: {
        struct nlu_codeset set = {0};
        (void)codes(context, node, &set);
        emit_set(&set, out);
        return;
    }
    case NLU_NODE_ANY:
        base_buf_add_char(out, '.');
        return;
    case NLU_NODE_SEQ:
    case NLU_NODE_CAPTURE:
        base_buf_add_c(out, node->kind == NLU_NODE_SEQ ? "(?:" : "(");
        for (const struct nlu_node *n = node->child; n; n = n->next)
            emit(n, codes, context, out);
        base_buf_add_char(out, ')');
        return;
    case NLU_NODE_ALT:
        base_buf_add_c(out, "(?:");
        for (const struct nlu_node *n = node->child; n; n = n->next) {
            emit(n, codes, context, out);
            if (n->next)
                base_buf_add_char(out, '|');
        }
        base_buf_add_char(out, ')');
        return;
    case NLU_NODE_REPEAT:
        base_buf_add_c(out, "(?:");
        emit(node->child, codes, context, out);
        base_buf_add_char(out, ')');
        base_buf_add_char(out, node->repeat);
        if (node->lazy)
            base_buf_add_char(out, '?');
        return;
    case NLU_NODE_LOOK:
        base_buf_add_c(out, "(?");
        base_buf_add_c(out, node->behind ? "<" : "");
        base_buf_add_char(out, node->negative ? '!' : '=');
        emit_branches(node->child, codes, context, out);
        base_buf_add_char(out, ')');
        return;
    case NLU_NODE_START:
        base_buf_add_c(out, "\\A");
        return;
    case NLU_NODE_END:
        base_buf_add_c(out, "\\z");
        return;
    }
}

void nlu_pattern_emit(const struct nlu_pattern *pattern, nlu_codes_fn codes, void *context,
                      struct base_buf *out)
{
    emit(pattern->root, codes, context, out);
}
