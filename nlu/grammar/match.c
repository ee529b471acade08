/* SPDX-License-Identifier: Apache-2.0 */
/* The cascade. At every place the longest fitting rule wins, the earlier one among equals; what it
 * makes is tried again at once, so that rules may extend what they built (left recursion). */
#include "nlu/grammar/match.h"

#include <stdlib.h>

/* Every pattern is run under these limits, so that no rule can be slow whatever the message. */
enum { MATCH_LIMIT = 4000, DEPTH_LIMIT = 200, HEAP_LIMIT_KIB = 256, RETRIES = 24 };

enum base_err nlu_match_new(struct nlu_match **ret_match)
{
    struct nlu_match *m = calloc(1, sizeof(*m));
    if (!m)
        return BASE_NO_MEMORY;
    m->data = pcre2_match_data_create_16(NLU_GROUPS_MAX, NULL);
    m->context = pcre2_match_context_create_16(NULL);
    m->stack = pcre2_jit_stack_create_16(32 * 1024, 256 * 1024, NULL);
    m->shape_data = pcre2_match_data_create_8(NLU_SHAPE_GROUPS + 1, NULL);
    m->shape_context = pcre2_match_context_create_8(NULL);
    if (!m->data || !m->context || !m->stack || !m->shape_data || !m->shape_context) {
        nlu_match_free(m);
        return BASE_NO_MEMORY;
    }
    (void)pcre2_set_match_limit_16(m->context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit_16(m->context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit_16(m->context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign_16(m->context, NULL, m->stack);
    (void)pcre2_set_match_limit_8(m->shape_context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit_8(m->shape_context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit_8(m->shape_context, HEAP_LIMIT_KIB);
    *ret_match = m;
    return BASE_OK;
}

void nlu_match_free(struct nlu_match *match)
{
    if (!match)
        return;
    pcre2_match_data_free_16(match->data);
    pcre2_match_context_free_16(match->context);
    pcre2_jit_stack_free_16(match->stack);
    pcre2_match_data_free_8(match->shape_data);
    pcre2_match_context_free_8(match->shape_context);
    free(match);
}

bool nlu_match_run(struct nlu_match *match, const struct nlu_rule *rule, const uint16_t *codes,
                   size_t count, size_t from, size_t *ret_end)
{
    if (match->budget == 0)
        return false;
    match->budget--;
    int rc = pcre2_jit_match_16(rule->code, codes, count, from, 0, match->data, match->context);
    if (rc <= 0)
        return false;
    *ret_end = pcre2_get_ovector_pointer_16(match->data)[1];
    return true;
}

bool nlu_match_group(const struct nlu_match *match, int group, size_t *ret_from, size_t *ret_to)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer_16(match->data);
    if (at[2 * group] == PCRE2_UNSET || at[2 * group] == at[2 * group + 1])
        return false;
    *ret_from = at[2 * group];
    *ret_to = at[2 * group + 1];
    return true;
}

int64_t nlu_item_n(const struct nlu_item *item, int class_id)
{
    if (item->value)
        return item->value->n;
    int64_t n;
    if (item->word && nlu_word_value(item->word, class_id, &n))
        return n;
    return item->n;
}

static void fill_args(struct nlu_match *m, const struct nlu_rule *rule)
{
    memset(m->eval.args, 0, sizeof(m->eval.args));
    for (int key = 0; key < NLU_KEYS; key++) {
        if (rule->const_mask & (1U << key))
            m->eval.args[key] = (struct nlu_arg){.set = true, .n = rule->consts[key]};
    }
    for (int g = 1; g <= rule->pattern->group_count; g++) {
        const struct nlu_group *group = &rule->pattern->groups[g];
        size_t from, to;
        if (group->name.len != 1 || group->name.ptr[0] < 'a' || group->name.ptr[0] > 'z' ||
            !nlu_match_group(m, g, &from, &to))
            continue;
        const struct nlu_item *item = &m->items[from];
        m->eval.args[NLU_KEY(group->name.ptr[0])] = (struct nlu_arg){
            .set = true,
            .n = nlu_item_n(item, group->class_id),
            .value = item->value,
            .text = base_sv(m->text.ptr + item->start, m->items[to - 1].end - item->start)};
    }
}

static void reduce(struct nlu_match *m, size_t at, size_t length, const struct nlu_rule *rule,
                   const struct nlu_value *value)
{
    struct nlu_value *kept = BASE_ARENA_NEW(m->eval.arena, struct nlu_value);
    if (!kept) {
        m->no_memory = true;
        m->budget = 0;
        return;
    }
    *kept = *value;
    struct nlu_item *item = &m->items[at];
    const struct nlu_item *last = &m->items[at + length - 1];
    item->count = (uint16_t)(last->first + last->count - item->first);
    item->end = last->end;
    item->code = rule->class_id;
    item->word = NULL;
    item->value = kept;
    item->rule = rule;
    m->codes[at] = rule->class_id;
    if (length > 1) {
        size_t rest = m->item_count - (at + length);
        memmove(&m->items[at + 1], &m->items[at + length], rest * sizeof(*m->items));
        memmove(&m->codes[at + 1], &m->codes[at + length], (rest + 1) * sizeof(*m->codes));
        m->item_count -= length - 1;
    }
}

static bool step(struct nlu_match *m, const struct nlu_level *level, size_t at)
{
    const uint64_t *first = level->first + m->codes[at] * level->words;
    const uint64_t *second = level->second + m->codes[at + 1] * level->words;
    const struct nlu_rule *best = NULL;
    size_t best_length = 0;
    struct nlu_value best_value;
    for (size_t w = 0; w < level->words; w++) {
        for (uint64_t left = first[w] & second[w]; left; left &= left - 1) {
            const struct nlu_rule *rule = &level->rules[w * 64 + (size_t)__builtin_ctzll(left)];
            size_t end;
            if (!nlu_match_run(m, rule, m->codes, m->item_count, at, &end))
                continue;
            size_t length = end - at;
            if (length <= best_length || (length == 1 && m->codes[at] == rule->class_id))
                continue;
            struct nlu_value value = {0};
            fill_args(m, rule);
            if (!rule->action->run(&m->eval, &value))
                continue;
            best = rule;
            best_length = length;
            best_value = value;
        }
    }
    if (!best)
        return false;
    reduce(m, at, best_length, best, &best_value);
    return true;
}

void nlu_match_levels(struct nlu_match *match)
{
    const uint64_t *levels_of = match->grammar->levels_of;
    uint64_t wanted = 0;
    for (size_t at = 0; at < match->item_count; at++)
        wanted |= levels_of[match->codes[at]];
    for (size_t i = 0; i < match->grammar->level_count; i++) {
        const struct nlu_level *level = &match->grammar->levels[i];
        if (!((wanted >> i) & 1))
            continue;
        for (size_t at = 0; at < match->item_count; at++) {
            int retries = RETRIES;
            while (((levels_of[match->codes[at]] >> i) & 1) && retries-- > 0 &&
                   step(match, level, at))
                wanted |= levels_of[match->codes[at]];
        }
    }
}
