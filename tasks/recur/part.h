/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a rule that are lists of numbers, as one table: the RRULE parser and printer, the
 * JSON reader and writer all work from its rows.
 */
#ifndef RECUR_PART_H
#define RECUR_PART_H

#include "tasks/recur/rule.h"

struct recur_part {
    const char *name;     /* "BYMONTHDAY" */
    const char *json_key; /* "by_month_day" */
    int low, high;        /* of the numbers' size */
    size_t offset;        /* of the words in struct recur_rule */
    size_t back_offset;   /* of the words for negative numbers; 0 = they are not allowed */
};

enum {
    RECUR_PART_MONTH,
    RECUR_PART_WEEK,
    RECUR_PART_YEAR_DAY,
    RECUR_PART_MONTH_DAY,
    RECUR_PART_HOUR,
    RECUR_PART_MINUTE,
    RECUR_PART_SECOND,
    RECUR_PART_POSITION,
    RECUR_PART_COUNT
};

extern const struct recur_part recur_parts[RECUR_PART_COUNT];

/* False if the part does not allow the number. */
bool recur_part_add(const struct recur_part *part, struct recur_rule *rule, int64_t number);
bool recur_part_given(const struct recur_part *part, const struct recur_rule *rule);
/* Calls back with every number: the positive ones ascending, then the negative ones from -1 on. */
void recur_part_each(const struct recur_part *part, const struct recur_rule *rule,
                     void (*each)(void *context, int number), void *context);

#endif
