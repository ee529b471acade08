/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One recurrence rule of RFC 5545 3.3.10 as a plain value: no pointers, no allocation, copied by
 * assignment. Its lists are sets of bits, so that the order and doubles of the text are gone and
 * the engine answers by arithmetic.
 *
 * Where RFC 5545 forbids a combination that has one plain meaning as a filter (BYMONTHDAY in a
 * weekly rule, BYWEEKNO or BYYEARDAY elsewhere than in yearly ones) we take it: calendars in the
 * field write such rules. What has no meaning is refused, naming the part.
 */
#ifndef RECUR_RULE_H
#define RECUR_RULE_H

#include "lib/base/buf.h"
#include "lib/time/civil.h"
#include "tasks/recur/bits.h"

enum { RECUR_TEXT_MAX = 4096 };

enum recur_freq {
    RECUR_SECONDLY,
    RECUR_MINUTELY,
    RECUR_HOURLY,
    RECUR_DAILY,
    RECUR_WEEKLY,
    RECUR_MONTHLY,
    RECUR_YEARLY,
    RECUR_FREQ_COUNT
};

enum recur_until {
    RECUR_UNTIL_NONE,
    RECUR_UNTIL_DATE,  /* to the end of that day */
    RECUR_UNTIL_LOCAL, /* a wall time, inclusive */
    RECUR_UNTIL_UTC,   /* an instant, inclusive */
};

/* A set that is empty was not given. Bit n - 1 stands for n, except that seconds, minutes and hours
 * count from 0; "_back" sets hold what was negative. Weekdays count from Monday = 0. */
struct recur_rule {
    enum recur_freq freq;
    uint32_t interval;
    uint32_t count; /* 0 = none */
    enum recur_until until_kind;
    struct time_civil until;
    int8_t week_start;
    /* Ours, not the RFC's: count in workdays. DAILY: every interval-th workday. MONTHLY: the n-th
     * workdays of the month, n in positions and positions_back. No other part is then allowed but
     * interval, count and until. */
    bool workday;

    uint8_t weekdays;                 /* BYDAY without a number */
    uint64_t nth[7], nth_back[7];     /* BYDAY with one */
    uint64_t seconds, minutes, hours; /* BYSECOND … */
    uint64_t months;                  /* BYMONTH */
    uint64_t month_days, month_days_back;
    uint64_t weeks, weeks_back; /* BYWEEKNO */
    uint64_t year_days[RECUR_BITS_WORDS], year_days_back[RECUR_BITS_WORDS];
    uint64_t positions[RECUR_BITS_WORDS], positions_back[RECUR_BITS_WORDS]; /* BYSETPOS */
};

/* What is wrong with a rule: the part as the writer named it, and a sentence. */
struct recur_error {
    char part[40];
    char why[120];
};

/* "FREQ=WEEKLY;BYDAY=MO", with or without "RRULE:" before it; names in either case, parts in any
 * order. MALFORMED or UNPROCESSABLE fill *ret_error, which may be NULL; TOO_LARGE above
 * RECUR_TEXT_MAX. BYSECOND=60 is read as 59 (RFC 5545 3.3.12: we know no leap seconds). */
BASE_MUST_CHECK enum base_err recur_rule_parse(struct base_sv text, struct recur_rule *ret_rule,
                                               struct recur_error *ret_error);

/* The canonical text: numbers ascending, defaults left out. Not for workday rules, which RFC 5545
 * cannot say: see recur_rule_has_text. */
void recur_rule_print(struct base_buf *buf, const struct recur_rule *rule);
bool recur_rule_has_text(const struct recur_rule *rule);

/* A rule of that frequency and nothing else. */
struct recur_rule recur_rule_every(enum recur_freq freq, uint32_t interval);

/* What the parts must not do together; the parser has asked it already. */
BASE_MUST_CHECK enum base_err recur_rule_check(const struct recur_rule *rule,
                                               struct recur_error *ret_error);

/* Any BY part besides BYSETPOS. */
bool recur_rule_has_parts(const struct recur_rule *rule);

/* No two occurrences are ever closer than this many seconds. A lower bound, and the exact distance
 * for every rule without BYSETPOS whose parts nest (all rules people write). */
int64_t recur_rule_min_spacing(const struct recur_rule *rule);

const char *recur_freq_name(enum recur_freq freq); /* "WEEKLY" */
bool recur_freq_parse(struct base_sv name, enum recur_freq *ret_freq);
/* "MO", "-1FR" into the rule; false if it is none. */
bool recur_rule_add_day(struct recur_rule *rule, struct base_sv text);
/* Calls back for every BYDAY element in canonical order, with its text. */
void recur_rule_each_day(const struct recur_rule *rule,
                         void (*each)(void *context, struct base_sv text), void *context);

BASE_PRINTF(4, 5)
enum base_err recur_error_set(struct recur_error *error, enum base_err err, const char *part,
                              const char *fmt, ...);

#endif
