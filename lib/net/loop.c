/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop over libuv. All timers are one wheel behind one uv_timer: libuv's own heap is fine for
 * few, but each connection has several. Posts are an unbounded list, because a post that is refused
 * would be an answer that never comes; who posts bounds what he has under way.
 */
#include "lib/net/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "lib/base/clock.h"

enum { TURN_HOOKS_MAX = 16, SIGNALS_MAX = 8 };

struct post {
    struct post *next;
    base_call_fn fn;
    void *ctx;
};

struct turn_hook {
    base_call_fn fn;
    void *ctx;
};

struct signal_watch {
    uv_signal_t uv;
    base_call_fn fn;
    void *ctx;
};

struct net_loop {
    struct base_loop base; /* first: the rest of the product holds a pointer to it */
    struct {
        uv_loop_t uv;
        uv_async_t wake;
        uv_timer_t tick;
        uv_prepare_t prepare;
        uv_check_t check;
        struct net_wheel wheel;
        int64_t tick_at_ms; /* when the uv_timer fires; -1: stopped */
        struct turn_hook hooks[TURN_HOOKS_MAX];
        size_t hook_count;
        struct signal_watch signals[SIGNALS_MAX];
        size_t signal_count;
        struct lookup *lookups;
    } loop;
    struct {
        pthread_mutex_t lock;
        struct post *first;
        struct post **last;
        bool stop;
    } shared;
};

struct io {
    struct base_loop_object object;
    uv_poll_t uv;
    base_io_fn fn;
    void *ctx;
};

struct timer {
    struct base_loop_object object;
    struct net_wheel_timer wheel;
    struct net_loop *loop;
};

struct lookup {
    uv_getaddrinfo_t uv;
    struct lookup *next;
    struct lookup **pprev;
    struct net_loop *loop;
    base_resolve_fn fn;
    void *ctx;
};

static struct net_loop *self(struct base_loop *base)
{
    return (struct net_loop *)(void *)base;
}

/* descriptors */

static void io_ready(uv_poll_t *uv, int status, int events)
{
    struct io *io = uv->data;
    unsigned ready = 0;
    if (status < 0)
        ready = BASE_IO_READ | BASE_IO_WRITE;
    if (events & UV_READABLE)
        ready |= BASE_IO_READ;
    if (events & UV_WRITABLE)
        ready |= BASE_IO_WRITE;
    io->fn(io->ctx, ready);
}

static enum base_err io_new(struct base_loop *base, int fd, base_io_fn fn, void *ctx,
                            struct base_io **ret_io)
{
    struct io *io = calloc(1, sizeof(*io));
    if (!io)
        return BASE_NO_MEMORY;
    *io = (struct io){.object = {base->vtable}, .fn = fn, .ctx = ctx};
    if (uv_poll_init(&self(base)->loop.uv, &io->uv, fd) < 0) {
        free(io);
        return BASE_INVALID;
    }
    io->uv.data = io;
    *ret_io = (struct base_io *)io;
    return BASE_OK;
}

static void io_set(struct base_io *base, unsigned events)
{
    struct io *io = (struct io *)(void *)base;
    int wanted = 0;
    if (events & BASE_IO_READ)
        wanted |= UV_READABLE;
    if (events & BASE_IO_WRITE)
        wanted |= UV_WRITABLE;
    if (wanted)
        (void)uv_poll_start(&io->uv, wanted, io_ready);
    else
        (void)uv_poll_stop(&io->uv);
}

static void io_closed(uv_handle_t *uv)
{
    free(uv->data);
}

static void io_free(struct base_io *base)
{
    struct io *io = (struct io *)(void *)base;
    uv_close((uv_handle_t *)&io->uv, io_closed);
}

/* timers */

