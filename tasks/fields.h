/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a patch onto a task, with every rule that a single field must keep. */
#ifndef TASKS_FIELDS_H
#define TASKS_FIELDS_H

#include "tasks/command.h"

/* Changes task in place. UNPROCESSABLE and *ret_problem on the first field that breaks a rule; task
 * is then half changed and must be thrown away. */
BASE_MUST_CHECK enum base_err task_fields_apply(const struct task_context *ctx, struct task *task,
                                                const struct task_patch *patch,
                                                struct task_problem *ret_problem);

/* [A-Za-z0-9 and anything above ASCII, with - _ . / inside]: what may be a tag or a project without
 * quotes. */
bool task_name_valid(struct base_sv name);

#endif
