/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/recur/workday.h"

#include <stdlib.h>

#include "tasks/recur/bits.h"

enum { MONDAY = -3 }; /* 1969-12-29: the origin of the numbering */

static int compare_days(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

struct recur_holidays recur_holidays_init(int64_t *days, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(days, count, sizeof(*days), compare_days);
    for (size_t i = 0; i < count; i++)
        if (time_weekday(days[i]) < 5 && (kept == 0 || days[kept - 1] != days[i]))
            days[kept++] = days[i];
    return (struct recur_holidays){days, kept};
}

/* How many holidays lie before day. */
static size_t holidays_before(const struct recur_holidays *holidays, int64_t day)
{
    size_t low = 0;
    size_t high = holidays ? holidays->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (holidays->days[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_holiday(const struct recur_holidays *holidays, int64_t day)
{
    size_t at = holidays_before(holidays, day);
    return holidays && at < holidays->count && holidays->days[at] == day;
}

bool recur_workday_is(const struct recur_holidays *holidays, int64_t day)
{
    return time_weekday(day) < 5 && !is_holiday(holidays, day);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t recur_workday_index(const struct recur_holidays *holidays, int64_t day)
{
    int weekday = time_weekday(day);
    int64_t weekdays_before = floor_div(day - MONDAY, 7) * 5 + (weekday < 5 ? weekday : 5);
    return weekdays_before - (int64_t)holidays_before(holidays, day);
}

/* The answer is the least day whose number among the weekdays is index plus the holidays up to it.
 * Adding the holidays up to the last guess climbs to it and never past it. */
int64_t recur_workday_at(const struct recur_holidays *holidays, int64_t index)
{
    int64_t number = index;
    for (;;) {
        int64_t week = floor_div(number, 5);
        int64_t day = MONDAY + week * 7 + (number - week * 5);
        int64_t next = index + (int64_t)holidays_before(holidays, day + 1);
        if (next == number)
            return day;
        number = next;
    }
}

int64_t recur_workday_add(const struct recur_holidays *holidays, int64_t day, int64_t n)
{
    int64_t index = recur_workday_index(holidays, day);
    /* Forward from a day off, the next workday is the first one. */
    if (n > 0 && !recur_workday_is(holidays, day))
        n--;
    return recur_workday_at(holidays, index + n);
}

uint32_t recur_workday_mask(const struct recur_holidays *holidays, int64_t first_day, int length)
{
    uint32_t mask = 0;
    int weekday = time_weekday(first_day);
    for (int i = 0; i < length; i++)
        if ((weekday + i) % 7 < 5)
            mask |= 1U << i;
    size_t at = holidays_before(holidays, first_day);
    for (; holidays && at < holidays->count && holidays->days[at] < first_day + length; at++)
        mask &= ~(1U << (holidays->days[at] - first_day));
    return mask;
}

bool recur_workday_nth(const struct recur_holidays *holidays, int32_t year, int month, int n,
                       int64_t *ret_day)
{
    int64_t first = time_days_from_civil(year, month, 1);
    uint32_t mask = recur_workday_mask(holidays, first, time_days_in_month(year, month));
    int count = recur_bits_count(mask);
    int index = n > 0 ? n - 1 : count + n;
    if (n == 0 || index < 0 || index >= count)
        return false;
    *ret_day = first + recur_bits_select(mask, index);
    return true;
}
