/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Years in the life of one recurring task: random completing, skipping, snoozing, moving, undoing,
 * changes of the home zone, and outages in which neither firings nor reviews happen. The commands
 * are the engine's; the queue, the receipts and the clock are simulated here as the store has them.
 * A model that knows no recurrence engine, only which days the rule means, says what must be true
 * whenever the engine has caught up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/command.h"
#include "tasks/reminder_event.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

enum { LIVES = 60, YEARS = 3, KEYS_MAX = 40000, QUEUE_MAX = 64, DATES_MAX = 4000 };

struct key {
    struct base_id reminder;
    int32_t occurrence, repeat;
};

/* Which days the rule means, told without the engine. */
struct rule {
    const char *pattern;
    bool (*meant)(int64_t start, int64_t day);
};

static bool every_day(int64_t start, int64_t day)
{
    return day >= start;
}

static bool every_third_day(int64_t start, int64_t day)
{
    return day >= start && (day - start) % 3 == 0;
}

static bool mondays_and_fridays(int64_t start, int64_t day)
{
    int weekday = time_weekday(day);
    return day >= start && (weekday == 0 || weekday == 4);
}

static bool the_fifteenth(int64_t start, int64_t day)
{
    return day >= start && time_civil_from_seconds(day * 86400).day == 15;
}

static const struct rule rules[] = {
    {"{\"frequency\":\"daily\"}", every_day},
    {"{\"frequency\":\"daily\",\"interval\":3}", every_third_day},
    {"{\"frequency\":\"weekly\",\"by_day\":[\"MO\",\"FR\"]}", mondays_and_fridays},
    {"{\"frequency\":\"monthly\",\"by_month_day\":[15]}", the_fifteenth},
};

static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Pacific/Auckland",
                                    "Asia/Kolkata", "America/St_Johns"};

struct life {
    struct base_arena work;     /* a change is made here */
    struct base_arena homes[2]; /* and the task moves into one of these by turns */
    int home;
    uint64_t random;
    unsigned number;
    struct task_context ctx;
    const struct rule *rule;
    struct task *task, *before;
    struct base_arena kept; /* what undo goes back to */
    struct task_fire queue[QUEUE_MAX];
    size_t queued;
    struct key keys[KEYS_MAX];
    size_t key_count;
    /* Days that were moved from and to. */
    int64_t gone[DATES_MAX], added[DATES_MAX];
    size_t gone_count, added_count;
    int64_t decided_us; /* when its firings were last decided by a person */
    bool fired_here;    /* in the present occurrence */
    int64_t start_day;
    size_t notices, rolls, undone;
};

static uint32_t below(struct life *life, uint32_t n)
{
    life->random = life->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(life->random >> 33) % n;
}

static int64_t day_of(struct time_civil civil)
{
    return time_days_from_civil(civil.year, civil.month, civil.day);
}

#define MUST(life, condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("life %u, %s, at %lld: %s", (life)->number, (life)->rule->pattern,            \
                     (long long)(life)->ctx.now_us, #condition);                                   \
    } while (0)

static struct task *copy_into(struct base_arena *arena, const struct task *task)
{
    struct task *copy;
    base_arena_reset(arena);
    copy = BASE_ARENA_NEW(arena, struct task);
    *copy = *task;
    copy->title = base_arena_sv(arena, copy->title);
    copy->recurrence = base_arena_sv(arena, copy->recurrence);
    copy->due.zone = base_arena_sv(arena, copy->due.zone);
    copy->reminders = base_arena_array(arena, copy->reminder_count + 1, sizeof(*copy->reminders));
    for (size_t i = 0; i < copy->reminder_count; i++)
        copy->reminders[i] = task->reminders[i];
    return copy;
}

