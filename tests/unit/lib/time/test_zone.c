/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/time/zone.h"

static const struct time_zone *zone(const char *name)
{
    const struct time_zone *found = NULL;
    assert_int_equal(time_zone_load(base_sv_from(name), &found), BASE_OK);
    assert_string_equal(time_zone_name(found), name);
    return found;
}

static void wall_times_to_instants(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *wall, *utc;
        enum time_kind kind;
    } rows[] = {
        {"UTC", "2026-11-24T09:00:00", "2026-11-24T09:00:00Z", TIME_UNIQUE},
        {"Europe/Berlin", "2026-11-24T09:00:00", "2026-11-24T08:00:00Z", TIME_UNIQUE},
        {"Europe/Berlin", "2026-07-01T09:00:00", "2026-07-01T07:00:00Z", TIME_UNIQUE},
        /* 02:00 becomes 03:00 */
        {"Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z", TIME_UNIQUE},
        {"Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z", TIME_GAP},
        {"Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z", TIME_UNIQUE},
        /* 03:00 becomes 02:00: the first of the two */
        {"Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", TIME_OVERLAP},
        {"America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00Z", TIME_GAP},
        {"America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z", TIME_OVERLAP},
        /* half an hour of daylight saving */
        {"Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00Z", TIME_GAP},
        {"Asia/Kathmandu", "2026-01-01T00:00:00", "2025-12-31T18:15:00Z", TIME_UNIQUE},
        /* a whole day was left out */
        {"Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z", TIME_GAP},
        /* years the file does not list */
        {"Europe/Berlin", "2499-07-01T12:00:00", "2499-07-01T10:00:00Z", TIME_UNIQUE},
        {"Europe/Berlin", "1800-01-01T00:00:00", "1799-12-31T23:06:32Z", TIME_UNIQUE},
    };
    struct base_buf buf;
    base_buf_init(&buf, 64);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct time_civil civil;
        bool has_time;
        enum time_kind kind;
        assert_true(time_civil_parse(base_sv_from(rows[i].wall), &civil, &has_time));
        int64_t at_us = time_zone_instant(zone(rows[i].zone), civil, &kind);
        base_buf_reset(&buf);
        base_time_format(&buf, at_us);
        assert_string_equal(buf.data, rows[i].utc);
        assert_int_equal(kind, rows[i].kind);
        assert_int_equal(time_zone_instant(zone(rows[i].zone), civil, NULL), at_us);
        if (kind != TIME_GAP) {
            base_buf_reset(&buf);
            time_civil_format(&buf, time_zone_civil(zone(rows[i].zone), at_us));
            assert_string_equal(buf.data, rows[i].wall);
        }
    }
    base_buf_done(&buf);
}

static void instants_to_wall_times(void **state)
{
    (void)state;
    struct time_civil civil = time_zone_civil(time_zone_utc(), -1);
    assert_int_equal(time_civil_seconds(civil), -1);
    civil = time_zone_civil(time_zone_utc(), -1000000);
    assert_int_equal(time_civil_seconds(civil), -1);
    civil = time_zone_civil(time_zone_utc(), 999999);
    assert_int_equal(time_civil_seconds(civil), 0);
    /* The reading of a skipped 02:30 shows as 03:30. */
    civil = time_zone_civil(
        zone("Europe/Berlin"),
        time_zone_instant(zone("Europe/Berlin"), (struct time_civil){2026, 3, 29, 2, 30, 0}, NULL));
    assert_int_equal(civil.hour, 3);
    assert_int_equal(civil.minute, 30);
}

static int64_t wall_s(const char *text)
{
    struct time_civil civil;
    bool has_time;
    assert_true(time_civil_parse(base_sv_from(text), &civil, &has_time));
    return time_civil_seconds(civil);
}

static int64_t instant_us(const char *text)
{
    int64_t at_us;
    assert_true(base_time_parse(base_sv_from(text), &at_us));
    return at_us;
}

