/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both languages share one order of phrases; what differs is a table of words and the few
 * functions below that inflect.
 */
#include "tasks/recur/describe.h"

#include "tasks/recur/part.h"

enum { WEEKDAYS_MON_FRI = 0x1f, CLOCK_TIMES_MAX = 6 };

struct words {
    const char *every_one[RECUR_FREQ_COUNT]; /* "every day" */
    const char *every_many;                  /* "every" */
    const char *units[RECUR_FREQ_COUNT];     /* "days" */
    const char *every_workday, *workdays, *workday;
    const char *every_weekday; /* weekly on Monday to Friday */
    const char *days[7];
    const char *months[12];
    const char *and;
    const char *on, *on_the; /* before a weekday; before an ordinal */
    const char *weekday;     /* as in "the last weekday" */
    const char *day;         /* as in "the last day" */
    const char *in_month, *in_week, *of_year;
    const char *at, *at_hours, *at_minutes, *at_seconds;
    const char *only, *of_these;
    const char *until;
    const char *once, *times;
    const char *week_starts;
    void (*ordinal)(struct base_buf *buf, int n);           /* "1st", "2nd-to-last" before a noun */
    void (*day_of_month)(struct base_buf *buf, int n);      /* alone: "the 31st", "the last day" */
    void (*date)(struct base_buf *buf, int day, int month); /* "24 Dec" */
};

static const char *english_suffix(int n)
{
    if (n % 100 >= 11 && n % 100 <= 13)
        return "th";
    return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

static void english_ordinal(struct base_buf *buf, int n)
{
    if (n == -1)
        base_buf_add_c(buf, "last");
    else if (n < 0)
        base_buf_addf(buf, "%d%s-to-last", -n, english_suffix(-n));
    else
        base_buf_addf(buf, "%d%s", n, english_suffix(n));
}

static void english_day_of_month(struct base_buf *buf, int n)
{
    english_ordinal(buf, n);
    if (n < 0)
        base_buf_add_c(buf, " day");
}

static void german_ordinal(struct base_buf *buf, int n)
{
    static const char *const before_last[] = {"letzten", "vorletzten", "drittletzten",
                                              "viertletzten", "fünftletzten"};
    if (n > 0)
        base_buf_addf(buf, "%d.", n);
    else if (n >= -5)
        base_buf_add_c(buf, before_last[-n - 1]);
    else
        base_buf_addf(buf, "%d.-letzten", -n);
}

static void german_day_of_month(struct base_buf *buf, int n)
{
    german_ordinal(buf, n);
    if (n < 0)
        base_buf_add_c(buf, " Tag");
}

static void english_date(struct base_buf *buf, int day, int month);
static void german_date(struct base_buf *buf, int day, int month);

static const struct words languages[RECUR_LANGUAGE_COUNT] = {
    [RECUR_ENGLISH] = {.every_one = {"every second", "every minute", "every hour", "every day",
                                     "every week", "every month", "every year"},
                       .every_many = "every",
                       .units = {"seconds", "minutes", "hours", "days", "weeks", "months", "years"},
                       .every_workday = "every workday",
                       .workdays = "workdays",
                       .workday = "workday",
                       .every_weekday = "every weekday (Mon to Fri)",
                       .days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
                       .months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
                                  "Oct", "Nov", "Dec"},
                       .and = " and ",
                       .on = " on ",
                       .on_the = " on the ",
                       .weekday = "weekday",
                       .day = "day",
                       .in_month = " in ",
                       .in_week = " in week ",
                       .of_year = " of the year",
                       .at = " at ",
                       .at_hours = " in hours ",
                       .at_minutes = " at minutes ",
                       .at_seconds = " at seconds ",
                       .only = ", only the ",
                       .of_these = " of these",
                       .until = " until ",
                       .once = ", once",
                       .times = " times",
                       .week_starts = ", weeks from ",
                       .ordinal = english_ordinal,
                       .day_of_month = english_day_of_month,
                       .date = english_date},
    [RECUR_GERMAN] = {.every_one = {"jede Sekunde", "jede Minute", "jede Stunde", "jeden Tag",
                                    "jede Woche", "jeden Monat", "jedes Jahr"},
                      .every_many = "alle",
                      .units = {"Sekunden", "Minuten", "Stunden", "Tage", "Wochen", "Monate",
                                "Jahre"},
                      .every_workday = "jeden Arbeitstag",
                      .workdays = "Arbeitstage",
                      .workday = "Arbeitstag",
                      .every_weekday = "jeden Wochentag (Mo bis Fr)",
                      .days = {"Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"},
                      .months = {"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.",
                                 "Sept.", "Okt.", "Nov.", "Dez."},
                      .and = " und ",
                      .on = " am ",
                      .on_the = " am ",
                      .weekday = "Wochentag",
                      .day = "Tag",
                      .in_month = " im ",
                      .in_week = " in KW ",
                      .of_year = " des Jahres",
                      .at = " um ",
                      .at_hours = " in den Stunden ",
                      .at_minutes = " zu den Minuten ",
                      .at_seconds = " zu den Sekunden ",
                      .only = ", davon nur am ",
                      .of_these = "",
                      .until = " bis ",
                      .once = ", einmal",
                      .times = "-mal",
                      .week_starts = ", Wochen ab ",
                      .ordinal = german_ordinal,
                      .day_of_month = german_day_of_month,
                      .date = german_date},
};

