/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about connections that come and go, and how often about events. */
#include "bridge/part.h"
#include "lib/base/metrics.h"

void bridge_link_set(struct bridge_link *link, bool up, const char *why)
{
    bool changed = !link->was_told || link->up != up;
    struct base_sv text = base_sv_trim(base_sv_from(why));
    (void)base_sv_cstr(base_sv_sub(text, 0, sizeof(link->why) - 1), link->why, sizeof(link->why));
    link->up = up;
    link->was_told = true;
    if (!up)
        base_metric_add(BASE_M_BRIDGE_LOST, link->peer, 1);
    if (up && why)
        LOG_ERROR("bridge.statement_failed", LOG_STR("peer", link->name),
                  LOG_STR("why", link->why));
    else if (up)
        LOG_INFO("bridge.connected", LOG_STR("peer", link->name));
    else if (changed)
        LOG_WARN("bridge.disconnected", LOG_STR("peer", link->name), LOG_STR("why", link->why));
    else
        LOG_DEBUG("bridge.retrying", LOG_STR("peer", link->name), LOG_STR("why", link->why));
}

enum { LINES_A_SECOND = 50 };

enum base_log_level bridge_log_level(struct bridge_log_budget *budget, int64_t now_us)
{
    if (now_us >= budget->until_us)
        *budget = (struct bridge_log_budget){.until_us = now_us + 1000000};
    return budget->used++ < LINES_A_SECOND ? BASE_LOG_INFO : BASE_LOG_DEBUG;
}