/* What the store does with a change. */
static void settle(struct life *life, const struct task_change *change)
{
    const struct task *before = change->before;
    MUST(life, change->after->version == (before ? before->version + 1 : 1));
    MUST(life, !before || change->after->occurrence >= before->occurrence);
    MUST(life, change->outcome == TASK_OUT_NONE || !before || change->after->status == TASK_DONE ||
                   change->after->occurrence == before->occurrence + 1);
    if (change->refire)
        life->queued = 0;
    for (size_t i = 0; i < change->fire_count; i++) {
        MUST(life, life->queued < QUEUE_MAX);
        life->queue[life->queued++] = change->fires[i];
    }
    if (!before || change->after->occurrence != before->occurrence)
        life->fired_here = false;
    if (change->refire && change->outcome != TASK_OUT_MISSED)
        life->decided_us = life->ctx.now_us;
    life->rolls += change->outcome == TASK_OUT_MISSED;
    life->home = !life->home;
    life->task = copy_into(&life->homes[life->home], change->after);
    base_arena_reset(&life->work);
    for (size_t i = 0; i < life->queued; i++)
        MUST(life, life->task->status == TASK_OPEN &&
                       life->queue[i].occurrence == life->task->occurrence);
}

/* The scheduler, for all that is due at now. */
static void fire_due(struct life *life)
{
    for (size_t i = 0; i < life->queued;) {
        struct task_fire fire = life->queue[i];
        if (fire.at_us > life->ctx.now_us) {
            i++;
            continue;
        }
        life->queue[i] = life->queue[--life->queued];
        struct task_firing firing = {.reminder_id = fire.reminder_id,
                                     .occurrence = fire.occurrence,
                                     .repeat = fire.repeat,
                                     .fire_at_us = fire.at_us,
                                     .live = life->task->status == TASK_OPEN &&
                                             life->task->occurrence == fire.occurrence,
                                     .nag_s = fire.nag_s};
        MUST(life, firing.live);
        for (size_t k = 0; k < life->key_count; k++)
            MUST(life, life->keys[k].occurrence != fire.occurrence ||
                           life->keys[k].repeat != fire.repeat ||
                           !base_id_eq(life->keys[k].reminder, fire.reminder_id));
        /* Only the newest are looked at: occurrences never come back. */
        if (life->key_count == KEYS_MAX)
            life->key_count = 0;
        life->keys[life->key_count++] =
            (struct key){fire.reminder_id, fire.occurrence, fire.repeat};
        life->fired_here = true;
        life->notices++;
        int32_t nag = task_nag_repeat(&firing);
        if (nag) {
            fire.repeat = nag;
            fire.at_us = life->ctx.now_us + fire.nag_s * SECOND;
            life->queue[life->queued++] = fire;
        }
    }
}

static void review(struct life *life)
{
    struct task_change change;
    int64_t review_us = 0;
    if (task_review(&life->ctx, life->task, &change, &review_us) != BASE_OK)
        fail_msg("review");
    if (change.after)
        settle(life, &change);
    else
        life->task->review_us = review_us;
}

static bool listed(const int64_t *days, size_t count, int64_t day)
{
    for (size_t i = 0; i < count; i++)
        if (days[i] == day)
            return true;
    return false;
}

static bool is_meant(const struct life *life, int64_t day)
{
    return listed(life->added, life->added_count, day) ||
           (life->rule->meant(life->start_day, day) && !listed(life->gone, life->gone_count, day));
}

