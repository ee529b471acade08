/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compilation in four passes: collect classes and words, parse patterns, give out codes, build
 * prefilter and pcre2 programs. Codes come last but one because words are merged by what the
 * patterns can tell apart.
 */
#include "nlu/grammar/grammar.h"

#include <stdio.h>
#include <stdlib.h>

#include "nlu/grammar/fold.h"
#include "nlu/nlu.h"

enum { WORDS_MAX = 8192, GRAMMAR_BYTES_MAX = 32 << 20, PATTERN_BYTES_MAX = 64 << 10 };

struct build {
    struct nlu_grammar *g;
    struct nlu_source *source;
};

const struct nlu_word *nlu_grammar_word(const struct nlu_grammar *grammar, struct base_sv folded)
{
    size_t at = base_sv_hash(folded, 0) & grammar->bucket_mask;
    for (; grammar->buckets[at]; at = (at + 1) & grammar->bucket_mask) {
        const struct nlu_word *word = &grammar->words[grammar->buckets[at] - 1];
        if (base_sv_eq(word->text, folded))
            return word;
    }
    return NULL;
}

static struct nlu_word *add_word(struct build *b, struct nlu_where where, struct base_sv raw)
{
    char folded[NLU_FOLD_MAX];
    struct base_sv text = nlu_fold(raw, folded);
    struct nlu_grammar *g = b->g;
    size_t at = base_sv_hash(text, 0) & g->bucket_mask;
    for (; g->buckets[at]; at = (at + 1) & g->bucket_mask) {
        if (base_sv_eq(g->words[g->buckets[at] - 1].text, text))
            return &g->words[g->buckets[at] - 1];
    }
    if (g->word_count >= WORDS_MAX) {
        nlu_source_error(b->source, where, "more than %d words", WORDS_MAX);
        return NULL;
    }
    struct nlu_word *word = &g->words[g->word_count++];
    word->text = base_arena_sv(&g->arena, text);
    g->buckets[at] = (uint32_t)g->word_count;
    return word;
}

int nlu_grammar_class(const struct nlu_grammar *grammar, struct base_sv name)
{
    for (size_t i = 0; i < grammar->class_count; i++) {
        if (base_sv_eq(grammar->class_names[i], name))
            return (int)i;
    }
    return -1;
}

static uint16_t add_class(struct build *b, struct nlu_where where, struct base_sv name)
{
    int known = nlu_grammar_class(b->g, name);
    if (known >= 0)
        return (uint16_t)known;
    if (b->g->class_count == NLU_CLASSES_MAX || name.len == 0) {
        nlu_source_error(b->source, where, "class '%.*s': empty, or too many", SV_FMT(name));
        return 0;
    }
    b->g->class_names[b->g->class_count] = base_arena_sv(&b->g->arena, name);
    return (uint16_t)b->g->class_count++;
}

bool nlu_word_value(const struct nlu_word *word, int class_id, int64_t *ret_value)
{
    for (size_t i = 0; i < word->sense_count; i++) {
        if (word->senses[i].class_id == class_id) {
            *ret_value = word->senses[i].value;
            return true;
        }
    }
    return false;
}

static void add_senses(struct build *b, const struct nlu_source_line *line)
{
    uint16_t class_id = add_class(b, line->where, line->name);
    struct base_sv rest = line->text;
    while (rest.len) {
        size_t n = base_sv_find(rest, ' ');
        struct base_sv raw = base_sv_sub(rest, 0, n);
        rest = base_sv_trim(base_sv_sub(rest, n, rest.len));
        struct nlu_word *word = add_word(b, line->where, raw);
        int64_t old;
        if (!word || nlu_word_value(word, class_id, &old))
            continue;
        if (word->sense_count == NLU_SENSES_MAX) {
            nlu_source_error(b->source, line->where, "'%.*s' is in more than %d classes",
                             SV_FMT(raw), NLU_SENSES_MAX);
            continue;
        }
        word->senses[word->sense_count++] = (struct nlu_sense){class_id, (int32_t)line->number};
    }
}

