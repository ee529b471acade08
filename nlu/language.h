/* SPDX-License-Identifier: Apache-2.0 */
/* Which language a message is in. */
#ifndef NLU_LANGUAGE_H
#define NLU_LANGUAGE_H

#include "nlu/grammar/match.h"
#include "nlu/nlu.h"

enum { NLU_LANGUAGES_MAX = 4 };

struct nlu {
    struct base_arena arena; /* the rule files' text, which patterns and examples point into */
    struct nlu_grammar *languages[NLU_LANGUAGES_MAX];
    size_t language_count;
};

/* Tokenises the message in the language of the locale or, without one, in the language that knows
 * most of its words (English when in doubt). */
const struct nlu_grammar *nlu_language_choose(const struct nlu *nlu, struct nlu_match *match,
                                              const struct nlu_input *input, struct time_civil now,
                                              struct base_arena *arena);

#endif