/* What must be true once the engine has caught up with now. */
static void check(struct life *life)
{
    const struct task *task = life->task;
    if (task->status != TASK_OPEN)
        return;
    const struct time_zone *zone = life->ctx.settings.home;
    if (task->due.kind == TASK_DUE_ZONED)
        MUST(life, time_zone_load(task->due.zone, &zone) == BASE_OK);
    int64_t due = day_of(task->due.local);
    MUST(life, is_meant(life, due));
    /* No later day of the rule has begun. */
    struct time_civil now = time_zone_civil(zone, life->ctx.now_us);
    int64_t today = day_of(now);
    for (int64_t day = due + 1; day < today; day++)
        MUST(life, !is_meant(life, day));
    if (task->due.kind == TASK_DUE_DATE && due < today)
        MUST(life, !is_meant(life, today));
    /* And the next is the next of the rule. */
    int64_t next = due + 1;
    while (!is_meant(life, next))
        next++;
    MUST(life, task->has_next && day_of(task->next) == next);
    /* Whose time has come has been told of, unless that was before it was decided. */
    int64_t at_us;
    MUST(life, task_reminder_at(task, &task->reminders[0], &at_us));
    MUST(life,
         life->fired_here || at_us > life->ctx.now_us || at_us < life->decided_us - 59 * SECOND);
}

static void catch_up(struct life *life)
{
    fire_due(life);
    while (life->task->review_us && life->task->review_us <= life->ctx.now_us) {
        review(life);
        fire_due(life);
    }
    check(life);
}

/* What a person does. Each settles its change if there is one. */

typedef enum base_err (*verb_fn)(const struct task_context *ctx, const struct task *task,
                                 struct task_change *ret_change, struct task_problem *ret_problem);

static void apply(struct life *life, verb_fn verb)
{
    struct task_change change;
    struct task_problem problem;
    life->before = copy_into(&life->kept, life->task);
    MUST(life, verb(&life->ctx, life->task, &change, &problem) == BASE_OK);
    settle(life, &change);
}

static void do_complete(struct life *life)
{
    apply(life, task_complete);
}

static void do_skip(struct life *life)
{
    apply(life, task_skip);
}

static void do_snooze(struct life *life)
{
    struct task_change change;
    struct task_problem problem;
    int64_t until_us = life->ctx.now_us + (1 + below(life, 300)) * 60 * SECOND;
    if (life->task->reminder_count > 5)
        return;
    MUST(life, task_snooze(&life->ctx, life->task, until_us, &change, &problem) == BASE_OK);
    settle(life, &change);
    life->before = NULL;
}

static void do_move(struct life *life)
{
    struct task_change change;
    struct task_problem problem;
    int64_t from = day_of(life->task->due.local);
    int64_t to = from - 3 + below(life, 10);
    if (life->gone_count + 2 > DATES_MAX || to < life->start_day || is_meant(life, to))
        return;
    struct time_civil local = time_civil_from_seconds(to * 86400);
    local.hour = life->task->due.local.hour;
    local.minute = life->task->due.local.minute;
    struct task_patch patch = {.set = TASK_F_DUE, .due = life->task->due};
    patch.due.local = local;
    MUST(life, task_update(&life->ctx, life->task, &patch, &change, &problem) == BASE_OK);
    life->gone[life->gone_count++] = from;
    for (size_t i = 0; i < life->added_count; i++)
        if (life->added[i] == from)
            life->added[i] = INT64_MIN;
    life->added[life->added_count++] = to;
    life->before = NULL;
    settle(life, &change);
}

static void do_undo(struct life *life)
{
    struct task_change change;
    struct task_problem problem;
    if (!life->before)
        return;
    MUST(life, task_restore(&life->ctx, life->task, life->before, &change, &problem) == BASE_OK);
    life->before = NULL;
    life->undone++;
    settle(life, &change);
}

static void do_change_zone(struct life *life)
{
    const char *name = zones[below(life, sizeof(zones) / sizeof(zones[0]))];
    MUST(life, time_zone_load(base_sv_from(name), &life->ctx.settings.home) == BASE_OK);
    life->before = NULL;
    review(life); /* the store marks its tasks */
}

static void do_nothing(struct life *life)
{
    (void)life;
}

static void (*const deeds[])(struct life *life) = {
    do_complete, do_complete,    do_complete, do_skip,    do_snooze, do_move,
    do_undo,     do_change_zone, do_nothing,  do_nothing, do_nothing};