static struct base_sv find_define(void *context, struct base_sv name)
{
    struct build *b = context;
    for (struct nlu_source_line *l = b->source->first; l; l = l->next) {
        if (l->kind == NLU_SOURCE_DEFINE && base_sv_eq(l->name, name))
            return l->text;
    }
    return SV_NULL;
}

/* ---- actions ---- */

static struct base_sv next_word(struct base_sv *rest)
{
    size_t n = base_sv_find(*rest, ' ');
    struct base_sv word = base_sv_sub(*rest, 0, n);
    *rest = base_sv_trim(base_sv_sub(*rest, n, rest->len));
    return word;
}

/* "key=value": the value is a number or a word of the vocabulary, which stands for its value. */
static bool read_constant(struct build *b, struct base_sv item, int *ret_key, int64_t *ret_value)
{
    if (item.len < 3 || item.ptr[1] != '=' || item.ptr[0] < 'a' || item.ptr[0] > 'z')
        return false;
    *ret_key = item.ptr[0] - 'a';
    struct base_sv value = base_sv_sub(item, 2, item.len);
    if (base_sv_int64(value, ret_value))
        return true;
    const struct nlu_word *word = nlu_grammar_word(b->g, value);
    if (!word || word->sense_count == 0)
        return false;
    *ret_value = word->senses[0].value;
    return true;
}

static const struct nlu_action *read_action(struct build *b, const struct nlu_source_line *line,
                                            uint16_t *ret_class, struct base_sv *ret_rest)
{
    *ret_rest = line->action;
    *ret_class = add_class(b, line->where, next_word(ret_rest));
    struct base_sv name = next_word(ret_rest);
    const struct nlu_action *action = nlu_action_find(name);
    if (!action)
        nlu_source_error(b->source, line->where, "unknown action '%.*s'", SV_FMT(name));
    return action;
}

static void read_constants(struct build *b, struct nlu_rule *rule, struct base_sv rest)
{
    while (rest.len) {
        struct base_sv item = next_word(&rest);
        int key;
        int64_t value;
        if (!read_constant(b, item, &key, &value)) {
            nlu_source_error(b->source, rule->where, "'%.*s' is no key=value", SV_FMT(item));
            return;
        }
        rule->const_mask |= 1U << key;
        rule->consts[key] = (int32_t)value;
    }
}

/* ---- levels ---- */

static void mark_literals(struct build *b, struct nlu_where where, const struct nlu_node *node)
{
    for (; node; node = node->next) {
        if (node->kind == NLU_NODE_WORD) {
            struct nlu_word *word = add_word(b, where, node->text);
            if (word)
                word->literal = true;
        }
        mark_literals(b, where, node->child);
    }
}

static struct nlu_level *level_of(struct build *b, const struct nlu_source_line *line)
{
    switch (line->kind) {
    case NLU_SOURCE_INTENT:
        return &b->g->intents;
    case NLU_SOURCE_LEAD:
        return &b->g->lead;
    case NLU_SOURCE_TAIL:
        return &b->g->tail;
    case NLU_SOURCE_JOINT:
        return &b->g->joint;
    default:
        break;
    }
    for (size_t i = 0; i < b->g->level_count; i++) {
        if (base_sv_eq(b->g->levels[i].name, line->name))
            return &b->g->levels[i];
    }
    if (b->g->level_count == NLU_LEVELS_MAX) {
        nlu_source_error(b->source, line->where, "more than %d levels", NLU_LEVELS_MAX);
        return &b->g->levels[0];
    }
    struct nlu_level *level = &b->g->levels[b->g->level_count++];
    level->name = line->name;
    return level;
}

static bool is_rule(const struct nlu_source_line *line)
{
    return line->kind >= NLU_SOURCE_RULE;
}

static int find_intent(struct base_sv name)
{
    for (int i = 0; i < NLU_INTENT_COUNT; i++) {
        if (base_sv_eq_c(name, nlu_intent_name((enum nlu_intent)i)))
            return i;
    }
    return -1;
}

