/* SPDX-License-Identifier: Apache-2.0 */
/*
 * todo-admin rrule: expands recurrence rules. JSON lines in, JSON lines out, so that the engine can
 * be held against test vectors and a rule that puzzles somebody can be looked at.
 *
 *     {"id","value","dtstart","tzid","rrule","exdate","rdate","limit"}  ->
 * {"id","occurrences","utc"}
 *     {"id","mode","due","tzid","rrule","completed_at_utc"}     ->  {"id","next","next_utc"}
 *
 * What is refused gives {"id","error"}; no occurrence, or none within the cap, gives empty arrays.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/args.h"
#include "admin/command.h"
#include "admin/rrule.h"
#include "lib/base/buf.h"
#include "tasks/recur/policy.h"

enum { OCCURRENCES_MAX = 1000, TIMES_MAX = 1000, OUT_MAX = 1 << 20 };
static const int64_t SECOND_US = 1000000;

/* One line while it is worked on. error stays empty as long as all is well. */
struct request {
    const json_t *line;
    char error[256];
    struct recur_rule rule;
    struct recur_spec spec;
    int64_t exdates[TIMES_MAX], rdates[TIMES_MAX];
};

static bool fail(struct request *request, const char *part, const char *why)
{
    (void)snprintf(request->error, sizeof(request->error), "%s: %s", part, why);
    return false;
}

static bool digits_at(const char *text, int from, int count, int *ret_value)
{
    int64_t value;
    if (!base_sv_int64(base_sv(text + from, (size_t)count), &value) || value < 0)
        return false;
    *ret_value = (int)value;
    return true;
}

/* 20260131, 20260131T180000, 20260131T180000Z; the forms of iCalendar. */
static bool read_time(const char *text, struct time_civil *ret_civil, bool *ret_utc)
{
    int v[6] = {0};
    size_t len = text ? strlen(text) : 0;
    if (len != 8 && len != 15 && !(len == 16 && text[15] == 'Z'))
        return false;
    bool timed = len > 8;
    if (!digits_at(text, 0, 4, &v[0]) || !digits_at(text, 4, 2, &v[1]) ||
        !digits_at(text, 6, 2, &v[2]) ||
        (timed && (text[8] != 'T' || !digits_at(text, 9, 2, &v[3]) ||
                   !digits_at(text, 11, 2, &v[4]) || !digits_at(text, 13, 2, &v[5]))))
        return false;
    struct time_civil civil = {v[0],         (int8_t)v[1], (int8_t)v[2],
                               (int8_t)v[3], (int8_t)v[4], (int8_t)v[5]};
    if (!time_civil_valid(civil))
        return false;
    *ret_civil = civil;
    *ret_utc = len == 16;
    return true;
}

static void write_time(struct base_buf *buf, struct time_civil civil, bool all_day,
                       const char *suffix)
{
    base_buf_addf(buf, "\"%04d%02d%02d", (int)civil.year, civil.month, civil.day);
    if (!all_day)
        base_buf_addf(buf, "T%02d%02d%02d%s", civil.hour, civil.minute, civil.second, suffix);
    base_buf_add_char(buf, '"');
}

/* Dates and floating times are no instants. */
static bool has_instants(const struct request *request)
{
    return request->spec.zone && !request->spec.all_day;
}

static void write_utc(struct base_buf *buf, const struct recur_occurrence *occurrence)
{
    write_time(buf, time_zone_civil(time_zone_utc(), occurrence->at_us), false, "Z");
}

static const char *text_of(const struct request *request, const char *key)
{
    return json_string_value(json_object_get(request->line, key));
}

/* A list of local times (or instants, then as the zone's wall shows them) in ascending order. */
static bool read_times(struct request *request, const char *key, int64_t times[TIMES_MAX],
                       size_t *ret_count)
{
    const json_t *list = json_object_get(request->line, key);
    size_t count = json_array_size(list);
    if (count > TIMES_MAX)
        return fail(request, key, "too many");
    for (size_t i = 0; i < count; i++) {
        struct time_civil at;
        bool utc;
        if (!read_time(json_string_value(json_array_get(list, i)), &at, &utc))
            return fail(request, key, "not a local date or time such as 20260131T180000");
        times[i] = time_civil_seconds(at);
        if (utc && request->spec.zone)
            times[i] =
                time_civil_seconds(time_zone_civil(request->spec.zone, times[i] * SECOND_US));
    }
    *ret_count = recur_times_sort(times, count);
    return true;
}

static bool read_series(struct request *request, const char *start_key, struct recur_set *set)
{
    bool utc;
    struct recur_error error;
    const char *rrule = text_of(request, "rrule");
    const char *zone = text_of(request, "tzid");
    const char *value = text_of(request, "value");
    if (!rrule)
        return fail(request, "rrule", "missing");
    if (recur_rule_parse(base_sv_from(rrule), &request->rule, &error) != BASE_OK)
        return fail(request, error.part, error.why);
    request->spec.rule = &request->rule;
    if (!read_time(text_of(request, start_key), &request->spec.start, &utc))
        return fail(request, start_key, "not a local date or time such as 20260131T180000");
    request->spec.all_day =
        value ? strcmp(value, "DATE") == 0 : strlen(text_of(request, start_key)) == 8;
    if (zone && time_zone_load(base_sv_from(zone), &request->spec.zone) != BASE_OK)
        return fail(request, "tzid", "not a time zone of the database");
    if (utc && !zone)
        request->spec.zone = time_zone_utc();
    if (!read_times(request, "exdate", request->exdates, &request->spec.exdate_count) ||
        !read_times(request, "rdate", request->rdates, &request->spec.rdate_count))
        return false;
    request->spec.exdates = request->exdates;
    request->spec.rdates = request->rdates;
    if (recur_set_init(set, &request->spec) != BASE_OK)
        return fail(request, "FREQ", "an all-day rule cannot step by hours or less");
    return true;
}