static void be_born(struct life *life, unsigned number)
{
    static const int64_t leads[] = {0, 1800, 7200};
    *life = (struct life){.number = number, .random = number * 7919 + 1};
    base_arena_init(&life->work, 8 << 20);
    base_arena_init(&life->homes[0], 1 << 20);
    base_arena_init(&life->homes[1], 1 << 20);
    base_arena_init(&life->kept, 1 << 20);
    life->rule = &rules[number % (sizeof(rules) / sizeof(rules[0]))];
    life->ctx = (struct task_context){.user_id = SV("ann"),
                                      .now_us = INT64_C(1767225600) * SECOND,
                                      .settings = {NULL, 540},
                                      .arena = &life->work};
    MUST(life, time_zone_load(SV("Europe/Berlin"), &life->ctx.settings.home) == BASE_OK);
    struct task_reminder reminder = {
        .relative = true, .before_s = leads[below(life, 3)], .nag_s = below(life, 4) ? 0 : 3600};
    enum task_due_kind kind = (enum task_due_kind)(TASK_DUE_DATE + below(life, 3));
    struct task_patch patch = {.set =
                                   TASK_F_TITLE | TASK_F_DUE | TASK_F_RECURRENCE | TASK_F_REMINDERS,
                               .title = SV("Water the plants"),
                               .recurrence = base_sv_from(life->rule->pattern),
                               .due = {.kind = kind,
                                       .local = {2026, 1, 15, 0, 0, 0},
                                       .zone = base_sv_from(zones[below(life, 5)])},
                               .reminders = &reminder,
                               .reminder_count = 1};
    if (kind != TASK_DUE_DATE) {
        patch.due.local.hour = (int8_t)below(life, 24);
        patch.due.local.minute = (int8_t)below(life, 60);
    }
    struct task_change change;
    struct task_problem problem;
    MUST(life, task_create(&life->ctx, &patch, &change, &problem) == BASE_OK);
    life->start_day = day_of(change.after->due.local);
    settle(life, &change);
}

/* The next moment at which something is to be done by itself. */
static int64_t next_due(const struct life *life)
{
    int64_t next = life->task->review_us ? life->task->review_us : INT64_MAX;
    for (size_t i = 0; i < life->queued; i++)
        if (life->queue[i].at_us < next)
            next = life->queue[i].at_us;
    return next;
}

static void live(struct life *life)
{
    int64_t end_us = life->ctx.now_us + YEARS * 365 * DAY;
    while (life->ctx.now_us < end_us && life->task->status == TASK_OPEN) {
        int64_t deed_us = life->ctx.now_us + below(life, 60 * 48) * 60 * SECOND + SECOND;
        bool outage = below(life, 20) == 0;
        if (outage)
            deed_us += below(life, 40) * DAY;
        while (!outage && next_due(life) <= deed_us) {
            if (next_due(life) > life->ctx.now_us)
                life->ctx.now_us = next_due(life);
            catch_up(life);
        }
        life->ctx.now_us = deed_us;
        catch_up(life);
        deeds[below(life, sizeof(deeds) / sizeof(deeds[0]))](life);
        catch_up(life);
    }
    base_arena_done(&life->work);
    base_arena_done(&life->homes[0]);
    base_arena_done(&life->homes[1]);
    base_arena_done(&life->kept);
}

static void years(void **state)
{
    struct life *life = calloc(1, sizeof(*life));
    size_t notices = 0, rolls = 0, undone = 0;
    const char *all = getenv("TODO_TEST_ALL");
    unsigned lives = all ? 20 * LIVES : LIVES;
    (void)state;
    for (unsigned i = 0; i < lives; i++) {
        be_born(life, i);
        live(life);
        notices += life->notices;
        rolls += life->rolls;
        undone += life->undone;
    }
    print_message("%u lives of %d years: %zu reminders, %zu rolled on, %zu undone\n", lives, YEARS,
                  notices, rolls, undone);
    assert_true(rolls > lives && undone > lives && notices > 20 * lives);
    free(life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(years)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
