/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which intent a message has: the best of the intent patterns over the message without its
 * courtesies, and which stretches of items that pattern named.
 */
#ifndef NLU_COMMAND_READING_H
#define NLU_COMMAND_READING_H

#include "nlu/grammar/match.h"
#include "nlu/nlu.h"

enum nlu_slot {
    NLU_SLOT_TITLE,
    NLU_SLOT_TARGET,
    NLU_SLOT_NOTES,
    NLU_SLOT_TEXT,
    NLU_SLOT_PRIORITY,
    NLU_SLOT_TIMEZONE,
    NLU_SLOT_QUIET,
    NLU_SLOT_DEFAULT_TIME,
    NLU_SLOT_LANGUAGE,
    NLU_SLOT_UNTAG,
    NLU_SLOT_CLEAR_DUE,
    NLU_SLOT_CLEAR_REPEAT,
    NLU_SLOT_CLEAR_REMINDERS,
    NLU_SLOT_CLEAR_PRIORITY,
    NLU_SLOT_CLEAR_PROJECT,
    NLU_SLOT_CLEAR_NOTES,
    NLU_SLOT_COUNT
};

struct nlu_stretch {
    bool set;
    size_t from, to; /* items */
    int64_t n;       /* of its first item */
};

struct nlu_reading {
    const struct nlu_rule *rule; /* NULL: no pattern fits */
    enum nlu_intent intent;
    int score;
    size_t from, to; /* the items without courtesies */
    bool question;
    struct nlu_stretch slots[NLU_SLOT_COUNT];
};

/* Reads the items in [from, to). */
void nlu_reading_find(struct nlu_match *match, size_t from, size_t to,
                      struct nlu_reading *ret_reading);
/* Whether a further command follows the one that begins at from: where the words between them, [at,
 * next), are. */
bool nlu_reading_joint(struct nlu_match *match, size_t from, size_t to, size_t *ret_at,
                       size_t *ret_next);
/* "call mum tomorrow - ask about the trip": the item of the only dash that stands alone, where both
 * sides say more than a word; to when there is none. */
size_t nlu_reading_dash(const struct nlu_match *match, size_t from, size_t to);
bool nlu_is_modifier(const struct nlu_match *match, size_t item);
/* For --explain: every pattern that fits, through the callback. */
void nlu_reading_each(struct nlu_match *match, size_t from, size_t to,
                      void (*fits)(void *context, const struct nlu_rule *rule), void *context);

#endif
