/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Valid rules made of the input's bytes, with start, zone and exceptions, held against what must be
 * true of any rule: iteration ascends, every question agrees with iteration, COUNT counts, no two
 * occurrences are closer than promised, and no call takes long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tasks/recur/part.h"
#include "tasks/recur/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The case at hand, said when it breaks a promise. */
static struct recur_spec spec;
static struct recur_rule rule;

static _Noreturn void broken(const char *condition, int line)
{
    struct base_buf text;
    base_buf_init(&text, 8192);
    recur_rule_print(&text, &rule);
    base_buf_add_c(&text, rule.workday ? " (workdays) from " : " from ");
    time_civil_format(&text, spec.start);
    (void)fprintf(stderr, "line %d: %s\n%s in %s\n", line, condition, text.data,
                  spec.zone ? time_zone_name(spec.zone) : "no zone");
    abort();
}

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            broken(#condition, __LINE__);                                                          \
    } while (0)

enum {
    SEEN_MAX = 24,
    /* A call takes below a millisecond; the sanitizers cost up to twenty times that. */
    CALL_MAX_MS = 40,
};

static const char *const zones[] = {"",
                                    "UTC",
                                    "Europe/Berlin",
                                    "America/New_York",
                                    "Australia/Lord_Howe",
                                    "Pacific/Apia",
                                    "Africa/Casablanca",
                                    "America/Sao_Paulo"};

struct bytes {
    const uint8_t *at;
    size_t left;
};

static unsigned take(struct bytes *bytes)
{
    if (!bytes->left)
        return 0;
    bytes->left--;
    return *bytes->at++;
}

/* 0 to max - 1 */
static int take_below(struct bytes *bytes, int max)
{
    return (int)((take(bytes) << 8 | take(bytes)) % (unsigned)max);
}

static void take_part(struct bytes *bytes, const struct recur_part *part)
{
    int count = 1 + take_below(bytes, 4);
    for (int i = 0; i < count; i++) {
        int number = part->low + take_below(bytes, part->high - part->low + 1);
        if (part->back_offset && (take(bytes) & 1))
            number = -number;
        (void)recur_part_add(part, &rule, number);
    }
}

static void take_days(struct bytes *bytes)
{
    unsigned kind = take(bytes);
    rule.weekdays = take(bytes) & 0x7f;
    if (rule.freq < RECUR_MONTHLY || !(kind & 1))
        return;
    if (kind & 2)
        rule.weekdays = 0;
    int most = rule.freq == RECUR_MONTHLY || (kind & 4) ? 5 : 53;
    for (int i = 0; i < 1 + (int)(kind >> 6); i++) {
        int day = take_below(bytes, 7);
        uint64_t bit = UINT64_C(1) << take_below(bytes, most);
        if (take(bytes) & 1)
            rule.nth_back[day] |= bit;
        else
            rule.nth[day] |= bit;
    }
}

static struct time_civil take_start(struct bytes *bytes)
{
    struct time_civil start = {.year = 1990 + take_below(bytes, 60),
                               .month = (int8_t)(1 + take_below(bytes, 12))};
    start.day = (int8_t)(1 + take_below(bytes, time_days_in_month(start.year, start.month)));
    start.hour = (int8_t)take_below(bytes, 24);
    start.minute = (int8_t)take_below(bytes, 60);
    start.second = (int8_t)(take(bytes) & 1 ? take_below(bytes, 60) : 0);
    return start;
}

