/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop as the rest of the product sees it: descriptors, timers, calls from other threads.
 * lib/net implements it over libuv; tasks/ and bridge/ depend on this interface only. Everything
 * here but base_loop_post belongs to the loop's own thread. No callback may block.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "lib/base/err.h"
#include "lib/base/sv.h"

enum { BASE_IO_READ = 1, BASE_IO_WRITE = 2 };

struct base_loop;
struct base_io;
struct base_timer;

/* events: BASE_IO_* that are ready; an error or hang-up shows as both. */
typedef void (*base_io_fn)(void *ctx, unsigned events);
typedef void (*base_call_fn)(void *ctx);
/* address: numeric, NUL-terminated, NULL if it failed; valid during the call. */
typedef void (*base_resolve_fn)(void *ctx, enum base_err err, const char *address);

struct base_loop_vtable {
    enum base_err (*io_new)(struct base_loop *loop, int fd, base_io_fn fn, void *ctx,
                            struct base_io **ret_io);
    void (*io_set)(struct base_io *io, unsigned events);
    void (*io_free)(struct base_io *io);
    enum base_err (*timer_new)(struct base_loop *loop, base_call_fn fn, void *ctx,
                               struct base_timer **ret_timer);
    void (*timer_start)(struct base_timer *timer, int64_t after_ms);
    void (*timer_stop)(struct base_timer *timer);
    void (*timer_free)(struct base_timer *timer);
    enum base_err (*post)(struct base_loop *loop, base_call_fn fn, void *ctx);
    enum base_err (*resolve)(struct base_loop *loop, const char *host, base_resolve_fn fn,
                             void *ctx);
    int64_t (*now_us)(struct base_loop *loop);
};

struct base_loop {
    const struct base_loop_vtable *vtable;
};

/* Watches a descriptor it does not own; nothing is watched until base_io_set. Free it before the
 * descriptor is closed. Freeing from inside its own callback is allowed. */
BASE_MUST_CHECK static inline enum base_err
base_io_new(struct base_loop *loop, int fd, base_io_fn fn, void *ctx, struct base_io **ret_io)
{
    return loop->vtable->io_new(loop, fd, fn, ctx, ret_io);
}

/* A one-shot timer with millisecond steps; starting a running one moves it. */
BASE_MUST_CHECK static inline enum base_err base_timer_new(struct base_loop *loop, base_call_fn fn,
                                                           void *ctx, struct base_timer **ret_timer)
{
    return loop->vtable->timer_new(loop, fn, ctx, ret_timer);
}

/* From any thread: fn(ctx) runs once in the loop's thread, in the order of the posts. Posts that
 * wait when the loop ends still run, during its end. */
BASE_MUST_CHECK static inline enum base_err base_loop_post(struct base_loop *loop, base_call_fn fn,
                                                           void *ctx)
{
    return loop->vtable->post(loop, fn, ctx);
}

/* A host name (or numeric address) without blocking the loop; fn is always called later, once. */
BASE_MUST_CHECK static inline enum base_err
base_loop_resolve(struct base_loop *loop, const char *host, base_resolve_fn fn, void *ctx)
{
    return loop->vtable->resolve(loop, host, fn, ctx);
}

/* Monotonic time of this loop turn, in microseconds. */
static inline int64_t base_loop_now_us(struct base_loop *loop)
{
    return loop->vtable->now_us(loop);
}

/* Each implementation's base_io and base_timer begin with the loop's vtable pointer. */
struct base_loop_object {
    const struct base_loop_vtable *vtable;
};

static inline void base_io_set(struct base_io *io, unsigned events)
{
    ((struct base_loop_object *)(void *)io)->vtable->io_set(io, events);
}

static inline void base_io_free(struct base_io *io)
{
    if (io)
        ((struct base_loop_object *)(void *)io)->vtable->io_free(io);
}

static inline void base_timer_start(struct base_timer *timer, int64_t after_ms)
{
    ((struct base_loop_object *)(void *)timer)->vtable->timer_start(timer, after_ms);
}

static inline void base_timer_stop(struct base_timer *timer)
{
    ((struct base_loop_object *)(void *)timer)->vtable->timer_stop(timer);
}

static inline void base_timer_free(struct base_timer *timer)
{
    if (timer)
        ((struct base_loop_object *)(void *)timer)->vtable->timer_free(timer);
}

#endif
