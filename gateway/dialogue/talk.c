/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation's memory as JSON. */
#include "gateway/dialogue/talk.h"

#include <jansson.h>

#include "lib/base/json.h"

static const char *const ask_names[] = {"", "confirm", "choose", "title", "when", "due"};
_Static_assert(sizeof(ask_names) / sizeof(ask_names[0]) == GW_ASK_COUNT, "a name each");

static bool read_id(const json_t *value, struct base_id *ret_id)
{
    return base_id_parse(base_sv(json_string_value(value), json_string_length(value)), ret_id);
}

static void read_undo(const json_t *list, struct gw_talk *talk)
{
    for (size_t i = 0; i < json_array_size(list) && i < GW_UNDO_MAX; i++) {
        const json_t *turn = json_array_get(list, i);
        struct gw_undo *undo = &talk->undo[talk->undo_count];
        undo->count = 0;
        for (size_t k = 0; k + 2 < json_array_size(turn) && undo->count < GW_UNDO_TASKS_MAX;
             k += 3) {
            if (!read_id(json_array_get(turn, k), &undo->tasks[undo->count].id) ||
                !json_is_integer(json_array_get(turn, k + 1)) ||
                !json_is_integer(json_array_get(turn, k + 2)))
                continue;
            undo->tasks[undo->count].version =
                (int32_t)json_integer_value(json_array_get(turn, k + 1));
            undo->former[undo->count++] = (int32_t)json_integer_value(json_array_get(turn, k + 2));
        }
        if (undo->count)
            talk->undo_count++;
    }
}

static void read_ask(const json_t *root, struct base_arena *arena, struct gw_talk *talk)
{
    const char *name = json_string_value(json_object_get(root, "ask"));
    const json_t *text = json_object_get(root, "text");
    for (int i = 1; name && i < GW_ASK_COUNT; i++)
        if (strcmp(name, ask_names[i]) == 0)
            talk->ask = (enum gw_ask)i;
    talk->asked_text =
        base_arena_sv(arena, base_sv(json_string_value(text), json_string_length(text)));
}

enum base_err gw_talk_parse(struct base_sv state, struct base_arena *arena,
                            struct gw_talk *ret_talk)
{
    struct gw_talk talk = {.undo = base_arena_array(arena, GW_UNDO_MAX, sizeof(struct gw_undo))};
    if (!talk.undo)
        return BASE_NO_MEMORY;
    json_t *root = state.len ? json_loadb(state.ptr, state.len, 0, NULL) : NULL;
    const json_t *listed = json_object_get(root, "listed");
    for (size_t i = 0; i < json_array_size(listed) && talk.listed_count < GW_LISTED_MAX; i++)
        if (read_id(json_array_get(listed, i), &talk.listed[talk.listed_count]))
            talk.listed_count++;
    talk.has_it = read_id(json_object_get(root, "it"), &talk.it);
    read_ask(root, arena, &talk);
    read_undo(json_object_get(root, "undo"), &talk);
    json_decref(root);
    *ret_talk = talk;
    return BASE_OK;
}

static void add_id(struct base_buf *buf, struct base_id id)
{
    char text[BASE_ID_TEXT + 1];
    base_id_text(id, text);
    base_json_str(buf, base_sv_from(text));
}

void gw_talk_format(struct base_buf *buf, const struct gw_talk *talk)
{
    base_json_open(buf, '{');
    if (talk->has_it) {
        base_json_key(buf, "it");
        add_id(buf, talk->it);
    }
    if (talk->listed_count) {
        base_json_key(buf, "listed");
        base_json_open(buf, '[');
        for (size_t i = 0; i < talk->listed_count; i++)
            add_id(buf, talk->listed[i]);
        base_json_close(buf, ']');
    }
    if (talk->ask) {
        base_json_kv_str(buf, "ask", base_sv_from(ask_names[talk->ask]));
        base_json_kv_str(buf, "text", talk->asked_text);
    }
    if (talk->undo_count) {
        base_json_key(buf, "undo");
        base_json_open(buf, '[');
        for (size_t i = 0; i < talk->undo_count; i++) {
            base_json_open(buf, '[');
            for (size_t k = 0; k < talk->undo[i].count; k++) {
                add_id(buf, talk->undo[i].tasks[k].id);
                base_json_int(buf, talk->undo[i].tasks[k].version);
                base_json_int(buf, talk->undo[i].former[k]);
            }
            base_json_close(buf, ']');
        }
        base_json_close(buf, ']');
    }
    base_json_close(buf, '}');
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

void gw_talk_remember(struct gw_talk *talk, const struct task_change *changes, size_t count)
{
    if (count == 0 || count > GW_UNDO_TASKS_MAX)
        return;
    if (talk->undo_count < GW_UNDO_MAX)
        talk->undo_count++;
    memmove(&talk->undo[1], &talk->undo[0], (talk->undo_count - 1) * sizeof(talk->undo[0]));
    talk->undo[0].count = count;
    for (size_t i = 0; i < count; i++) {
        talk->undo[0].tasks[i] =
            (struct task_version){changes[i].after->id, changes[i].after->version};
        talk->undo[0].former[i] = changes[i].before ? changes[i].before->version : 0;
    }
}

static int32_t *version_in(struct gw_undo *undo, struct task_version was)
{
    for (size_t i = 0; i < undo->count; i++)
        if (base_id_eq(undo->tasks[i].id, was.id) && undo->tasks[i].version == was.version)
            return &undo->tasks[i].version;
    return NULL;
}

void gw_talk_undone(struct gw_talk *talk, const struct task_change *changes, size_t count)
{
    struct gw_undo newest = talk->undo[0];
    gw_talk_forget_newest(talk);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < newest.count; k++) {
            struct task_version was = {newest.tasks[k].id, newest.former[k]};
            if (!base_id_eq(was.id, changes[i].after->id))
                continue;
            for (size_t u = 0; u < talk->undo_count; u++) {
                int32_t *version = version_in(&talk->undo[u], was);
                if (version)
                    *version = changes[i].after->version;
            }
        }
}

void gw_talk_forget_newest(struct gw_talk *talk)
{
    if (talk->undo_count == 0)
        return;
    talk->undo_count--;
    memmove(&talk->undo[0], &talk->undo[1], talk->undo_count * sizeof(talk->undo[0]));
}