/* The uv_timer stands for the wheel's next time; one that fires too early finds nothing due. */
static void tick_arm(struct net_loop *loop)
{
    int64_t next_ms = net_wheel_next_ms(&loop->loop.wheel);
    if (next_ms < 0 || (loop->loop.tick_at_ms >= 0 && loop->loop.tick_at_ms <= next_ms))
        return;
    int64_t now_ms = (int64_t)uv_now(&loop->loop.uv);
    uint64_t after_ms = next_ms > now_ms ? (uint64_t)(next_ms - now_ms) : 0;
    loop->loop.tick_at_ms = next_ms;
    (void)uv_timer_start(&loop->loop.tick, loop->loop.tick.timer_cb, after_ms, 0);
}

static void tick(uv_timer_t *uv)
{
    struct net_loop *loop = uv->data;
    net_wheel_advance(&loop->loop.wheel, (int64_t)uv_now(&loop->loop.uv));
    loop->loop.tick_at_ms = -1;
    tick_arm(loop);
}

void net_loop_timer_start(struct net_loop *loop, struct net_wheel_timer *timer, int64_t after_ms)
{
    if (after_ms < 0)
        after_ms = 0;
    if (after_ms > INT64_C(1) << 40) /* 35 years: no overflow below */
        after_ms = INT64_C(1) << 40;
    net_wheel_start(&loop->loop.wheel, timer, (int64_t)uv_now(&loop->loop.uv) + after_ms);
    tick_arm(loop);
}

void net_loop_timer_stop(struct net_loop *loop, struct net_wheel_timer *timer)
{
    net_wheel_stop(&loop->loop.wheel, timer);
}

static enum base_err timer_new(struct base_loop *base, base_call_fn fn, void *ctx,
                               struct base_timer **ret_timer)
{
    struct timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return BASE_NO_MEMORY;
    *timer = (struct timer){
        .object = {base->vtable}, .wheel = {.fn = fn, .ctx = ctx}, .loop = self(base)};
    *ret_timer = (struct base_timer *)timer;
    return BASE_OK;
}

static void timer_start(struct base_timer *base, int64_t after_ms)
{
    struct timer *timer = (struct timer *)(void *)base;
    net_loop_timer_start(timer->loop, &timer->wheel, after_ms);
}

static void timer_stop(struct base_timer *base)
{
    struct timer *timer = (struct timer *)(void *)base;
    net_loop_timer_stop(timer->loop, &timer->wheel);
}

static void timer_free(struct base_timer *base)
{
    timer_stop(base);
    free(base);
}

/* calls from other threads */

static enum base_err post(struct base_loop *base, base_call_fn fn, void *ctx)
{
    struct net_loop *loop = self(base);
    struct post *item = malloc(sizeof(*item));
    if (!item)
        return BASE_NO_MEMORY;
    *item = (struct post){.fn = fn, .ctx = ctx};
    pthread_mutex_lock(&loop->shared.lock);
    bool first = loop->shared.first == NULL;
    *loop->shared.last = item;
    loop->shared.last = &item->next;
    pthread_mutex_unlock(&loop->shared.lock);
    if (first)
        (void)uv_async_send(&loop->loop.wake);
    return BASE_OK;
}

/* Runs what waited when it was called, and no more: posts made by posts wait for the next turn, so
 * that they cannot starve the descriptors. */
static bool run_posts(struct net_loop *loop)
{
    pthread_mutex_lock(&loop->shared.lock);
    struct post *item = loop->shared.first;
    loop->shared.first = NULL;
    loop->shared.last = &loop->shared.first;
    pthread_mutex_unlock(&loop->shared.lock);
    bool any = item != NULL;
    while (item) {
        struct post *next = item->next;
        item->fn(item->ctx);
        free(item);
        item = next;
    }
    return any;
}

static bool stop_wanted(struct net_loop *loop)
{
    pthread_mutex_lock(&loop->shared.lock);
    bool stop = loop->shared.stop;
    pthread_mutex_unlock(&loop->shared.lock);
    return stop;
}

static void woken(uv_async_t *uv)
{
    struct net_loop *loop = uv->data;
    (void)run_posts(loop);
    if (stop_wanted(loop))
        uv_stop(&loop->loop.uv);
}

