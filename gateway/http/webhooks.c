/* SPDX-License-Identifier: Apache-2.0 */
/* /webhooks: where a user's events are sent to; todo-bridge sends them. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/asker.h"
#include "gateway/http/change.h"
#include "lib/base/json.h"
#include "tasks/event.h"
#include "tasks/store/webhook.h"

enum { SECRET_BYTES = 24, SECRET_TEXT = 64, TYPES_TEXT = 512, ANSWER_MAX = 64 * 1024 };

struct webhook {
    struct gw_asker by;
    struct base_id id;
    char secret[SECRET_TEXT];
    char types[TYPES_TEXT];
    char url[TASK_HOOK_URL_MAX + 1];
};

static void hook_json(struct base_buf *buf, const struct task_hook *hook)
{
    char id[BASE_ID_TEXT + 1];
    struct base_sv types = hook->types;
    base_id_text(hook->id, id);
    base_json_open(buf, '{');
    base_json_kv_str(buf, "id", base_sv_from(id));
    base_json_kv_str(buf, "url", hook->url);
    base_json_key(buf, "types");
    base_json_open(buf, '[');
    while (types.len)
        base_json_str(buf, base_sv_split(&types, ','));
    base_json_close(buf, ']');
    base_json_kv_opt(buf, "secret", hook->secret);
    base_json_kv_time(buf, "created_at", hook->created_us);
    base_json_kv_int(buf, "delivered", hook->delivered);
    base_json_kv_int(buf, "failures", hook->failures);
    base_json_kv_str(buf, "last_error", hook->last_error);
    base_json_kv_bool(buf, "disabled", hook->disabled);
    base_json_close(buf, '}');
}

/* Listing. */

static void on_hooks(void *ctx, enum base_err err, const struct task_hook *hooks, size_t count)
{
    struct webhook *webhook = ctx;
    struct base_buf buf;
    if (err != BASE_OK) {
        gw_asker_fail(webhook, err, NULL, NULL);
        return;
    }
    base_buf_init(&buf, ANSWER_MAX);
    base_json_open(&buf, '{');
    base_json_key(&buf, "webhooks");
    base_json_open(&buf, '[');
    for (size_t i = 0; i < count; i++)
        hook_json(&buf, &hooks[i]);
    base_json_close(&buf, ']');
    base_json_close(&buf, '}');
    gw_call_json(webhook->by.call, 200, base_buf_sv(&buf), NULL, 0);
    base_buf_done(&buf);
    gw_asker_end(webhook);
}

static void list(void *self)
{
    struct webhook *webhook = self;
    task_store_hooks(webhook->by.call->worker->store, webhook->by.user->id, on_hooks, webhook);
}

void gw_http_webhooks_list(struct gw_call *call)
{
    struct webhook *webhook = gw_asker_new(call, sizeof(struct webhook), list, NULL);
    if (webhook)
        gw_asker_begin(webhook, true);
}

/* Removing. */

static void on_removed(void *ctx, enum base_err err)
{
    struct webhook *webhook = ctx;
    if (err != BASE_OK) {
        gw_asker_fail(webhook, err, NULL,
                      err == BASE_NOT_FOUND ? "there is no such webhook" : NULL);
        return;
    }
    gw_call_json(webhook->by.call, 204, SV_NULL, NULL, 0);
    gw_asker_end(webhook);
}

static void drop(void *self)
{
    struct webhook *webhook = self;
    task_store_hook_remove(webhook->by.call->worker->store, webhook->by.user->id, webhook->id,
                           on_removed, webhook);
}

void gw_http_webhook_remove(struct gw_call *call)
{
    struct base_id id;
    if (!base_id_parse(call->id, &id)) {
        gw_call_problem(call, BASE_NOT_FOUND, NULL, "this is not the id of a webhook");
        return;
    }
    struct webhook *webhook = gw_asker_new(call, sizeof(struct webhook), drop, NULL);
    if (!webhook)
        return;
    webhook->id = id;
    gw_asker_begin(webhook, true);
}

