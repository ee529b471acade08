/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule does when its pattern fits: a named function that makes one value out of the values
 * it captured. Rule files name actions; this table and the rule files are the only places that
 * know them. An action that returns false means "this is no date after all" (the 32nd of May).
 */
#ifndef NLU_VALUE_ACTION_H
#define NLU_VALUE_ACTION_H

#include "lib/base/arena.h"
#include "nlu/value/value.h"

enum { NLU_KEYS = 26 };
#define NLU_KEY(letter) ((letter) - 'a')

struct nlu_arg {
    bool set;
    int64_t n;                     /* the number, or the word's value in its class */
    const struct nlu_value *value; /* NULL for plain words and digits */
    struct base_sv text;
};

struct nlu_eval {
    struct time_civil now;
    struct base_arena *arena;
    struct nlu_arg args[NLU_KEYS];
};

typedef bool (*nlu_action_fn)(struct nlu_eval *eval, struct nlu_value *out);

struct nlu_action {
    const char *name;
    nlu_action_fn run;
};

const struct nlu_action *nlu_action_find(struct base_sv name);

/* The number under a key, or what it means when nothing was captured. */
static inline int64_t nlu_arg_n(const struct nlu_eval *eval, char key, int64_t otherwise)
{
    const struct nlu_arg *arg = &eval->args[NLU_KEY(key)];
    return arg->set ? arg->n : otherwise;
}

static inline const struct nlu_value *nlu_arg_value(const struct nlu_eval *eval, char key)
{
    return eval->args[NLU_KEY(key)].set ? eval->args[NLU_KEY(key)].value : NULL;
}

/* The tables of the modules that hold actions; each ends with a NULL name. */
extern const struct nlu_action NLU_NUMBER_ACTIONS[];
extern const struct nlu_action NLU_CLOCK_ACTIONS[];
extern const struct nlu_action NLU_DATE_ACTIONS[];
extern const struct nlu_action NLU_HOLIDAY_ACTIONS[];
extern const struct nlu_action NLU_SPAN_ACTIONS[];
extern const struct nlu_action NLU_REPEAT_ACTIONS[];

#endif
