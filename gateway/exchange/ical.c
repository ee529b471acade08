/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iCalendar (RFC 5545): the VTODOs of a calendar, one after another. libical reads each; rules are
 * handed on as text, for our own engine. What is written by ical_write.c comes back as it was: the
 * X-TODO properties say what iCalendar cannot.
 */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/exchange/reader.h"

/* A line of the file, without its end; ptr NULL behind the last. */
static struct base_sv line_at(const struct gw_reader *reader, size_t at)
{
    if (at >= reader->text.len)
        return SV_NULL;
    struct base_sv rest = base_sv_sub(reader->text, at, reader->text.len);
    return base_sv_sub(rest, 0, base_sv_find(rest, '\n'));
}

static bool is_line(struct base_sv line, const char *text)
{
    return base_sv_eq_i(base_sv_trim(line), base_sv_from(text));
}

/* The text of the next VTODO; NOT_FOUND behind the last. */
static enum base_err next_todo(struct gw_reader *reader, struct base_sv *ret_text, size_t *ret_line)
{
    size_t begin = 0;
    bool inside = false;
    for (struct base_sv line; (line = line_at(reader, reader->at)).ptr;) {
        size_t start = reader->at;
        size_t end = start + line.len + 1;
        if (!reader->begun && line.len && !is_line(line, "BEGIN:VCALENDAR"))
            return gw_reader_fail(reader, reader->line, "this is no iCalendar file");
        reader->begun = reader->begun || line.len;
        if (is_line(line, "BEGIN:VTODO")) {
            inside = true;
            begin = start;
            *ret_line = reader->line;
        }
        gw_reader_move(reader, end < reader->text.len ? end : reader->text.len);
        if (!inside || !is_line(line, "END:VTODO"))
            continue;
        *ret_text = base_sv_sub(reader->text, begin, reader->at);
        return ret_text->len <= GW_ITEM_MAX
                   ? BASE_OK
                   : gw_reader_fail(reader, *ret_line, "this VTODO is larger than 256 KiB");
    }
    return inside ? gw_reader_fail(reader, *ret_line, "this VTODO has no end") : BASE_NOT_FOUND;
}

static icalproperty *first(icalcomponent *todo, icalproperty_kind kind)
{
    return icalcomponent_get_first_property(todo, kind);
}

static void set_text(json_t *fields, const char *key, const char *text)
{
    if (text && *text)
        (void)json_object_set_new(fields, key, json_string(text));
}

/* "20350101", "20350101T090000" or with a Z, as the API writes it; false: something else. */
static bool read_when(struct base_sv text, char dst[32], bool *ret_utc)
{
    bool day_only = text.len == 8;
    *ret_utc = text.len == 16 && text.ptr[15] == 'Z';
    if (!day_only && !((text.len == 15 || *ret_utc) && text.ptr[8] == 'T'))
        return false;
    for (size_t i = 0; i < 15 && i < text.len; i++)
        if (i != 8 && (text.ptr[i] < '0' || text.ptr[i] > '9'))
            return false;
    const char *p = text.ptr;
    (void)snprintf(dst, 32, "%.4s-%.2s-%.2s", p, p + 4, p + 6);
    if (!day_only)
        (void)snprintf(dst + 10, 22, "T%.2s:%.2s:%.2s", p + 9, p + 11, p + 13);
    return true;
}

/* "/some.vendor/Europe/Berlin" is Europe/Berlin. */
static const char *zone_name(const char *tzid)
{
    const char *name = tzid;
    if (*tzid != '/')
        return tzid;
    int slashes = 0;
    for (const char *p = tzid + strlen(tzid); p > tzid && slashes < 2; p--)
        if (p[-1] == '/' && ++slashes <= 2)
            name = p;
    return name;
}

/* A DUE or DTSTART; the zone goes beside it. */
static bool add_when(json_t *fields, icalproperty *property, char dst[32])
{
    bool utc;
    char *text = icalproperty_get_value_as_string_r(property);
    bool ok = text && read_when(base_sv_from(text), dst, &utc);
    const char *tzid = icalproperty_get_parameter_as_string(property, "TZID");
    free(text);
    if (!ok)
        return false;
    if (utc || tzid)
        (void)json_object_set_new(fields, "timezone", json_string(utc ? "UTC" : zone_name(tzid)));
    return true;
}

static bool add_due(struct gw_item *item, icalcomponent *todo, bool recurs)
{
    char due[32] = "", start[32] = "";
    icalproperty *due_property = first(todo, ICAL_DUE_PROPERTY);
    icalproperty *start_property = first(todo, ICAL_DTSTART_PROPERTY);
    if (start_property && (recurs || !due_property) &&
        !add_when(item->fields, start_property, start))
        return false;
    if (due_property && !add_when(item->fields, due_property, due))
        return false;
    if (start[0] && due[0])
        (void)snprintf(item->due, sizeof(item->due), "%s", due);
    set_text(item->fields, "due_date", start[0] ? start : due);
    return true;
}

