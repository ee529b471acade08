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

/* The present occurrence was given another due time, was being its former one: it alone moves, and
 * does not come again where it was. Another kind of time or zone starts the series anew from there.
 */
BASE_MUST_CHECK enum base_err task_series_move(const struct task_context *ctx, struct task *task,
                                               const struct task_due *was,
                                               struct task_problem *ret_problem);

/* Derives next and review_us of an open recurring task: a schedule does not wait for its present
 * occurrence to be done, it rolls on when the next one begins, which is where its first reminder
 * falls (a day without a time begins at midnight). */
void task_series_look_ahead(const struct task_context *ctx, struct task *task);

/* Where a task whose review_us has come rolls on to: the newest occurrence that has begun. Those in
 * between are over; nothing piles up. false: not yet, or never. */
bool task_series_roll(const struct task_context *ctx, const struct task *task,
                      struct task_due *ret_due);

/* The due times from the present one on, as they are foreseen; limit at most. One for a task that
 * does not recur or counts from its completion, none without a due time. */
size_t task_series_ahead(const struct task_context *ctx, const struct task *task, size_t limit,
                         struct task_due *ret_dues);

#endif
