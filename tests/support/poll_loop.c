/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2) over two intrusive lists; freed objects are swept after each turn. */
#include "tests/support/poll_loop.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/base/clock.h"

enum { OBJECTS = 64 };

struct base_io {
    const struct base_loop_vtable *vtable;
    int fd;
    unsigned events;
    base_io_fn fn;
    void *ctx;
    bool gone;
};

struct base_timer {
    const struct base_loop_vtable *vtable;
    int64_t due_us; /* 0: not running */
    base_call_fn fn;
    void *ctx;
    bool gone;
};

struct poll_loop {
    struct base_loop base;
    struct base_io *ios[OBJECTS];
    struct base_timer *timers[OBJECTS];
};

static enum base_err io_new(struct base_loop *base, int fd, base_io_fn fn, void *ctx,
                            struct base_io **ret_io)
{
    struct poll_loop *loop = (struct poll_loop *)base;
    for (size_t i = 0; i < OBJECTS; i++) {
        if (loop->ios[i])
            continue;
        struct base_io *io = calloc(1, sizeof(*io));
        assert(io);
        *io = (struct base_io){.vtable = base->vtable, .fd = fd, .fn = fn, .ctx = ctx};
        *ret_io = loop->ios[i] = io;
        return BASE_OK;
    }
    return BASE_OVERLOADED;
}

static void io_set(struct base_io *io, unsigned events)
{
    io->events = events;
}

static void io_free(struct base_io *io)
{
    io->gone = true;
}

static enum base_err timer_new(struct base_loop *base, base_call_fn fn, void *ctx,
                               struct base_timer **ret_timer)
{
    struct poll_loop *loop = (struct poll_loop *)base;
    for (size_t i = 0; i < OBJECTS; i++) {
        if (loop->timers[i])
            continue;
        struct base_timer *timer = calloc(1, sizeof(*timer));
        assert(timer);
        *timer = (struct base_timer){.vtable = base->vtable, .fn = fn, .ctx = ctx};
        *ret_timer = loop->timers[i] = timer;
        return BASE_OK;
    }
    return BASE_OVERLOADED;
}

static void timer_start(struct base_timer *timer, int64_t after_ms)
{
    timer->due_us = base_monotonic_us() + after_ms * 1000 + 1;
}

static void timer_stop(struct base_timer *timer)
{
    timer->due_us = 0;
}

static void timer_free(struct base_timer *timer)
{
    timer->gone = true;
    timer->due_us = 0;
}

static enum base_err post(struct base_loop *base, base_call_fn fn, void *ctx)
{
    (void)base;
    fn(ctx);
    return BASE_OK;
}

static enum base_err resolve(struct base_loop *base, const char *host, base_resolve_fn fn,
                             void *ctx)
{
    (void)base;
    (void)host;
    (void)fn;
    (void)ctx;
    return BASE_UNSUPPORTED;
}

static int64_t now_us(struct base_loop *base)
{
    (void)base;
    return base_monotonic_us();
}

static const struct base_loop_vtable vtable = {
    io_new, io_set, io_free, timer_new, timer_start, timer_stop, timer_free, post, resolve, now_us,
};

struct base_loop *poll_loop_new(void)
{
    struct poll_loop *loop = calloc(1, sizeof(*loop));
    assert(loop);
    loop->base.vtable = &vtable;
    return &loop->base;
}

static void sweep(struct poll_loop *loop, bool all)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        if (loop->ios[i] && (all || loop->ios[i]->gone)) {
            free(loop->ios[i]);
            loop->ios[i] = NULL;
        }
        if (loop->timers[i] && (all || loop->timers[i]->gone)) {
            free(loop->timers[i]);
            loop->timers[i] = NULL;
        }
    }
}

void poll_loop_free(struct base_loop *base)
{
    sweep((struct poll_loop *)base, true);
    free(base);
}

static void run_timers(struct poll_loop *loop)
{
    int64_t now = base_monotonic_us();
    for (size_t i = 0; i < OBJECTS; i++) {
        struct base_timer *timer = loop->timers[i];
        if (!timer || !timer->due_us || timer->due_us > now)
            continue;
        timer->due_us = 0;
        timer->fn(timer->ctx);
    }
}

static void turn(struct poll_loop *loop)
{
    struct pollfd fds[OBJECTS];
    struct base_io *ios[OBJECTS];
    nfds_t n = 0;
    for (size_t i = 0; i < OBJECTS; i++) {
        struct base_io *io = loop->ios[i];
        if (!io || !io->events)
            continue;
        short events = (short)((io->events & BASE_IO_READ ? POLLIN : 0) |
                               (io->events & BASE_IO_WRITE ? POLLOUT : 0));
        fds[n] = (struct pollfd){.fd = io->fd, .events = events};
        ios[n++] = io;
    }
    (void)poll(fds, n, 5);
    for (nfds_t i = 0; i < n; i++) {
        bool broken = fds[i].revents & (POLLERR | POLLHUP | POLLNVAL);
        unsigned events = (fds[i].revents & POLLIN || broken ? BASE_IO_READ : 0u) |
                          (fds[i].revents & POLLOUT || broken ? BASE_IO_WRITE : 0u);
        if (events && !ios[i]->gone)
            ios[i]->fn(ios[i]->ctx, events & (ios[i]->events | (broken ? 3u : 0u)));
    }
    run_timers(loop);
    sweep(loop, false);
}

bool poll_loop_until(struct base_loop *base, const bool *done, int64_t timeout_ms)
{
    int64_t until = base_monotonic_us() + timeout_ms * 1000;
    while (!*done && base_monotonic_us() < until)
        turn((struct poll_loop *)base);
    return *done;
}
