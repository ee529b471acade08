/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/audit/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/audit/chain.h"
#include "bridge/audit/lookup.h"
#include "lib/base/log.h"

enum { LINES_MAX = 64 << 20, TAIL_STEP = 64 * 1024, WHY_MAX = 300, PATH_CAP = 4400 };

struct log {
    struct log *next;
    const char *topic;
    int32_t partition;
    int fd;
    off_t size; /* as far as chain knows the file */
    struct audit_chain chain;
};

struct audit_writer {
    char *dir;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Under the lock. */
    enum audit_progress progress;
    const struct audit_batch *batch;
    bool closing;
    char why[WHY_MAX];
    /* The thread's own. */
    struct log *logs;
    struct base_buf lines;
};

static enum base_err failed(struct audit_writer *writer, const struct log *log, const char *what)
{
    (void)snprintf(writer->why, sizeof(writer->why), "%s/%s-%d.log: %s: %s", writer->dir,
                   log->topic, log->partition, what, strerror(errno));
    return BASE_UNAVAILABLE;
}

/* Reads the last line of the file, cuts off one that has no end (a crash while it was written), and
 * sets the chain to go on behind it. */
static enum base_err resume(struct audit_writer *writer, struct log *log, off_t size)
{
    struct base_buf tail;
    enum base_err err = BASE_OK;
    base_buf_init(&tail, LINES_MAX);
    audit_chain_begin(&log->chain);
    /* From the end backwards in growing pieces, until a whole line is in sight. */
    for (off_t length = TAIL_STEP; err == BASE_OK && size > 0; length *= 4) {
        off_t from = size > length ? size - length : 0;
        base_buf_reset(&tail);
        char *room = base_buf_reserve(&tail, (size_t)(size - from));
        if (!room || pread(log->fd, room, (size_t)(size - from), from) != size - from) {
            err = failed(writer, log, "reading its end");
            break;
        }
        struct base_sv text = base_sv(room, (size_t)(size - from));
        size_t end = text.len;
        while (end > 0 && text.ptr[end - 1] != '\n')
            end--;
        size_t start = end > 0 ? end - 1 : 0;
        while (start > 0 && text.ptr[start - 1] != '\n')
            start--;
        if ((end == 0 || start == 0) && from > 0)
            continue;
        if (end < text.len && ftruncate(log->fd, from + (off_t)end) != 0)
            err = failed(writer, log, "cutting off half a line");
        size = from + (off_t)end;
        if (end > 0 && audit_chain_resume(&log->chain, base_sv_sub(text, start, end - 1))) {
            errno = EILSEQ;
            err = failed(writer, log, "its last line");
        }
        break;
    }
    log->size = size;
    base_buf_done(&tail);
    return err;
}

static struct log *log_of(struct audit_writer *writer, const struct audit_record *record)
{
    struct log *log = writer->logs;
    while (log && (log->partition != record->partition || strcmp(log->topic, record->topic) != 0))
        log = log->next;
    if (log)
        return log;
    log = calloc(1, sizeof(*log));
    if (!log)
        return NULL;
    *log = (struct log){
        .next = writer->logs, .topic = record->topic, .partition = record->partition, .fd = -1};
    audit_chain_begin(&log->chain);
    writer->logs = log;
    return log;
}

static void path_of(const struct audit_writer *writer, const struct log *log, char path[PATH_CAP])
{
    (void)snprintf(path, PATH_CAP, "%s/%s-%d.log", writer->dir, log->topic, log->partition);
}

/* Another process may have set the file aside. */
static bool is_in_place(const char *path, int fd)
{
    struct stat named, open_;
    return stat(path, &named) == 0 && fstat(fd, &open_) == 0 && named.st_ino == open_.st_ino &&
           named.st_dev == open_.st_dev;
}

