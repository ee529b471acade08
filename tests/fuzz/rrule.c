/* SPDX-License-Identifier: Apache-2.0 */
/* RRULE text: what is accepted prints to a text that reads back as the same, describes itself in
 * both languages, and finds its neighbours within the cap. */
#include <stdlib.h>

#include "tasks/recur/describe.h"
#include "tasks/recur/recur.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

static void must_round_trip(const struct recur_rule *rule)
{
    struct base_buf first;
    struct base_buf second;
    struct recur_rule again;
    base_buf_init(&first, 2 * RECUR_TEXT_MAX);
    base_buf_init(&second, 2 * RECUR_TEXT_MAX);
    recur_rule_print(&first, rule);
    MUST(base_buf_ok(&first));
    if (first.len <= RECUR_TEXT_MAX) {
        MUST(recur_rule_parse(base_buf_sv(&first), &again, NULL) == BASE_OK);
        recur_rule_print(&second, &again);
        MUST(base_sv_eq(base_buf_sv(&first), base_buf_sv(&second)));
        MUST(recur_rule_min_spacing(rule) == recur_rule_min_spacing(&again));
    }
    base_buf_done(&first);
    base_buf_done(&second);
}

static void must_describe(const struct recur_rule *rule)
{
    struct base_buf text;
    base_buf_init(&text, 64 * 1024);
    for (int language = 0; language < RECUR_LANGUAGE_COUNT; language++) {
        base_buf_reset(&text);
        recur_describe(&text, rule, (enum recur_language)language, 2026);
        MUST(base_buf_ok(&text) && text.len > 0);
    }
    base_buf_done(&text);
}

static void must_answer(const struct recur_rule *rule)
{
    static const struct time_civil starts[] = {{2026, 11, 24, 9, 0, 0},
                                               {2024, 2, 29, 23, 59, 59},
                                               {1, 1, 1, 0, 0, 0},
                                               {9999, 12, 31, 23, 59, 59}};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct recur_spec spec = {.rule = rule, .start = starts[i]};
        struct recur_set set;
        struct recur_occurrence next;
        struct recur_occurrence back;
        MUST(recur_set_init(&set, &spec) == BASE_OK);
        int64_t start_s = time_civil_seconds(starts[i]);
        if (recur_first_from(&set, INT64_MIN, &next) != RECUR_FOUND)
            continue;
        MUST(next.wall_s >= start_s);
        MUST(recur_is_occurrence(&set, next.wall_s));
        MUST(recur_last_until(&set, next.wall_s, &back) == RECUR_FOUND);
        MUST(back.wall_s == next.wall_s);
        MUST(recur_last_until(&set, next.wall_s - 1, &back) != RECUR_FOUND);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recur_rule rule;
    struct recur_error error;
    enum base_err err = recur_rule_parse(base_sv((const char *)data, size), &rule, &error);
    if (err) {
        MUST(error.part[0] && error.why[0]);
        return 0;
    }
    must_round_trip(&rule);
    must_describe(&rule);
    must_answer(&rule);
    return 0;
}
