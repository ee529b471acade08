/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/recur/pattern.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "tasks/recur/part.h"

enum { DAY_S = 86400 };
static const int64_t SECOND_US = 1000000;

/* By enum recur_freq; only a rule of its own can step by seconds. */
static const char *const frequency_names[RECUR_FREQ_COUNT] = {
    [RECUR_SECONDLY] = "custom", [RECUR_MINUTELY] = "minutely", [RECUR_HOURLY] = "hourly",
    [RECUR_DAILY] = "daily",     [RECUR_WEEKLY] = "weekly",     [RECUR_MONTHLY] = "monthly",
    [RECUR_YEARLY] = "yearly",
};

/* The fields while they are read; parts and has_*: what the fields spoke of. */
struct reader {
    struct base_arena *arena;
    struct recur_pattern pattern;
    struct recur_error *error;
    bool custom, has_frequency, has_interval, has_days, has_week_start, has_ends, has_nth;
    bool parts[RECUR_PART_COUNT];
    struct base_sv rrule;
};

static bool text_value(const json_t *value, struct base_sv *ret_text)
{
    if (!json_is_string(value))
        return false;
    *ret_text = base_sv(json_string_value(value), json_string_length(value));
    return true;
}

static enum base_err malformed(struct reader *reader, const char *field, const char *why)
{
    return recur_error_set(reader->error, BASE_MALFORMED, field, "%s", why);
}

static enum base_err read_frequency(struct reader *reader, const char *field, const json_t *value)
{
    struct base_sv name;
    reader->has_frequency = true;
    for (int i = 0; i < RECUR_FREQ_COUNT && text_value(value, &name); i++)
        if (base_sv_eq_c(name, frequency_names[i])) {
            reader->custom = i == RECUR_SECONDLY;
            if (!reader->custom)
                reader->pattern.rule.freq = (enum recur_freq)i;
            return BASE_OK;
        }
    return malformed(reader, field,
                     "it must be one of minutely, hourly, daily, weekly, monthly, yearly, custom");
}

static enum base_err read_positive(struct reader *reader, const char *field, const json_t *value,
                                   uint32_t *ret_number)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    if (number < 1 || number > INT32_MAX)
        return malformed(reader, field, "it must be a whole number from 1 to 2147483647");
    *ret_number = (uint32_t)number;
    return BASE_OK;
}

static enum base_err read_interval(struct reader *reader, const char *field, const json_t *value)
{
    reader->has_interval = true;
    return read_positive(reader, field, value, &reader->pattern.rule.interval);
}

/* "by_day[2]" */
static const char *element(char text[64], const char *field, size_t index)
{
    (void)snprintf(text, 64, "%.24s[%zu]", field, index);
    return text;
}

static enum base_err read_days(struct reader *reader, const char *field, const json_t *value)
{
    char name[64];
    if (!json_is_array(value))
        return malformed(reader, field, "it must be a list such as [\"MO\", \"-1FR\"]");
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct base_sv day;
        if (!text_value(json_array_get(value, i), &day) ||
            !recur_rule_add_day(&reader->pattern.rule, day))
            return malformed(reader, element(name, field, i),
                             "it must be a weekday such as \"MO\", \"2TU\" or \"-1FR\"");
        reader->has_days = true;
    }
    return BASE_OK;
}

static enum base_err read_numbers(struct reader *reader, int index, const json_t *value)
{
    const struct recur_part *part = &recur_parts[index];
    char name[64];
    if (!json_is_array(value))
        return malformed(reader, part->json_key, "it must be a list of whole numbers");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_integer(item) ||
            !recur_part_add(part, &reader->pattern.rule, json_integer_value(item)))
            return recur_error_set(reader->error, BASE_MALFORMED, element(name, part->json_key, i),
                                   "it must be a whole number from %d to %d%s", part->low,
                                   part->high, part->back_offset ? " or the same negative" : "");
        reader->parts[index] = true;
    }
    return BASE_OK;
}

/* The n-th workdays of the month: positions of a workday rule. */
static enum base_err read_nth(struct reader *reader, const char *field, const json_t *value)
{
    char name[64];
    if (!json_is_array(value) || json_array_size(value) == 0)
        return malformed(reader, field, "it must be a list such as [1, -1]");
    reader->has_nth = true;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        json_int_t n = json_is_integer(item) ? json_integer_value(item) : 0;
        if (n < -23 || n > 23 ||
            !recur_part_add(&recur_parts[RECUR_PART_POSITION], &reader->pattern.rule, n))
            return malformed(reader, element(name, field, i),
                             "it must be a whole number from 1 to 23, or from -1 to -23");
    }
    return BASE_OK;
}