static void english_date(struct base_buf *buf, int day, int month)
{
    base_buf_addf(buf, "%d %s", day, languages[RECUR_ENGLISH].months[month - 1]);
}

static void german_date(struct base_buf *buf, int day, int month)
{
    base_buf_addf(buf, "%d. %s", day, languages[RECUR_GERMAN].months[month - 1]);
}

enum recur_language recur_language_of(struct base_sv locale)
{
    bool german = locale.len >= 2 && base_sv_eq_i(base_sv_sub(locale, 0, 2), SV("de")) &&
                  (locale.len == 2 || locale.ptr[2] == '-' || locale.ptr[2] == '_');
    return german ? RECUR_GERMAN : RECUR_ENGLISH;
}

/* "a, b and c": the separator is written one element late, when it is known whether it is the
 * last. The element is kept as a range of the buffer. */
struct enumeration {
    struct base_buf *buf;
    const struct words *words;
    int left; /* elements still to come */
    bool any;
};

static void separate(struct enumeration *list)
{
    list->left--;
    if (list->any)
        base_buf_add_c(list->buf, list->left ? ", " : list->words->and);
    list->any = true;
}

static void count_number(void *context, int number)
{
    (void)number;
    ++*(int *)context;
}

static void count_day(void *context, struct base_sv text)
{
    (void)text;
    ++*(int *)context;
}

static struct enumeration enumerate_part(struct base_buf *buf, const struct words *words,
                                         const struct recur_part *part,
                                         const struct recur_rule *rule)
{
    struct enumeration list = {.buf = buf, .words = words};
    recur_part_each(part, rule, count_number, &list.left);
    return list;
}

static void say_plain(void *context, int number)
{
    struct enumeration *list = context;
    separate(list);
    base_buf_add_int(list->buf, number);
}

static void say_ordinal(void *context, int number)
{
    struct enumeration *list = context;
    separate(list);
    list->words->ordinal(list->buf, number);
}

static void say_day_of_month(void *context, int number)
{
    struct enumeration *list = context;
    separate(list);
    list->words->day_of_month(list->buf, number);
}

static void say_month(void *context, int number)
{
    struct enumeration *list = context;
    separate(list);
    base_buf_add_c(list->buf, list->words->months[number - 1]);
}

