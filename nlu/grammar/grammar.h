/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One language's rules, compiled: vocabulary, byte shapes, the cascade of levels, intent patterns.
 * Immutable after nlu_grammar_new, so any number of threads may read it.
 *
 * Words become 16-bit codes; words that no pattern can tell apart share one. A pattern is a pcre2
 * program over codes. For every code a level knows, as bit sets, which of its rules can begin with
 * it and which can have it in second place: two look-ups leave the few rules worth running.
 */
#ifndef NLU_GRAMMAR_GRAMMAR_H
#define NLU_GRAMMAR_GRAMMAR_H

#define PCRE2_CODE_UNIT_WIDTH 0
#include <pcre2.h>

#include "nlu/grammar/pattern.h"
#include "nlu/value/action.h"

/* Classes the tokeniser itself gives. */
enum nlu_builtin {
    NLU_CODE_EOT,    /* behind the last token */
    NLU_CODE_WORD,   /* <word>: letters that no rule knows */
    NLU_CODE_NUM,    /* <num>: digits */
    NLU_CODE_PUNCT,  /* <punct>: a sign that no rule knows */
    NLU_CODE_QUOTED, /* <quoted> */
    NLU_CODE_LINK,   /* <link>: addresses, file names */
    NLU_CODE_TAG,    /* <tag>: #x */
    NLU_CODE_PLUS,   /* <plus>: +x */
    NLU_BUILTIN_COUNT
};

/* Classes of the rule files that the program asks for by name. */
enum nlu_known {
    NLU_KNOWN_WHEN,
    NLU_KNOWN_REPEAT,
    NLU_KNOWN_DUR,
    NLU_KNOWN_AHEAD,
    NLU_KNOWN_PRIO,
    NLU_KNOWN_PROJECT,
    NLU_KNOWN_ORD,
    NLU_KNOWN_RIGHT_NOW,
    NLU_KNOWN_HINT,
    NLU_KNOWN_COUNT
};

enum { NLU_CLASSES_MAX = 255, NLU_SENSES_MAX = 4, NLU_LEVELS_MAX = 40, NLU_SHAPE_GROUPS = 8 };

struct nlu_sense {
    uint16_t class_id;
    int32_t value;
};

struct nlu_word {
    struct base_sv text;
    uint16_t code;
    uint8_t sense_count;
    bool literal; /* a pattern names it */
    struct nlu_sense senses[NLU_SENSES_MAX];
};

struct nlu_shape {
    struct nlu_where where;
    uint16_t class_id;
    const struct nlu_action *action;
    int8_t key_group[NLU_KEYS]; /* key → byte group, 0 = none */
    struct nlu_source_example *examples;
};

struct nlu_rule {
    struct nlu_where where;
    struct base_sv text;
    uint16_t class_id; /* levels: the class of the result */
    const struct nlu_action *action;
    uint32_t const_mask;
    int32_t consts[NLU_KEYS];
    int intent; /* intents only */
    int score;
    bool capital; /* intents only: the message must begin with a capital letter */
    bool full;    /* intents only: looks at times and tags as well */
    struct nlu_pattern *pattern;
    pcre2_code_16 *code;
    struct nlu_source_example *examples;
};

struct nlu_level {
    struct base_sv name;
    struct nlu_rule *rules;
    size_t rule_count, words; /* words: 64-bit words in a rule set */
    uint64_t *first, *second; /* [code][words] */
    uint64_t *need;           /* [code][words]: rules that hold this code; intents only */
};

struct nlu_grammar {
    char language[8];
    struct base_arena arena;
    struct nlu_word *words;
    size_t word_count;
    uint32_t *buckets; /* hash → index of word + 1 */
    size_t bucket_mask;
    struct base_sv class_names[NLU_CLASSES_MAX];
    size_t class_count;
    size_t code_count;
    struct nlu_codeset *class_codes;
    struct nlu_codeset modifiers; /* of classes */
    int known[NLU_KNOWN_COUNT];   /* class ids, -1 where the language has none */
    struct nlu_shape *shapes;
    size_t shape_count;
    pcre2_code_8 *shape_code;
    struct nlu_level levels[NLU_LEVELS_MAX];
    size_t level_count;
    uint64_t *levels_of; /* [code]: the levels in which some rule can begin with it */
    struct nlu_level intents, lead, tail, joint;
};

/* Compiles all lines of the source. On failure the source's error buffer says why. */
BASE_MUST_CHECK enum base_err nlu_grammar_new(const char *language, struct nlu_source *source,
                                              struct nlu_grammar **ret_grammar);
void nlu_grammar_free(struct nlu_grammar *grammar);

/* The word in its folded form (lower case, no apostrophes), NULL if no rule knows it. */
const struct nlu_word *nlu_grammar_word(const struct nlu_grammar *grammar, struct base_sv folded);
/* -1: no such class */
int nlu_grammar_class(const struct nlu_grammar *grammar, struct base_sv name);
/* The value of the word as a member of the class. */
bool nlu_word_value(const struct nlu_word *word, int class_id, int64_t *ret_value);

#endif
