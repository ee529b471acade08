/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded when a daemon runs under ThreadSanitizer. The sanitizer knows POSIX threads only;
 * librdkafka uses those of C11, and its threads would crash in the sanitizer's allocator. Here they
 * are made from POSIX ones, which in glibc they are anyway.
 */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

struct start {
    thrd_start_t fn;
    void *arg;
};

static void *run(void *ctx)
{
    struct start start = *(struct start *)ctx;
    free(ctx);
    return (void *)(long)start.fn(start.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
    struct start *start = malloc(sizeof(*start));
    if (!start)
        return thrd_nomem;
    *start = (struct start){fn, arg};
    return pthread_create(thread, NULL, run, start) == 0 ? thrd_success : thrd_error;
}

int thrd_join(thrd_t thread, int *result)
{
    void *value;
    if (pthread_join(thread, &value) != 0)
        return thrd_error;
    if (result)
        *result = (int)(long)value;
    return thrd_success;
}

static pthread_mutex_t *mutex(mtx_t *mtx)
{
    return (pthread_mutex_t *)(void *)mtx;
}

static pthread_cond_t *cond(cnd_t *cnd)
{
    return (pthread_cond_t *)(void *)cnd;
}

int mtx_init(mtx_t *mtx, int type)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    int err = pthread_mutex_init(mutex(mtx), &attr);
    pthread_mutexattr_destroy(&attr);
    return err ? thrd_error : thrd_success;
}

void mtx_destroy(mtx_t *mtx)
{
    pthread_mutex_destroy(mutex(mtx));
}

int mtx_lock(mtx_t *mtx)
{
    return pthread_mutex_lock(mutex(mtx)) ? thrd_error : thrd_success;
}

int mtx_trylock(mtx_t *mtx)
{
    return pthread_mutex_trylock(mutex(mtx)) ? thrd_busy : thrd_success;
}

int mtx_unlock(mtx_t *mtx)
{
    return pthread_mutex_unlock(mutex(mtx)) ? thrd_error : thrd_success;
}

int cnd_init(cnd_t *cnd)
{
    return pthread_cond_init(cond(cnd), NULL) ? thrd_error : thrd_success;
}

void cnd_destroy(cnd_t *cnd)
{
    pthread_cond_destroy(cond(cnd));
}

int cnd_signal(cnd_t *cnd)
{
    return pthread_cond_signal(cond(cnd)) ? thrd_error : thrd_success;
}

int cnd_broadcast(cnd_t *cnd)
{
    return pthread_cond_broadcast(cond(cnd)) ? thrd_error : thrd_success;
}

int cnd_wait(cnd_t *cnd, mtx_t *mtx)
{
    return pthread_cond_wait(cond(cnd), mutex(mtx)) ? thrd_error : thrd_success;
}

int cnd_timedwait(cnd_t *cnd, mtx_t *mtx, const struct timespec *until)
{
    return pthread_cond_timedwait(cond(cnd), mutex(mtx), until) ? thrd_timedout : thrd_success;
}
