/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Civil time: what a calendar and a wall clock show, without a zone. Proleptic Gregorian calendar;
 * weekdays count from Monday = 0 (ISO 8601).
 */
#ifndef TIME_CIVIL_H
#define TIME_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct time_civil {
    int32_t year;
    int8_t month; /* 1–12 */
    int8_t day;   /* 1–31 */
    int8_t hour;  /* 0–23 */
    int8_t minute;
    int8_t second; /* 0–59: no leap seconds */
};

/* Days since 1970-01-01, and back. */
int64_t time_days_from_civil(int32_t year, int month, int day);
void time_civil_from_days(int64_t days, int32_t *ret_year, int *ret_month, int *ret_day);
int time_days_in_month(int32_t year, int month);
int time_weekday(int64_t days);

/* Seconds on a clock without zone since 1970-01-01T00:00:00: orders civil times, and back. */
int64_t time_civil_seconds(struct time_civil civil);
struct time_civil time_civil_from_seconds(int64_t seconds);

/* False unless it is a date and time that exists in the years 1 to 9999. */
bool time_civil_valid(struct time_civil civil);

/* "2026-11-24T09:00:00" and "2026-11-24"; the parser takes both (has_time says which), with ' ' for
 * 'T', without seconds, and ignores a fraction. */
void time_civil_format(struct base_buf *buf, struct time_civil civil);
void time_date_format(struct base_buf *buf, struct time_civil civil);
bool time_civil_parse(struct base_sv text, struct time_civil *ret_civil, bool *ret_has_time);

#endif
