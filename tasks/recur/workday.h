/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workdays: Monday to Friday without the holidays the caller passes. They are numbered through, so
 * that "ten workdays on" is a subtraction and a few binary searches, never a walk.
 */
#ifndef RECUR_WORKDAY_H
#define RECUR_WORKDAY_H

#include "lib/time/civil.h"

/* Days since the epoch, ascending, without weekends and doubles: as recur_holidays_init leaves
 * them. The array is the caller's and must outlive whatever points to it. */
struct recur_holidays {
    const int64_t *days;
    size_t count;
};

/* Sorts days in place and drops what a list must not hold. */
struct recur_holidays recur_holidays_init(int64_t *days, size_t count);

/* holidays may be NULL in all of these. */
bool recur_workday_is(const struct recur_holidays *holidays, int64_t day);
/* How many workdays lie before day, from an arbitrary origin: workdays have consecutive numbers. */
int64_t recur_workday_index(const struct recur_holidays *holidays, int64_t day);
/* The workday with that number. */
int64_t recur_workday_at(const struct recur_holidays *holidays, int64_t index);
/* n workdays after day (before, if negative); 0 is day itself, or the next workday if it is none.
 */
int64_t recur_workday_add(const struct recur_holidays *holidays, int64_t day, int64_t n);
/* The n-th workday of a month, from its end if negative; false if it has not so many. */
bool recur_workday_nth(const struct recur_holidays *holidays, int32_t year, int month, int n,
                       int64_t *ret_day);
/* The workdays of a month as bits; bit 0 is its first day, which is given with its length. */
uint32_t recur_workday_mask(const struct recur_holidays *holidays, int64_t first_day, int length);

#endif
