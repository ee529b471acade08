/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/recur/part.h"

#define PLAIN(field) offsetof(struct recur_rule, field), 0
#define SIGNED(field) offsetof(struct recur_rule, field), offsetof(struct recur_rule, field##_back)

const struct recur_part recur_parts[RECUR_PART_COUNT] = {
    [RECUR_PART_MONTH] = {"BYMONTH", "by_month", 1, 12, PLAIN(months)},
    [RECUR_PART_WEEK] = {"BYWEEKNO", "by_week_no", 1, 53, SIGNED(weeks)},
    [RECUR_PART_YEAR_DAY] = {"BYYEARDAY", "by_year_day", 1, 366, SIGNED(year_days)},
    [RECUR_PART_MONTH_DAY] = {"BYMONTHDAY", "by_month_day", 1, 31, SIGNED(month_days)},
    [RECUR_PART_HOUR] = {"BYHOUR", "by_hour", 0, 23, PLAIN(hours)},
    [RECUR_PART_MINUTE] = {"BYMINUTE", "by_minute", 0, 59, PLAIN(minutes)},
    [RECUR_PART_SECOND] = {"BYSECOND", "by_second", 0, 60, PLAIN(seconds)},
    [RECUR_PART_POSITION] = {"BYSETPOS", "by_set_pos", 1, 366, SIGNED(positions)},
};

static int part_words(const struct recur_part *part)
{
    return part->high > 64 ? RECUR_BITS_WORDS : 1;
}

static const uint64_t *words_at(const struct recur_rule *rule, size_t offset)
{
    return (const uint64_t *)(const void *)((const char *)rule + offset);
}

bool recur_part_add(const struct recur_part *part, struct recur_rule *rule, int64_t number)
{
    bool back = number < 0;
    if ((back && !part->back_offset) || number < -part->high || number > part->high)
        return false;
    int size = (int)(back ? -number : number);
    if (size < part->low)
        return false;
    if (part == &recur_parts[RECUR_PART_SECOND] && size == 60)
        size = 59;
    int bit = size - part->low;
    uint64_t *words =
        (uint64_t *)(void *)((char *)rule + (back ? part->back_offset : part->offset));
    words[bit / 64] |= UINT64_C(1) << (bit % 64);
    return true;
}

bool recur_part_given(const struct recur_part *part, const struct recur_rule *rule)
{
    uint64_t all = 0;
    for (int i = 0; i < part_words(part); i++)
        all |= words_at(rule, part->offset)[i] |
               (part->back_offset ? words_at(rule, part->back_offset)[i] : 0);
    return all != 0;
}

void recur_part_each(const struct recur_part *part, const struct recur_rule *rule,
                     void (*each)(void *context, int number), void *context)
{
    for (int back = 0; back <= (part->back_offset != 0); back++) {
        const uint64_t *words = words_at(rule, back ? part->back_offset : part->offset);
        for (int i = 0; i < part_words(part); i++)
            for (uint64_t word = words[i]; word; word &= word - 1) {
                int size = i * 64 + recur_bits_lowest(word) + part->low;
                each(context, back ? -size : size);
            }
    }
}