static void take_rule(struct bytes *bytes, struct time_civil start)
{
    static const uint32_t intervals[] = {1, 1, 1, 2, 3, 4, 7, 12, 13, 60, 90, 1000, 90061, 86399};
    rule = recur_rule_every((enum recur_freq)take_below(bytes, RECUR_FREQ_COUNT),
                            intervals[take_below(bytes, 14)]);
    unsigned parts = take(bytes);
    rule.week_start = (int8_t)take_below(bytes, 7);
    if ((parts & 3) == 3 && (rule.freq == RECUR_DAILY || rule.freq == RECUR_MONTHLY)) {
        rule.workday = true;
        if (rule.freq == RECUR_MONTHLY)
            take_part(bytes, &recur_parts[RECUR_PART_POSITION]);
    } else {
        for (int i = 0; i < RECUR_PART_POSITION; i++)
            if (take(bytes) % 4 == 0)
                take_part(bytes, &recur_parts[i]);
        if (parts & 4)
            take_days(bytes);
        if ((parts & 8) && recur_rule_has_parts(&rule))
            take_part(bytes, &recur_parts[RECUR_PART_POSITION]);
    }
    if (parts & 16) {
        rule.count = 1 + (uint32_t)take_below(bytes, 40);
    } else if (parts & 32) {
        rule.until = time_civil_from_seconds(time_civil_seconds(start) +
                                             (int64_t)take_below(bytes, 65536) * (int)take(bytes));
        rule.until_kind = (enum recur_until)(1 + take_below(bytes, 3));
    }
}