/* Opened and locked. */
static enum base_err open_log(struct audit_writer *writer, struct log *log)
{
    char path[PATH_CAP];
    path_of(writer, log, path);
    for (;;) {
        if (log->fd < 0) {
            log->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
            log->size = -1;
        }
        if (log->fd < 0)
            return failed(writer, log, "opening it");
        if (flock(log->fd, LOCK_EX) != 0)
            return failed(writer, log, "locking it");
        if (is_in_place(path, log->fd))
            return BASE_OK;
        (void)close(log->fd);
        log->fd = -1;
    }
}

/* The log as it is becomes TOPIC-PARTITION.N.log, and a new one is begun. */
static enum base_err set_aside(struct audit_writer *writer, struct log *log)
{
    char path[PATH_CAP], aside[PATH_CAP + 16];
    path_of(writer, log, path);
    int n = 0;
    do
        (void)snprintf(aside, sizeof(aside), "%s/%s-%d.%d.log", writer->dir, log->topic,
                       log->partition, ++n);
    while (access(aside, F_OK) == 0);
    if (rename(path, aside) != 0)
        return failed(writer, log, "setting it aside");
    LOG_WARN("audit.topic_made_anew", LOG_STR("topic", log->topic),
             LOG_INT("partition", log->partition), LOG_STR("before", aside));
    return open_log(writer, log);
}

/* Goes on behind what the file holds now. */
static enum base_err catch_up(struct audit_writer *writer, struct log *log)
{
    struct stat st;
    if (fstat(log->fd, &st) != 0)
        return failed(writer, log, "looking at it");
    return st.st_size == log->size ? BASE_OK : resume(writer, log, st.st_size);
}

/* Whether the records that seem to be known are others than the log has at their offsets: the
 * first one that is there tells for all. */
static enum base_err made_anew(struct audit_writer *writer, struct log *log,
                               const struct audit_batch *batch, bool *ret_anew)
{
    struct base_sv payloads = base_buf_sv(&batch->payloads);
    enum base_err err = BASE_NOT_FOUND;
    *ret_anew = false;
    for (size_t i = 0; err == BASE_NOT_FOUND && i < batch->count; i++) {
        const struct audit_record *record = &batch->records[i];
        if (log_of(writer, record) != log || record->offset > log->chain.offset)
            continue;
        err = audit_lookup(log->fd, log->size, record->offset, &writer->lines);
        *ret_anew = err == BASE_OK && !audit_chain_holds(base_buf_sv(&writer->lines),
                                                         base_sv_sub(payloads, record->at,
                                                                     record->at + record->length));
    }
    return err == BASE_UNAVAILABLE ? failed(writer, log, "looking for a record") : BASE_OK;
}

static enum base_err append(struct audit_writer *writer, struct log *log,
                            const struct audit_batch *batch)
{
    struct base_sv payloads = base_buf_sv(&batch->payloads);
    bool anew = false;
    enum base_err err = catch_up(writer, log);
    if (err == BASE_OK)
        err = made_anew(writer, log, batch, &anew);
    if (anew) {
        err = set_aside(writer, log);
        if (err == BASE_OK)
            err = catch_up(writer, log);
    }
    base_buf_reset(&writer->lines);
    for (size_t i = 0; err == BASE_OK && i < batch->count; i++) {
        const struct audit_record *record = &batch->records[i];
        if (log_of(writer, record) != log || record->offset <= log->chain.offset)
            continue;
        struct base_sv payload = base_sv_sub(payloads, record->at, record->at + record->length);
        err = audit_chain_add(&log->chain, record->offset, payload, &writer->lines);
    }
    if (err != BASE_OK || !base_buf_ok(&writer->lines)) {
        log->size = -1; /* the chain went ahead of the file */
        errno = ENOMEM;
        return err == BASE_UNAVAILABLE ? err : failed(writer, log, "making its lines");
    }
    struct base_sv lines = base_buf_sv(&writer->lines);
    ssize_t done = lines.len ? write(log->fd, lines.ptr, lines.len) : 0;
    if (done != (ssize_t)lines.len || (lines.len && fdatasync(log->fd) != 0)) {
        log->size = -1; /* what is there is found out by the next try */
        return failed(writer, log, "writing it");
    }
    log->size += (off_t)lines.len;
    return BASE_OK;
}

