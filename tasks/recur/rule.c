/* SPDX-License-Identifier: Apache-2.0 */
/* RRULE text both ways, and what a rule says about itself without a start. */
#include "tasks/recur/rule.h"

#include <stdarg.h>
#include <stdio.h>

#include "tasks/recur/part.h"

static const char *const freq_names[RECUR_FREQ_COUNT] = {
    [RECUR_SECONDLY] = "SECONDLY", [RECUR_MINUTELY] = "MINUTELY", [RECUR_HOURLY] = "HOURLY",
    [RECUR_DAILY] = "DAILY",       [RECUR_WEEKLY] = "WEEKLY",     [RECUR_MONTHLY] = "MONTHLY",
    [RECUR_YEARLY] = "YEARLY",
};

static const char day_names[7][3] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

const char *recur_freq_name(enum recur_freq freq)
{
    return freq_names[freq];
}

bool recur_freq_parse(struct base_sv name, enum recur_freq *ret_freq)
{
    for (int i = 0; i < RECUR_FREQ_COUNT; i++)
        if (base_sv_eq_i(name, base_sv_from(freq_names[i]))) {
            *ret_freq = (enum recur_freq)i;
            return true;
        }
    return false;
}

/* The words of an error go into logs and answers: no control characters, no broken UTF-8. */
static void keep_ascii(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

enum base_err recur_error_set(struct recur_error *error, enum base_err err, const char *part,
                              const char *fmt, ...)
{
    if (error) {
        (void)snprintf(error->part, sizeof(error->part), "%s", part);
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(error->why, sizeof(error->why), fmt, args);
        va_end(args);
        keep_ascii(error->part);
        keep_ascii(error->why);
    }
    return err;
}

struct recur_rule recur_rule_every(enum recur_freq freq, uint32_t interval)
{
    return (struct recur_rule){.freq = freq, .interval = interval};
}

static bool parse_weekday(struct base_sv text, int8_t *ret_weekday)
{
    for (int i = 0; i < 7; i++)
        if (base_sv_eq_i(text, base_sv(day_names[i], 2))) {
            *ret_weekday = (int8_t)i;
            return true;
        }
    return false;
}

bool recur_rule_add_day(struct recur_rule *rule, struct base_sv text)
{
    int8_t weekday;
    if (text.len < 2 || !parse_weekday(base_sv_sub(text, text.len - 2, text.len), &weekday))
        return false;
    struct base_sv number = base_sv_sub(text, 0, text.len - 2);
    if (number.len == 0) {
        rule->weekdays |= (uint8_t)(1 << weekday);
        return true;
    }
    int64_t n;
    if (number.len > 3 || !base_sv_int64(number, &n) || n == 0 || n < -53 || n > 53)
        return false;
    if (n > 0)
        rule->nth[weekday] |= UINT64_C(1) << (n - 1);
    else
        rule->nth_back[weekday] |= UINT64_C(1) << (-n - 1);
    return true;
}

void recur_rule_each_day(const struct recur_rule *rule,
                         void (*each)(void *context, struct base_sv text), void *context)
{
    char text[8];
    for (int day = 0; day < 7; day++) {
        if (rule->weekdays >> day & 1)
            each(context, base_sv(day_names[day], 2));
        for (uint64_t word = rule->nth[day]; word; word &= word - 1) {
            int n =
                snprintf(text, sizeof(text), "%d%s", recur_bits_lowest(word) + 1, day_names[day]);
            each(context, base_sv(text, (size_t)n));
        }
        for (uint64_t word = rule->nth_back[day]; word; word &= word - 1) {
            int n =
                snprintf(text, sizeof(text), "-%d%s", recur_bits_lowest(word) + 1, day_names[day]);
            each(context, base_sv(text, (size_t)n));
        }
    }
}

/* The text while it is read: which parts have come, and what was wrong. */
struct parser {
    struct recur_rule rule;
    struct recur_error *error;
    unsigned seen;
};

static bool take_digits(struct base_sv text, size_t at, size_t n, int *ret_value)
{
    int64_t value;
    if (at + n > text.len || text.ptr[at] < '0' || text.ptr[at] > '9' ||
        !base_sv_int64(base_sv_sub(text, at, at + n), &value))
        return false;
    *ret_value = (int)value;
    return true;
}

/* 20261224, 20261224T180000, 20261224T180000Z */
static bool parse_until(struct base_sv text, struct recur_rule *rule)
{
    int v[6] = {0};
    bool utc = text.len == 16 && (text.ptr[15] == 'Z' || text.ptr[15] == 'z');
    bool timed = text.len == 15 || utc;
    if (!timed && text.len != 8)
        return false;
    if (!take_digits(text, 0, 4, &v[0]) || !take_digits(text, 4, 2, &v[1]) ||
        !take_digits(text, 6, 2, &v[2]))
        return false;
    if (timed && ((text.ptr[8] != 'T' && text.ptr[8] != 't') || !take_digits(text, 9, 2, &v[3]) ||
                  !take_digits(text, 11, 2, &v[4]) || !take_digits(text, 13, 2, &v[5])))
        return false;
    struct time_civil until = {v[0],         (int8_t)v[1], (int8_t)v[2],
                               (int8_t)v[3], (int8_t)v[4], (int8_t)v[5]};
    if (!time_civil_valid(until))
        return false;
    rule->until = until;
    rule->until_kind = utc ? RECUR_UNTIL_UTC : timed ? RECUR_UNTIL_LOCAL : RECUR_UNTIL_DATE;
    return true;
}

static enum base_err read_freq(struct parser *parser, struct base_sv value)
{
    if (recur_freq_parse(value, &parser->rule.freq))
        return BASE_OK;
    return recur_error_set(parser->error, BASE_MALFORMED, "FREQ",
                           "it must be one of SECONDLY, MINUTELY, HOURLY, DAILY, WEEKLY, MONTHLY, "
                           "YEARLY");
}

static enum base_err read_positive(struct parser *parser, const char *name, struct base_sv value,
                                   uint32_t *ret_number)
{
    int64_t number;
    if (!base_sv_int64(value, &number) || number < 1 || number > INT32_MAX)
        return recur_error_set(parser->error, BASE_MALFORMED, name,
                               "it must be a whole number from 1 to %d", INT32_MAX);
    *ret_number = (uint32_t)number;
    return BASE_OK;
}

static enum base_err read_interval(struct parser *parser, struct base_sv value)
{
    return read_positive(parser, "INTERVAL", value, &parser->rule.interval);
}

static enum base_err read_count(struct parser *parser, struct base_sv value)
{
    return read_positive(parser, "COUNT", value, &parser->rule.count);
}

static enum base_err read_until(struct parser *parser, struct base_sv value)
{
    if (parse_until(value, &parser->rule))
        return BASE_OK;
    return recur_error_set(parser->error, BASE_MALFORMED, "UNTIL",
                           "it must be a date that exists, such as 20261224 or 20261224T180000Z");
}

static enum base_err read_week_start(struct parser *parser, struct base_sv value)
{
    if (parse_weekday(value, &parser->rule.week_start))
        return BASE_OK;
    return recur_error_set(parser->error, BASE_MALFORMED, "WKST",
                           "it must be one of MO, TU, WE, TH, FR, SA, SU");
}

static enum base_err read_days(struct parser *parser, struct base_sv value)
{
    do {
        struct base_sv item = base_sv_split(&value, ',');
        if (!recur_rule_add_day(&parser->rule, item))
            return recur_error_set(parser->error, BASE_MALFORMED, "BYDAY",
                                   "\"%.*s\" is no weekday such as MO, 2TU or -1FR",
                                   SV_FMT(base_sv_sub(item, 0, 16)));
    } while (value.ptr);
    return BASE_OK;
}

static enum base_err read_numbers(struct parser *parser, const struct recur_part *part,
                                  struct base_sv value)
{
    do {
        struct base_sv item = base_sv_split(&value, ',');
        int64_t number;
        if (!base_sv_int64(item, &number) || !recur_part_add(part, &parser->rule, number))
            return recur_error_set(parser->error, BASE_MALFORMED, part->name,
                                   "\"%.*s\" is no number from %d to %d%s",
                                   SV_FMT(base_sv_sub(item, 0, 16)), part->low, part->high,
                                   part->back_offset ? " or the same negative" : "");
    } while (value.ptr);
    return BASE_OK;
}

static const struct {
    const char *name;
    enum base_err (*read)(struct parser *parser, struct base_sv value);
} readers[] = {
    {"FREQ", read_freq},   {"INTERVAL", read_interval}, {"COUNT", read_count},
    {"UNTIL", read_until}, {"WKST", read_week_start},   {"BYDAY", read_days},
};
enum { READER_COUNT = sizeof(readers) / sizeof(readers[0]) };

static enum base_err read_once(struct parser *parser, int index, const char *name)
{
    if (parser->seen >> index & 1)
        return recur_error_set(parser->error, BASE_MALFORMED, name, "it is given twice");
    parser->seen |= 1U << index;
    return BASE_OK;
}

static enum base_err read_part(struct parser *parser, struct base_sv text)
{
    size_t equals = base_sv_find(text, '=');
    struct base_sv name = base_sv_trim(base_sv_sub(text, 0, equals));
    struct base_sv value = base_sv_trim(base_sv_sub(text, equals + 1, text.len));
    enum base_err err;
    for (int i = 0; i < READER_COUNT && equals < text.len; i++)
        if (base_sv_eq_i(name, base_sv_from(readers[i].name))) {
            err = read_once(parser, i, readers[i].name);
            return err ? err : readers[i].read(parser, value);
        }
    for (int i = 0; i < RECUR_PART_COUNT && equals < text.len; i++)
        if (base_sv_eq_i(name, base_sv_from(recur_parts[i].name))) {
            err = read_once(parser, READER_COUNT + i, recur_parts[i].name);
            return err ? err : read_numbers(parser, &recur_parts[i], value);
        }
    /* Quoted only where it is a name: what comes from outside may hold a NUL or anything else. */
    char shown[24] = "RRULE";
    bool named = name.len > 0 && name.len < sizeof(shown);
    for (size_t i = 0; i < name.len && named; i++)
        named = name.ptr[i] > ' ' && name.ptr[i] < 0x7f;
    if (named)
        (void)base_sv_cstr(name, shown, sizeof(shown));
    return recur_error_set(parser->error, BASE_MALFORMED, shown, "%s",
                           named ? "it is no part of a recurrence rule (RFC 5545 3.3.10)"
                                 : "it has a part without a proper name");
}

enum base_err recur_rule_parse(struct base_sv text, struct recur_rule *ret_rule,
                               struct recur_error *ret_error)
{
    if (text.len > RECUR_TEXT_MAX)
        return recur_error_set(ret_error, BASE_TOO_LARGE, "RRULE", "it is longer than %d bytes",
                               RECUR_TEXT_MAX);
    struct parser parser = {.rule = {.interval = 1}, .error = ret_error};
    struct base_sv rest = base_sv_trim(text);
    if (rest.len >= 6 && base_sv_eq_i(base_sv_sub(rest, 0, 6), SV("RRULE:")))
        rest = base_sv_sub(rest, 6, rest.len);
    if (rest.len == 0)
        return recur_error_set(ret_error, BASE_MALFORMED, "FREQ", "it is missing");
    do {
        struct base_sv part = base_sv_split(&rest, ';');
        enum base_err err = read_part(&parser, part);
        if (err)
            return err;
    } while (rest.ptr);
    if (!(parser.seen & 1))
        return recur_error_set(ret_error, BASE_MALFORMED, "FREQ", "it is missing");
    enum base_err err = recur_rule_check(&parser.rule, ret_error);
    if (err)
        return err;
    *ret_rule = parser.rule;
    return BASE_OK;
}

static bool has_nth(const struct recur_rule *rule)
{
    uint64_t all = 0;
    for (int day = 0; day < 7; day++)
        all |= rule->nth[day] | rule->nth_back[day];
    return all != 0;
}

bool recur_rule_has_parts(const struct recur_rule *rule)
{
    for (int i = 0; i < RECUR_PART_COUNT; i++)
        if (i != RECUR_PART_POSITION && recur_part_given(&recur_parts[i], rule))
            return true;
    return rule->weekdays || has_nth(rule);
}

static enum base_err check_workday(const struct recur_rule *rule, struct recur_error *ret_error)
{
    bool positions = recur_part_given(&recur_parts[RECUR_PART_POSITION], rule);
    if (recur_rule_has_parts(rule) || (rule->freq != RECUR_DAILY && rule->freq != RECUR_MONTHLY) ||
        positions != (rule->freq == RECUR_MONTHLY))
        return recur_error_set(ret_error, BASE_UNPROCESSABLE, "unit",
                               "workdays go with an interval, or with places in the month, only");
    return BASE_OK;
}

enum base_err recur_rule_check(const struct recur_rule *rule, struct recur_error *ret_error)
{
    if (rule->count && rule->until_kind != RECUR_UNTIL_NONE)
        return recur_error_set(ret_error, BASE_UNPROCESSABLE, "COUNT",
                               "it cannot stand beside UNTIL: a rule has one end");
    if (rule->workday)
        return check_workday(rule, ret_error);
    if (has_nth(rule) && rule->freq != RECUR_MONTHLY && rule->freq != RECUR_YEARLY)
        return recur_error_set(ret_error, BASE_UNPROCESSABLE, "BYDAY",
                               "a weekday with a number needs FREQ=MONTHLY or FREQ=YEARLY");
    if (recur_part_given(&recur_parts[RECUR_PART_POSITION], rule) && !recur_rule_has_parts(rule))
        return recur_error_set(ret_error, BASE_UNPROCESSABLE, "BYSETPOS",
                               "it needs another BY part to choose from");
    return BASE_OK;
}

/* A list on its way out: the separator between its elements. */
struct list_writer {
    struct base_buf *buf;
    bool any;
};

static void write_number(void *context, int number)
{
    struct list_writer *list = context;
    if (list->any)
        base_buf_add_char(list->buf, ',');
    base_buf_add_int(list->buf, number);
    list->any = true;
}

static void write_day(void *context, struct base_sv text)
{
    struct list_writer *list = context;
    if (list->any)
        base_buf_add_char(list->buf, ',');
    base_buf_add(list->buf, text);
    list->any = true;
}

static void print_part(struct base_buf *buf, const struct recur_rule *rule, int index)
{
    const struct recur_part *part = &recur_parts[index];
    if (!recur_part_given(part, rule))
        return;
    base_buf_addf(buf, ";%s=", part->name);
    struct list_writer list = {.buf = buf};
    recur_part_each(part, rule, write_number, &list);
}

static void print_until(struct base_buf *buf, const struct recur_rule *rule)
{
    const struct time_civil *until = &rule->until;
    base_buf_addf(buf, ";UNTIL=%04d%02d%02d", (int)until->year, until->month, until->day);
    if (rule->until_kind != RECUR_UNTIL_DATE)
        base_buf_addf(buf, "T%02d%02d%02d%s", until->hour, until->minute, until->second,
                      rule->until_kind == RECUR_UNTIL_UTC ? "Z" : "");
}

bool recur_rule_has_text(const struct recur_rule *rule)
{
    return !rule->workday;
}

void recur_rule_print(struct base_buf *buf, const struct recur_rule *rule)
{
    base_buf_addf(buf, "FREQ=%s", freq_names[rule->freq]);
    if (rule->interval > 1)
        base_buf_addf(buf, ";INTERVAL=%u", rule->interval);
    for (int i = 0; i <= RECUR_PART_MONTH_DAY; i++)
        print_part(buf, rule, i);
    if (rule->weekdays || has_nth(rule)) {
        base_buf_add_c(buf, ";BYDAY=");
        struct list_writer list = {.buf = buf};
        recur_rule_each_day(rule, write_day, &list);
    }
    for (int i = RECUR_PART_HOUR; i < RECUR_PART_COUNT; i++)
        print_part(buf, rule, i);
    if (rule->week_start != 0)
        base_buf_addf(buf, ";WKST=%s", day_names[rule->week_start]);
    if (rule->count)
        base_buf_addf(buf, ";COUNT=%u", rule->count);
    if (rule->until_kind != RECUR_UNTIL_NONE)
        print_until(buf, rule);
}

/* The least distance between neighbours of a set on a circle of the given size; the size itself if
 * there is only one. */
static int64_t circle_gap(uint64_t set, int size)
{
    int first = recur_bits_lowest(set);
    int last = recur_bits_highest(set);
    int gap = first + size - last;
    for (int before = first; (set &= set - 1); before = recur_bits_lowest(set))
        if (recur_bits_lowest(set) - before < gap)
            gap = recur_bits_lowest(set) - before;
    return gap;
}

/* By the clock's parts alone, from the finest: one that has several values decides; one that has a
 * single value leaves it to the next, but not below its own round. A part that the frequency steps
 * through and no list narrows ends the search: the step decides. */
int64_t recur_rule_min_spacing(const struct recur_rule *rule)
{
    static const int64_t unit_s[] = {1, 60, 3600, 86400, 7 * 86400, 28 * 86400, 365 * 86400};
    const struct {
        uint64_t set;
        int size;
        int64_t unit_s;
        enum recur_freq freq; /* that steps through this part */
    } clock[] = {{rule->seconds, 60, 1, RECUR_SECONDLY},
                 {rule->minutes, 60, 60, RECUR_MINUTELY},
                 {rule->hours, 24, 3600, RECUR_HOURLY}};
    int64_t step_s = unit_s[rule->freq] * (int64_t)rule->interval;
    int64_t floor_s = 0;
    for (size_t i = 0; i < 3; i++) {
        bool steps = rule->freq <= clock[i].freq;
        int64_t gap_s = clock[i].set ? circle_gap(clock[i].set, clock[i].size) * clock[i].unit_s
                                     : clock[i].unit_s;
        bool several = clock[i].set ? gap_s < clock[i].size * clock[i].unit_s : steps;
        if (clock[i].set && gap_s > floor_s)
            floor_s = gap_s;
        if (several)
            return steps && step_s > floor_s ? step_s : floor_s;
    }
    /* One time a day. Days that lists name may be neighbours. */
    bool steps = rule->freq <= RECUR_DAILY || (!recur_rule_has_parts(rule) && !rule->workday);
    return steps && step_s > 86400 ? step_s : 86400;
}
