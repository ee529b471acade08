/* SPDX-License-Identifier: Apache-2.0 */
/* One input line. A missing reference means now, a missing zone UTC. */
#include <jansson.h>
#include <time.h>

#include "nlu/tool/tool.h"

static struct base_sv string_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_string(value) ? base_sv(json_string_value(value), json_string_length(value))
                                 : SV_NULL;
}

static int64_t fraction_us(struct base_sv text)
{
    size_t dot = base_sv_find(text, '.');
    int64_t us = 0, scale = 100000;
    for (size_t i = dot + 1; i < text.len && scale > 0; i++, scale /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            break;
        us += (text.ptr[i] - '0') * scale;
    }
    return us;
}

static const char *read_object(json_t *object, struct base_arena *arena,
                               struct nlu_input *ret_input)
{
    json_t *text = json_object_get(object, "text");
    if (!json_is_string(text))
        return "\"text\" is missing";
    ret_input->text = base_arena_sv(arena, string_of(object, "text"));
    ret_input->locale = base_arena_sv(arena, string_of(object, "locale"));
    struct base_sv zone = string_of(object, "timezone"), reference = string_of(object, "reference");
    ret_input->zone = time_zone_utc();
    if (zone.len && time_zone_load(zone, &ret_input->zone) != BASE_OK)
        return "\"timezone\" is no zone of the database";
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    ret_input->now_us = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
    struct time_civil civil;
    bool has_time;
    if (reference.len) {
        if (!time_civil_parse(reference, &civil, &has_time))
            return "\"reference\" is no local ISO 8601 time";
        ret_input->now_us =
            time_zone_instant(ret_input->zone, civil, NULL) + fraction_us(reference);
    }
    return ret_input->text.ptr ? NULL : "too long";
}

bool tool_input_read(const char *line, struct base_arena *arena, struct nlu_input *ret_input,
                     const char **ret_error)
{
    json_error_t error;
    json_t *object = json_loads(line, 0, &error);
    struct nlu_input input = {0};
    *ret_error = object ? read_object(object, arena, &input) : "not a JSON object";
    json_decref(object);
    if (*ret_error)
        return false;
    *ret_input = input;
    return true;
}
