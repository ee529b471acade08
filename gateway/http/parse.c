/* SPDX-License-Identifier: Apache-2.0 */
/* /parse: what would be understood of a line, with nothing stored. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/dialogue/dialogue.h"
#include "gateway/http/change.h"
#include "gateway/hub/hub.h"
#include "gateway/rules.h"
#include "lib/base/json.h"

enum { ANSWER_MAX = 256 * 1024, ARENA_MAX = 1024 * 1024 };

static void when_json(struct base_buf *buf, const char *key, const struct nlu_when *when)
{
    struct base_buf text;
    if (!when->set)
        return;
    base_buf_init(&text, 64);
    if (when->has_time)
        time_civil_format(&text, when->at);
    else
        time_date_format(&text, when->at);
    base_json_kv_str(buf, key, base_buf_sv(&text));
    base_buf_done(&text);
}

static void command_json(struct base_buf *buf, const struct nlu_command *command)
{
    const struct nlu_fields *fields = &command->fields;
    base_json_open(buf, '{');
    base_json_kv_str(buf, "intent", base_sv_from(nlu_intent_name(command->intent)));
    base_json_kv_int(buf, "confidence_percent", (int64_t)(command->confidence * 100));
    base_json_kv_opt(buf, "title", fields->title);
    when_json(buf, "due_date", &fields->due);
    base_json_kv_opt(buf, "timezone", fields->due.zone);
    base_json_kv_opt(buf, "rrule", fields->rrule);
    if (fields->priority > 0)
        base_json_kv_int(buf, "priority", fields->priority);
    if (fields->tag_count) {
        base_json_key(buf, "tags");
        base_json_open(buf, '[');
        for (size_t i = 0; i < fields->tag_count; i++)
            base_json_str(buf, fields->tags[i]);
        base_json_close(buf, ']');
    }
    base_json_kv_opt(buf, "project", fields->project);
    base_json_kv_opt(buf, "notes", fields->notes);
    base_json_close(buf, '}');
}

static void result_json(struct base_buf *buf, const struct nlu_result *result)
{
    base_json_open(buf, '{');
    base_json_key(buf, "commands");
    base_json_open(buf, '[');
    for (size_t i = 0; i < result->command_count; i++)
        command_json(buf, &result->commands[i]);
    base_json_close(buf, ']');
    gw_understood_json(result, buf);
    base_json_close(buf, '}');
}

static struct base_sv text_of(const json_t *body, const char *key)
{
    const json_t *value = json_object_get(body, key);
    return base_sv(json_string_value(value), json_string_length(value));
}

static void parse(struct gw_call *call, const json_t *body)
{
    struct nlu_input input = {.text = text_of(body, "text"),
                              .now_us = gw_now_us(call->worker),
                              .zone = time_zone_utc(),
                              .locale = text_of(body, "locale")};
    struct base_sv zone = text_of(body, "timezone");
    struct base_arena arena;
    struct nlu_result result;
    struct base_buf buf;
    if (input.locale.len && !base_sv_eq_c(input.locale, "en") &&
        !base_sv_eq_c(input.locale, "de")) {
        gw_call_problem(call, BASE_UNPROCESSABLE, "locale", "the language is en or de");
        return;
    }
    if (zone.len && time_zone_load(zone, &input.zone) != BASE_OK) {
        gw_call_problem(call, BASE_UNPROCESSABLE, "timezone", "this time zone is not known");
        return;
    }
    base_arena_init(&arena, ARENA_MAX);
    base_buf_init(&buf, ANSWER_MAX);
    enum base_err err = input.text.len
                            ? nlu_parse(call->worker->parser->nlu, call->worker->parser->scratch,
                                        &input, &arena, &result)
                            : BASE_UNPROCESSABLE;
    if (err == BASE_OK) {
        result_json(&buf, &result);
        gw_call_json(call, 200, base_buf_sv(&buf), NULL, 0);
    } else {
        gw_call_problem(call, err, "text",
                        "\"text\" is what to understand: 1 to 4096 bytes of UTF-8");
    }
    base_buf_done(&buf);
    base_arena_done(&arena);
}

void gw_http_parse(struct gw_call *call)
{
    json_t *body = gw_call_object(call, true);
    if (body)
        parse(call, body);
    json_decref(body);
}
