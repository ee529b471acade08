/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is its series: its id is stable and its due time advances. This module joins the task to
 * the recurrence engine and knows nothing of reminders or events.
 */
#ifndef TASKS_SERIES_H
#define TASKS_SERIES_H

#include "tasks/command.h"

/* Checks task->recurrence (API JSON), writes it back in canonical form, and starts the series:
 * start is the due time, moved on to the first occurrence where the due time itself does not match.
 */
BASE_MUST_CHECK enum base_err task_series_begin(const struct task_context *ctx, struct task *task,
                                                struct task_problem *ret_problem);

/* The due time after the present one is done, skipped or missed: the next in its schedule after
 * both the present due time and now (nothing piles up), or counted from now if its anchor is
 * completion. false: the series has ended, or there is none. */
bool task_series_next(const struct task_context *ctx, const struct task *task, bool completed,
                      struct task_due *ret_due);

#endif
