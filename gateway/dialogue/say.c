/* SPDX-License-Identifier: Apache-2.0 */
/* Phrases and times in words. Times are 24-hour in both languages. */
#include "gateway/dialogue/say.h"

static const struct base_sv phrases[SAY_COUNT][GW_LANGUAGE_COUNT] = {
#define X(name, en, de)                                                                            \
    [SAY_##name] = {[GW_EN] = {en, sizeof(en) - 1}, [GW_DE] = {de, sizeof(de) - 1}},
#include "gateway/dialogue/phrases.def"
#undef X
};

static const char *const weekdays[GW_LANGUAGE_COUNT][7] = {
    [GW_EN] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
    [GW_DE] = {"Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"},
};

static const char *const months[GW_LANGUAGE_COUNT][12] = {
    [GW_EN] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
    [GW_DE] = {"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.",
               "Nov.", "Dez."},
};

enum gw_language gw_language(struct base_sv locale)
{
    return locale.len >= 2 && base_sv_eq_i(base_sv_sub(locale, 0, 2), SV("de")) ? GW_DE : GW_EN;
}

struct base_sv gw_phrase(enum gw_language language, enum gw_phrase phrase)
{
    return phrases[phrase][language];
}

void gw_say(struct base_buf *buf, enum gw_language language, enum gw_phrase phrase,
            const struct base_sv *args, size_t count)
{
    struct base_sv text = phrases[phrase][language];
    for (size_t i = 0; i < text.len; i++) {
        bool is_arg = text.ptr[i] == '%' && i + 1 < text.len && text.ptr[i + 1] >= '1' &&
                      text.ptr[i + 1] < '1' + (char)count;
        if (!is_arg) {
            base_buf_add_char(buf, text.ptr[i]);
            continue;
        }
        base_buf_add(buf, args[text.ptr[++i] - '1']);
    }
}

static void say_day(struct base_buf *buf, enum gw_language language, struct time_civil day,
                    struct time_civil today)
{
    int64_t days = time_days_from_civil(day.year, day.month, day.day);
    int64_t away = days - time_days_from_civil(today.year, today.month, today.day);
    if (away >= -1 && away <= 1) {
        static const enum gw_phrase near[] = {SAY_YESTERDAY, SAY_TODAY, SAY_TOMORROW};
        base_buf_add(buf, gw_phrase(language, near[away + 1]));
        return;
    }
    const char *month = months[language][day.month - 1];
    if (day.year == today.year || (away > 0 && away < 180))
        base_buf_addf(buf, "%s ", weekdays[language][time_weekday(days)]);
    base_buf_addf(buf, language == GW_DE ? "%d. %s" : "%d %s", day.day, month);
    if (day.year != today.year)
        base_buf_addf(buf, " %d", (int)day.year);
}

static bool is_close(struct time_civil at, struct time_civil now)
{
    int64_t away = time_civil_seconds(at) - time_civil_seconds(now);
    return away > -120 && away < 120;
}

static void say_local(struct base_buf *buf, enum gw_language language, struct time_civil at,
                      bool has_time, struct time_civil today)
{
    if (!has_time) {
        say_day(buf, language, at, today);
        return;
    }
    struct base_buf day;
    struct base_buf clock;
    base_buf_init(&day, 64);
    base_buf_init(&clock, 16);
    say_day(&day, language, at, today);
    base_buf_addf(&clock, at.second && is_close(at, today) ? "%02d:%02d:%02d" : "%02d:%02d",
                  at.hour, at.minute, at.second);
    GW_SAY(buf, language, SAY_AT, base_buf_sv(&day), base_buf_sv(&clock));
    base_buf_done(&day);
    base_buf_done(&clock);
}

void gw_say_due(struct base_buf *buf, enum gw_language language, const struct task_due *due,
                const struct time_zone *zone, int64_t now_us)
{
    struct time_civil today = time_zone_civil(zone, now_us);
    say_local(buf, language, due->local, due->kind != TASK_DUE_DATE, today);
    if (due->kind == TASK_DUE_ZONED && !base_sv_eq_c(due->zone, time_zone_name(zone)))
        base_buf_addf(buf, " (%.*s)", SV_FMT(due->zone));
}

void gw_say_instant(struct base_buf *buf, enum gw_language language, int64_t at_us,
                    const struct time_zone *zone, int64_t now_us)
{
    say_local(buf, language, time_zone_civil(zone, at_us), true, time_zone_civil(zone, now_us));
}

void gw_say_duration(struct base_buf *buf, enum gw_language language, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *names[GW_LANGUAGE_COUNT];
    } units[] = {{604800, {"wk", "Wo."}},
                 {86400, {"d", "Tg."}},
                 {3600, {"h", "Std."}},
                 {60, {"min", "Min."}},
                 {1, {"s", "s"}}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (seconds % units[i].seconds == 0 || units[i].seconds == 1) {
            base_buf_addf(buf, "%lld %s", (long long)(seconds / units[i].seconds),
                          units[i].names[language]);
            return;
        }
}
