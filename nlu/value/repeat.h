/* SPDX-License-Identifier: Apache-2.0 */
/* A repetition as it is put together from the words: an RRULE in the making, its exceptions and its
 * start. */
#ifndef NLU_VALUE_REPEAT_H
#define NLU_VALUE_REPEAT_H

#include "lib/base/buf.h"
#include "nlu/value/value.h"

enum { NLU_SET_TIMES = 8, NLU_SET_EXDATES = 400 };

struct nlu_exdate {
    struct time_civil at;
    bool has_time;
};

/* Lists are bit masks: ranks and days of the month have bit n for n = 1…31 and bit 32 + n for the
 * n-th from the end. */
struct nlu_set {
    enum nlu_grain freq; /* second … year */
    int interval;
    uint8_t weekdays; /* Monday = 1 */
    uint16_t months;  /* January = 1 << 1 */
    uint64_t ranks;   /* of the weekdays: "first and last friday" */
    uint64_t month_days;
    int time_count;
    struct time_civil times[NLU_SET_TIMES];
    int part; /* enum nlu_part + 1 */
    bool half_day;
    int count;
    bool has_until, has_start;
    struct time_civil until;
    struct time_civil start;
    const struct nlu_value *length; /* "for two months", counted from the start */
    size_t exdate_count;
    struct nlu_exdate *exdates;
    bool after_completion;
};

/* Settles what hangs on the start: the first occurrence on or after now, until. */
void nlu_set_settle(struct nlu_set *set, struct time_civil now, struct time_civil *ret_first,
                    bool *ret_has_time);
/* The rule without "RRULE:". */
void nlu_set_format(struct base_buf *out, const struct nlu_set *set);

#endif