static int64_t cpu_us(void)
{
    struct timespec now;
    MUST(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t started_us;

static void call_begins(void)
{
    started_us = cpu_us();
}

static void call_ends(void)
{
    MUST(cpu_us() - started_us < CALL_MAX_MS * 1000);
}

struct seen {
    struct recur_occurrence at[SEEN_MAX];
    int count;
    bool complete;
};

static void iterate(const struct recur_set *set, struct seen *seen)
{
    struct recur_iter iter;
    recur_iter_init(&iter, set, INT64_MIN);
    while (seen->count < SEEN_MAX) {
        struct recur_occurrence *next = &seen->at[seen->count];
        call_begins();
        enum recur_result result = recur_iter_next(&iter, next);
        call_ends();
        seen->complete = result == RECUR_NONE;
        if (result != RECUR_FOUND)
            return;
        enum time_kind kind;
        MUST(seen->count == 0 || next->wall_s > next[-1].wall_s);
        MUST(time_civil_valid(next->wall) && time_civil_seconds(next->wall) == next->wall_s);
        MUST(next->at_us == time_zone_instant(set->spec.zone ? set->spec.zone : time_zone_utc(),
                                              next->wall, &kind));
        MUST(kind == next->kind);
        seen->count++;
    }
}

/* What lies beyond the last one seen is not judged. */
static bool judged(const struct seen *seen, const struct recur_occurrence *found)
{
    return seen->complete || found->wall_s <= seen->at[seen->count - 1].wall_s;
}

static void must_agree_by_wall(const struct recur_set *set, const struct seen *seen, int i)
{
    struct recur_occurrence found;
    call_begins();
    MUST(recur_first_from(set, seen->at[i].wall_s, &found) == RECUR_FOUND);
    call_ends();
    MUST(found.wall_s == seen->at[i].wall_s);
    if (i + 1 == seen->count)
        return;
    MUST(recur_first_from(set, seen->at[i].wall_s + 1, &found) == RECUR_FOUND);
    MUST(found.wall_s == seen->at[i + 1].wall_s);
    call_begins();
    enum recur_result result = recur_last_until(set, seen->at[i + 1].wall_s - 1, &found);
    call_ends();
    MUST(result == RECUR_CAP || (result == RECUR_FOUND && found.wall_s == seen->at[i].wall_s));
}

static void must_agree_by_instant(const struct recur_set *set, const struct seen *seen,
                                  int64_t at_us)
{
    const struct recur_occurrence *next = NULL;
    const struct recur_occurrence *last = NULL;
    for (int i = 0; i < seen->count; i++) {
        if (seen->at[i].at_us > at_us && (!next || seen->at[i].at_us < next->at_us))
            next = &seen->at[i];
        if (seen->at[i].at_us < at_us && (!last || seen->at[i].at_us > last->at_us))
            last = &seen->at[i];
    }
    struct recur_occurrence found;
    call_begins();
    enum recur_result result = recur_next_after(set, at_us, &found);
    call_ends();
    MUST(!next || result == RECUR_FOUND);
    if (result == RECUR_FOUND && judged(seen, &found))
        MUST(next && found.at_us == next->at_us);
    else if (result == RECUR_FOUND && next)
        MUST(found.at_us <= next->at_us);
    call_begins();
    result = recur_nth_before(set, at_us, 1, &found);
    call_ends();
    MUST(!last || result != RECUR_NONE);
    if (result == RECUR_FOUND && judged(seen, &found))
        MUST(last && found.at_us == last->at_us);
}

/* Completed at some time around its due time: what follows lies behind both (schedule), or behind
 * the day of completion. */
static void must_follow(const struct recur_set *set, struct bytes *bytes,
                        const struct recur_occurrence *due)
{
    int64_t now_us = due->at_us + ((int64_t)take_below(bytes, 65536) - 32768) * 3600 * 1000000;
    struct recur_occurrence next;
    call_begins();
    enum recur_result result =
        recur_policy_next(set, RECUR_ANCHOR_SCHEDULE, due->wall, now_us, 1, &next);
    call_ends();
    if (result == RECUR_FOUND)
        MUST(next.at_us > now_us && next.at_us > due->at_us);
    call_begins();
    result = recur_policy_next(set, RECUR_ANCHOR_COMPLETION, due->wall, now_us, 1, &next);
    call_ends();
    if (result == RECUR_FOUND)
        MUST(next.at_us > now_us - INT64_C(86400) * 1000000 && time_civil_valid(next.wall));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    spec = (struct recur_spec){.start = take_start(&bytes)};
    take_rule(&bytes, spec.start);
    const char *zone = zones[take_below(&bytes, sizeof(zones) / sizeof(zones[0]))];
    MUST(recur_rule_check(&rule, NULL) == BASE_OK);
    if (*zone)
        MUST(time_zone_load(base_sv_from(zone), &spec.zone) == BASE_OK);
    spec.rule = &rule;
    spec.all_day = rule.freq >= RECUR_DAILY && take(&bytes) % 8 == 0;

    int64_t holidays[4];
    for (int i = 0; i < 4; i++)
        holidays[i] = time_civil_seconds(spec.start) / 86400 + take_below(&bytes, 40);
    struct recur_holidays list = recur_holidays_init(holidays, 4);
    if (rule.workday && (take(&bytes) & 1))
        spec.holidays = &list;

    struct recur_set set;
    static struct seen seen;
    seen.count = 0;
    seen.complete = false;
    call_begins();
    MUST(recur_set_init(&set, &spec) == BASE_OK);
    call_ends();
    iterate(&set, &seen);
    if (rule.count && seen.complete)
        MUST(seen.count <= (int)rule.count);
    if (!spec.all_day)
        for (int i = 1; i < seen.count; i++)
            MUST(seen.at[i].wall_s - seen.at[i - 1].wall_s >= recur_rule_min_spacing(&rule));
    if (seen.count == 0)
        return 0;

    /* Leave two out and put two in, and ask again. */
    int64_t exdates[2] = {seen.at[seen.count / 2].wall_s, seen.at[0].wall_s};
    int64_t rdates[2] = {seen.at[seen.count - 1].wall_s - 1800, exdates[0] + 60};
    struct recur_set edited = set;
    if (take(&bytes) & 1) {
        edited.spec.exdates = exdates;
        edited.spec.exdate_count = recur_times_sort(exdates, 2);
        edited.spec.rdates = rdates;
        edited.spec.rdate_count = recur_times_sort(rdates, 2);
        seen.count = 0;
        iterate(&edited, &seen);
    }
    for (int i = 0; i < seen.count; i += 1 + take_below(&bytes, 4)) {
        must_agree_by_wall(&edited, &seen, i);
        must_follow(&edited, &bytes, &seen.at[i]);
        must_agree_by_instant(&edited, &seen, seen.at[i].at_us);
        must_agree_by_instant(&edited, &seen,
                              seen.at[i].at_us + take_below(&bytes, 7200) * 1000000L);
        must_agree_by_instant(&edited, &seen,
                              seen.at[i].at_us - take_below(&bytes, 7200) * 1000000L);
    }
    return 0;
}
