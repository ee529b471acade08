/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of a thread, over libuv: implements lib/base/loop.h, and adds what only those who
 * own a thread need: running it, signals, and hooks around each turn. One loop per thread; only
 * net_loop_stop() and base_loop_post() may be called from others. No callback may block.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "lib/base/loop.h"
#include "lib/net/wheel.h"

struct net_loop;

/* SIGPIPE is ignored for the process from the first loop on. */
BASE_MUST_CHECK enum base_err net_loop_new(struct net_loop **ret_loop);

/* In the loop's thread or, once its net_loop_run() has returned, in the one that joined it. Runs
 * the posts that wait and answers pending resolves (with BASE_UNAVAILABLE) first. Descriptors and
 * timers must have been freed, and servers. NULL is fine. */
void net_loop_free(struct net_loop *loop);

struct base_loop *net_loop_base(struct net_loop *loop);

/* Returns after net_loop_stop(); may be called again. A stop that came before it counts. */
void net_loop_run(struct net_loop *loop);

/* From any thread, and from callbacks. The turn under way is finished. */
void net_loop_stop(struct net_loop *loop);

/* fn(ctx) on each arrival of the signal, in the loop's thread. One handler per signal and process:
 * give signals to one loop only. Lasts as long as the loop. */
BASE_MUST_CHECK enum base_err net_loop_on_signal(struct net_loop *loop, int signum, base_call_fn fn,
                                                 void *ctx);

/* fn(ctx) twice a turn: before the loop waits (after timers) and after descriptors were served. The
 * place to send out what a turn has gathered. Hooks run in the order they were added; at most 16.
 */
BASE_MUST_CHECK enum base_err net_loop_on_turn(struct net_loop *loop, base_call_fn fn, void *ctx);
/* Not from inside a hook. */
void net_loop_off_turn(struct net_loop *loop, base_call_fn fn, void *ctx);

/* Timers without allocation, for those inside lib/net that have one in each connection. */
void net_loop_timer_start(struct net_loop *loop, struct net_wheel_timer *timer, int64_t after_ms);
void net_loop_timer_stop(struct net_loop *loop, struct net_wheel_timer *timer);

/* The uv_loop_t, for lib/net only. */
void *net_loop_uv(struct net_loop *loop);

#endif