static void add_rule(struct build *b, struct nlu_rule *rule, const struct nlu_source_line *line)
{
    rule->where = line->where;
    rule->text = base_arena_sv(&b->g->arena, line->text);
    rule->examples = line->examples;
    rule->score = (int)line->number;
    rule->capital = line->capital;
    if (line->kind == NLU_SOURCE_INTENT) {
        rule->intent = find_intent(line->name);
        if (rule->intent < 0)
            nlu_source_error(b->source, line->where, "unknown intent '%.*s'", SV_FMT(line->name));
    }
    if (line->kind == NLU_SOURCE_RULE) {
        struct base_sv rest;
        rule->action = read_action(b, line, &rule->class_id, &rest);
        read_constants(b, rule, rest);
    }
    rule->pattern = nlu_pattern_parse(b->source, line->where, line->text, find_define, b);
    if (rule->pattern)
        mark_literals(b, line->where, rule->pattern->root);
}

static bool collect_rules(struct build *b)
{
    for (struct nlu_source_line *l = b->source->first; l; l = l->next) {
        if (is_rule(l))
            level_of(b, l)->rule_count++;
    }
    struct nlu_level *all[NLU_LEVELS_MAX + 4];
    size_t n = 0;
    for (size_t i = 0; i < b->g->level_count; i++)
        all[n++] = &b->g->levels[i];
    all[n++] = &b->g->intents;
    all[n++] = &b->g->lead;
    all[n++] = &b->g->tail;
    all[n++] = &b->g->joint;
    for (size_t i = 0; i < n; i++) {
        all[i]->rules =
            base_arena_array(&b->g->arena, all[i]->rule_count + 1, sizeof(struct nlu_rule));
        if (!all[i]->rules)
            return false;
        all[i]->rule_count = 0;
    }
    for (struct nlu_source_line *l = b->source->first; l; l = l->next) {
        if (!is_rule(l))
            continue;
        struct nlu_level *level = level_of(b, l);
        add_rule(b, &level->rules[level->rule_count++], l);
    }
    return true;
}

/* ---- codes ---- */

static bool same_to_patterns(const struct nlu_word *a, const struct nlu_word *b)
{
    if (a->literal || b->literal || a->sense_count != b->sense_count)
        return false;
    for (size_t i = 0; i < a->sense_count; i++) {
        if (a->senses[i].class_id != b->senses[i].class_id)
            return false;
    }
    return true;
}

static bool assign_codes(struct build *b)
{
    struct nlu_grammar *g = b->g;
    size_t next = g->class_count;
    for (size_t i = 0; i < g->word_count; i++) {
        struct nlu_word *word = &g->words[i];
        for (size_t j = 0; j < i && !word->code; j++) {
            if (same_to_patterns(word, &g->words[j]))
                word->code = g->words[j].code;
        }
        if (!word->code)
            word->code = (uint16_t)next++;
    }
    g->code_count = next;
    if (next > NLU_CODES) {
        nlu_source_error(b->source, (struct nlu_where){g->language, 0},
                         "%zu different words and classes, at most %d", next, (int)NLU_CODES);
        return false;
    }
    g->class_codes = base_arena_array(&g->arena, g->class_count, sizeof(struct nlu_codeset));
    if (!g->class_codes)
        return false;
    for (size_t i = 0; i < g->class_count; i++)
        nlu_codeset_add(&g->class_codes[i], (unsigned)i);
    for (size_t i = 0; i < g->word_count; i++) {
        for (size_t k = 0; k < g->words[i].sense_count; k++)
            nlu_codeset_add(&g->class_codes[g->words[i].senses[k].class_id], g->words[i].code);
    }
    return true;
}

