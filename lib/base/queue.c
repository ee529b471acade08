/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dmitry Vyukov's bounded queue: each cell carries the number of the turn in which it may be
 * written or read, so producers only contend for the head, and an item is visible only when it is
 * whole.
 */
#include "lib/base/queue.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct cell {
    _Atomic size_t turn;
    void *item;
};

struct base_queue {
    size_t mask;
    struct cell *cells;
    alignas(64) _Atomic size_t head; /* producers */
    alignas(64) _Atomic size_t tail; /* the consumer */
};

enum base_err base_queue_new(size_t capacity, struct base_queue **ret_queue)
{
    size_t size = 2;
    while (size < capacity)
        size *= 2;
    struct base_queue *queue = aligned_alloc(alignof(struct base_queue), sizeof(*queue));
    struct cell *cells = calloc(size, sizeof(*cells));
    if (!queue || !cells) {
        free(queue);
        free(cells);
        return BASE_NO_MEMORY;
    }
    queue->mask = size - 1;
    queue->cells = cells;
    atomic_init(&queue->head, 0);
    atomic_init(&queue->tail, 0);
    for (size_t i = 0; i < size; i++)
        atomic_init(&cells[i].turn, i);
    *ret_queue = queue;
    return BASE_OK;
}

void base_queue_free(struct base_queue *queue)
{
    if (!queue)
        return;
    free(queue->cells);
    free(queue);
}

bool base_queue_push(struct base_queue *queue, void *item)
{
    size_t at = atomic_load_explicit(&queue->head, memory_order_relaxed);
    for (;;) {
        struct cell *cell = &queue->cells[at & queue->mask];
        size_t turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
        intptr_t ahead = (intptr_t)turn - (intptr_t)at;
        if (ahead < 0)
            return false;
        if (ahead > 0) {
            at = atomic_load_explicit(&queue->head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(
                       &queue->head, &at, at + 1, memory_order_relaxed, memory_order_relaxed)) {
            cell->item = item;
            atomic_store_explicit(&cell->turn, at + 1, memory_order_release);
            return true;
        }
    }
}

void *base_queue_pop(struct base_queue *queue)
{
    size_t at = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    struct cell *cell = &queue->cells[at & queue->mask];
    if (atomic_load_explicit(&cell->turn, memory_order_acquire) != at + 1)
        return NULL;
    void *item = cell->item;
    atomic_store_explicit(&cell->turn, at + queue->mask + 1, memory_order_release);
    atomic_store_explicit(&queue->tail, at + 1, memory_order_relaxed);
    return item;
}

size_t base_queue_len(const struct base_queue *queue)
{
    size_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    size_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    return head > tail ? head - tail : 0;
}
