/* SPDX-License-Identifier: Apache-2.0 */
/* A task in the API's JSON: accepted within its limits, or refused with a field and a reason. */
#include <stdlib.h>

#include "gateway/http/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_arena arena;
    struct task_patch patch;
    struct task_problem problem = {0};
    json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    base_arena_init(&arena, 256 * 1024);
    if (json_is_object(body)) {
        enum base_err err = gw_body_patch(body, &arena, &patch, &problem);
        if (err == BASE_UNPROCESSABLE && (!problem.field || !problem.text))
            abort();
        if (err == BASE_OK &&
            (patch.tag_count > TASK_TAGS_MAX || patch.reminder_count > TASK_REMINDERS_MAX))
            abort();
    }
    base_arena_done(&arena);
    json_decref(body);
    return 0;
}
