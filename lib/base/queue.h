/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded queue of pointers between threads: many producers, one consumer. What happens when it is
 * full is the producer's business: push says so and takes nothing.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct base_queue;

/* capacity is rounded up to a power of two. */
BASE_MUST_CHECK enum base_err base_queue_new(size_t capacity, struct base_queue **ret_queue);
/* Items still inside are the caller's to drain first. */
void base_queue_free(struct base_queue *queue);

/* From any thread. False: full, item still yours. */
BASE_MUST_CHECK bool base_queue_push(struct base_queue *queue, void *item);
/* From the consumer's thread only. NULL: empty. */
void *base_queue_pop(struct base_queue *queue);
/* About how many are inside. */
size_t base_queue_len(const struct base_queue *queue);

#endif
