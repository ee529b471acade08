/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking back the newest change: each of its tasks goes back to the row it was before, provided
 * that nobody changed it since. What was created is deleted.
 */
#include "gateway/dialogue/handler.h"

static enum gw_step begin(struct gw_dialogue *d)
{
    gw_talk_load_undo(&d->talk, d->arena);
    if (d->talk.undo_count == 0) {
        GW_REPLY(d, SAY_UNDO_NONE);
        return GW_ANSWERED;
    }
    const struct gw_undo *undo = &d->talk.undo[0];
    struct base_id *ids = base_arena_array(d->arena, undo->count, sizeof(*ids));
    if (!ids) {
        gw_reply_problem(d, BASE_NO_MEMORY, NULL);
        return GW_ANSWERED;
    }
    for (size_t i = 0; i < undo->count; i++)
        ids[i] = undo->tasks[i].id;
    d->query =
        (struct task_query){.user_id = d->ctx.user_id,
                            .statuses = TASK_QUERY_OPEN | TASK_QUERY_DONE | TASK_QUERY_DELETED,
                            .ids = ids,
                            .id_count = undo->count,
                            .limit = GW_UNDO_TASKS_MAX};
    return GW_FIND;
}

static const struct task *find(const struct task *tasks, size_t count, struct base_id id)
{
    for (size_t i = 0; i < count; i++)
        if (base_id_eq(tasks[i].id, id))
            return &tasks[i];
    return NULL;
}

static bool restore(struct gw_dialogue *d, const struct task *task, const struct task *was)
{
    struct task_problem problem;
    struct task_change *change = &d->changes[d->change_count];
    enum base_err err = was ? task_restore(&d->ctx, task, was, change, &problem)
                            : task_delete(&d->ctx, task, change, &problem);
    if (err != BASE_OK)
        return false;
    d->change_count++;
    gw_reply_task(d, change->after);
    return true;
}

static enum gw_step give_up(struct gw_dialogue *d)
{
    d->change_count = 0;
    d->reply.task_count = 0;
    gw_talk_forget_newest(&d->talk);
    GW_REPLY(d, SAY_UNDO_GONE);
    return GW_ANSWERED;
}

static enum gw_step read_former(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    const struct gw_undo *undo = &d->talk.undo[0];
    d->found = tasks;
    d->found_count = count;
    d->versions = base_arena_array(d->arena, undo->count, sizeof(*d->versions));
    if (!d->versions) {
        gw_reply_problem(d, BASE_NO_MEMORY, NULL);
        return GW_ANSWERED;
    }
    for (size_t i = 0; i < undo->count; i++) {
        const struct task *task = find(tasks, count, undo->tasks[i].id);
        if (!task || task->version != undo->tasks[i].version)
            return give_up(d);
        if (undo->tasks[i].former > 0)
            d->versions[d->version_count++] =
                (struct task_version){task->id, undo->tasks[i].former};
    }
    return GW_WAS;
}

/* By the turn that is taken back. */
static bool was_made(const struct gw_dialogue *d, struct base_id id)
{
    const struct gw_undo *undo = &d->talk.undo[0];
    for (size_t i = 0; i < undo->count; i++)
        if (base_id_eq(undo->tasks[i].id, id))
            return undo->tasks[i].former == 0;
    return false;
}

static enum gw_step found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    if (!d->versions)
        return read_former(d, tasks, count);
    for (size_t i = 0; i < d->found_count; i++) {
        const struct task *task = &d->found[i];
        const struct task *was = find(tasks, count, task->id);
        if ((!was && !was_made(d, task->id)) || !restore(d, task, was))
            return give_up(d);
    }
    gw_talk_undone(&d->talk, d->changes, d->change_count);
    d->undone = true;
    if (d->change_count == 1) {
        GW_REPLY(d, SAY_UNDONE, d->changes[0].after->title);
    } else {
        struct base_buf number;
        base_buf_init(&number, 16);
        base_buf_add_int(&number, (int64_t)d->change_count);
        GW_REPLY(d, SAY_UNDONE_MANY, base_buf_sv(&number));
        base_buf_done(&number);
    }
    return GW_ANSWERED;
}

const struct gw_handler gw_undo_handler = {.begin = begin, .found = found};
