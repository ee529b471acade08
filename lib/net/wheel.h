/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timer wheel: O(1) start and stop for the many short timers of connections, in milliseconds.
 * Hierarchical, eight levels of 64 slots: a timer waits at the level of the highest 6-bit digit in
 * which its time differs from now, and moves down as that digit is reached. A bitmap per level
 * finds the next busy slot at once, so an idle wheel needs no ticks. It knows no clock and does no
 * I/O: the loop tells it the time.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NET_WHEEL_LEVELS = 8, NET_WHEEL_SLOTS = 64 };

typedef void (*net_wheel_fn)(void *ctx);

/* Embedded in what it belongs to; all zero with fn set is a stopped timer. */
struct net_wheel_timer {
    struct net_wheel_timer *next;
    struct net_wheel_timer **pprev; /* NULL: stopped */
    int64_t at_ms;
    net_wheel_fn fn;
    void *ctx;
    uint16_t slot; /* level * NET_WHEEL_SLOTS + slot */
};

struct net_wheel {
    int64_t now_ms;
    size_t count;
    uint64_t busy[NET_WHEEL_LEVELS];
    struct net_wheel_timer *slots[NET_WHEEL_LEVELS * NET_WHEEL_SLOTS];
};

/* now_ms: 0 or more. */
void net_wheel_init(struct net_wheel *wheel, int64_t now_ms);

/* Fires once when the wheel's time reaches at_ms; a time that is not in the future means the next
 * millisecond. A running timer is moved. */
void net_wheel_start(struct net_wheel *wheel, struct net_wheel_timer *timer, int64_t at_ms);
/* Harmless on a stopped timer. */
void net_wheel_stop(struct net_wheel *wheel, struct net_wheel_timer *timer);

static inline bool net_wheel_running(const struct net_wheel_timer *timer)
{
    return timer->pprev != NULL;
}

/* Fires, in the order of their milliseconds, all timers due up to now_ms. Callbacks may start and
 * stop any timer and free their own. */
void net_wheel_advance(struct net_wheel *wheel, int64_t now_ms);

/* When the wheel next wants to be advanced: at or before the first timer's time; -1 if empty. */
int64_t net_wheel_next_ms(const struct net_wheel *wheel);

#endif
