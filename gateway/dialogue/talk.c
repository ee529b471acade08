/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation's memory as text, read and written with every line that is said: words between
 * spaces, each with a letter for its meaning.
 *
 *     iID          the task spoken of last
 *     lID          one of the last list, in its order
 *     uID:V:F[,…]  a turn that can be taken back, newest first
 *     qN:TEXT      the open question by its number, and the line that led to it, to the end
 */
#include "gateway/dialogue/talk.h"

/* Cuts a whole number off the front, up to the separator or the end. */
static bool take_number(struct base_sv *text, char separator, int32_t *ret_number)
{
    int64_t number;
    if (!base_sv_int64(base_sv_split(text, separator), &number) || number < 0 || number > INT32_MAX)
        return false;
    *ret_number = (int32_t)number;
    return true;
}

static void read_undo(struct base_sv text, struct base_arena *arena, struct gw_talk *talk)
{
    struct gw_undo *undo = &talk->undo[talk->undo_count];
    size_t most = 1;
    if (talk->undo_count == GW_UNDO_MAX)
        return;
    for (size_t i = 0; i < text.len; i++)
        most += text.ptr[i] == ',';
    if (most > GW_UNDO_TASKS_MAX)
        return;
    *undo = (struct gw_undo){.tasks = base_arena_array(arena, most, sizeof(*undo->tasks))};
    while (undo->tasks && text.ptr) {
        struct base_sv entry = base_sv_split(&text, ',');
        struct gw_undo_task *task = &undo->tasks[undo->count];
        if (!base_id_parse(base_sv_split(&entry, ':'), &task->id) ||
            !take_number(&entry, ':', &task->version) || !take_number(&entry, ':', &task->former))
            return;
        undo->count++;
    }
    if (undo->count)
        talk->undo_count++;
}

static void read_question(struct base_sv text, struct base_arena *arena, struct gw_talk *talk)
{
    int32_t ask;
    if (!take_number(&text, ':', &ask) || ask <= GW_ASK_NOTHING || ask >= GW_ASK_COUNT || !text.ptr)
        return;
    talk->ask = (enum gw_ask)ask;
    talk->asked_text = base_arena_sv(arena, text);
}

/* The words for turns to be taken back stand behind one another. */
static struct base_sv take_undo_words(struct base_sv *state)
{
    struct base_sv rest = *state;
    size_t length = 0;
    while (rest.len && rest.ptr[0] == 'u') {
        length += base_sv_split(&rest, ' ').len + 1;
    }
    struct base_sv words = base_sv_sub(*state, 0, length);
    *state = rest;
    return words;
}

void gw_talk_load_undo(struct gw_talk *talk, struct base_arena *arena)
{
    while (talk->older_undo.len) {
        struct base_sv word = base_sv_split(&talk->older_undo, ' ');
        read_undo(base_sv_sub(word, 1, word.len), arena, talk);
    }
}

enum base_err gw_talk_parse(struct base_sv state, struct base_arena *arena,
                            struct gw_talk *ret_talk)
{
    struct gw_talk talk = {0};
    while (state.len) {
        if (state.ptr[0] == 'q') {
            read_question(base_sv_sub(state, 1, state.len), arena, &talk);
            break;
        }
        if (state.ptr[0] == 'u') {
            talk.older_undo = base_arena_sv(arena, take_undo_words(&state));
            continue;
        }
        struct base_sv word = base_sv_split(&state, ' ');
        struct base_sv rest = base_sv_sub(word, 1, word.len);
        if (word.len && word.ptr[0] == 'i')
            talk.has_it = base_id_parse(rest, &talk.it);
        else if (word.len && word.ptr[0] == 'l' && talk.listed_count < GW_LISTED_MAX)
            talk.listed_count += base_id_parse(rest, &talk.listed[talk.listed_count]);
    }
    *ret_talk = talk;
    return BASE_OK;
}

static void add_id(struct base_buf *buf, char letter, struct base_id id)
{
    char text[BASE_ID_TEXT + 1];
    base_id_text(id, text);
    if (letter)
        base_buf_add_char(buf, letter);
    base_buf_add(buf, base_sv(text, BASE_ID_TEXT));
}

