/* SPDX-License-Identifier: Apache-2.0 */
/* The API's recurrence_pattern: what is accepted is written in a form that reads back the same;
 * what is refused names its field. */
#include <stdlib.h>

#include "tasks/recur/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_arena arena;
    struct recur_pattern pattern;
    struct recur_error error = {.part = ""};
    base_arena_init(&arena, 1 << 20);
    enum base_err err =
        recur_pattern_parse(base_sv((const char *)data, size), &arena, &pattern, &error);
    if (err) {
        MUST(err == BASE_NO_MEMORY || (error.part[0] && error.why[0]));
    } else {
        struct base_buf first;
        struct base_buf second;
        struct recur_pattern again;
        base_buf_init(&first, 1 << 20);
        base_buf_init(&second, 1 << 20);
        recur_pattern_write(&first, &pattern);
        MUST(base_buf_ok(&first));
        MUST(recur_rule_min_spacing(&pattern.rule) >= RECUR_SPACING_MIN_S);
        if (first.len <= RECUR_PATTERN_TEXT_MAX) {
            MUST(recur_pattern_parse(base_buf_sv(&first), &arena, &again, &error) == BASE_OK);
            recur_pattern_write(&second, &again);
            MUST(base_sv_eq(base_buf_sv(&first), base_buf_sv(&second)));
        }
        struct recur_spec spec = recur_pattern_spec(&pattern);
        spec.start = (struct time_civil){2026, 11, 24, 9, 0, 0};
        struct recur_set set;
        struct recur_occurrence next;
        MUST(recur_set_init(&set, &spec) == BASE_OK);
        if (recur_next_after(&set, time_civil_seconds(spec.start) * 1000000, &next) == RECUR_FOUND)
            MUST(recur_is_occurrence(&set, next.wall_s));
        base_buf_done(&first);
        base_buf_done(&second);
    }
    base_arena_done(&arena);
    return 0;
}