/* Making. */

static struct task_hook hook_of(const struct webhook *webhook)
{
    return (struct task_hook){.id = webhook->id,
                              .url = base_sv_from(webhook->url),
                              .secret = base_sv_from(webhook->secret),
                              .types = base_sv_from(webhook->types),
                              .created_us = gw_now_us(webhook->by.call->worker)};
}

static void on_added(void *ctx, enum base_err err)
{
    struct webhook *webhook = ctx;
    struct base_buf buf;
    if (err != BASE_OK) {
        gw_asker_fail(webhook, err, NULL,
                      err == BASE_CONFLICT ? "a user has at most 10 webhooks" : NULL);
        return;
    }
    struct task_hook hook = hook_of(webhook);
    base_buf_init(&buf, ANSWER_MAX);
    hook_json(&buf, &hook);
    gw_call_json(webhook->by.call, 201, base_buf_sv(&buf), NULL, 0);
    base_buf_done(&buf);
    gw_asker_end(webhook);
}

static void add(void *self)
{
    struct webhook *webhook = self;
    struct task_hook hook = hook_of(webhook);
    task_store_hook_add(webhook->by.call->worker->store, webhook->by.user->id, &hook, on_added,
                        webhook);
}

/* http:// or https://, a host, and printable ASCII only. */
static bool url_valid(struct base_sv url)
{
    size_t scheme = base_sv_starts(url, SV("https://"))  ? 8
                    : base_sv_starts(url, SV("http://")) ? 7
                                                         : 0;
    if (!scheme || url.len <= scheme || url.len > TASK_HOOK_URL_MAX || url.ptr[scheme] == '/')
        return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
            return false;
    return base_sv_find(url, '@') == url.len;
}

/* The names of the events that go to Kafka for everybody else, joined. */
static bool read_types(const json_t *list, char *dst, size_t cap)
{
    size_t i, used = 0;
    const json_t *value;
    if (list && !json_is_array(list))
        return false;
    json_array_foreach(list, i, value)
    {
        struct base_sv name = base_sv(json_string_value(value), json_string_length(value));
        int type = task_event_parse(name);
        if (!type || task_event_topic(type) == TASK_TOPIC_NONE || used + name.len + 2 > cap)
            return false;
        used += (size_t)snprintf(dst + used, cap - used, "%s%.*s", used ? "," : "", SV_FMT(name));
    }
    return true;
}

static const char *read_body(struct webhook *webhook, const json_t *body, const char **ret_why)
{
    const json_t *url = json_object_get(body, "url");
    struct base_sv text = base_sv(json_string_value(url), json_string_length(url));
    *ret_why = "the URL must be http:// or https:// with a host and without a password";
    if (!url_valid(text) || !base_sv_cstr(text, webhook->url, sizeof(webhook->url)))
        return "url";
    *ret_why = "types are names of events such as task.completed or reminder.triggered";
    return read_types(json_object_get(body, "types"), webhook->types, sizeof(webhook->types))
               ? NULL
               : "types";
}

void gw_http_webhooks_make(struct gw_call *call)
{
    unsigned char key[SECRET_BYTES];
    const char *why;
    json_t *body = gw_call_object(call, true);
    struct webhook *webhook = body ? gw_asker_new(call, sizeof(struct webhook), add, NULL) : NULL;
    const char *wrong = webhook ? read_body(webhook, body, &why) : NULL;
    json_decref(body);
    if (!webhook)
        return;
    if (wrong) {
        gw_asker_fail(webhook, BASE_UNPROCESSABLE, wrong, why);
        return;
    }
    webhook->id = base_id_new(gw_now_us(call->worker));
    base_random(key, sizeof(key));
    int used = snprintf(webhook->secret, sizeof(webhook->secret), "whsec_");
    (void)EVP_EncodeBlock((unsigned char *)webhook->secret + used, key, sizeof(key));
    gw_asker_begin(webhook, true);
}
