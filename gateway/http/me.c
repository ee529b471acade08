/* SPDX-License-Identifier: Apache-2.0 */
/* /me: who one is and what one has set. */
#include <jansson.h>
#include <stdlib.h>

#include "gateway/http/asker.h"
#include "gateway/http/change.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "tasks/settings.h"
#include "tasks/store/record.h"

enum { BODY_ARENA = 64 * 1024, ANSWER_MAX = 4096 };

struct me {
    struct gw_asker by;
    struct base_arena arena; /* of a patch */
    struct task_settings_patch patch;
};

static void end(void *self)
{
    struct me *me = self;
    base_arena_done(&me->arena);
}

static void kv_time(struct base_buf *buf, const char *key, int minute)
{
    struct base_buf text;
    base_buf_init(&text, 8);
    task_time_of_day_format(&text, minute);
    base_json_kv_str(buf, key, base_buf_sv(&text));
    base_buf_done(&text);
}

void gw_me_json(struct base_buf *buf, const struct gw_user *user)
{
    const struct task_quiet *quiet = &user->quiet;
    base_json_open(buf, '{');
    base_json_kv_str(buf, "user", user->id);
    base_json_kv_str(buf, "timezone", base_sv_from(time_zone_name(user->settings.home)));
    base_json_kv_str(buf, "language", base_sv_from(user->locale));
    kv_time(buf, "default_time", user->settings.default_minute % TASK_MINUTES_OF_DAY);
    base_json_key(buf, "quiet_hours");
    if (quiet->from == quiet->to) {
        base_json_null(buf);
    } else {
        base_json_open(buf, '{');
        kv_time(buf, "from", quiet->from);
        kv_time(buf, "to", quiet->to);
        base_json_kv_bool(buf, "urgent_passes", quiet->urgent_passes);
        base_json_close(buf, '}');
    }
    base_json_kv_int(buf, "seq", user->head);
    base_json_close(buf, '}');
}

static void answer(struct me *me)
{
    struct base_buf buf;
    base_buf_init(&buf, ANSWER_MAX);
    gw_me_json(&buf, me->by.user);
    gw_call_json(me->by.call, 200, base_buf_sv(&buf), NULL, 0);
    base_buf_done(&buf);
}

static void show(void *self)
{
    struct me *me = self;
    answer(me);
    gw_asker_end(me);
}

static void on_stored(void *ctx, enum base_err err)
{
    struct me *me = ctx;
    me->by.go = show;
    if (err == BASE_OK)
        gw_asker_begin(me, true);
    else
        gw_asker_fail(me, err, NULL, NULL);
}

static void store(void *self)
{
    struct me *me = self;
    task_store_set_user(me->by.call->worker->store, me->by.user->id, &me->patch, on_stored, me);
}

static struct me *me_new(struct gw_call *call, void (*go)(void *self))
{
    struct me *me = gw_asker_new(call, sizeof(*me), go, end);
    if (me)
        base_arena_init(&me->arena, BODY_ARENA);
    return me;
}

void gw_http_me(struct gw_call *call)
{
    struct me *me = me_new(call, show);
    if (me)
        gw_asker_begin(me, true);
}

/* The body of a patch. */

static enum base_err refuse(struct task_problem *problem, const char *field, const char *text)
{
    *problem = (struct task_problem){field, text};
    return BASE_UNPROCESSABLE;
}

static struct base_sv text_of(const json_t *value)
{
    return base_sv(json_string_value(value), json_string_length(value));
}

static enum base_err read_zone(struct me *me, const json_t *value, struct task_problem *problem)
{
    me->patch.set |= TASK_S_ZONE;
    me->patch.zone = base_arena_sv(&me->arena, text_of(value));
    return json_is_string(value) ? BASE_OK
                                 : refuse(problem, "timezone", "the time zone must be text");
}

static enum base_err read_language(struct me *me, const json_t *value, struct task_problem *problem)
{
    me->patch.set |= TASK_S_LOCALE;
    me->patch.locale = base_arena_sv(&me->arena, text_of(value));
    return json_is_string(value) ? BASE_OK
                                 : refuse(problem, "language", "the language must be text");
}

static enum base_err read_default_time(struct me *me, const json_t *value,
                                       struct task_problem *problem)
{
    me->patch.set |= TASK_S_DEFAULT_TIME;
    return task_time_of_day_parse(text_of(value), &me->patch.default_minute)
               ? BASE_OK
               : refuse(problem, "default_time", "the time must be one of the day, as \"09:00\"");
}

