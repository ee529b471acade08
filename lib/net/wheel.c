/* SPDX-License-Identifier: Apache-2.0 */
/* The timer wheel, see wheel.h. */
#include "lib/net/wheel.h"

enum { DIGIT_BITS = 6 };
_Static_assert(NET_WHEEL_SLOTS == 1 << DIGIT_BITS, "a slot for each value of a digit");

/* 2^47: the top level's digit then never overflows, and it is 4,000 years. */
static const int64_t at_max_ms = INT64_C(1) << (DIGIT_BITS * NET_WHEEL_LEVELS - 1);

void net_wheel_init(struct net_wheel *wheel, int64_t now_ms)
{
    *wheel = (struct net_wheel){.now_ms = now_ms};
}

static void link_in(struct net_wheel *wheel, struct net_wheel_timer *timer)
{
    uint64_t differ = (uint64_t)(timer->at_ms ^ wheel->now_ms) | 1;
    unsigned level = (63U - (unsigned)__builtin_clzll(differ)) / DIGIT_BITS;
    unsigned digit = (unsigned)(timer->at_ms >> (level * DIGIT_BITS)) & (NET_WHEEL_SLOTS - 1);
    struct net_wheel_timer **head = &wheel->slots[level * NET_WHEEL_SLOTS + digit];

    timer->slot = (uint16_t)(level * NET_WHEEL_SLOTS + digit);
    timer->next = *head;
    timer->pprev = head;
    if (*head)
        (*head)->pprev = &timer->next;
    *head = timer;
    wheel->busy[level] |= UINT64_C(1) << digit;
    wheel->count++;
}

void net_wheel_stop(struct net_wheel *wheel, struct net_wheel_timer *timer)
{
    if (!timer->pprev)
        return;
    *timer->pprev = timer->next;
    if (timer->next)
        timer->next->pprev = timer->pprev;
    timer->pprev = NULL;
    wheel->count--;
    if (!wheel->slots[timer->slot])
        wheel->busy[timer->slot / NET_WHEEL_SLOTS] &=
            ~(UINT64_C(1) << (timer->slot % NET_WHEEL_SLOTS));
}

void net_wheel_start(struct net_wheel *wheel, struct net_wheel_timer *timer, int64_t at_ms)
{
    net_wheel_stop(wheel, timer);
    if (at_ms <= wheel->now_ms)
        at_ms = wheel->now_ms + 1;
    timer->at_ms = at_ms < at_max_ms ? at_ms : at_max_ms - 1;
    link_in(wheel, timer);
}

/* The first busy slot in time. Everything on a lower level comes before everything on a higher
 * one, because it shares all higher digits with now. */
static bool next_slot(const struct net_wheel *wheel, unsigned *ret_slot, int64_t *ret_at_ms)
{
    for (unsigned level = 0; level < NET_WHEEL_LEVELS; level++) {
        if (!wheel->busy[level])
            continue;
        unsigned digit = (unsigned)__builtin_ctzll(wheel->busy[level]);
        unsigned shift = level * DIGIT_BITS;
        int64_t above = wheel->now_ms >> (shift + DIGIT_BITS) << (shift + DIGIT_BITS);
        *ret_slot = level * NET_WHEEL_SLOTS + digit;
        *ret_at_ms = above | (int64_t)digit << shift;
        return true;
    }
    return false;
}

int64_t net_wheel_next_ms(const struct net_wheel *wheel)
{
    unsigned slot;
    int64_t at_ms;
    return next_slot(wheel, &slot, &at_ms) ? at_ms : -1;
}

/* The slot's time has come: what is due fires, the rest moves down. The list is emptied one by
 * one, so that a callback may stop its neighbours. Nothing can be added to the slot meanwhile: its
 * digit is now's own. */
static void serve(struct net_wheel *wheel, unsigned slot)
{
    struct net_wheel_timer *timer;
    while ((timer = wheel->slots[slot]) != NULL) {
        net_wheel_stop(wheel, timer);
        if (timer->at_ms <= wheel->now_ms)
            timer->fn(timer->ctx);
        else
            link_in(wheel, timer);
    }
}

void net_wheel_advance(struct net_wheel *wheel, int64_t now_ms)
{
    unsigned slot;
    int64_t at_ms;
    while (next_slot(wheel, &slot, &at_ms) && at_ms <= now_ms) {
        if (at_ms > wheel->now_ms)
            wheel->now_ms = at_ms;
        serve(wheel, slot);
    }
    if (now_ms > wheel->now_ms)
        wheel->now_ms = now_ms;
}