static void add_times(json_t *list, icalcomponent *todo, icalproperty_kind kind)
{
    for (icalproperty *p = first(todo, kind); p; p = icalcomponent_get_next_property(todo, kind)) {
        char *text = icalproperty_get_value_as_string_r(p);
        struct base_sv rest = base_sv_from(text ? text : "");
        while (rest.len) {
            char when[32];
            bool utc;
            if (read_when(base_sv_split(&rest, ','), when, &utc))
                (void)json_array_append_new(list, json_string(when));
        }
        free(text);
    }
}

static json_t *x_json(icalcomponent *component, const char *name, char **ret_text)
{
    for (icalproperty *p = first(component, ICAL_X_PROPERTY); p;
         p = icalcomponent_get_next_property(component, ICAL_X_PROPERTY)) {
        if (strcmp(icalproperty_get_x_name(p), name) != 0)
            continue;
        const char *text = icalproperty_get_x(p);
        if (ret_text)
            *ret_text = strdup(text ? text : "");
        return text && !ret_text ? json_loads(text, 0, NULL) : NULL;
    }
    return NULL;
}

static bool add_recurrence(json_t *fields, icalcomponent *todo)
{
    icalproperty *rule = first(todo, ICAL_RRULE_PROPERTY);
    json_t *ours = x_json(todo, "X-TODO-RECURRENCE", NULL);
    if (ours) {
        (void)json_object_set_new(fields, "recurrence_pattern", ours);
        return true;
    }
    if (!rule)
        return false;
    char *text = icalproperty_get_value_as_string_r(rule);
    json_t *pattern = json_pack("{s:s,s:s,s:[],s:[]}", "frequency", "custom", "rrule",
                                text ? text : "", "exceptions", "additions");
    add_times(json_object_get(pattern, "exceptions"), todo, ICAL_EXDATE_PROPERTY);
    add_times(json_object_get(pattern, "additions"), todo, ICAL_RDATE_PROPERTY);
    (void)json_object_set_new(fields, "recurrence_pattern", pattern);
    free(text);
    return true;
}

/* An alarm before the due time, or at an instant; one behind it has no place with us. */
static void add_alarm(json_t *reminders, icalcomponent *alarm)
{
    char when[32];
    bool utc;
    int64_t minutes;
    char *nag = NULL;
    icalproperty *trigger = first(alarm, ICAL_TRIGGER_PROPERTY);
    char *text = trigger ? icalproperty_get_value_as_string_r(trigger) : NULL;
    json_t *reminder = json_object();
    if (text && read_when(base_sv_from(text), when, &utc) && utc) {
        char instant[40];
        (void)snprintf(instant, sizeof(instant), "%sZ", when);
        set_text(reminder, "at", instant);
    } else if (text && text[0] == '-') {
        set_text(reminder, "before", text + 1);
    } else if (text && (strcmp(text, "PT0S") == 0 || strcmp(text, "P0D") == 0)) {
        set_text(reminder, "before", "PT0S");
    }
    (void)x_json(alarm, "X-TODO-NAG", &nag);
    if (nag && base_sv_int64(base_sv_from(nag), &minutes))
        (void)json_object_set_new(reminder, "nag_minutes", json_integer(minutes));
    if (json_object_get(reminder, "at") || json_object_get(reminder, "before"))
        (void)json_array_append(reminders, reminder);
    json_decref(reminder);
    free(nag);
    free(text);
}

static void add_reminders(json_t *fields, icalcomponent *todo)
{
    json_t *reminders = json_array();
    for (icalcomponent *alarm = icalcomponent_get_first_component(todo, ICAL_VALARM_COMPONENT);
         alarm; alarm = icalcomponent_get_next_component(todo, ICAL_VALARM_COMPONENT))
        add_alarm(reminders, alarm);
    if (json_array_size(reminders))
        (void)json_object_set(fields, "reminders", reminders);
    json_decref(reminders);
}

static void add_tags(json_t *fields, icalcomponent *todo)
{
    json_t *tags = json_array();
    for (icalproperty *p = first(todo, ICAL_CATEGORIES_PROPERTY); p;
         p = icalcomponent_get_next_property(todo, ICAL_CATEGORIES_PROPERTY)) {
        const char *text = icalproperty_get_categories(p);
        struct base_sv rest = base_sv_from(text ? text : "");
        while (rest.len) {
            struct base_sv tag = base_sv_trim(base_sv_split(&rest, ','));
            if (tag.len)
                (void)json_array_append_new(tags, json_stringn(tag.ptr, tag.len));
        }
    }
    (void)json_object_set_new(fields, "tags", tags);
}