static enum base_err read_unit(struct reader *reader, const char *field, const json_t *value)
{
    struct base_sv unit;
    if (!text_value(value, &unit) || !base_sv_eq(unit, SV("workday")))
        return malformed(reader, field, "the only unit is \"workday\"");
    reader->pattern.rule.workday = true;
    return BASE_OK;
}

static enum base_err read_week_start(struct reader *reader, const char *field, const json_t *value)
{
    struct base_sv day;
    struct recur_rule only = {0};
    if (!text_value(value, &day) || day.len != 2 || !recur_rule_add_day(&only, day))
        return malformed(reader, field, "it must be one of MO, TU, WE, TH, FR, SA, SU");
    reader->pattern.rule.week_start = (int8_t)recur_bits_lowest(only.weekdays);
    reader->has_week_start = true;
    return BASE_OK;
}

/* A date, a local time, or an instant with its offset. */
static bool read_until(struct recur_rule *rule, struct base_sv text)
{
    bool has_time;
    int64_t at_us;
    if (time_civil_parse(text, &rule->until, &has_time)) {
        rule->until_kind = has_time ? RECUR_UNTIL_LOCAL : RECUR_UNTIL_DATE;
        return true;
    }
    if (!base_time_parse(text, &at_us))
        return false;
    rule->until = time_civil_from_seconds(at_us / SECOND_US - (at_us % SECOND_US < 0));
    rule->until_kind = RECUR_UNTIL_UTC;
    return time_civil_valid(rule->until);
}

static enum base_err read_ends(struct reader *reader, const char *field, const json_t *value)
{
    const json_t *count = json_object_get(value, "count");
    const json_t *until = json_object_get(value, "until");
    struct base_sv text;
    if (!json_is_object(value) || json_object_size(value) != 1 || (!count && !until))
        return malformed(reader, field, "it must be {\"count\": n} or {\"until\": date}");
    reader->has_ends = true;
    if (count)
        return read_positive(reader, "ends.count", count, &reader->pattern.rule.count);
    if (!text_value(until, &text) || !read_until(&reader->pattern.rule, text))
        return malformed(reader, "ends.until",
                         "it must be a date that exists, such as \"2026-12-24\", or a time");
    return BASE_OK;
}

/* Dates into *ret_days where they have no time (NULL: a time is needed), others into times. */
static enum base_err read_dates(struct reader *reader, const char *field, const json_t *value,
                                int64_t **ret_times, size_t *ret_time_count, int64_t **ret_days,
                                size_t *ret_day_count)
{
    char name[64];
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > RECUR_EXCEPTIONS_MAX)
        return malformed(reader, field, "it must be a list of at most 1000 dates");
    int64_t *times = base_arena_array(reader->arena, count + 1, sizeof(*times));
    int64_t *days = base_arena_array(reader->arena, count + 1, sizeof(*days));
    if (!times || !days)
        return BASE_NO_MEMORY;
    size_t time_count = 0;
    size_t day_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct base_sv text;
        struct time_civil at;
        bool has_time;
        if (!text_value(json_array_get(value, i), &text) ||
            !time_civil_parse(text, &at, &has_time) || (!has_time && !ret_days))
            return malformed(reader, element(name, field, i),
                             ret_days ? "it must be a local date or time that exists"
                                      : "it must be a local time that exists");
        if (has_time)
            times[time_count++] = time_civil_seconds(at);
        else
            days[day_count++] = time_days_from_civil(at.year, at.month, at.day);
    }
    *ret_times = times;
    *ret_time_count = recur_times_sort(times, time_count);
    if (ret_days) {
        *ret_days = days;
        *ret_day_count = recur_times_sort(days, day_count);
    }
    return BASE_OK;
}

static enum base_err read_exceptions(struct reader *reader, const char *field, const json_t *value)
{
    struct recur_pattern *pattern = &reader->pattern;
    return read_dates(reader, field, value, &pattern->exdates, &pattern->exdate_count,
                      &pattern->exdays, &pattern->exday_count);
}

static enum base_err read_additions(struct reader *reader, const char *field, const json_t *value)
{
    return read_dates(reader, field, value, &reader->pattern.rdates, &reader->pattern.rdate_count,
                      NULL, NULL);
}

