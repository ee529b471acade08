/* SPDX-License-Identifier: Apache-2.0 */
/* Actions for numbers and lengths of time. */
#include "nlu/value/action.h"

enum { NUMBER_MAX = 100000000 };

static bool set_n(struct nlu_value *out, int64_t n)
{
    out->n = n;
    return n >= 0 && n <= NUMBER_MAX;
}

/* A sign without a value: the span matters, not the meaning. */
static bool keep(struct nlu_eval *eval, struct nlu_value *out)
{
    out->n = nlu_arg_n(eval, 'n', 0);
    return true;
}

static bool number(struct nlu_eval *eval, struct nlu_value *out)
{
    return set_n(out, nlu_arg_n(eval, 'n', 0) + nlu_arg_n(eval, 'a', 0));
}

/* "two hundred (and five)" */
static bool product(struct nlu_eval *eval, struct nlu_value *out)
{
    return set_n(out, nlu_arg_n(eval, 'n', 1) * nlu_arg_n(eval, 'm', 1) + nlu_arg_n(eval, 'a', 0));
}

/* Months and seconds of n thousandths of a unit. */
static bool length(struct nlu_value *out, enum nlu_grain unit, int64_t thousandths)
{
    static const int64_t SECONDS[] = {
        [NLU_SECOND] = 1,       [NLU_MINUTE] = 60,   [NLU_HOUR] = 3600,        [NLU_DAY] = 86400,
        [NLU_WEEKEND] = 604800, [NLU_WEEK] = 604800, [NLU_FORTNIGHT] = 1209600};
    static const int MONTHS[] = {[NLU_MONTH] = 1,
                                 [NLU_QUARTER] = 3,
                                 [NLU_YEAR] = 12,
                                 [NLU_DECADE] = 120,
                                 [NLU_CENTURY] = 1200};
    if (thousandths < 0 || thousandths > INT64_C(1000) * NUMBER_MAX)
        return false;
    out->grain = unit;
    out->n = thousandths / 1000;
    if (unit <= NLU_FORTNIGHT) {
        out->seconds = SECONDS[unit] * thousandths / 1000;
        return true;
    }
    int64_t months = MONTHS[unit] * thousandths / 1000;
    if (months > 12000)
        return false;
    out->months = (int32_t)months;
    out->seconds = (MONTHS[unit] * thousandths % 1000) * 2592000 / 1000;
    return true;
}

/* n (or one) units u and q quarters of one; f is a number in thousandths. */
static bool duration(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t thousandths = nlu_arg_n(eval, 'n', eval->args[NLU_KEY('f')].set ? 0 : 1) * 1000 +
                          nlu_arg_n(eval, 'f', 0) + nlu_arg_n(eval, 'q', 0) * 250;
    return length(out, (enum nlu_grain)nlu_arg_n(eval, 'u', NLU_DAY), thousandths);
}

/* i.s as a decimal number: thousandths. */
static bool decimal(struct nlu_eval *eval, struct nlu_value *out)
{
    struct base_sv digits = eval->args[NLU_KEY('d')].text;
    int64_t n = nlu_arg_n(eval, 'i', 0) * 1000, scale = 100;
    for (size_t i = 0; i < digits.len && i < 3; i++, scale /= 10)
        n += (digits.ptr[i] - '0') * scale;
    out->n = n;
    return nlu_arg_n(eval, 'i', 0) <= NUMBER_MAX;
}

/* a/b of a whole */
static bool fraction(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t a = nlu_arg_n(eval, 'a', 1), b = nlu_arg_n(eval, 'b', 1);
    if (a < 1 || b < 2 || a >= b || b > 10)
        return false;
    out->n = 1000 * a / b;
    return true;
}

static bool sum(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *b = nlu_arg_value(eval, 'b');
    if (!a || !b || a->grain <= b->grain)
        return false;
    *out = *b;
    out->months += a->months;
    out->seconds += a->seconds;
    return true;
}

/* "the whole day" */
static bool copy(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    if (!a)
        return false;
    *out = *a;
    return true;
}

/* How long before its task a reminder comes: d, and those already in a */
static bool ahead(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *d = nlu_arg_value(eval, 'd');
    if (!d)
        return false;
    *out = *d;
    out->seconds += INT64_C(2592000) * d->months;
    out->next = a;
    return true;
}

/* p1 is the highest */
static bool priority(struct nlu_eval *eval, struct nlu_value *out)
{
    out->n = 5 - nlu_arg_n(eval, 'n', 0);
    return out->n >= 1 && out->n <= 4;
}

const struct nlu_action NLU_NUMBER_ACTIONS[] = {
    {"keep", keep},       {"number", number},     {"product", product}, {"duration", duration},
    {"decimal", decimal}, {"fraction", fraction}, {"sum", sum},         {"copy", copy},
    {"ahead", ahead},     {"prio.p", priority},   {NULL, NULL}};
