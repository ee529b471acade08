/* SPDX-License-Identifier: Apache-2.0 */
/* "Set my time zone to Berlin", "quiet hours from 10pm to 7am": settings that are said in chat. */
#include "gateway/dialogue/handler.h"

/* "22:00" of "22:00:00", "2026-11-26T22:00:00". */
static bool minute_of(struct base_sv value, int *ret_minute)
{
    size_t t = base_sv_find(value, 'T');
    if (t < value.len)
        value = base_sv_sub(value, t + 1, value.len);
    return task_time_of_day_parse(base_sv_sub(value, 0, 5), ret_minute);
}

static bool set_zone(struct gw_dialogue *d, struct base_sv value)
{
    d->setting.set = TASK_S_ZONE;
    d->setting.zone = task_zone_of_place(value, d->arena);
    if (!d->setting.zone.len)
        GW_REPLY(d, SAY_ZONE_UNKNOWN, value);
    return d->setting.zone.len > 0;
}

/* A range; anything else means off. */
static bool set_quiet(struct gw_dialogue *d, struct base_sv value)
{
    struct task_quiet *quiet = &d->setting.quiet;
    struct base_sv from = base_sv_split(&value, '/');
    d->setting.set = TASK_S_QUIET;
    if (!minute_of(from, &quiet->from) || !minute_of(value, &quiet->to))
        *quiet = (struct task_quiet){0};
    return true;
}

static bool set_default_time(struct gw_dialogue *d, struct base_sv value)
{
    d->setting.set = TASK_S_DEFAULT_TIME;
    if (minute_of(value, &d->setting.default_minute))
        return true;
    GW_REPLY(d, SAY_SETTING_WHICH);
    return false;
}

static bool set_language(struct gw_dialogue *d, struct base_sv value)
{
    static const char *const german[] = {"german", "deutsch", "de"};
    d->setting.set = TASK_S_LOCALE;
    d->setting.locale = SV("en");
    for (size_t i = 0; i < sizeof(german) / sizeof(german[0]); i++)
        if (base_sv_eq_i(value, base_sv_from(german[i])))
            d->setting.locale = SV("de");
    bool known = d->setting.locale.ptr[0] == 'd' || base_sv_eq_i(value, SV("english")) ||
                 base_sv_eq_i(value, SV("en"));
    if (!known)
        GW_REPLY(d, SAY_SETTING_WHICH);
    return known;
}

static enum gw_step begin(struct gw_dialogue *d)
{
    static const struct {
        const char *name;
        bool (*set)(struct gw_dialogue *d, struct base_sv value); /* false: it has answered */
    } known[] = {{"timezone", set_zone},
                 {"quiet_hours", set_quiet},
                 {"default_time", set_default_time},
                 {"language", set_language}};
    d->setting = (struct task_settings_patch){0};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (base_sv_eq_c(d->command.setting, known[i].name))
            return known[i].set(d, d->command.setting_value) ? GW_SET : GW_ANSWERED;
    GW_REPLY(d, SAY_SETTING_WHICH);
    return GW_ANSWERED;
}

static struct base_sv time_text(struct gw_dialogue *d, int minute)
{
    struct base_buf buf;
    base_buf_init(&buf, 8);
    task_time_of_day_format(&buf, minute);
    struct base_sv text = base_arena_sv(d->arena, base_buf_sv(&buf));
    base_buf_done(&buf);
    return text;
}

static enum gw_step set(struct gw_dialogue *d)
{
    const struct task_settings_patch *setting = &d->setting;
    const struct task_quiet *quiet = &setting->quiet;
    if (setting->set == TASK_S_ZONE) {
        GW_REPLY(d, SAY_ZONE_SET, setting->zone);
    } else if (setting->set == TASK_S_DEFAULT_TIME) {
        GW_REPLY(d, SAY_DEFAULT_TIME_SET, time_text(d, setting->default_minute));
    } else if (setting->set == TASK_S_LOCALE) {
        d->language = gw_language(setting->locale);
        GW_REPLY(d, SAY_LANGUAGE_SET);
    } else if (quiet->from == quiet->to) {
        GW_REPLY(d, SAY_QUIET_OFF);
    } else {
        GW_REPLY(d, SAY_QUIET_SET, time_text(d, quiet->from), time_text(d, quiet->to));
    }
    return GW_ANSWERED;
}

const struct gw_handler gw_settings_handler = {.begin = begin, .set = set};
