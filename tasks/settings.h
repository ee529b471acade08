/* SPDX-License-Identifier: Apache-2.0 */
/* What a user may set about time: checked here, stored by tasks/store. */
#ifndef TASKS_SETTINGS_H
#define TASKS_SETTINGS_H

#include "tasks/task.h"

enum { TASK_MINUTES_OF_DAY = 24 * 60 };

/* Minutes of the day in the home zone; from may be after to (over midnight). Both the same: none.
 */
struct task_quiet {
    int from, to;
    bool urgent_passes; /* urgent tasks remind all the same */
};

enum task_settings_field {
    TASK_S_ZONE = 1,
    TASK_S_LOCALE = 2,
    TASK_S_DEFAULT_TIME = 4,
    TASK_S_QUIET = 8,
};

/* New values of the fields named in set. */
struct task_settings_patch {
    unsigned set; /* task_settings_field bits */
    struct base_sv zone;
    struct base_sv locale; /* "en" or "de" */
    int default_minute;
    struct task_quiet quiet;
};

/* UNPROCESSABLE with *ret_problem for the first value that cannot be. */
BASE_MUST_CHECK enum base_err task_settings_check(const struct task_settings_patch *patch,
                                                  struct task_problem *ret_problem);

/* "22:00" both ways. */
bool task_time_of_day_parse(struct base_sv text, int *ret_minute);
void task_time_of_day_format(struct base_buf *buf, int minute);

/* A place as people call it ("Berlin", "new york", "Europe/Paris") as the name of its zone, in the
 * arena; empty if none is known by it. */
struct base_sv task_zone_of_place(struct base_sv place, struct base_arena *arena);

#endif