static enum base_err read_anchor(struct reader *reader, const char *field, const json_t *value)
{
    struct base_sv anchor;
    if (text_value(value, &anchor)) {
        bool completion = base_sv_eq(anchor, SV("completion"));
        reader->pattern.anchor = completion ? RECUR_ANCHOR_COMPLETION : RECUR_ANCHOR_SCHEDULE;
        if (completion || base_sv_eq(anchor, SV("schedule")))
            return BASE_OK;
    }
    return malformed(reader, field, "it must be schedule or completion");
}

static enum base_err read_rrule(struct reader *reader, const char *field, const json_t *value)
{
    if (text_value(value, &reader->rrule))
        return BASE_OK;
    return malformed(reader, field, "it must be a recurrence rule as text, or null");
}

static const struct {
    const char *key;
    enum base_err (*read)(struct reader *reader, const char *field, const json_t *value);
} fields[] = {
    {"frequency", read_frequency},
    {"interval", read_interval},
    {"by_day", read_days},
    {"week_start", read_week_start},
    {"ends", read_ends},
    {"exceptions", read_exceptions},
    {"additions", read_additions},
    {"anchor", read_anchor},
    {"rrule", read_rrule},
    {"unit", read_unit},
    {"nth", read_nth},
};

static enum base_err read_field(struct reader *reader, const char *key, const json_t *value)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strcmp(key, fields[i].key) == 0)
            return json_is_null(value) ? BASE_OK : fields[i].read(reader, key, value);
    for (int i = 0; i < RECUR_PART_COUNT; i++)
        if (strcmp(key, recur_parts[i].json_key) == 0)
            return json_is_null(value) ? BASE_OK : read_numbers(reader, i, value);
    char name[64];
    (void)snprintf(name, sizeof(name), "%.36s", *key ? key : "recurrence_pattern");
    return malformed(reader, name, *key ? "there is no such field" : "it has a field without name");
}

