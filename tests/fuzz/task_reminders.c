/* SPDX-License-Identifier: Apache-2.0 */
/* Reminders as JSON: what is accepted is written to a text that reads back as the same. */
#include <stdlib.h>

#include "tasks/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_all(struct base_sv text, struct base_arena *arena, struct task *task)
{
    return task_reminders_parse(text, arena, &task->reminders, &task->reminder_count) == BASE_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_arena arena;
    struct base_buf first;
    struct base_buf second;
    struct task task = {0};
    base_arena_init(&arena, 4 << 20);
    base_buf_init(&first, 1 << 20);
    base_buf_init(&second, 1 << 20);
    if (read_all(base_sv((const char *)data, size), &arena, &task)) {
        task_reminders_json(&first, &task, true);
        if (base_buf_ok(&first)) {
            if (!read_all(base_buf_sv(&first), &arena, &task))
                abort();
            task_reminders_json(&second, &task, true);
            if (!base_sv_eq(base_buf_sv(&first), base_buf_sv(&second)))
                abort();
        }
    }
    base_buf_done(&first);
    base_buf_done(&second);
    base_arena_done(&arena);
    return 0;
}
