/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/recur/recur.h"

#include <assert.h>
#include <stdlib.h>

enum { DAY_S = 86400 };
static const int64_t SECOND_US = 1000000;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* --- sorted arrays --- */

static int compare_values(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

size_t recur_times_sort(int64_t *values, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(values, count, sizeof(*values), compare_values);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || values[kept - 1] != values[i])
            values[kept++] = values[i];
    return kept;
}

/* Index of the first value >= wanted, or count. */
static size_t lower_bound(const int64_t *values, size_t count, int64_t wanted)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (values[middle] < wanted)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static bool contains(const int64_t *values, size_t count, int64_t wanted)
{
    size_t at = lower_bound(values, count, wanted);
    return at < count && values[at] == wanted;
}

static bool is_excluded(const struct recur_spec *spec, int64_t wall_s)
{
    return (spec->exdate_count && contains(spec->exdates, spec->exdate_count, wall_s)) ||
           (spec->exday_count &&
            contains(spec->exdays, spec->exday_count, floor_div(wall_s, DAY_S)));
}

/* --- the set --- */

static const struct time_zone *zone_of(const struct recur_set *set)
{
    return set->spec.zone ? set->spec.zone : time_zone_utc();
}

/* UNTIL as the last wall time whose instant is not after it. */
static int64_t until_instant(struct recur_set *set, int64_t until_s)
{
    struct time_change change;
    int64_t wall_s = time_civil_seconds(time_zone_civil(set->spec.zone, until_s * SECOND_US));
    if (!time_zone_change_before(set->spec.zone, until_s * SECOND_US, &change))
        return wall_s;
    int64_t shift_s = change.to_s - change.from_s;
    if (shift_s < 0 && wall_s < change.from_s)
        return change.from_s - 1; /* in the second pass: all of the first is over */
    if (shift_s > 0 && wall_s < change.to_s + shift_s) {
        set->hole_from_s = wall_s - shift_s + 1;
        set->hole_to_s = change.to_s;
    }
    return wall_s;
}

static int64_t until_wall(struct recur_set *set, const struct recur_rule *rule)
{
    int64_t until_s = time_civil_seconds(rule->until);
    switch (rule->until_kind) {
    case RECUR_UNTIL_NONE:
        return recur_calendar_end();
    case RECUR_UNTIL_DATE:
        return until_s + DAY_S - 1;
    case RECUR_UNTIL_UTC:
        if (set->spec.zone && !set->spec.all_day)
            return until_instant(set, until_s);
        break;
    case RECUR_UNTIL_LOCAL:
        break;
    }
    return until_s;
}

enum base_err recur_set_init(struct recur_set *set, const struct recur_spec *spec)
{
    *set = (struct recur_set){.spec = *spec};
    if (spec->all_day)
        set->spec.start.hour = set->spec.start.minute = set->spec.start.second = 0;
    if (!spec->rule)
        return BASE_OK;
    struct recur_rule rule = *spec->rule;
    if (spec->all_day) {
        if (rule.freq < RECUR_DAILY)
            return BASE_UNPROCESSABLE;
        /* RFC 5545 3.3.10: they are ignored where the start is a date. */
        rule.hours = rule.minutes = rule.seconds = 0;
    }
    recur_plan_init(&set->plan, &rule, spec->holidays, time_civil_seconds(set->spec.start),
                    until_wall(set, &rule), RECUR_STEPS_MAX);
    return BASE_OK;
}

/* --- by wall time --- */

static enum recur_result next_wall(const struct recur_set *set, struct recur_cache *cache,
                                   int64_t from_s, int *steps, int64_t *ret_s)
{
    const struct recur_spec *spec = &set->spec;
    for (;;) {
        enum recur_result result = RECUR_NONE;
        int64_t found_s = INT64_MAX;
        if (spec->rule)
            result = recur_seek_next(&set->plan, cache, from_s, steps, &found_s);
        if (result == RECUR_FOUND && found_s >= set->hole_from_s && found_s < set->hole_to_s)
            result = recur_seek_next(&set->plan, cache, set->hole_to_s, steps, &found_s);
        /* An addition is not known to be the neighbour either. */
        if (result == RECUR_CAP)
            return RECUR_CAP;
        size_t added = lower_bound(spec->rdates, spec->rdate_count, from_s);
        if (added < spec->rdate_count && (result != RECUR_FOUND || spec->rdates[added] < found_s)) {
            found_s = spec->rdates[added];
            result = RECUR_FOUND;
        }
        if (result != RECUR_FOUND)
            return result;
        if (!is_excluded(spec, found_s)) {
            *ret_s = found_s;
            return RECUR_FOUND;
        }
        if (--*steps < 0)
            return RECUR_CAP;
        from_s = found_s + 1;
    }
}