/* Every log the batch has records of, one after another. */
static enum base_err write_batch(struct audit_writer *writer, const struct audit_batch *batch)
{
    enum base_err err = BASE_OK;
    struct log *last = NULL;
    for (size_t i = 0; i < batch->count; i++)
        if (!log_of(writer, &batch->records[i]))
            return BASE_NO_MEMORY;
    for (struct log *log = writer->logs; err == BASE_OK && log; log = log->next) {
        bool wanted = false;
        for (size_t i = 0; i < batch->count && !wanted; i++)
            wanted = log_of(writer, &batch->records[i]) == log;
        if (!wanted)
            continue;
        last = log;
        err = open_log(writer, log);
        if (err == BASE_OK)
            err = append(writer, log, batch);
        if (log->fd >= 0)
            (void)flock(log->fd, LOCK_UN);
    }
    /* A file that was moved away or whose disk came back is opened anew. */
    if (err != BASE_OK && last && last->fd >= 0) {
        (void)close(last->fd);
        last->fd = -1;
    }
    return err;
}

static void *work(void *arg)
{
    struct audit_writer *writer = arg;
    (void)pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (!writer->closing && !writer->batch)
            (void)pthread_cond_wait(&writer->wake, &writer->lock);
        if (!writer->batch)
            break;
        const struct audit_batch *batch = writer->batch;
        (void)pthread_mutex_unlock(&writer->lock);
        enum base_err err = write_batch(writer, batch);
        (void)pthread_mutex_lock(&writer->lock);
        writer->batch = NULL;
        writer->progress = err == BASE_OK ? AUDIT_WRITTEN : AUDIT_FAILED;
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return NULL;
}

void audit_writer_write(struct audit_writer *writer, const struct audit_batch *batch)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->batch = batch;
    writer->progress = AUDIT_WRITING;
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
}

enum audit_progress audit_writer_poll(struct audit_writer *writer, const char **ret_why)
{
    (void)pthread_mutex_lock(&writer->lock);
    enum audit_progress progress = writer->progress;
    if (progress != AUDIT_WRITING)
        writer->progress = AUDIT_IDLE;
    (void)pthread_mutex_unlock(&writer->lock);
    *ret_why = progress == AUDIT_FAILED ? writer->why : "";
    return progress;
}

void audit_writer_free(struct audit_writer *writer)
{
    if (!writer)
        return;
    (void)pthread_mutex_lock(&writer->lock);
    writer->closing = true;
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
    (void)pthread_join(writer->thread, NULL);
    for (struct log *log = writer->logs, *next; log; log = next) {
        next = log->next;
        if (log->fd >= 0)
            (void)close(log->fd);
        free(log);
    }
    (void)pthread_cond_destroy(&writer->wake);
    (void)pthread_mutex_destroy(&writer->lock);
    base_buf_done(&writer->lines);
    free(writer->dir);
    free(writer);
}

enum base_err audit_writer_new(const char *dir, struct audit_writer **ret_writer)
{
    struct audit_writer *writer = calloc(1, sizeof(*writer));
    if (!writer || !(writer->dir = strdup(dir))) {
        free(writer);
        return BASE_NO_MEMORY;
    }
    base_buf_init(&writer->lines, LINES_MAX);
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->wake, NULL);
    if (pthread_create(&writer->thread, NULL, work, writer) != 0) {
        (void)pthread_cond_destroy(&writer->wake);
        (void)pthread_mutex_destroy(&writer->lock);
        free(writer->dir);
        free(writer);
        return BASE_NO_MEMORY;
    }
    *ret_writer = writer;
    return BASE_OK;
}
