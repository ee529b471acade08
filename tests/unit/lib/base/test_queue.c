/* SPDX-License-Identifier: Apache-2.0 */
/* The queue between threads: nothing lost, nothing twice, each producer in its order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "lib/base/queue.h"

enum { PRODUCERS = 4, EACH = 50000 };

static void a_full_queue_refuses_and_order_is_kept(void **state)
{
    struct base_queue *queue;
    int items[9];
    (void)state;
    assert_int_equal(base_queue_new(5, &queue), BASE_OK); /* rounded up to 8 */
    assert_null(base_queue_pop(queue));
    for (int lap = 0; lap < 5; lap++) {
        for (int i = 0; i < 8; i++)
            assert_true(base_queue_push(queue, &items[i]));
        assert_false(base_queue_push(queue, &items[8]));
        assert_int_equal(base_queue_len(queue), 8);
        for (int i = 0; i < 8; i++)
            assert_ptr_equal(base_queue_pop(queue), &items[i]);
        assert_null(base_queue_pop(queue));
        assert_int_equal(base_queue_len(queue), 0);
    }
    base_queue_free(queue);
    base_queue_free(NULL);
}

struct producer {
    struct base_queue *queue;
    uintptr_t number;
};

/* An item is its producer's number and its own, from 1. */
static void *produce(void *arg)
{
    const struct producer *producer = arg;
    for (uintptr_t i = 1; i <= EACH; i++)
        while (!base_queue_push(producer->queue, (void *)(producer->number << 32 | i)))
            (void)sched_yield();
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    struct base_queue *queue;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    uintptr_t last[PRODUCERS] = {0};
    (void)state;
    assert_int_equal(base_queue_new(64, &queue), BASE_OK);
    for (uintptr_t p = 0; p < PRODUCERS; p++) {
        producers[p] = (struct producer){queue, p};
        assert_int_equal(pthread_create(&threads[p], NULL, produce, &producers[p]), 0);
    }
    for (int taken = 0; taken < PRODUCERS * EACH;) {
        uintptr_t item = (uintptr_t)base_queue_pop(queue);
        if (!item) {
            (void)sched_yield();
            continue;
        }
        assert_true(item >> 32 < PRODUCERS);
        assert_true((item & 0xffffffff) == last[item >> 32] + 1);
        last[item >> 32]++;
        taken++;
    }
    for (int p = 0; p < PRODUCERS; p++)
        assert_int_equal(pthread_join(threads[p], NULL), 0);
    assert_null(base_queue_pop(queue));
    base_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_refuses_and_order_is_kept),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
