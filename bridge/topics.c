/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/topics.h"

#include "bridge/bus/bus.h"
#include "lib/auth/names.h"
#include "tasks/event.h"

const char *const bridge_topic_names[BRIDGE_TOPIC_COUNT] = {BUS_TOPIC_UPDATES, BUS_TOPIC_TASKS,
                                                            BUS_TOPIC_REMINDERS};
const char *const bridge_mqtt_names[BRIDGE_MQTT_COUNT] = {"updates", "reminders"};

/* A reminder a day old helps nobody; other events are kept for replay as long as a client may be
 * away. */
static const int64_t useful_s[BRIDGE_MQTT_COUNT] = {7 * 86400, 86400};

enum bridge_topic bridge_topic_of(int event_type)
{
    static const enum bridge_topic topics[] = {[TASK_TOPIC_NONE] = BRIDGE_TOPIC_UPDATES,
                                               [TASK_TOPIC_TASKS] = BRIDGE_TOPIC_TASKS,
                                               [TASK_TOPIC_REMINDERS] = BRIDGE_TOPIC_REMINDERS};
    return topics[task_event_topic(event_type)];
}

bool bridge_mqtt_topic(enum bridge_mqtt_kind kind, struct base_sv user, char *dst, size_t cap)
{
    struct base_buf buf;
    if (!auth_user_valid(user)) /* its alphabet has none of MQTT's own characters */
        return false;
    base_buf_init(&buf, cap - 1);
    base_buf_addf(&buf, "todo/v1/%.*s/%s", SV_FMT(user), bridge_mqtt_names[kind]);
    bool ok = base_buf_ok(&buf) && base_sv_cstr(base_buf_sv(&buf), dst, cap);
    base_buf_done(&buf);
    return ok;
}

int64_t bridge_mqtt_expiry_s(enum bridge_mqtt_kind kind, int64_t age_ms)
{
    int64_t left = useful_s[kind] - (age_ms > 0 ? age_ms / 1000 : 0);
    return left > 1 ? left : 1;
}