static enum recur_result prev_wall(const struct recur_set *set, struct recur_cache *cache,
                                   int64_t to_s, int *steps, int64_t *ret_s)
{
    const struct recur_spec *spec = &set->spec;
    for (;;) {
        enum recur_result result = RECUR_NONE;
        int64_t found_s = INT64_MIN;
        if (spec->rule)
            result = recur_seek_prev(&set->plan, cache, to_s, steps, &found_s);
        if (result == RECUR_FOUND && found_s >= set->hole_from_s && found_s < set->hole_to_s)
            result = recur_seek_prev(&set->plan, cache, set->hole_from_s - 1, steps, &found_s);
        if (result == RECUR_CAP)
            return RECUR_CAP;
        size_t added = to_s == INT64_MAX ? spec->rdate_count
                                         : lower_bound(spec->rdates, spec->rdate_count, to_s + 1);
        if (added > 0 && (result != RECUR_FOUND || spec->rdates[added - 1] > found_s)) {
            found_s = spec->rdates[added - 1];
            result = RECUR_FOUND;
        }
        if (result != RECUR_FOUND)
            return result;
        if (!is_excluded(spec, found_s)) {
            *ret_s = found_s;
            return RECUR_FOUND;
        }
        if (--*steps < 0)
            return RECUR_CAP;
        to_s = found_s - 1;
    }
}

static void describe(const struct recur_set *set, int64_t wall_s,
                     struct recur_occurrence *ret_occurrence)
{
    ret_occurrence->wall_s = wall_s;
    ret_occurrence->wall = time_civil_from_seconds(wall_s);
    ret_occurrence->at_us =
        time_zone_instant(zone_of(set), ret_occurrence->wall, &ret_occurrence->kind);
}

enum recur_result recur_first_from(const struct recur_set *set, int64_t wall_s,
                                   struct recur_occurrence *ret_occurrence)
{
    struct recur_cache cache = {0};
    int steps = RECUR_STEPS_MAX;
    int64_t found_s;
    enum recur_result result = next_wall(set, &cache, wall_s, &steps, &found_s);
    if (result == RECUR_FOUND)
        describe(set, found_s, ret_occurrence);
    return result;
}

enum recur_result recur_last_until(const struct recur_set *set, int64_t wall_s,
                                   struct recur_occurrence *ret_occurrence)
{
    struct recur_cache cache = {0};
    int steps = RECUR_STEPS_MAX;
    int64_t found_s;
    enum recur_result result = prev_wall(set, &cache, wall_s, &steps, &found_s);
    if (result == RECUR_FOUND)
        describe(set, found_s, ret_occurrence);
    return result;
}

bool recur_is_occurrence(const struct recur_set *set, int64_t wall_s)
{
    struct recur_cache cache = {0};
    int steps = RECUR_STEPS_MAX;
    int64_t found_s;
    return next_wall(set, &cache, wall_s, &steps, &found_s) == RECUR_FOUND && found_s == wall_s;
}

/* --- by instant --- */

/*
 * Around a change, the order of instants is not that of wall times:
 *   gap      wall times in [from, to) are shifted by the gap's length and fall among those in
 *            [to, to + length), which are later on the wall;
 *   overlap  wall times in [to, from) mean the first pass, so in the second pass all of them are
 *            over, although the wall shows earlier ones.
 * Two searches at most, one on either side of the change, give the exact neighbour.
 */

/* The earlier one of what was found; equal instants: the earlier wall time. */
static void keep_earlier(const struct recur_set *set, int64_t wall_s, int64_t after_us, bool *found,
                         struct recur_occurrence *best)
{
    struct recur_occurrence other;
    describe(set, wall_s, &other);
    if (other.at_us > after_us && (!*found || other.at_us < best->at_us)) {
        *best = other;
        *found = true;
    }
}

static void keep_later(const struct recur_set *set, int64_t wall_s, int64_t before_us, bool *found,
                       struct recur_occurrence *best)
{
    struct recur_occurrence other;
    describe(set, wall_s, &other);
    if (other.at_us < before_us && (!*found || other.at_us > best->at_us)) {
        *best = other;
        *found = true;
    }
}

/* The answer when one side of a change gave an occurrence, if any, and the search on the other side
 * came to nothing. Used up, it has passed the day that a change may shift: a step is a minute at
 * least, but for rules by seconds. */
static enum recur_result one_side(const struct recur_set *set, bool found, enum recur_result other)
{
    bool passed = other == RECUR_NONE || set->plan.freq > RECUR_SECONDLY;
    return found && passed ? RECUR_FOUND : other;
}