static int64_t limit_of(const struct request *request)
{
    const json_t *limit = json_object_get(request->line, "limit");
    if (!limit)
        limit = json_object_get(json_object_get(request->line, "count_or_until"), "limit");
    int64_t value = json_is_integer(limit) ? json_integer_value(limit) : OCCURRENCES_MAX;
    return value < 0 || value > OCCURRENCES_MAX ? OCCURRENCES_MAX : value;
}

static void expand(struct request *request, struct base_buf *out)
{
    struct recur_set set;
    if (!read_series(request, "dtstart", &set))
        return;
    struct base_buf utc;
    base_buf_init(&utc, OUT_MAX);
    struct recur_iter iter;
    struct recur_occurrence occurrence;
    recur_iter_init(&iter, &set, INT64_MIN);
    base_buf_add_c(out, ",\"occurrences\":[");
    for (int64_t i = 0, limit = limit_of(request);
         i < limit && recur_iter_next(&iter, &occurrence) == RECUR_FOUND; i++) {
        if (i)
            base_buf_add_char(out, ',');
        write_time(out, occurrence.wall, request->spec.all_day, "");
        if (!has_instants(request))
            continue;
        if (i)
            base_buf_add_char(&utc, ',');
        write_utc(&utc, &occurrence);
    }
    base_buf_add_c(out, "],\"utc\":[");
    base_buf_add(out, base_buf_sv(&utc));
    base_buf_add_char(out, ']');
    base_buf_done(&utc);
}

static void follow(struct request *request, const char *mode, struct base_buf *out)
{
    struct recur_set set;
    struct time_civil done;
    bool utc;
    bool completion = strcmp(mode, "after_completion") == 0;
    if (!completion && strcmp(mode, "scheduled_catch_up") != 0) {
        (void)fail(request, "mode", "neither after_completion nor scheduled_catch_up");
        return;
    }
    if (!read_series(request, "due", &set))
        return;
    if (!read_time(text_of(request, "completed_at_utc"), &done, &utc) || !utc) {
        (void)fail(request, "completed_at_utc", "not an instant such as 20260131T180000Z");
        return;
    }
    struct recur_occurrence next;
    enum recur_result result =
        recur_policy_next(&set, completion ? RECUR_ANCHOR_COMPLETION : RECUR_ANCHOR_SCHEDULE,
                          request->spec.start, time_civil_seconds(done) * SECOND_US, 1, &next);
    if (result != RECUR_FOUND) {
        base_buf_add_c(out, ",\"next\":null,\"next_utc\":null");
        return;
    }
    base_buf_add_c(out, ",\"next\":");
    write_time(out, next.wall, request->spec.all_day, "");
    base_buf_add_c(out, ",\"next_utc\":");
    if (has_instants(request))
        write_utc(out, &next);
    else
        base_buf_add_c(out, "null");
}

void admin_rrule_line(struct base_sv line, struct base_buf *out)
{
    struct request request = {.error = ""};
    json_error_t json_error;
    json_t *object = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &json_error);
    json_t *answer_id = NULL;
    size_t start = out->len;
    if (json_is_object(object)) {
        request.line = object;
        answer_id = json_object_get(object, "id");
    } else {
        (void)fail(&request, "line", object ? "not a JSON object" : json_error.text);
    }
    char *id = answer_id ? json_dumps(answer_id, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    base_buf_addf(out, "{\"id\":%s", id ? id : "null");
    size_t head = out->len;
    if (request.line) {
        const char *mode = text_of(&request, "mode");
        if (mode)
            follow(&request, mode, out);
        else
            expand(&request, out);
    }
    if (request.error[0]) {
        json_t *text = json_stringn_nocheck(request.error, strlen(request.error));
        char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
        base_buf_truncate(out, head);
        base_buf_addf(out, ",\"error\":%s", quoted ? quoted : "\"refused\"");
        free(quoted);
        json_decref(text);
    }
    base_buf_add_c(out, "}\n");
    if (!base_buf_ok(out))
        base_buf_truncate(out, start);
    free(id);
    json_decref(object);
}

int admin_rrule(int argc, char **argv)
{
    char *line = NULL;
    size_t capacity = 0;
    int status;
    struct base_buf out;
    if (!admin_args_parse(NULL, 0, argc, argv, &status))
        return status;
    base_buf_init(&out, OUT_MAX);
    for (ssize_t n; (n = getline(&line, &capacity, stdin)) >= 0;) {
        base_buf_reset(&out);
        admin_rrule_line(base_sv(line, (size_t)n), &out);
        (void)fwrite(out.data, 1, out.len, stdout);
    }
    bool whole = !ferror(stdin) && fflush(stdout) == 0 && !ferror(stdout);
    free(line);
    base_buf_done(&out);
    return whole ? ADMIN_OK : ADMIN_FAILED;
}