/* host names */

static void lookup_free(struct lookup *lookup)
{
    *lookup->pprev = lookup->next;
    if (lookup->next)
        lookup->next->pprev = lookup->pprev;
    free(lookup);
}

static void lookup_done(uv_getaddrinfo_t *uv, int status, struct addrinfo *list)
{
    struct lookup *lookup = uv->data;
    char text[INET6_ADDRSTRLEN];
    bool found = status == 0 && list;
    if (found && list->ai_family == AF_INET)
        found = uv_ip4_name((const struct sockaddr_in *)(const void *)list->ai_addr, text,
                            sizeof(text)) == 0;
    else if (found)
        found = uv_ip6_name((const struct sockaddr_in6 *)(const void *)list->ai_addr, text,
                            sizeof(text)) == 0;
    uv_freeaddrinfo(list);
    enum base_err err = BASE_NOT_FOUND;
    if (status == UV_ECANCELED || status == UV_EAI_CANCELED || status == UV_EAI_AGAIN)
        err = BASE_UNAVAILABLE;
    base_resolve_fn fn = lookup->fn;
    void *ctx = lookup->ctx;
    lookup_free(lookup);
    fn(ctx, found ? BASE_OK : err, found ? text : NULL);
}

static enum base_err resolve(struct base_loop *base, const char *host, base_resolve_fn fn,
                             void *ctx)
{
    struct net_loop *loop = self(base);
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (!lookup)
        return BASE_NO_MEMORY;
    *lookup = (struct lookup){.loop = loop, .fn = fn, .ctx = ctx};
    lookup->uv.data = lookup;
    lookup->next = loop->loop.lookups;
    lookup->pprev = &loop->loop.lookups;
    if (lookup->next)
        lookup->next->pprev = &lookup->next;
    loop->loop.lookups = lookup;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int rc = uv_getaddrinfo(&loop->loop.uv, &lookup->uv, lookup_done, host, NULL, &hints);
    if (rc < 0) {
        lookup_free(lookup);
        return rc == UV_ENOMEM ? BASE_NO_MEMORY : BASE_INVALID;
    }
    return BASE_OK;
}

static int64_t now_us(struct base_loop *base)
{
    (void)base;
    return base_monotonic_us();
}

static const struct base_loop_vtable vtable = {
    .io_new = io_new,
    .io_set = io_set,
    .io_free = io_free,
    .timer_new = timer_new,
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .timer_free = timer_free,
    .post = post,
    .resolve = resolve,
    .now_us = now_us,
};

/* turns and signals */

static void run_hooks(struct net_loop *loop)
{
    for (size_t i = 0; i < loop->loop.hook_count; i++)
        loop->loop.hooks[i].fn(loop->loop.hooks[i].ctx);
}

static void before_wait(uv_prepare_t *uv)
{
    run_hooks(uv->data);
}

static void after_wait(uv_check_t *uv)
{
    run_hooks(uv->data);
}

enum base_err net_loop_on_turn(struct net_loop *loop, base_call_fn fn, void *ctx)
{
    if (loop->loop.hook_count == TURN_HOOKS_MAX)
        return BASE_OVERLOADED;
    loop->loop.hooks[loop->loop.hook_count++] = (struct turn_hook){fn, ctx};
    return BASE_OK;
}

void net_loop_off_turn(struct net_loop *loop, base_call_fn fn, void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->loop.hook_count; i++) {
        struct turn_hook hook = loop->loop.hooks[i];
        if (hook.fn != fn || hook.ctx != ctx)
            loop->loop.hooks[kept++] = hook;
    }
    loop->loop.hook_count = kept;
}

static void signalled(uv_signal_t *uv, int signum)
{
    (void)signum;
    struct signal_watch *watch = uv->data;
    watch->fn(watch->ctx);
}