static bool codes_of(void *context, const struct nlu_node *node, struct nlu_codeset *ret_set)
{
    const struct nlu_grammar *g = context;
    if (node->kind == NLU_NODE_CLASS) {
        int class_id = nlu_grammar_class(g, node->text);
        if (class_id < 0)
            return false;
        *ret_set = g->class_codes[class_id];
        return true;
    }
    char folded[NLU_FOLD_MAX];
    const struct nlu_word *word = nlu_grammar_word(g, nlu_fold(node->text, folded));
    if (!word)
        return false;
    nlu_codeset_add(ret_set, word->code);
    return true;
}

/* ---- programs ---- */

static void compile_error(struct build *b, struct nlu_where where, int error)
{
    PCRE2_UCHAR8 text[128];
    (void)pcre2_get_error_message_8(error, text, sizeof(text));
    nlu_source_error(b->source, where, "pcre2: %s", (const char *)text);
}

static bool compile_rule(struct build *b, struct nlu_rule *rule, bool whole)
{
    struct base_buf out;
    base_buf_init(&out, PATTERN_BYTES_MAX);
    nlu_pattern_emit(rule->pattern, codes_of, b->g, &out);
    if (whole)
        base_buf_add_c(&out, "\\z");
    PCRE2_UCHAR16 *wide = base_arena_array(b->source->arena, out.len + 1, sizeof(*wide));
    bool ok = base_buf_ok(&out) && wide;
    if (ok) {
        for (size_t i = 0; i < out.len; i++)
            wide[i] = (PCRE2_UCHAR16)(unsigned char)out.data[i];
        int error;
        PCRE2_SIZE offset;
        rule->code =
            pcre2_compile_16(wide, out.len, PCRE2_ANCHORED | PCRE2_DOTALL, &error, &offset, NULL);
        if (!rule->code)
            compile_error(b, rule->where, error);
        else if (pcre2_jit_compile_16(rule->code, PCRE2_JIT_COMPLETE) != 0)
            nlu_source_error(b->source, rule->where, "the pattern is too large to compile");
        ok = rule->code != NULL;
    }
    base_buf_done(&out);
    return ok;
}

static void set_bits(uint64_t *sets, size_t words, const struct nlu_codeset *codes, size_t rule,
                     size_t code_count)
{
    for (size_t code = 0; code < code_count; code++) {
        if (nlu_codeset_has(codes, (unsigned)code))
            sets[code * words + rule / 64] |= UINT64_C(1) << (rule % 64);
    }
}

/* Intent patterns that name a modifier look at the whole message; others at what is left without.
 */
static bool names_modifier(const struct nlu_grammar *g, const struct nlu_node *node)
{
    for (; node; node = node->next) {
        if (node->kind == NLU_NODE_CLASS) {
            int class_id = nlu_grammar_class(g, node->text);
            if (class_id >= 0 && nlu_codeset_has(&g->modifiers, (unsigned)class_id))
                return true;
        }
        if (names_modifier(g, node->child))
            return true;
    }
    return false;
}

static bool build_rule(struct build *b, struct nlu_level *level, size_t index, bool whole)
{
    struct nlu_rule *rule = &level->rules[index];
    if (!rule->pattern)
        return false;
    struct nlu_prefix prefix;
    const struct nlu_node *unknown = NULL;
    if (!nlu_pattern_prefix(rule->pattern, codes_of, b->g, &prefix, &unknown)) {
        nlu_source_error(b->source, rule->where, "nothing makes the class <%.*s>",
                         SV_FMT(unknown->text));
        return false;
    }
    if (prefix.nullable && !whole) {
        nlu_source_error(b->source, rule->where, "the pattern can match nothing at all");
        return false;
    }
    size_t n = b->g->code_count;
    set_bits(level->first, level->words, &prefix.first, index, n);
    set_bits(level->second, level->words, &prefix.second, index, n);
    if (!prefix.has_need)
        memset(&prefix.need, 0xff, sizeof(prefix.need));
    set_bits(level->need, level->words, &prefix.need, index, n);
    rule->full = names_modifier(b->g, rule->pattern->root);
    for (int g = 1; g <= rule->pattern->group_count; g++) {
        struct nlu_group *group = &rule->pattern->groups[g];
        group->class_id = group->class_name.len ? nlu_grammar_class(b->g, group->class_name) : -1;
    }
    return compile_rule(b, rule, whole);
}

