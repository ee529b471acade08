/* SPDX-License-Identifier: Apache-2.0 */
/* A language is recognised by the words its rules know: enough for messages of a few words, and
 * free, because they are tokenised anyway. */
#include "nlu/language.h"

static const struct nlu_grammar *by_locale(const struct nlu *nlu, struct base_sv locale)
{
    for (size_t i = 0; i < nlu->language_count; i++) {
        struct base_sv name = base_sv_from(nlu->languages[i]->language);
        if (locale.len >= name.len && base_sv_eq_i(base_sv_sub(locale, 0, name.len), name))
            return nlu->languages[i];
    }
    return NULL;
}

static const struct nlu_grammar *english(const struct nlu *nlu)
{
    const struct nlu_grammar *found = by_locale(nlu, SV("en"));
    return found ? found : nlu->languages[0];
}

static size_t known_words(const struct nlu_match *match)
{
    size_t known = 0;
    for (size_t i = 0; i < match->token_count; i++)
        known += match->tokens[i].word || match->tokens[i].value;
    return known;
}

const struct nlu_grammar *nlu_language_choose(const struct nlu *nlu, struct nlu_match *match,
                                              const struct nlu_input *input, struct time_civil now,
                                              struct base_arena *arena)
{
    const struct nlu_grammar *first = by_locale(nlu, input->locale);
    bool sure = first != NULL;
    if (!first)
        first = english(nlu);
    nlu_match_tokens(match, first, input->text, now, arena);
    size_t known = known_words(match);
    if (sure || known * 3 >= match->token_count * 2)
        return first;
    const struct nlu_grammar *best = first;
    for (size_t i = 0; i < nlu->language_count; i++) {
        if (nlu->languages[i] == first)
            continue;
        nlu_match_tokens(match, nlu->languages[i], input->text, now, arena);
        if (known_words(match) > known) {
            known = known_words(match);
            best = nlu->languages[i];
        }
    }
    nlu_match_tokens(match, best, input->text, now, arena);
    return best;
}