enum recur_result recur_next_after(const struct recur_set *set, int64_t at_us,
                                   struct recur_occurrence *ret_occurrence)
{
    struct recur_cache cache = {0};
    /* The few for looking around a change must not be missing where iteration just gets there. */
    int steps = RECUR_STEPS_MAX + 20;
    struct time_change change;
    bool found = false;
    int64_t found_s;
    int64_t from_s = time_civil_seconds(time_zone_civil(zone_of(set), at_us)) + 1;
    bool changed = time_zone_change_before(zone_of(set), at_us, &change);
    int64_t shift_s = changed ? change.to_s - change.from_s : 0;
    if (shift_s < 0 && from_s < change.from_s)
        from_s = change.from_s;
    bool shifted = shift_s > 0 && from_s < change.to_s + shift_s;
    enum recur_result result =
        next_wall(set, &cache, shifted ? from_s - shift_s : from_s, &steps, &found_s);
    if (result == RECUR_FOUND && found_s < from_s) {
        if (found_s < change.to_s)
            keep_earlier(set, found_s, at_us, &found, ret_occurrence);
        /* An addition may have been found where the rule used up its steps: what iteration answers
         * must not be missed for having looked on this side, too. */
        steps = RECUR_STEPS_MAX;
        result = next_wall(set, &cache, from_s, &steps, &found_s);
    }
    if (result != RECUR_FOUND)
        return one_side(set, found, result);
    keep_earlier(set, found_s, at_us, &found, ret_occurrence);
    if (ret_occurrence->kind == TIME_GAP && ret_occurrence->wall_s == found_s &&
        time_zone_change_before(zone_of(set), ret_occurrence->at_us, &change) &&
        next_wall(set, &cache, change.to_s, &steps, &found_s) == RECUR_FOUND)
        keep_earlier(set, found_s, at_us, &found, ret_occurrence);
    return RECUR_FOUND;
}

static enum recur_result last_before(const struct recur_set *set, struct recur_cache *cache,
                                     int64_t at_us, int *steps,
                                     struct recur_occurrence *ret_occurrence)
{
    struct time_change change;
    bool found = false;
    int64_t found_s;
    /* The last whole second before the instant. */
    int64_t to_s = time_civil_seconds(time_zone_civil(zone_of(set), at_us - 1));
    bool changed = time_zone_change_before(zone_of(set), at_us - 1, &change);
    int64_t shift_s = changed ? change.to_s - change.from_s : 0;
    if (shift_s < 0 && to_s < change.from_s)
        to_s = change.from_s - 1;
    enum recur_result result = prev_wall(set, cache, to_s, steps, &found_s);
    if (result != RECUR_FOUND)
        return result;
    if (shift_s <= 0 || found_s >= change.to_s)
        keep_later(set, found_s, at_us, &found, ret_occurrence);
    if (shift_s > 0 && found_s < change.to_s + shift_s) {
        /* Of those in the gap, the last that is shifted to before the instant. */
        int64_t shifted_s = to_s - shift_s < change.to_s ? to_s - shift_s : change.to_s - 1;
        if (found_s > shifted_s)
            result = prev_wall(set, cache, shifted_s, steps, &found_s);
        if (result == RECUR_FOUND)
            keep_later(set, found_s, at_us, &found, ret_occurrence);
    }
    return result == RECUR_FOUND ? result : one_side(set, found, result);
}

enum recur_result recur_nth_before(const struct recur_set *set, int64_t at_us, int n,
                                   struct recur_occurrence *ret_occurrence)
{
    assert(n >= 1);
    struct recur_cache cache = {0};
    int steps = RECUR_STEPS_MAX;
    enum recur_result result = n > RECUR_NTH_MAX ? RECUR_CAP : RECUR_FOUND;
    for (; n > 0 && result == RECUR_FOUND; n--) {
        struct recur_occurrence found = {0};
        result = last_before(set, &cache, at_us, &steps, &found);
        if (result == RECUR_FOUND) {
            at_us = found.at_us;
            if (n == 1)
                *ret_occurrence = found;
        }
    }
    return result;
}

/* --- iteration --- */

void recur_iter_init(struct recur_iter *iter, const struct recur_set *set, int64_t from_s)
{
    *iter = (struct recur_iter){.set = set, .next_s = from_s};
}

/* Looks the instant up and learns how far around the offset stays the same. */
static void iter_locate(struct recur_iter *iter, struct recur_occurrence *occurrence)
{
    const struct time_zone *zone = zone_of(iter->set);
    struct time_change change;
    occurrence->at_us = time_zone_instant(zone, occurrence->wall, &occurrence->kind);
    if (occurrence->kind != TIME_UNIQUE)
        return;
    iter->offset_us = occurrence->wall_s * SECOND_US - occurrence->at_us;
    iter->steady_from_s = INT64_MIN;
    iter->steady_to_s = INT64_MAX;
    if (time_zone_change_before(zone, occurrence->at_us, &change))
        iter->steady_from_s = change.from_s > change.to_s ? change.from_s : change.to_s;
    if (time_zone_change_after(zone, occurrence->at_us, &change))
        iter->steady_to_s = change.from_s < change.to_s ? change.from_s : change.to_s;
}

enum recur_result recur_iter_next(struct recur_iter *iter, struct recur_occurrence *ret_occurrence)
{
    int steps = RECUR_STEPS_MAX;
    int64_t wall_s;
    enum recur_result result = next_wall(iter->set, &iter->cache, iter->next_s, &steps, &wall_s);
    if (result != RECUR_FOUND)
        return result;
    iter->next_s = wall_s + 1;
    ret_occurrence->wall_s = wall_s;
    ret_occurrence->wall = time_civil_from_seconds(wall_s);
    if (wall_s >= iter->steady_from_s && wall_s < iter->steady_to_s) {
        ret_occurrence->at_us = wall_s * SECOND_US - iter->offset_us;
        ret_occurrence->kind = TIME_UNIQUE;
    } else {
        iter_locate(iter, ret_occurrence);
    }
    return RECUR_FOUND;
}