static bool same_words(const uint64_t *a, const uint64_t *b, int words)
{
    for (int i = 0; i < words; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static bool same_part(const struct recur_part *part, const struct recur_rule *a,
                      const struct recur_rule *b)
{
    int words = part->high > 64 ? RECUR_BITS_WORDS : 1;
    for (int back = 0; back <= (part->back_offset != 0); back++) {
        size_t offset = back ? part->back_offset : part->offset;
        if (!same_words((const uint64_t *)(const void *)((const char *)a + offset),
                        (const uint64_t *)(const void *)((const char *)b + offset), words))
            return false;
    }
    return true;
}

static bool same_days(const struct recur_rule *a, const struct recur_rule *b)
{
    return a->weekdays == b->weekdays && same_words(a->nth, b->nth, 7) &&
           same_words(a->nth_back, b->nth_back, 7);
}

static bool same_end(const struct recur_rule *a, const struct recur_rule *b)
{
    return a->count == b->count && a->until_kind == b->until_kind &&
           time_civil_seconds(a->until) == time_civil_seconds(b->until);
}

/* The first field that says other than the rrule, or NULL. */
static const char *contradiction(const struct reader *reader, const struct recur_rule *from_text)
{
    const struct recur_rule *rule = &reader->pattern.rule;
    bool text_ends = from_text->count || from_text->until_kind != RECUR_UNTIL_NONE;
    const struct {
        bool differs;
        const char *field;
    } checks[] = {
        {rule->workday, "unit"},
        {reader->has_nth, "nth"},
        {!reader->custom && rule->freq != from_text->freq, "frequency"},
        {reader->has_interval && rule->interval != from_text->interval, "interval"},
        {reader->has_days && !same_days(rule, from_text), "by_day"},
        {reader->has_week_start && rule->week_start != from_text->week_start, "week_start"},
        {reader->has_ends && text_ends && !same_end(rule, from_text), "ends"},
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (checks[i].differs)
            return checks[i].field;
    for (int i = 0; i < RECUR_PART_COUNT; i++)
        if (reader->parts[i] && !same_part(&recur_parts[i], rule, from_text))
            return recur_parts[i].json_key;
    return NULL;
}

/* The rrule decides; fields beside it must say the same, but may add the end. */
static enum base_err take_rrule(struct reader *reader)
{
    struct recur_rule *rule = &reader->pattern.rule;
    struct recur_rule from_text;
    struct recur_error inner;
    enum base_err err = recur_rule_parse(reader->rrule, &from_text, &inner);
    if (err)
        return recur_error_set(reader->error, err, "rrule", "%.24s: %.90s", inner.part, inner.why);
    const char *field = contradiction(reader, &from_text);
    if (field)
        return recur_error_set(reader->error, BASE_UNPROCESSABLE, field,
                               "it contradicts the rrule beside it");
    if (reader->has_ends) {
        from_text.count = rule->count;
        from_text.until_kind = rule->until_kind;
        from_text.until = rule->until;
    }
    *rule = from_text;
    return BASE_OK;
}

static const char *json_name_of(const char *rule_part)
{
    for (int i = 0; i < RECUR_PART_COUNT; i++)
        if (strcmp(rule_part, recur_parts[i].name) == 0)
            return recur_parts[i].json_key;
    return strcmp(rule_part, "BYDAY") == 0   ? "by_day"
           : strcmp(rule_part, "COUNT") == 0 ? "ends"
                                             : rule_part;
}

/* Without an rrule the fields are the rule. */
static enum base_err take_fields(struct reader *reader)
{
    struct recur_rule *rule = &reader->pattern.rule;
    struct recur_error inner;
    if (reader->custom && !rule->workday)
        return malformed(reader, "rrule",
                         "a custom frequency needs an rrule, or \"unit\": \"workday\"");
    if (rule->workday && !reader->custom)
        return malformed(reader, "unit", "it needs the frequency custom");
    if (reader->has_nth && !rule->workday)
        return malformed(reader, "nth", "it needs \"unit\": \"workday\"");
    if (rule->workday)
        rule->freq = reader->has_nth ? RECUR_MONTHLY : RECUR_DAILY;
    enum base_err err = recur_rule_check(rule, &inner);
    if (err)
        return recur_error_set(reader->error, err, json_name_of(inner.part), "%s", inner.why);
    return BASE_OK;
}

static enum base_err finish(struct reader *reader)
{
    if (!reader->has_frequency)
        return malformed(reader, "frequency", "it is missing");
    enum base_err err = reader->rrule.ptr ? take_rrule(reader) : take_fields(reader);
    if (err)
        return err;
    if (recur_rule_min_spacing(&reader->pattern.rule) < RECUR_SPACING_MIN_S)
        return recur_error_set(reader->error, BASE_UNPROCESSABLE,
                               reader->rrule.ptr ? "rrule" : "interval",
                               "nothing may recur more often than every 5 minutes");
    return BASE_OK;
}

enum base_err recur_pattern_read(const json_t *json, struct base_arena *arena,
                                 struct recur_pattern *ret_pattern, struct recur_error *ret_error)
{
    struct reader reader = {.arena = arena, .error = ret_error};
    reader.pattern.rule = recur_rule_every(RECUR_DAILY, 1);
    if (!json_is_object(json))
        return malformed(&reader, "recurrence_pattern", "it must be an object");
    const char *key;
    json_t *value;
    /* jansson's iterator takes no const object, but does not change it. */
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        enum base_err err = read_field(&reader, key, value);
        if (err)
            return err;
    }
    enum base_err err = finish(&reader);
    if (err)
        return err;
    *ret_pattern = reader.pattern;
    return BASE_OK;
}

enum base_err recur_pattern_parse(struct base_sv text, struct base_arena *arena,
                                  struct recur_pattern *ret_pattern, struct recur_error *ret_error)
{
    if (text.len > RECUR_PATTERN_TEXT_MAX)
        return recur_error_set(ret_error, BASE_TOO_LARGE, "recurrence_pattern",
                               "it is longer than %d bytes", RECUR_PATTERN_TEXT_MAX);
    json_error_t json_error;
    json_t *json =
        json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &json_error);
    if (!json)
        return recur_error_set(ret_error, BASE_MALFORMED, "recurrence_pattern", "%.100s",
                               json_error.text);
    enum base_err err = recur_pattern_read(json, arena, ret_pattern, ret_error);
    json_decref(json);
    return err;
}

/* --- writing --- */

static void write_number(void *context, int number)
{
    base_json_int(context, number);
}

static void write_day(void *context, struct base_sv text)
{
    base_json_str(context, text);
}

static void write_wall(struct base_buf *buf, int64_t wall_s)
{
    struct base_buf text;
    base_buf_init(&text, 32);
    time_civil_format(&text, time_civil_from_seconds(wall_s));
    base_json_str(buf, base_buf_sv(&text));
    base_buf_done(&text);
}

static void write_ends(struct base_buf *buf, const struct recur_rule *rule)
{
    if (!rule->count && rule->until_kind == RECUR_UNTIL_NONE)
        return;
    base_json_key(buf, "ends");
    base_json_open(buf, '{');
    if (rule->count) {
        base_json_kv_int(buf, "count", rule->count);
    } else {
        struct base_buf text;
        base_buf_init(&text, 32);
        if (rule->until_kind == RECUR_UNTIL_DATE)
            time_date_format(&text, rule->until);
        else
            time_civil_format(&text, rule->until);
        if (rule->until_kind == RECUR_UNTIL_UTC)
            base_buf_add_char(&text, 'Z');
        base_json_kv_str(buf, "until", base_buf_sv(&text));
        base_buf_done(&text);
    }
    base_json_close(buf, '}');
}

static void write_dates(struct base_buf *buf, const struct recur_pattern *pattern)
{
    if (pattern->exdate_count || pattern->exday_count) {
        base_json_key(buf, "exceptions");
        base_json_open(buf, '[');
        for (size_t i = 0; i < pattern->exday_count; i++) {
            struct base_buf text;
            base_buf_init(&text, 32);
            time_date_format(&text, time_civil_from_seconds(pattern->exdays[i] * DAY_S));
            base_json_str(buf, base_buf_sv(&text));
            base_buf_done(&text);
        }
        for (size_t i = 0; i < pattern->exdate_count; i++)
            write_wall(buf, pattern->exdates[i]);
        base_json_close(buf, ']');
    }
    if (pattern->rdate_count) {
        base_json_key(buf, "additions");
        base_json_open(buf, '[');
        for (size_t i = 0; i < pattern->rdate_count; i++)
            write_wall(buf, pattern->rdates[i]);
        base_json_close(buf, ']');
    }
}

static void write_parts(struct base_buf *buf, const struct recur_rule *rule)
{
    struct recur_rule days_only = recur_rule_every(rule->freq, 1);
    days_only.weekdays = rule->weekdays;
    for (int i = 0; i < 7; i++) {
        days_only.nth[i] = rule->nth[i];
        days_only.nth_back[i] = rule->nth_back[i];
    }
    if (recur_rule_has_parts(&days_only)) {
        base_json_key(buf, "by_day");
        base_json_open(buf, '[');
        recur_rule_each_day(rule, write_day, buf);
        base_json_close(buf, ']');
    }
    for (int i = 0; i < RECUR_PART_COUNT; i++) {
        if (!recur_part_given(&recur_parts[i], rule))
            continue;
        base_json_key(buf, rule->workday ? "nth" : recur_parts[i].json_key);
        base_json_open(buf, '[');
        recur_part_each(&recur_parts[i], rule, write_number, buf);
        base_json_close(buf, ']');
    }
}

static void write_rrule(struct base_buf *buf, const struct recur_rule *rule)
{
    base_json_key(buf, "rrule");
    if (!recur_rule_has_text(rule)) {
        base_json_null(buf);
        return;
    }
    struct base_buf text;
    base_buf_init(&text, 2 * RECUR_TEXT_MAX);
    recur_rule_print(&text, rule);
    base_json_str(buf, base_buf_sv(&text));
    base_buf_done(&text);
}

void recur_pattern_write(struct base_buf *buf, const struct recur_pattern *pattern)
{
    static const char day_names[7][3] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    const struct recur_rule *rule = &pattern->rule;
    base_json_open(buf, '{');
    base_json_kv_str(buf, "frequency",
                     base_sv_from(rule->workday ? "custom" : frequency_names[rule->freq]));
    if (rule->workday)
        base_json_kv_str(buf, "unit", SV("workday"));
    base_json_kv_int(buf, "interval", rule->interval);
    write_parts(buf, rule);
    if (rule->week_start != 0)
        base_json_kv_str(buf, "week_start", base_sv(day_names[rule->week_start], 2));
    write_ends(buf, rule);
    write_dates(buf, pattern);
    base_json_kv_str(buf, "anchor",
                     pattern->anchor == RECUR_ANCHOR_COMPLETION ? SV("completion")
                                                                : SV("schedule"));
    write_rrule(buf, rule);
    base_json_close(buf, '}');
}

struct recur_spec recur_pattern_spec(const struct recur_pattern *pattern)
{
    return (struct recur_spec){.rule = &pattern->rule,
                               .exdates = pattern->exdates,
                               .exdate_count = pattern->exdate_count,
                               .exdays = pattern->exdays,
                               .exday_count = pattern->exday_count,
                               .rdates = pattern->rdates,
                               .rdate_count = pattern->rdate_count};
}