enum base_err net_loop_on_signal(struct net_loop *loop, int signum, base_call_fn fn, void *ctx)
{
    if (loop->loop.signal_count == SIGNALS_MAX)
        return BASE_OVERLOADED;
    struct signal_watch *watch = &loop->loop.signals[loop->loop.signal_count];
    if (uv_signal_init(&loop->loop.uv, &watch->uv) < 0)
        return BASE_NO_MEMORY;
    watch->fn = fn;
    watch->ctx = ctx;
    watch->uv.data = watch;
    loop->loop.signal_count++;
    return uv_signal_start(&watch->uv, signalled, signum) < 0 ? BASE_INVALID : BASE_OK;
}

/* life */

enum base_err net_loop_new(struct net_loop **ret_loop)
{
    struct net_loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return BASE_NO_MEMORY;
    if (uv_loop_init(&loop->loop.uv) < 0) {
        free(loop);
        return BASE_NO_MEMORY;
    }
    if (uv_async_init(&loop->loop.uv, &loop->loop.wake, woken) < 0) {
        (void)uv_loop_close(&loop->loop.uv);
        free(loop);
        return BASE_NO_MEMORY;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    loop->base.vtable = &vtable;
    loop->shared.last = &loop->shared.first;
    loop->loop.tick_at_ms = -1;
    pthread_mutex_init(&loop->shared.lock, NULL);
    net_wheel_init(&loop->loop.wheel, (int64_t)uv_now(&loop->loop.uv));
    /* These four only fail on a loop that is closing. */
    (void)uv_timer_init(&loop->loop.uv, &loop->loop.tick);
    (void)uv_prepare_init(&loop->loop.uv, &loop->loop.prepare);
    (void)uv_check_init(&loop->loop.uv, &loop->loop.check);
    loop->loop.wake.data = loop->loop.tick.data = loop;
    loop->loop.prepare.data = loop->loop.check.data = loop;
    (void)uv_timer_start(&loop->loop.tick, tick, 0, 0);
    (void)uv_prepare_start(&loop->loop.prepare, before_wait);
    (void)uv_check_start(&loop->loop.check, after_wait);
    *ret_loop = loop;
    return BASE_OK;
}

struct base_loop *net_loop_base(struct net_loop *loop)
{
    return &loop->base;
}

void *net_loop_uv(struct net_loop *loop)
{
    return &loop->loop.uv;
}

void net_loop_run(struct net_loop *loop)
{
    while (!stop_wanted(loop))
        (void)uv_run(&loop->loop.uv, UV_RUN_DEFAULT);
    pthread_mutex_lock(&loop->shared.lock);
    loop->shared.stop = false;
    pthread_mutex_unlock(&loop->shared.lock);
}

void net_loop_stop(struct net_loop *loop)
{
    pthread_mutex_lock(&loop->shared.lock);
    loop->shared.stop = true;
    pthread_mutex_unlock(&loop->shared.lock);
    (void)uv_async_send(&loop->loop.wake);
}

void net_loop_free(struct net_loop *loop)
{
    if (!loop)
        return;
    for (struct lookup *lookup = loop->loop.lookups; lookup; lookup = lookup->next)
        (void)uv_cancel((uv_req_t *)&lookup->uv);
    while (run_posts(loop) || loop->loop.lookups)
        (void)uv_run(&loop->loop.uv, loop->loop.lookups ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    for (size_t i = 0; i < loop->loop.signal_count; i++)
        uv_close((uv_handle_t *)&loop->loop.signals[i].uv, NULL);
    uv_close((uv_handle_t *)&loop->loop.wake, NULL);
    uv_close((uv_handle_t *)&loop->loop.tick, NULL);
    uv_close((uv_handle_t *)&loop->loop.prepare, NULL);
    uv_close((uv_handle_t *)&loop->loop.check, NULL);
    (void)uv_run(&loop->loop.uv, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&loop->loop.uv);
    assert(busy == 0 && "a descriptor outlived its loop");
    (void)busy;
    pthread_mutex_destroy(&loop->shared.lock);
    free(loop);
}