static bool build_level(struct build *b, struct nlu_level *level, bool whole)
{
    level->words = (level->rule_count + 63) / 64;
    if (level->words == 0)
        level->words = 1;
    size_t n = b->g->code_count * level->words;
    level->first = base_arena_array(&b->g->arena, n, sizeof(uint64_t));
    level->second = base_arena_array(&b->g->arena, n, sizeof(uint64_t));
    level->need = base_arena_array(&b->g->arena, n, sizeof(uint64_t));
    if (!level->first || !level->second || !level->need)
        return false;
    bool ok = true;
    for (size_t i = 0; i < level->rule_count; i++)
        ok = build_rule(b, level, i, whole) && ok;
    return ok;
}

/* ---- shapes ---- */

static void read_shape(struct build *b, struct nlu_shape *shape, const struct nlu_source_line *line)
{
    struct base_sv rest;
    shape->where = line->where;
    shape->examples = line->examples;
    shape->action = read_action(b, line, &shape->class_id, &rest);
    while (rest.len) {
        struct base_sv item = next_word(&rest);
        int key;
        int64_t group;
        if (!read_constant(b, item, &key, &group) || group < 1 || group >= NLU_SHAPE_GROUPS) {
            nlu_source_error(b->source, line->where, "'%.*s' is no key=group", SV_FMT(item));
            return;
        }
        shape->key_group[key] = (int8_t)group;
    }
}

/* A shape ends where its word ends, unless it says itself what follows. */
static bool looks_ahead(struct base_sv text)
{
    for (size_t i = 0; i + 3 <= text.len; i++) {
        if (!memcmp(text.ptr + i, "(?=", 3))
            return true;
    }
    return false;
}

/* All shapes are one alternation in which the first that fits wins; the mark says which it was. */
static bool build_shapes(struct build *b)
{
    for (struct nlu_source_line *l = b->source->first; l; l = l->next)
        b->g->shape_count += l->kind == NLU_SOURCE_SHAPE;
    b->g->shapes = base_arena_array(&b->g->arena, b->g->shape_count + 1, sizeof(*b->g->shapes));
    if (!b->g->shapes)
        return false;
    struct base_buf all;
    base_buf_init(&all, PATTERN_BYTES_MAX);
    base_buf_add_c(&all, "(?|");
    size_t i = 0;
    for (struct nlu_source_line *l = b->source->first; l; l = l->next) {
        if (l->kind != NLU_SOURCE_SHAPE)
            continue;
        read_shape(b, &b->g->shapes[i], l);
        base_buf_addf(&all, "%s(?:%.*s)%s(*MARK:%c%c)", i ? "|" : "", SV_FMT(l->text),
                      looks_ahead(l->text) ? "" : "(?![A-Za-z0-9_\\x80-\\xff])",
                      (char)('A' + i / 16), (char)('A' + i % 16));
        i++;
    }
    base_buf_add_c(&all, ")");
    int error = 0;
    PCRE2_SIZE offset;
    if (i > 0 && base_buf_ok(&all)) {
        b->g->shape_code = pcre2_compile_8((PCRE2_SPTR8)all.data, all.len,
                                           PCRE2_ANCHORED | PCRE2_CASELESS, &error, &offset, NULL);
        if (!b->g->shape_code)
            compile_error(b, b->g->shapes[0].where, error);
        else
            (void)pcre2_jit_compile_8(b->g->shape_code, PCRE2_JIT_COMPLETE);
    }
    bool ok = i == 0 || b->g->shape_code;
    base_buf_done(&all);
    return ok;
}

/* "define modifiers a b c": classes that may stand anywhere in a message and are no part of what it
 * is about. */
static void read_modifiers(struct build *b)
{
    struct base_sv rest = find_define(b, SV("modifiers"));
    while (rest.len) {
        int class_id = nlu_grammar_class(b->g, next_word(&rest));
        if (class_id >= 0)
            nlu_codeset_add(&b->g->modifiers, (unsigned)class_id);
    }
}