/* "MO", "2TU", "-1FR" as the rule prints them. */
static void say_weekday(void *context, struct base_sv text)
{
    struct enumeration *list = context;
    struct recur_rule one = {0};
    separate(list);
    (void)recur_rule_add_day(&one, text);
    for (int day = 0; day < 7; day++) {
        if (one.nth[day])
            list->words->ordinal(list->buf, recur_bits_lowest(one.nth[day]) + 1);
        else if (one.nth_back[day])
            list->words->ordinal(list->buf, -recur_bits_lowest(one.nth_back[day]) - 1);
        else if (!(one.weekdays >> day & 1))
            continue;
        base_buf_addf(list->buf, "%s%s", one.weekdays ? "" : " ", list->words->days[day]);
    }
}

static void say_list(struct base_buf *buf, const struct words *words, const struct recur_rule *rule,
                     int index, const char *before, void (*say)(void *context, int number),
                     const char *behind)
{
    if (!recur_part_given(&recur_parts[index], rule))
        return;
    struct enumeration list = enumerate_part(buf, words, &recur_parts[index], rule);
    base_buf_add_c(buf, before);
    recur_part_each(&recur_parts[index], rule, say, &list);
    base_buf_add_c(buf, behind);
}

static bool has_nth(const struct recur_rule *rule)
{
    uint64_t all = 0;
    for (int day = 0; day < 7; day++)
        all |= rule->nth[day] | rule->nth_back[day];
    return all != 0;
}

static bool given(const struct recur_rule *rule, int index)
{
    return recur_part_given(&recur_parts[index], rule);
}

/* BYDAY=MO,TU,WE,TH,FR and nothing else that speaks of days. */
static bool only_weekdays(const struct recur_rule *rule)
{
    return rule->weekdays == WEEKDAYS_MON_FRI && !has_nth(rule) &&
           !given(rule, RECUR_PART_MONTH_DAY) && !given(rule, RECUR_PART_YEAR_DAY) &&
           !given(rule, RECUR_PART_WEEK);
}

static void say_every(struct base_buf *buf, const struct words *words,
                      const struct recur_rule *rule)
{
    bool workdays = rule->workday && rule->freq == RECUR_DAILY;
    bool weekly =
        rule->freq == RECUR_WEEKLY && only_weekdays(rule) && !given(rule, RECUR_PART_POSITION);
    if (rule->interval > 1)
        base_buf_addf(buf, "%s %u %s", words->every_many, rule->interval,
                      workdays ? words->workdays : words->units[rule->freq]);
    else
        base_buf_add_c(buf, workdays ? words->every_workday
                            : weekly ? words->every_weekday
                                     : words->every_one[rule->freq]);
}

/* A yearly rule with one month and days of it is a list of dates. */
static bool say_dates(struct base_buf *buf, const struct words *words,
                      const struct recur_rule *rule)
{
    if (rule->freq != RECUR_YEARLY || recur_bits_count(rule->months) != 1 || !rule->month_days ||
        rule->month_days_back)
        return false;
    struct enumeration list = {
        .buf = buf, .words = words, .left = recur_bits_count(rule->month_days)};
    base_buf_add_c(buf, words->on);
    for (uint64_t days = rule->month_days; days; days &= days - 1) {
        separate(&list);
        words->date(buf, recur_bits_lowest(days) + 1, recur_bits_lowest(rule->months) + 1);
    }
    return true;
}

static void say_days(struct base_buf *buf, const struct words *words, const struct recur_rule *rule)
{
    bool dates = say_dates(buf, words, rule);
    if (!dates)
        say_list(buf, words, rule, RECUR_PART_MONTH_DAY, words->on_the, say_day_of_month, "");
    say_list(buf, words, rule, RECUR_PART_YEAR_DAY, words->on_the, say_day_of_month,
             words->of_year);
    if ((rule->weekdays || has_nth(rule)) &&
        !(only_weekdays(rule) && rule->freq == RECUR_WEEKLY && rule->interval == 1 &&
          !given(rule, RECUR_PART_POSITION))) {
        struct enumeration list = {.buf = buf, .words = words};
        recur_rule_each_day(rule, count_day, &list.left);
        base_buf_add_c(buf, has_nth(rule) && !rule->weekdays ? words->on_the : words->on);
        recur_rule_each_day(rule, say_weekday, &list);
    }
    say_list(buf, words, rule, RECUR_PART_WEEK, words->in_week, say_plain, "");
    if (!dates)
        say_list(buf, words, rule, RECUR_PART_MONTH, words->in_month, say_month, "");
}