static enum base_err read_quiet(struct me *me, const json_t *value, struct task_problem *problem)
{
    struct task_quiet *quiet = &me->patch.quiet;
    const json_t *urgent = json_object_get(value, "urgent_passes");
    me->patch.set |= TASK_S_QUIET;
    if (json_is_null(value))
        return BASE_OK;
    if (!task_time_of_day_parse(text_of(json_object_get(value, "from")), &quiet->from) ||
        !task_time_of_day_parse(text_of(json_object_get(value, "to")), &quiet->to) ||
        quiet->from == quiet->to || (urgent && !json_is_boolean(urgent)))
        return refuse(problem, "quiet_hours",
                      "quiet hours are null or {\"from\": \"22:00\", \"to\": \"07:00\", "
                      "\"urgent_passes\": false}");
    quiet->urgent_passes = json_is_true(urgent);
    return BASE_OK;
}

static enum base_err read_patch(struct me *me, json_t *body, struct task_problem *problem)
{
    static const struct {
        const char *name;
        enum base_err (*read)(struct me *me, const json_t *value, struct task_problem *problem);
    } fields[] = {{"timezone", read_zone},
                  {"language", read_language},
                  {"default_time", read_default_time},
                  {"quiet_hours", read_quiet}};
    const char *key;
    json_t *value;
    json_object_foreach(body, key, value)
    {
        size_t i = 0;
        while (i < sizeof(fields) / sizeof(fields[0]) && strcmp(fields[i].name, key) != 0)
            i++;
        if (i == sizeof(fields) / sizeof(fields[0]))
            return refuse(problem, NULL,
                          "only timezone, language, default_time and quiet_hours can be set");
        enum base_err err = fields[i].read(me, value, problem);
        if (err != BASE_OK)
            return err;
    }
    return task_settings_check(&me->patch, problem);
}

void gw_http_me_patch(struct gw_call *call)
{
    struct task_problem problem = {NULL, NULL};
    json_t *body = gw_call_object(call, true);
    struct me *me = body ? me_new(call, store) : NULL;
    enum base_err err = me ? read_patch(me, body, &problem) : BASE_OK;
    json_decref(body);
    if (!me)
        return;
    if (err == BASE_OK)
        gw_asker_begin(me, true); /* which makes a user that is new */
    else
        gw_asker_fail(me, err, problem.field, problem.text);
}

/* The receipt of an erased account. */
static void on_erased(void *ctx, enum base_err err, const struct task_erased *erased)
{
    struct me *me = ctx;
    struct base_buf buf;
    me->by.user->loaded = false;
    base_buf_init(&buf, ANSWER_MAX);
    if (err == BASE_OK) {
        base_json_open(&buf, '{');
        base_json_kv_str(&buf, "user", me->by.user->id);
        base_json_kv_time(&buf, "erased_at", gw_now_us(me->by.call->worker));
        base_json_kv_int(&buf, "tasks", erased->tasks);
        base_json_kv_int(&buf, "turns", erased->turns);
        base_json_kv_int(&buf, "events", erased->events);
        base_json_close(&buf, '}');
        gw_call_json(me->by.call, 200, base_buf_sv(&buf), NULL, 0);
        LOG_INFO("user.erased", LOG_SV("user", me->by.user->id), LOG_INT("tasks", erased->tasks));
    } else {
        gw_call_problem(me->by.call, err, NULL, NULL);
    }
    base_buf_done(&buf);
    gw_asker_end(me);
}

static void erase(void *self)
{
    struct me *me = self;
    task_store_erase(me->by.call->worker->store, me->by.user->id, on_erased, me);
}

static void on_revoked(void *ctx, enum base_err err)
{
    struct me *me = ctx;
    me->by.user->loaded = false;
    if (err == BASE_OK)
        gw_call_json(me->by.call, 204, SV_NULL, NULL, 0);
    else
        gw_call_problem(me->by.call, err, NULL, NULL);
    gw_asker_end(me);
}

static void sign_out(void *self)
{
    struct me *me = self;
    task_store_revoke(me->by.call->worker->store, me->by.user->id, on_revoked, me);
}

void gw_http_me_sign_out(struct gw_call *call)
{
    struct me *me = me_new(call, sign_out);
    if (me)
        gw_asker_begin(me, true);
}

void gw_http_me_delete(struct gw_call *call)
{
    if (!base_sv_eq(net_request_arg(call->req, SV("confirm")), call->user_id)) {
        gw_call_problem(call, BASE_PRECONDITION, NULL,
                        "this erases everything: say confirm= with your user id");
        return;
    }
    struct me *me = me_new(call, erase);
    if (me)
        gw_asker_begin(me, true);
}