static bool index_levels(struct nlu_grammar *g)
{
    _Static_assert(NLU_LEVELS_MAX <= 64, "one bit for each level");
    g->levels_of = base_arena_array(&g->arena, g->code_count, sizeof(uint64_t));
    if (!g->levels_of)
        return false;
    for (size_t i = 0; i < g->level_count; i++) {
        const struct nlu_level *level = &g->levels[i];
        for (size_t at = 0; level->first && at < g->code_count * level->words; at++) {
            if (level->first[at])
                g->levels_of[at / level->words] |= UINT64_C(1) << i;
        }
    }
    return true;
}

static bool build_grammar(struct build *b)
{
    static const char *const BUILTIN[NLU_BUILTIN_COUNT] = {"eot",    "word", "num", "punct",
                                                           "quoted", "link", "tag", "plus"};
    struct nlu_where nowhere = {b->g->language, 0};
    for (size_t i = 0; i < NLU_BUILTIN_COUNT; i++)
        (void)add_class(b, nowhere, base_sv_from(BUILTIN[i]));
    for (struct nlu_source_line *l = b->source->first; l; l = l->next) {
        if (l->kind == NLU_SOURCE_WORDS)
            add_senses(b, l);
    }
    if (!build_shapes(b) || !collect_rules(b) || !assign_codes(b))
        return false;
    read_modifiers(b);
    static const char *const KNOWN[NLU_KNOWN_COUNT] = {
        "when", "repeat", "dur", "ahead", "prio", "project", "ord", "rightnow", "hint"};
    for (int i = 0; i < NLU_KNOWN_COUNT; i++)
        b->g->known[i] = nlu_grammar_class(b->g, base_sv_from(KNOWN[i]));
    bool ok = true;
    for (size_t i = 0; i < b->g->level_count; i++)
        ok = build_level(b, &b->g->levels[i], false) && ok;
    if (!index_levels(b->g))
        return false;
    ok = build_level(b, &b->g->lead, false) && ok;
    ok = build_level(b, &b->g->tail, false) && ok;
    ok = build_level(b, &b->g->joint, false) && ok;
    return build_level(b, &b->g->intents, true) && ok;
}

enum base_err nlu_grammar_new(const char *language, struct nlu_source *source,
                              struct nlu_grammar **ret_grammar)
{
    struct nlu_grammar *g = calloc(1, sizeof(*g));
    if (!g)
        return BASE_NO_MEMORY;
    (void)snprintf(g->language, sizeof(g->language), "%s", language);
    base_arena_init(&g->arena, GRAMMAR_BYTES_MAX);
    g->words = base_arena_array(&g->arena, WORDS_MAX, sizeof(*g->words));
    g->bucket_mask = 2 * WORDS_MAX - 1;
    g->buckets = base_arena_array(&g->arena, g->bucket_mask + 1, sizeof(*g->buckets));
    if (!g->words || !g->buckets) {
        nlu_grammar_free(g);
        return BASE_NO_MEMORY;
    }
    struct build b = {g, source};
    bool ok = build_grammar(&b);
    if (!ok || source->error_count) {
        nlu_grammar_free(g);
        return BASE_INVALID;
    }
    *ret_grammar = g;
    return BASE_OK;
}

static void free_level(struct nlu_level *level)
{
    for (size_t i = 0; level->rules && i < level->rule_count; i++)
        pcre2_code_free_16(level->rules[i].code);
}

void nlu_grammar_free(struct nlu_grammar *grammar)
{
    if (!grammar)
        return;
    for (size_t i = 0; i < grammar->level_count; i++)
        free_level(&grammar->levels[i]);
    free_level(&grammar->intents);
    free_level(&grammar->lead);
    free_level(&grammar->tail);
    free_level(&grammar->joint);
    pcre2_code_free_8(grammar->shape_code);
    base_arena_done(&grammar->arena);
    free(grammar);
}