static void add_undo(struct base_buf *buf, const struct gw_undo *undo)
{
    for (size_t i = 0; i < undo->count; i++) {
        const struct gw_undo_task *task = &undo->tasks[i];
        if (i)
            base_buf_add_char(buf, ',');
        add_id(buf, i ? '\0' : 'u', task->id);
        base_buf_add_char(buf, ':');
        base_buf_add_int(buf, task->version);
        base_buf_add_char(buf, ':');
        base_buf_add_int(buf, task->former);
    }
    base_buf_add_char(buf, ' ');
}

void gw_talk_format(struct base_buf *buf, const struct gw_talk *talk)
{
    if (talk->has_it) {
        add_id(buf, 'i', talk->it);
        base_buf_add_char(buf, ' ');
    }
    for (size_t i = 0; i < talk->listed_count; i++) {
        add_id(buf, 'l', talk->listed[i]);
        base_buf_add_char(buf, ' ');
    }
    for (size_t i = 0; i < talk->undo_count; i++)
        add_undo(buf, &talk->undo[i]);
    struct base_sv older = talk->older_undo;
    for (size_t i = talk->undo_count; i < GW_UNDO_MAX && older.len; i++) {
        base_buf_add(buf, base_sv_split(&older, ' '));
        base_buf_add_char(buf, ' ');
    }
    if (talk->ask) {
        base_buf_add_char(buf, 'q');
        base_buf_add_int(buf, talk->ask);
        base_buf_add_char(buf, ':');
        base_buf_add(buf, talk->asked_text);
    }
}

void gw_talk_list(struct gw_talk *talk, const struct task *tasks, size_t count)
{
    talk->listed_count = count < GW_LISTED_MAX ? count : GW_LISTED_MAX;
    for (size_t i = 0; i < talk->listed_count; i++)
        talk->listed[i] = tasks[i].id;
    if (count == 1)
        gw_talk_it(talk, tasks[0].id);
}

void gw_talk_it(struct gw_talk *talk, struct base_id id)
{
    talk->has_it = true;
    talk->it = id;
}

void gw_talk_remember(struct gw_talk *talk, struct base_arena *arena,
                      const struct task_change *changes, size_t count)
{
    if (count == 0 || count > GW_UNDO_TASKS_MAX)
        return;
    struct gw_undo undo = {.tasks = base_arena_array(arena, count, sizeof(*undo.tasks)),
                           .count = count};
    if (!undo.tasks)
        return; /* without memory it is only not to be undone */
    for (size_t i = 0; i < count; i++)
        undo.tasks[i] = (struct gw_undo_task){changes[i].after->id, changes[i].after->version,
                                              changes[i].before ? changes[i].before->version : 0};
    if (talk->undo_count < GW_UNDO_MAX)
        talk->undo_count++;
    memmove(&talk->undo[1], &talk->undo[0], (talk->undo_count - 1) * sizeof(talk->undo[0]));
    talk->undo[0] = undo;
}

static struct gw_undo_task *version_in(struct gw_undo *undo, struct base_id id, int32_t version)
{
    for (size_t i = 0; i < undo->count; i++)
        if (base_id_eq(undo->tasks[i].id, id) && undo->tasks[i].version == version)
            return &undo->tasks[i];
    return NULL;
}

void gw_talk_undone(struct gw_talk *talk, const struct task_change *changes, size_t count)
{
    struct gw_undo newest = talk->undo[0];
    gw_talk_forget_newest(talk);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < newest.count; k++) {
            const struct gw_undo_task *was = &newest.tasks[k];
            if (!base_id_eq(was->id, changes[i].after->id))
                continue;
            for (size_t u = 0; u < talk->undo_count; u++) {
                struct gw_undo_task *task = version_in(&talk->undo[u], was->id, was->former);
                if (task)
                    task->version = changes[i].after->version;
            }
        }
}

bool gw_talk_forget_oldest(struct gw_talk *talk)
{
    if (talk->older_undo.len) {
        talk->older_undo = SV_NULL;
        return true;
    }
    if (talk->undo_count == 0)
        return false;
    talk->undo_count--;
    return true;
}

void gw_talk_forget_newest(struct gw_talk *talk)
{
    if (talk->undo_count == 0)
        return;
    talk->undo_count--;
    memmove(&talk->undo[0], &talk->undo[1], talk->undo_count * sizeof(talk->undo[0]));
}
