/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token pattern: regular expression over words and word classes instead of bytes.
 *   word  <class>  <class:name>  (a | b)  (name: a b)  x?  x*  x+  _  ...  {name}
 *   (?= ahead)  (?! not ahead)  (?<= behind)  (?<! not behind)  ^  $  \| literal
 * Parsed into a small tree; from it come the prefilter's sets and the text of a pcre2 pattern over
 * 16-bit token codes, so that every offset pcre2 reports is a token number.
 */
#ifndef NLU_GRAMMAR_PATTERN_H
#define NLU_GRAMMAR_PATTERN_H

#include "nlu/grammar/source.h"

enum { NLU_CODES = 2048, NLU_CODE_WORDS = NLU_CODES / 64, NLU_GROUPS_MAX = 24 };

struct nlu_codeset {
    uint64_t bits[NLU_CODE_WORDS];
};

enum nlu_node_kind {
    NLU_NODE_WORD,
    NLU_NODE_CLASS,
    NLU_NODE_ANY,
    NLU_NODE_SEQ,
    NLU_NODE_ALT,
    NLU_NODE_REPEAT,
    NLU_NODE_CAPTURE,
    NLU_NODE_LOOK,
    NLU_NODE_START,
    NLU_NODE_END
};

struct nlu_node {
    enum nlu_node_kind kind;
    struct nlu_node *next;  /* sibling */
    struct nlu_node *child; /* first */
    struct base_sv text;    /* word or class */
    char repeat;            /* ? * + */
    bool lazy;
    bool negative, behind;
    int group; /* capture: its number, from 1 */
};

struct nlu_group {
    struct base_sv name;
    struct base_sv class_name; /* empty: a stretch of text */
    int class_id;              /* filled in by the grammar; -1 for text */
};

struct nlu_pattern {
    struct nlu_node *root;
    struct nlu_group groups[NLU_GROUPS_MAX];
    int group_count;
};

/* Finds the text of a "define", empty if there is none. */
typedef struct base_sv (*nlu_macro_fn)(void *context, struct base_sv name);

/* NULL and an error in the source's buffer if the text is no pattern. */
struct nlu_pattern *nlu_pattern_parse(struct nlu_source *source, struct nlu_where where,
                                      struct base_sv text, nlu_macro_fn macro, void *context);

/* The codes a word or a class stands for; false if it is unknown. */
typedef bool (*nlu_codes_fn)(void *context, const struct nlu_node *node,
                             struct nlu_codeset *ret_set);

struct nlu_prefix {
    bool nullable;             /* may match nothing */
    bool single;               /* may match exactly one token */
    struct nlu_codeset first;  /* codes a match can begin with */
    struct nlu_codeset second; /* … can have in second place */
    bool has_need;
    struct nlu_codeset need; /* every match holds one of these codes */
};

/* False and *ret_unknown set if a word or class has no codes. */
bool nlu_pattern_prefix(const struct nlu_pattern *pattern, nlu_codes_fn codes, void *context,
                        struct nlu_prefix *ret_prefix, const struct nlu_node **ret_unknown);

/* The pcre2 pattern, as ASCII text with \x{…} for codes. */
void nlu_pattern_emit(const struct nlu_pattern *pattern, nlu_codes_fn codes, void *context,
                      struct base_buf *out);

void nlu_codeset_add(struct nlu_codeset *set, unsigned code);
bool nlu_codeset_has(const struct nlu_codeset *set, unsigned code);
void nlu_codeset_or(struct nlu_codeset *set, const struct nlu_codeset *other);

#endif
