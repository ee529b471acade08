/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value that rules build: a number, a length of time, a clock time, a date, a stretch between two
 * points, a repetition. Civil time throughout; the zone enters only where the result is used.
 */
#ifndef NLU_VALUE_VALUE_H
#define NLU_VALUE_VALUE_H

#include "lib/base/arena.h"
#include "lib/time/civil.h"

enum nlu_grain {
    NLU_SECOND = 1,
    NLU_MINUTE,
    NLU_HOUR,
    NLU_DAY,
    NLU_WEEKEND,
    NLU_WEEK,
    NLU_FORTNIGHT,
    NLU_MONTH,
    NLU_QUARTER,
    NLU_YEAR,
    NLU_DECADE,
    NLU_CENTURY
};

enum nlu_value_flag {
    NLU_HAS_DATE = 1 << 0,
    NLU_HAS_TIME = 1 << 1,
    NLU_HALF_DAY = 1 << 2, /* 1–12 without am or pm: two readings */
    NLU_RANGE = 1 << 3,    /* from … to */
    NLU_NO_FROM = 1 << 4,  /* before to */
    NLU_NO_TO = 1 << 5,    /* after from */
    NLU_WEEKDAY = 1 << 6,  /* a bare weekday: may still move to another week */
    NLU_PART = 1 << 7,     /* part of a day: the times are a convention */
    NLU_NO_YEAR = 1 << 8,  /* the year was guessed */
    NLU_PAST = 1 << 9,     /* said to be past */
    NLU_NOW = 1 << 10,
    NLU_SET = 1 << 11,
    NLU_RELATIVE = 1 << 13, /* counted from today */
    NLU_END = 1 << 12       /* the end of something: due on its last day */
};

struct nlu_set;
struct nlu_holiday;

struct nlu_value {
    int64_t n;       /* number; rank; fraction in 1/1000 for class frac */
    int32_t months;  /* length of time */
    int64_t seconds; /* … and this */
    enum nlu_grain grain;
    unsigned flags;
    int part;                   /* enum nlu_part + 1, 0 = none said */
    struct time_civil from, to; /* to is exclusive */
    struct base_sv zone;
    struct nlu_set *set;
    const struct nlu_holiday *holiday; /* how it was reckoned, to find it in another year */
    const struct nlu_value *next;      /* a list of such values */
};

enum nlu_part {
    NLU_MORNING,
    NLU_NOON,
    NLU_AFTERNOON,
    NLU_EVENING,
    NLU_NIGHT,
    NLU_DAWN,
    NLU_LUNCH,
    NLU_EARLY,
    NLU_PART_COUNT
};

struct nlu_part_hours {
    int8_t from, to; /* to may be 24 */
    int8_t due;      /* when a task "in the morning" is due */
};
extern const struct nlu_part_hours NLU_PART_HOURS[NLU_PART_COUNT];

/* Days since 1970 of its date. */
int64_t nlu_days(struct time_civil civil);
struct time_civil nlu_civil_of_days(int64_t days);
/* The same clock time n days or months on (the day is cut to the month's last). */
struct time_civil nlu_add_days(struct time_civil civil, int64_t days);
struct time_civil nlu_add_months(struct time_civil civil, int64_t months);
struct time_civil nlu_add_seconds(struct time_civil civil, int64_t seconds);
struct time_civil nlu_midnight(struct time_civil civil);
int nlu_compare(struct time_civil a, struct time_civil b);
/* A year as people write it: 26 is 2026, 85 is 1985. */
int64_t nlu_full_year(int64_t year);
bool nlu_valid_date(int64_t year, int64_t month, int64_t day);

/* A date of one day, or the stretch [from, to) of whole days. */
void nlu_value_day(struct nlu_value *out, struct time_civil day);
void nlu_value_days(struct nlu_value *out, enum nlu_grain grain, int64_t from_days,
                    int64_t to_days);

/* The hour meant by 1–12 when nothing says which half of the day. */
int nlu_likely_hour(int hour, int part);
/* A time of day as the next one to come. */
struct time_civil nlu_next_time(struct time_civil now, const struct nlu_value *time);
/* A point: when a task said to be due at this value is due, and whether the clock was said. */
struct time_civil nlu_value_due(struct time_civil now, const struct nlu_value *value,
                                bool *ret_has_time);

/* The value as text: ISO 8601, a stretch as from/to, a repetition as RRULE. Returns its type:
 * "date", "time", "datetime", "range", "duration", "set". */
const char *nlu_value_format(struct base_buf *out, const struct nlu_value *value,
                             struct time_civil now);

#endif
