/* SPDX-License-Identifier: Apache-2.0 */
/* An eventfd between librdkafka's threads and the loop. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "bridge/bus/kafka_internal.h"

static const uint64_t one = 1;

static void on_io(void *ctx, unsigned events)
{
    struct kafka_wake *wake = ctx;
    uint64_t count;
    (void)events;
    /* Emptied before the queue is read, so that what comes in between wakes us again. */
    if (read(wake->fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        wake->fn(wake->ctx);
}

enum base_err kafka_wake_open(struct kafka_wake *wake, struct base_loop *loop,
                              rd_kafka_queue_t *queue, base_call_fn fn, void *ctx)
{
    *wake = (struct kafka_wake){.queue = queue, .fn = fn, .ctx = ctx};
    wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake->fd < 0 || base_io_new(loop, wake->fd, on_io, wake, &wake->io) != BASE_OK) {
        kafka_wake_close(wake);
        return BASE_NO_MEMORY;
    }
    base_io_set(wake->io, BASE_IO_READ);
    rd_kafka_queue_io_event_enable(queue, wake->fd, &one, sizeof(one));
    kafka_wake_again(wake); /* something may have come before we listened */
    return BASE_OK;
}

void kafka_wake_again(struct kafka_wake *wake)
{
    (void)!write(wake->fd, &one, sizeof(one));
}

void kafka_wake_close(struct kafka_wake *wake)
{
    if (!wake->queue)
        return;
    rd_kafka_queue_io_event_enable(wake->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(wake->queue);
    base_io_free(wake->io);
    if (wake->fd >= 0)
        (void)close(wake->fd);
    *wake = (struct kafka_wake){.fd = -1};
}