static void changes_of_offset(void **state)
{
    (void)state;
    static const struct {
        const char *at, *before_at, *before_from, *before_to, *after_at, *after_from, *after_to;
    } rows[] = {
        {"2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00", "2026-03-29T03:00",
         "2026-10-25T01:00:00Z", "2026-10-25T03:00", "2026-10-25T02:00"},
        {"2026-03-29T00:59:59.999999Z", "2025-10-26T01:00:00Z", "2025-10-26T03:00",
         "2025-10-26T02:00", "2026-03-29T01:00:00Z", "2026-03-29T02:00", "2026-03-29T03:00"},
        {"2200-07-01T00:00:00Z", "2200-03-30T01:00:00Z", "2200-03-30T02:00", "2200-03-30T03:00",
         "2200-10-26T01:00:00Z", "2200-10-26T03:00", "2200-10-26T02:00"},
        {"2429-12-31T00:00:00Z", "2429-10-28T01:00:00Z", "2429-10-28T03:00", "2429-10-28T02:00",
         "2430-03-31T01:00:00Z", "2430-03-31T02:00", "2430-03-31T03:00"},
        {"2600-07-01T00:00:00Z", "2600-03-30T01:00:00Z", "2600-03-30T02:00", "2600-03-30T03:00",
         "2600-10-26T01:00:00Z", "2600-10-26T03:00", "2600-10-26T02:00"},
        {"9998-07-01T00:00:00Z", "9998-03-29T01:00:00Z", "9998-03-29T02:00", "9998-03-29T03:00",
         "9998-10-25T01:00:00Z", "9998-10-25T03:00", "9998-10-25T02:00"},
    };
    const struct time_zone *berlin = zone("Europe/Berlin");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct time_change change;
        assert_true(time_zone_change_before(berlin, instant_us(rows[i].at), &change));
        assert_int_equal(change.at_us, instant_us(rows[i].before_at));
        assert_int_equal(change.from_s, wall_s(rows[i].before_from));
        assert_int_equal(change.to_s, wall_s(rows[i].before_to));
        assert_true(time_zone_change_after(berlin, instant_us(rows[i].at), &change));
        assert_int_equal(change.at_us, instant_us(rows[i].after_at));
        assert_int_equal(change.from_s, wall_s(rows[i].after_from));
        assert_int_equal(change.to_s, wall_s(rows[i].after_to));
    }
    struct time_change change;
    assert_false(time_zone_change_before(time_zone_utc(), 0, &change));
    assert_false(time_zone_change_after(time_zone_utc(), 0, &change));
    assert_false(time_zone_change_after(zone("Asia/Kolkata"), 0, &change));
    /* Ramadan is only listed for some decades. */
    assert_false(time_zone_change_after(zone("Africa/Casablanca"),
                                        instant_us("2500-01-01T00:00:00Z"), &change));
}

static void zones_are_loaded_once(void **state)
{
    (void)state;
    assert_ptr_equal(zone("Asia/Tokyo"), zone("Asia/Tokyo"));
    assert_ptr_equal(zone("UTC"), time_zone_utc());
    assert_ptr_not_equal(zone("Asia/Tokyo"), zone("Asia/Seoul"));
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "/",
        "Europe",
        "Europe/",
        "europe/berlin",
        "Europe/Atlantis",
        "/usr/share/zoneinfo/UTC",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "./UTC",
        "file:UTC",
        "libc:UTC",
        "Fixed/UTC+01:00:00",
        "localtime",
        "posix/UTC",
        "right/UTC",
        "tzdata.zi",
        "zone.tab",
        "leapseconds",
        "Europe/Berlin ",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct time_zone *found = NULL;
        if (time_zone_load(base_sv_from(wrong[i]), &found) != BASE_INVALID || found)
            fail_msg("accepted: %s", wrong[i]);
    }
    const struct time_zone *found = NULL;
    assert_int_equal(time_zone_load(SV("UTC\0x"), &found), BASE_INVALID);
    assert_int_equal(time_zone_load(SV_NULL, &found), BASE_INVALID);
}

static void the_version_is_known(void **state)
{
    (void)state;
    const char *version = time_zone_version();
    int64_t year;
    assert_int_equal(strlen(version), 5);
    assert_true(base_sv_int64(base_sv(version, 4), &year));
    assert_in_range(year, 2022, 2100);
    assert_in_range(version[4], 'a', 'z');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_times_to_instants),    cmocka_unit_test(instants_to_wall_times),
        cmocka_unit_test(changes_of_offset),         cmocka_unit_test(zones_are_loaded_once),
        cmocka_unit_test(unknown_names_are_refused), cmocka_unit_test(the_version_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
