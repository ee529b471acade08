/* SPDX-License-Identifier: Apache-2.0 */
/* What is said, in the user's language: phrases with arguments, and times as people say them. */
#ifndef GATEWAY_DIALOGUE_SAY_H
#define GATEWAY_DIALOGUE_SAY_H

#include "tasks/task.h"

enum gw_language { GW_EN, GW_DE, GW_LANGUAGE_COUNT };
/* "de-AT" → GW_DE; anything unknown is English. */
enum gw_language gw_language(struct base_sv locale);

enum gw_phrase {
#define X(name, en, de) SAY_##name,
#include "gateway/dialogue/phrases.def"
#undef X
    SAY_COUNT
};

/* The phrase as it stands, for labels. */
struct base_sv gw_phrase(enum gw_language language, enum gw_phrase phrase);

/* Appends the phrase; args[i] stands for %(i+1). */
void gw_say(struct base_buf *buf, enum gw_language language, enum gw_phrase phrase,
            const struct base_sv *args, size_t count);
#define GW_SAY(buf, language, phrase, ...)                                                         \
    gw_say((buf), (language), (phrase), (const struct base_sv[]){SV_NULL, ##__VA_ARGS__} + 1,      \
           sizeof((const struct base_sv[]){SV_NULL, ##__VA_ARGS__}) / sizeof(struct base_sv) - 1)

/* "tomorrow at 09:00", "Fri 27 Nov at 14:00", "12 Mar 2028": as seen from now in the user's zone. A
 * due time in another zone has the zone's name behind it. Seconds are said of the next two minutes.
 */
void gw_say_due(struct base_buf *buf, enum gw_language language, const struct task_due *due,
                const struct time_zone *zone, int64_t now_us);
void gw_say_instant(struct base_buf *buf, enum gw_language language, int64_t at_us,
                    const struct time_zone *zone, int64_t now_us);
/* "10 min", "2 h", "1 d" */
void gw_say_duration(struct base_buf *buf, enum gw_language language, int64_t seconds);

#endif