/* "on the last weekday", "on the 1st workday": places among days that have a name together. */
static bool say_named_places(struct base_buf *buf, const struct words *words,
                             const struct recur_rule *rule)
{
    bool plain_times = recur_bits_count(rule->hours) <= 1 && recur_bits_count(rule->minutes) <= 1 &&
                       recur_bits_count(rule->seconds) <= 1;
    bool weekdays = rule->freq == RECUR_MONTHLY && only_weekdays(rule) && plain_times;
    if (!given(rule, RECUR_PART_POSITION) || (!weekdays && !rule->workday))
        return false;
    say_list(buf, words, rule, RECUR_PART_POSITION, words->on_the, say_ordinal, " ");
    base_buf_add_c(buf, rule->workday ? words->workday : words->weekday);
    say_list(buf, words, rule, RECUR_PART_MONTH, words->in_month, say_month, "");
    return true;
}

/* "at 09:00 and 18:00" where a day has a few times; otherwise the three lists. */
static void say_times(struct base_buf *buf, const struct words *words,
                      const struct recur_rule *rule)
{
    int times = recur_bits_count(rule->hours) * recur_bits_count(rule->minutes ? rule->minutes : 1);
    if (rule->freq >= RECUR_DAILY && rule->hours && rule->minutes && !rule->seconds &&
        times <= CLOCK_TIMES_MAX) {
        struct enumeration list = {.buf = buf, .words = words, .left = times};
        base_buf_add_c(buf, words->at);
        for (uint64_t hours = rule->hours; hours; hours &= hours - 1)
            for (uint64_t minutes = rule->minutes; minutes; minutes &= minutes - 1) {
                separate(&list);
                base_buf_addf(buf, "%02d:%02d", recur_bits_lowest(hours),
                              recur_bits_lowest(minutes));
            }
        return;
    }
    say_list(buf, words, rule, RECUR_PART_HOUR, words->at_hours, say_plain, "");
    say_list(buf, words, rule, RECUR_PART_MINUTE, words->at_minutes, say_plain, "");
    say_list(buf, words, rule, RECUR_PART_SECOND, words->at_seconds, say_plain, "");
}

static void say_end(struct base_buf *buf, const struct words *words, const struct recur_rule *rule,
                    int32_t this_year)
{
    if (rule->count == 1)
        base_buf_add_c(buf, words->once);
    else if (rule->count)
        base_buf_addf(buf, ", %u%s", rule->count, words->times);
    if (rule->until_kind == RECUR_UNTIL_NONE)
        return;
    base_buf_add_c(buf, words->until);
    words->date(buf, rule->until.day, rule->until.month);
    if (rule->until.year != this_year)
        base_buf_addf(buf, " %d", (int)rule->until.year);
}

void recur_describe(struct base_buf *buf, const struct recur_rule *rule,
                    enum recur_language language, int32_t this_year)
{
    const struct words *words = &languages[language];
    say_every(buf, words, rule);
    bool named = say_named_places(buf, words, rule);
    if (!named)
        say_days(buf, words, rule);
    say_times(buf, words, rule);
    if (!named)
        say_list(buf, words, rule, RECUR_PART_POSITION, words->only, say_ordinal, words->of_these);
    if (rule->week_start != 0)
        base_buf_addf(buf, "%s%s", words->week_starts, words->days[rule->week_start]);
    say_end(buf, words, rule, this_year);
}
