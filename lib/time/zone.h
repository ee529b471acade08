/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IANA time zones over cctz, as a C interface. Zones are loaded once and never freed; look-ups and
 * conversions are thread-safe and, once a zone is loaded, do not touch the file system.
 * Gap and overlap by RFC 5545 3.3.5: a wall time that a change skips is read with the offset before
 * the gap (02:30 becomes 03:30); one that comes twice means the first.
 */
#ifndef TIME_ZONE_H
#define TIME_ZONE_H

#include "lib/time/civil.h"

#ifdef __cplusplus
extern "C" {
#endif

struct time_zone;

enum time_kind { TIME_UNIQUE, TIME_GAP, TIME_OVERLAP };

/* "Europe/Berlin", "UTC". Case counts. INVALID if the database does not know it (or the name is no
 * plain relative path). */
BASE_MUST_CHECK enum base_err time_zone_load(struct base_sv name,
                                             const struct time_zone **ret_zone);
const struct time_zone *time_zone_utc(void);
const char *time_zone_name(const struct time_zone *zone);

/* The instant (microseconds since the epoch) that a wall time means; ret_kind may be NULL. */
int64_t time_zone_instant(const struct time_zone *zone, struct time_civil civil,
                          enum time_kind *ret_kind);
/* What the wall clock shows at an instant. */
struct time_civil time_zone_civil(const struct time_zone *zone, int64_t at_us);

/* A change of the zone's offset: at at_us the wall clock would have shown from_s (in seconds of
 * time_civil_seconds) and shows to_s. to_s > from_s is a gap, to_s < from_s an overlap. */
struct time_change {
    int64_t at_us;
    int64_t from_s;
    int64_t to_s;
};

/* The last change at or before an instant, the first one after it. False if there is none. */
bool time_zone_change_before(const struct time_zone *zone, int64_t at_us,
                             struct time_change *ret_change);
bool time_zone_change_after(const struct time_zone *zone, int64_t at_us,
                            struct time_change *ret_change);

/* The version of the database in use, such as "2026a"; "unknown" if it does not say.
 * TZDIR in the environment chooses another database at the process's start. */
const char *time_zone_version(void);

#ifdef __cplusplus
}
#endif

#endif
