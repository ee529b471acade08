/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: posts from several threads, timers, descriptors, host names, signals, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/loop.h"

static struct net_loop *loop_new(void)
{
    struct net_loop *loop = NULL;
    assert_int_equal(net_loop_new(&loop), BASE_OK);
    return loop;
}

enum { POSTERS = 4, POSTS = 5000 };

struct poster {
    pthread_t thread;
    struct net_loop *loop;
    int seen;
    int *total;
};

struct item {
    struct poster *poster;
    int n;
};

static void item_run(void *ctx)
{
    struct item *item = ctx;
    assert_int_equal(item->n, item->poster->seen);
    item->poster->seen++;
    if (++*item->poster->total == POSTERS * POSTS)
        net_loop_stop(item->poster->loop);
    free(item);
}

static void *poster_main(void *ctx)
{
    struct poster *poster = ctx;
    for (int i = 0; i < POSTS; i++) {
        struct item *item = malloc(sizeof(*item));
        *item = (struct item){poster, i};
        if (base_loop_post(net_loop_base(poster->loop), item_run, item))
            abort();
    }
    return NULL;
}

static void posts_from_threads_all_run_in_order(void **state)
{
    (void)state;
    struct net_loop *loop = loop_new();
    struct poster posters[POSTERS];
    int total = 0;
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.loop = loop, .total = &total};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, poster_main, &posters[i]), 0);
    }
    net_loop_run(loop);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].seen, POSTS);
    }
    net_loop_free(loop);
}

static void count(void *ctx)
{
    (*(int *)ctx)++;
}

static void stop(void *ctx)
{
    net_loop_stop(ctx);
}

static void posts_left_at_the_end_still_run(void **state)
{
    (void)state;
    struct net_loop *loop = loop_new();
    int n = 0;
    net_loop_stop(loop);
    net_loop_run(loop);
    for (int i = 0; i < 3; i++)
        assert_int_equal(base_loop_post(net_loop_base(loop), count, &n), BASE_OK);
    net_loop_free(loop);
    assert_int_equal(n, 3);
}

struct ticking {
    struct net_loop *loop;
    struct base_timer *timer;
    int left;
    int64_t due_us;
};

static void tick(void *ctx)
{
    struct ticking *t = ctx;
    assert_true(base_monotonic_us() + 1000 >= t->due_us);
    if (--t->left == 0) {
        base_timer_free(t->timer);
        net_loop_stop(t->loop);
        return;
    }
    t->due_us = base_monotonic_us() + 3000;
    base_timer_start(t->timer, 5);
}

static void timers_fire_once_and_not_early(void **state)
{
    (void)state;
    struct ticking t = {.loop = loop_new(), .left = 5};
    struct base_timer *never = NULL;
    int n = 0;
    struct base_loop *base = net_loop_base(t.loop);
    assert_int_equal(base_timer_new(base, tick, &t, &t.timer), BASE_OK);
    assert_int_equal(base_timer_new(base, count, &n, &never), BASE_OK);
    base_timer_start(never, 1);
    base_timer_stop(never);
    base_timer_start(t.timer, 0);
    net_loop_run(t.loop);
    assert_int_equal(t.left, 0);
    assert_int_equal(n, 0);
    base_timer_free(never);
    net_loop_free(t.loop);
}

struct pipe_end {
    struct net_loop *loop;
    struct base_io *io;
    int fd;
    char got[16];
    size_t len;
};

static void readable(void *ctx, unsigned events)
{
    struct pipe_end *end = ctx;
    assert_true(events & BASE_IO_READ);
    ssize_t n = read(end->fd, end->got + end->len, sizeof(end->got) - end->len);
    if (n > 0) {
        end->len += (size_t)n;
        return;
    }
    base_io_free(end->io);
    net_loop_stop(end->loop);
}

static void descriptors_are_watched_until_freed(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct pipe_end end = {.loop = loop_new(), .fd = fds[0]};
    assert_int_equal(base_io_new(net_loop_base(end.loop), fds[0], readable, &end, &end.io),
                     BASE_OK);
    base_io_set(end.io, BASE_IO_READ);
    assert_int_equal(write(fds[1], "hello", 5), 5);
    close(fds[1]);
    net_loop_run(end.loop);
    assert_int_equal(end.len, 5);
    assert_memory_equal(end.got, "hello", 5);
    close(fds[0]);
    net_loop_free(end.loop);
}

struct answer {
    struct net_loop *loop;
    enum base_err err;
    char address[64];
    int calls;
};

static void resolved(void *ctx, enum base_err err, const char *address)
{
    struct answer *answer = ctx;
    answer->calls++;
    answer->err = err;
    if (address)
        strncpy(answer->address, address, sizeof(answer->address) - 1);
    net_loop_stop(answer->loop);
}

static void host_names_are_resolved(void **state)
{
    (void)state;
    struct answer answer = {.loop = loop_new()};
    struct base_loop *base = net_loop_base(answer.loop);
    assert_int_equal(base_loop_resolve(base, "127.0.0.1", resolved, &answer), BASE_OK);
    assert_int_equal(answer.calls, 0);
    net_loop_run(answer.loop);
    assert_int_equal(answer.err, BASE_OK);
    assert_string_equal(answer.address, "127.0.0.1");
    assert_int_equal(base_loop_resolve(base, "localhost", resolved, &answer), BASE_OK);
    net_loop_run(answer.loop);
    assert_int_equal(answer.err, BASE_OK);
    assert_true(!strcmp(answer.address, "127.0.0.1") || !strcmp(answer.address, "::1"));
    assert_int_equal(base_loop_resolve(base, "no host at all", resolved, &answer), BASE_OK);
    net_loop_run(answer.loop);
    assert_int_not_equal(answer.err, BASE_OK);
    assert_int_equal(answer.calls, 3);
    /* One that is under way when the loop ends is answered too. */
    assert_int_equal(base_loop_resolve(base, "localhost", resolved, &answer), BASE_OK);
    net_loop_free(answer.loop);
    assert_int_equal(answer.calls, 4);
}

static void signals_come_in_the_loops_thread(void **state)
{
    (void)state;
    struct net_loop *loop = loop_new();
    assert_int_equal(net_loop_on_signal(loop, SIGUSR1, stop, loop), BASE_OK);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    net_loop_run(loop);
    net_loop_free(loop);
}

static void hooks_run_around_each_turn(void **state)
{
    (void)state;
    struct net_loop *loop = loop_new();
    int kept = 0;
    int removed = 0;
    assert_int_equal(net_loop_on_turn(loop, count, &kept), BASE_OK);
    assert_int_equal(net_loop_on_turn(loop, count, &removed), BASE_OK);
    net_loop_off_turn(loop, count, &removed);
    assert_int_equal(base_loop_post(net_loop_base(loop), stop, loop), BASE_OK);
    net_loop_run(loop);
    assert_true(kept >= 2);
    assert_int_equal(removed, 0);
    net_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_from_threads_all_run_in_order),
        cmocka_unit_test(posts_left_at_the_end_still_run),
        cmocka_unit_test(timers_fire_once_and_not_early),
        cmocka_unit_test(descriptors_are_watched_until_freed),
        cmocka_unit_test(host_names_are_resolved),
        cmocka_unit_test(signals_come_in_the_loops_thread),
        cmocka_unit_test(hooks_run_around_each_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
