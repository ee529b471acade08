/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recurrence: a rule, a start, a zone and exceptions in; occurrences out. A pure library: no clock,
 * no log, no allocation, no state but the caller's.
 *
 * The rule works on wall time ("every day at 9" stays at 9 when the clocks change); each occurrence
 * then is an instant by RFC 5545 3.3.5: a wall time that a change skips is read with the offset
 * before it, one that comes twice means the first. The start is an occurrence only if its rule says
 * so. Questions by instant see two occurrences that a gap puts on one instant as one.
 *
 * Every call is bounded: it takes at most RECUR_STEPS_MAX steps (below a millisecond) and then says
 * RECUR_CAP: "none within the cap", which is not "none". A rule by months or years that has none in
 * so many steps has none at all: they cover the calendar's cycle of 400 years.
 */
#ifndef RECUR_RECUR_H
#define RECUR_RECUR_H

#include "lib/time/zone.h"
#include "tasks/recur/seek.h"

enum { RECUR_STEPS_MAX = 5000, RECUR_NTH_MAX = 1000 };

/* All pointers stay the caller's and must outlive the set made of it. Wall times are seconds of
 * time_civil_seconds; the arrays ascend without doubles (recur_times_sort). */
struct recur_spec {
    const struct recur_rule *rule; /* NULL: the additions only */
    struct time_civil start;
    bool all_day;                 /* dates without a time; the start's clock part is ignored */
    const struct time_zone *zone; /* NULL: floating, read as UTC */
    const int64_t *exdates;       /* wall times left out */
    size_t exdate_count;
    const int64_t *exdays; /* days (time_days_from_civil) left out whole */
    size_t exday_count;
    const int64_t *rdates; /* wall times added */
    size_t rdate_count;
    const struct recur_holidays *holidays; /* for workday rules; may be NULL */
};

struct recur_set {
    struct recur_spec spec;
    struct recur_plan plan;
    /* UNTIL as an instant may fall among wall times that a gap shifts: those in [from, to) come
     * after it although later wall times do not. Empty for nearly every rule. */
    int64_t hole_from_s, hole_to_s;
};

struct recur_occurrence {
    int64_t wall_s; /* as the rule says it, before a gap shifts it */
    struct time_civil wall;
    int64_t at_us;
    enum time_kind kind;
};

/* UNPROCESSABLE: an all-day rule that steps by hours or less. COUNT is counted out here. */
BASE_MUST_CHECK enum base_err recur_set_init(struct recur_set *set, const struct recur_spec *spec);

/* The first occurrence after an instant; the n-th one (n >= 1) before it, counting back. */
BASE_MUST_CHECK enum recur_result recur_next_after(const struct recur_set *set, int64_t at_us,
                                                   struct recur_occurrence *ret_occurrence);
BASE_MUST_CHECK enum recur_result recur_nth_before(const struct recur_set *set, int64_t at_us,
                                                   int n, struct recur_occurrence *ret_occurrence);

/* The same by wall time, inclusive. */
BASE_MUST_CHECK enum recur_result recur_first_from(const struct recur_set *set, int64_t wall_s,
                                                   struct recur_occurrence *ret_occurrence);
BASE_MUST_CHECK enum recur_result recur_last_until(const struct recur_set *set, int64_t wall_s,
                                                   struct recur_occurrence *ret_occurrence);
bool recur_is_occurrence(const struct recur_set *set, int64_t wall_s);

/* Occurrences in the order of wall time. Lives in the caller's frame; the set must stay. */
struct recur_iter {
    const struct recur_set *set;
    int64_t next_s;
    struct recur_cache cache;
    /* Wall times within [steady_from_s, steady_to_s) all have one offset. */
    int64_t steady_from_s, steady_to_s, offset_us;
};

/* From a wall time on, inclusive; INT64_MIN for the beginning. */
void recur_iter_init(struct recur_iter *iter, const struct recur_set *set, int64_t from_s);
BASE_MUST_CHECK enum recur_result recur_iter_next(struct recur_iter *iter,
                                                  struct recur_occurrence *ret_occurrence);

/* Sorts in place and drops doubles; returns what is left. */
size_t recur_times_sort(int64_t *values, size_t count);

#endif
