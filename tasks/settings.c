/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/settings.h"

static enum base_err problem(struct task_problem *ret_problem, const char *field, const char *text)
{
    *ret_problem = (struct task_problem){field, text};
    return BASE_UNPROCESSABLE;
}

static bool is_minute(int minute)
{
    return minute >= 0 && minute < TASK_MINUTES_OF_DAY;
}

enum base_err task_settings_check(const struct task_settings_patch *patch,
                                  struct task_problem *ret_problem)
{
    const struct time_zone *zone;
    if ((patch->set & TASK_S_ZONE) && time_zone_load(patch->zone, &zone) != BASE_OK)
        return problem(ret_problem, "timezone",
                       "this time zone is not known (use an IANA name such as Europe/Berlin)");
    if ((patch->set & TASK_S_LOCALE) && !base_sv_eq_c(patch->locale, "en") &&
        !base_sv_eq_c(patch->locale, "de"))
        return problem(ret_problem, "language", "the language must be en or de");
    if ((patch->set & TASK_S_DEFAULT_TIME) && !is_minute(patch->default_minute))
        return problem(ret_problem, "default_time", "the time must be one of the day, as 09:00");
    if ((patch->set & TASK_S_QUIET) &&
        (!is_minute(patch->quiet.from) || !is_minute(patch->quiet.to)))
        return problem(ret_problem, "quiet_hours",
                       "from and to must be times of the day, as 22:00");
    return BASE_OK;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : -TASK_MINUTES_OF_DAY;
}

bool task_time_of_day_parse(struct base_sv text, int *ret_minute)
{
    const char *t = text.ptr;
    if (text.len != 5 || t[2] != ':')
        return false;
    int hour = digit(t[0]) * 10 + digit(t[1]);
    int minute = digit(t[3]) * 10 + digit(t[4]);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *ret_minute = hour * 60 + minute;
    return true;
}

void task_time_of_day_format(struct base_buf *buf, int minute)
{
    base_buf_addf(buf, "%02d:%02d", minute / 60, minute % 60);
}

/* "new york" → "New_York": how the database spells cities. */
static void add_city(struct base_buf *buf, struct base_sv place)
{
    bool begins = true;
    for (size_t i = 0; i < place.len; i++) {
        char c = place.ptr[i];
        bool lower = c >= 'a' && c <= 'z';
        base_buf_add_char(buf, c == ' ' ? '_' : (begins && lower) ? (char)(c - 0x20) : c);
        begins = c == ' ' || c == '-' || c == '_';
    }
}

struct base_sv task_zone_of_place(struct base_sv place, struct base_arena *arena)
{
    static const char *const regions[] = {"",         "Europe/",   "America/",
                                          "Asia/",    "Africa/",   "Australia/",
                                          "Pacific/", "Atlantic/", "Indian/"};
    const struct time_zone *zone;
    struct base_sv found = SV_NULL;
    struct base_buf name;
    base_buf_init(&name, 128);
    if (time_zone_load(place, &zone) == BASE_OK)
        found = base_arena_sv(arena, place);
    for (size_t i = 0; !found.len && i < sizeof(regions) / sizeof(regions[0]); i++) {
        base_buf_reset(&name);
        base_buf_add_c(&name, regions[i]);
        add_city(&name, base_sv_trim(place));
        if (base_buf_ok(&name) && time_zone_load(base_buf_sv(&name), &zone) == BASE_OK)
            found = base_arena_sv(arena, base_buf_sv(&name));
    }
    base_buf_done(&name);
    return found;
}
