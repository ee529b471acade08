/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is said without touching a task: help, courtesies, questions closed. */
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

const struct gw_handler gw_help_handler = {.begin = help};
const struct gw_handler gw_greet_handler = {.begin = greet};
const struct gw_handler gw_bye_handler = {.begin = bye};
const struct gw_handler gw_thanks_handler = {.begin = thanks};
const struct gw_handler gw_yes_handler = {.begin = yes};
const struct gw_handler gw_no_handler = {.begin = no};
const struct gw_handler gw_unknown_handler = {.begin = unknown};
