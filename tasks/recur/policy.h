/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What completing, skipping and moving mean for a series. Pure: the caller stores the outcome.
 *
 * Anchor "schedule": the calendar decides. Whatever is late is caught up in one step: the next
 * occurrence is the first after now and after the one just dealt with; nothing piles up.
 * Anchor "completion": the next is counted from the local day it was done, at the series' wall
 * time: "three days after I last watered them".
 */
#ifndef RECUR_POLICY_H
#define RECUR_POLICY_H

#include "tasks/recur/recur.h"

enum recur_anchor { RECUR_ANCHOR_SCHEDULE, RECUR_ANCHOR_COMPLETION };

/*
 * The occurrence that follows when the one due at the wall time `due` is completed or skipped at
 * now_us. done counts the occurrences dealt with so far, this one included; only the completion
 * anchor needs it, for COUNT.
 *
 * Completion: a rule without BY parts adds its interval to the day (months and years as the
 * calendar has them, 31 January + 1 month = 28 February), one with BY parts starts anew on the day
 * after; rules by hours or less add to the instant itself.
 */
BASE_MUST_CHECK enum recur_result recur_policy_next(const struct recur_set *set,
                                                    enum recur_anchor anchor, struct time_civil due,
                                                    int64_t now_us, uint32_t done,
                                                    struct recur_occurrence *ret_occurrence);

/* Wall times the caller owns, ascending: a spec's exdates or rdates under edit. */
struct recur_dates {
    int64_t *values;
    size_t count;
    size_t capacity;
};

/*
 * Moves one occurrence: its own time becomes an exception, the new one an addition (or, for one
 * that was moved before, the addition changes; back to its place, both vanish). set holds the two
 * lists as they are now. NOT_FOUND: from is no occurrence; CONFLICT: to is one already; TOO_LARGE:
 * a list is full. On failure the lists are untouched.
 */
BASE_MUST_CHECK enum base_err recur_policy_move(const struct recur_set *set, int64_t from_s,
                                                int64_t to_s, struct recur_dates *exdates,
                                                struct recur_dates *rdates);

/* Leaves one occurrence out ahead of time. The same errors. */
BASE_MUST_CHECK enum base_err recur_policy_cancel(const struct recur_set *set, int64_t at_s,
                                                  struct recur_dates *exdates,
                                                  struct recur_dates *rdates);

#endif