/* RFC 5545 3.8.1.9: 1 is the highest, 0 is none. */
static void add_priority(json_t *fields, icalcomponent *todo)
{
    icalproperty *property = first(todo, ICAL_PRIORITY_PROPERTY);
    int theirs = property ? icalproperty_get_priority(property) : 0;
    if (theirs < 1 || theirs > 9)
        return;
    int ours = theirs <= 2 ? 4 : theirs <= 4 ? 3 : theirs <= 6 ? 2 : 1;
    (void)json_object_set_new(fields, "priority", json_integer(ours));
}

static int64_t instant_of(icalcomponent *todo, icalproperty_kind kind)
{
    icalproperty *property = first(todo, kind);
    char *text = property ? icalproperty_get_value_as_string_r(property) : NULL;
    struct icaltimetype time = icaltime_from_string(text ? text : "");
    free(text);
    if (icaltime_is_null_time(time))
        return 0;
    return (int64_t)icaltime_as_timet(time) * 1000000;
}

/* libical leaves out a property that it cannot read and says so. Most do not matter. */
static const char *wrong_property(icalcomponent *component)
{
    static const char *const needed[] = {"DUE", "DTSTART", "RRULE", "EXDATE", "TRIGGER"};
    for (icalproperty *p = first(component, ICAL_XLICERROR_PROPERTY); p;
         p = icalcomponent_get_next_property(component, ICAL_XLICERROR_PROPERTY))
        for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
            if (strstr(icalproperty_get_xlicerror(p), needed[i]))
                return needed[i];
    icalcomponent *inner = icalcomponent_get_first_component(component, ICAL_VALARM_COMPONENT);
    for (; inner; inner = icalcomponent_get_next_component(component, ICAL_VALARM_COMPONENT)) {
        const char *wrong = wrong_property(inner);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static enum base_err read_todo(struct gw_reader *reader, icalcomponent *todo, struct gw_item *item)
{
    const char *uid = icalcomponent_get_uid(todo);
    char *project = NULL;
    icalproperty *status = first(todo, ICAL_STATUS_PROPERTY);
    icalproperty_status is = status ? icalproperty_get_status(status) : ICAL_STATUS_NONE;
    const char *wrong = wrong_property(todo);
    item->fields = json_object();
    if (wrong) {
        char why[64];
        (void)snprintf(why, sizeof(why), "%s cannot be read", wrong);
        return gw_reader_fail(reader, item->line, why);
    }
    if (uid && !base_sv_cstr(base_sv_from(uid), item->uid, sizeof(item->uid)))
        return gw_reader_fail(reader, item->line, "the UID is longer than 255 bytes");
    item->done = is == ICAL_STATUS_COMPLETED || is == ICAL_STATUS_CANCELLED ||
                 first(todo, ICAL_COMPLETED_PROPERTY);
    item->completed_us = instant_of(todo, ICAL_COMPLETED_PROPERTY);
    item->created_us = instant_of(todo, ICAL_CREATED_PROPERTY);
    set_text(item->fields, "title", icalcomponent_get_summary(todo));
    set_text(item->fields, "notes", icalcomponent_get_description(todo));
    (void)x_json(todo, "X-TODO-PROJECT", &project);
    set_text(item->fields, "project", project);
    free(project);
    add_priority(item->fields, todo);
    add_tags(item->fields, todo);
    add_reminders(item->fields, todo);
    if (!add_due(item, todo, add_recurrence(item->fields, todo)))
        return gw_reader_fail(reader, item->line, "DUE or DTSTART is not a date or time");
    return BASE_OK;
}

enum base_err gw_ical_next(struct gw_reader *reader, struct gw_item *ret_item)
{
    struct base_sv text = SV_NULL;
    enum base_err err;
    bool skipped;
    do {
        skipped = false;
        err = next_todo(reader, &text, &ret_item->line);
        if (err != BASE_OK)
            break;
        char *copy = text.ptr ? strndup(text.ptr, text.len) : NULL;
        icalcomponent *todo = copy ? icalparser_parse_string(copy) : NULL;
        if (!copy)
            err = BASE_NO_MEMORY;
        else if (!todo || icalcomponent_isa(todo) != ICAL_VTODO_COMPONENT)
            err = gw_reader_fail(reader, ret_item->line, "this VTODO cannot be read");
        else if (first(todo, ICAL_RECURRENCEID_PROPERTY))
            skipped = true; /* one occurrence of a series that is there itself */
        else
            err = read_todo(reader, todo, ret_item);
        if (todo)
            icalcomponent_free(todo);
        free(copy);
    } while (skipped);
    return err;
}
