/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message against one grammar: tokens, then the cascade of levels, each of which replaces
 * stretches of tokens by what they mean. Works in the caller's scratch; only values are allocated,
 * from the caller's arena.
 */
#ifndef NLU_GRAMMAR_MATCH_H
#define NLU_GRAMMAR_MATCH_H

#include "nlu/grammar/grammar.h"

/* Beyond this many tokens a message is one long text: nobody writes a date behind 300 words. */
enum { NLU_TOKENS_MAX = 400, NLU_CAPTURES_MAX = NLU_GROUPS_MAX };

enum nlu_token_flag {
    NLU_TOKEN_GLUED = 1, /* no space before it */
    NLU_TOKEN_CAPITAL = 2,
    NLU_TOKEN_LINE = 4 /* the first of a line */
};

struct nlu_item {
    uint16_t code;
    uint16_t flags;
    uint16_t first, count; /* tokens it stands for */
    uint32_t start, end;   /* bytes */
    int64_t n;             /* digits: their value */
    const struct nlu_word *word;
    const struct nlu_value *value;
    const struct nlu_rule *rule; /* what made it; NULL for tokens */
};

struct nlu_match {
    const struct nlu_grammar *grammar;
    struct base_sv text;
    struct nlu_item tokens[NLU_TOKENS_MAX + 1];
    uint16_t token_codes[NLU_TOKENS_MAX + 1];
    size_t token_count;
    struct nlu_item items[NLU_TOKENS_MAX + 1];
    uint16_t codes[NLU_TOKENS_MAX + 1];
    size_t item_count;
    struct nlu_eval eval;
    unsigned budget; /* pattern runs left for this message */
    bool no_memory;
    pcre2_match_data_16 *data;
    pcre2_match_context_16 *context;
    pcre2_jit_stack_16 *stack;
    pcre2_match_data_8 *shape_data;
    pcre2_match_context_8 *shape_context;
};

BASE_MUST_CHECK enum base_err nlu_match_new(struct nlu_match **ret_match);
void nlu_match_free(struct nlu_match *match);

/* Fills tokens and items. */
void nlu_match_tokens(struct nlu_match *match, const struct nlu_grammar *grammar,
                      struct base_sv text, struct time_civil now, struct base_arena *arena);
/* Runs all levels over the items. */
void nlu_match_levels(struct nlu_match *match);

/* Runs one pattern at the start of codes[from, count); the captures are in match->data. */
bool nlu_match_run(struct nlu_match *match, const struct nlu_rule *rule, const uint16_t *codes,
                   size_t count, size_t from, size_t *ret_end);
/* Where the last run found group n; false if it took no part. */
bool nlu_match_group(const struct nlu_match *match, int group, size_t *ret_from, size_t *ret_to);
/* What an item is worth as a member of a class. */
int64_t nlu_item_n(const struct nlu_item *item, int class_id);

#endif
