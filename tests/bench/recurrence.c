/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Occurrences per CPU-second, ours and libical's on the same rules, and what single questions cost.
 * Called by recurrence.py, which adds python-dateutil and the table. Prints JSON lines:
 * {"engine","kind","name","value"}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tasks/recur/recur.h"

#ifdef TODO_ICAL_VERSION
#include <libical/ical.h>
#endif

enum { HORIZON_YEARS = 60, QUESTIONS = 20000, REPEATS = 5 };

static const struct {
    const char *name, *rrule;
} rules[] = {
    {"daily", "FREQ=DAILY"},
    {"every 3 days", "FREQ=DAILY;INTERVAL=3"},
    {"weekly", "FREQ=WEEKLY"},
    {"weekly, 3 days", "FREQ=WEEKLY;BYDAY=MO,WE,FR"},
    {"monthly", "FREQ=MONTHLY"},
    {"monthly, last Friday", "FREQ=MONTHLY;BYDAY=-1FR"},
    {"monthly, last weekday", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"},
    {"yearly", "FREQ=YEARLY"},
    {"every 15 minutes", "FREQ=MINUTELY;INTERVAL=15"},
};

/* None of these ever occurs, or hardly so. */
static const char *const hostile[] = {
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;INTERVAL=12;BYSETPOS=9;BYDAY=MO",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=7;BYSECOND=11;BYMONTH=1",
    "FREQ=DAILY;INTERVAL=14;BYDAY=MO",
    "FREQ=WEEKLY;INTERVAL=53;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=MINUTELY;BYYEARDAY=366;BYMONTH=11",
};

enum { RULES = sizeof(rules) / sizeof(rules[0]), HOSTILE = sizeof(hostile) / sizeof(hostile[0]) };

static const struct time_civil start = {2026, 11, 24, 9, 0, 0};

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print(const char *engine, const char *kind, const char *name, double value)
{
    (void)printf("{\"engine\":\"%s\",\"kind\":\"%s\",\"name\":\"%s\",\"value\":%.6g}\n", engine,
                 kind, name, value);
}

static void compile(const char *text, const struct time_zone *zone, struct recur_rule *rule,
                    struct recur_set *set)
{
    struct recur_spec spec = {.rule = rule, .start = start, .zone = zone};
    if (recur_rule_parse(base_sv_from(text), rule, NULL) != BASE_OK ||
        recur_set_init(set, &spec) != BASE_OK)
        abort();
}

/* Wall time and instant of each occurrence, in a zone with daylight saving. */
static double iterate_ours(const char *text, const struct time_zone *zone, double seconds)
{
    struct recur_rule rule;
    struct recur_set set;
    compile(text, zone, &rule, &set);
    double begin = cpu_seconds();
    double spent;
    int64_t count = 0;
    do {
        struct recur_iter iter;
        struct recur_occurrence next;
        recur_iter_init(&iter, &set, INT64_MIN);
        for (int i = 0; i < 100000; i++) {
            if (recur_iter_next(&iter, &next) != RECUR_FOUND ||
                next.wall.year >= start.year + HORIZON_YEARS)
                break;
            count++;
        }
        spent = cpu_seconds() - begin;
    } while (spent < seconds);
    return (double)count / spent;
}

/* Microseconds for one question from nothing: compile the rule with its start, ask. */
static double ask_ours(const char *text, const struct time_zone *zone)
{
    struct recur_rule rule;
    struct recur_set set;
    int64_t at_us = time_civil_seconds(start) * 1000000;
    double begin = cpu_seconds();
    for (int i = 0; i < QUESTIONS; i++) {
        struct recur_occurrence next;
        compile(text, zone, &rule, &set);
        if (recur_next_after(&set, at_us + i * INT64_C(86400000000) / 4, &next) != RECUR_FOUND)
            abort();
    }
    return (cpu_seconds() - begin) * 1e6 / QUESTIONS;
}

/* Milliseconds to the first occurrence or to "none"; the best of a few, as others use the machine.
 */
static double refuse_ours(const char *text, const struct time_zone *zone)
{
    double best = 1e9;
    for (int i = 0; i < REPEATS; i++) {
        struct recur_rule rule;
        struct recur_set set;
        struct recur_occurrence next;
        double begin = cpu_seconds();
        compile(text, zone, &rule, &set);
        enum recur_result result =
            recur_next_after(&set, time_civil_seconds(start) * 1000000, &next);
        if (result == RECUR_FOUND && next.at_us <= time_civil_seconds(start) * 1000000)
            abort();
        double spent = (cpu_seconds() - begin) * 1e3;
        best = spent < best ? spent : best;
    }
    return best;
}

#ifdef TODO_ICAL_VERSION
/* Wall times only: libical leaves zones to its caller. */
static double iterate_libical(const char *text, double seconds)
{
    struct icalrecurrencetype rule = icalrecurrencetype_from_string(text);
    struct icaltimetype from = icaltime_null_time();
    from.year = start.year;
    from.month = start.month;
    from.day = start.day;
    from.hour = start.hour;
    double begin = cpu_seconds();
    double spent;
    int64_t count = 0;
    do {
        icalrecur_iterator *iter = icalrecur_iterator_new(rule, from);
        for (int i = 0; iter && i < 100000; i++) {
            struct icaltimetype next = icalrecur_iterator_next(iter);
            if (icaltime_is_null_time(next) || next.year >= start.year + HORIZON_YEARS)
                break;
            count++;
        }
        if (iter)
            icalrecur_iterator_free(iter);
        spent = cpu_seconds() - begin;
    } while (spent < seconds);
    return (double)count / spent;
}
#endif

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;
    const struct time_zone *zone;
    if (time_zone_load(SV("Europe/Berlin"), &zone) != BASE_OK)
        return 1;
    for (size_t i = 0; i < RULES; i++) {
        print("ours", "iterate", rules[i].name, iterate_ours(rules[i].rrule, zone, seconds));
        print("ours", "ask", rules[i].name, ask_ours(rules[i].rrule, zone));
#ifdef TODO_ICAL_VERSION
        print("libical " TODO_ICAL_VERSION, "iterate", rules[i].name,
              iterate_libical(rules[i].rrule, seconds));
#endif
    }
    for (size_t i = 0; i < HOSTILE; i++)
        print("ours", "refuse", hostile[i], refuse_ours(hostile[i], zone));
    return 0;
}
