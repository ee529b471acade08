/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is said without touching a task: help, courtesies, questions closed, settings. */
#include "gateway/dialogue/handler.h"

static enum gw_step help(struct gw_dialogue *d)
{
    GW_REPLY(d, SAY_HELP);
    gw_suggest_text(d, SAY_LABEL_TODAY, gw_phrase(d->language, SAY_LABEL_TODAY));
    return GW_ANSWERED;
}

static enum gw_step greet(struct gw_dialogue *d)
{
    GW_REPLY(d, SAY_GREET);
    gw_suggest_text(d, SAY_LABEL_TODAY, gw_phrase(d->language, SAY_LABEL_TODAY));
    return GW_ANSWERED;
}

static enum gw_step bye(struct gw_dialogue *d)
{
    GW_REPLY(d, SAY_BYE);
    return GW_ANSWERED;
}

static enum gw_step thanks(struct gw_dialogue *d)
{
    GW_REPLY(d, SAY_THANKS);
    return GW_ANSWERED;
}

static enum gw_step yes(struct gw_dialogue *d)
{
    GW_REPLY(d, SAY_NOTHING_PENDING);
    return GW_ANSWERED;
}

static enum gw_step no(struct gw_dialogue *d)
{
    GW_REPLY(d, d->talk.ask == GW_ASK_NOTHING ? SAY_NOTHING_PENDING : SAY_CANCELLED);
    d->talk.ask = GW_ASK_NOTHING;
    return GW_ANSWERED;
}

static enum gw_step unknown(struct gw_dialogue *d)
{
    GW_REPLY(d, SAY_NOT_UNDERSTOOD);
    return GW_ANSWERED;
}

static enum gw_step settings(struct gw_dialogue *d)
{
    GW_REPLY(d, SAY_SETTING_LATER);
    return GW_ANSWERED;
}

/* Why a reminder did or did not come: what is waiting for the task. */
static enum gw_step why_found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    int64_t at;
    if (count == 0) {
        GW_REPLY(d, SAY_NOT_FOUND_IT);
    } else if (task_next_reminder(&tasks[0], d->ctx.now_us, &at)) {
        struct base_buf when;
        base_buf_init(&when, 128);
        gw_say_instant(&when, d->language, at, d->zone, d->ctx.now_us);
        GW_REPLY(d, SAY_WHY_WAITING, tasks[0].title, base_buf_sv(&when));
        base_buf_done(&when);
    } else {
        GW_REPLY(d, SAY_WHY_NONE, tasks[0].title);
    }
    return GW_ANSWERED;
}

const struct gw_handler gw_help_handler = {.begin = help};
const struct gw_handler gw_greet_handler = {.begin = greet};
const struct gw_handler gw_bye_handler = {.begin = bye};
const struct gw_handler gw_thanks_handler = {.begin = thanks};
const struct gw_handler gw_yes_handler = {.begin = yes};
const struct gw_handler gw_no_handler = {.begin = no};
const struct gw_handler gw_unknown_handler = {.begin = unknown};
const struct gw_handler gw_settings_handler = {.begin = settings};
const struct gw_handler gw_why_handler = {.begin = gw_target_begin, .found = why_found};
