/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes audit logs, DIR/TOPIC-PARTITION.log, in a thread of its own, since files block. A batch is
 * handed over whole; it is written and synchronised, each record once (those at or below a log's
 * last offset are known already), before the writer says so. Where such a record is another one
 * than the log has at its offset, the topic was made anew: the log is set aside as
 * TOPIC-PARTITION.N.log and a new one begun. Several processes may share a folder: a log is locked
 * while it is written, and one that grew meanwhile is continued from its last line.
 */
#ifndef BRIDGE_AUDIT_WRITER_H
#define BRIDGE_AUDIT_WRITER_H

#include "lib/base/buf.h"

struct audit_record {
    const char *topic; /* must stay */
    int32_t partition;
    int64_t offset;
    size_t at, length; /* in payloads */
};

struct audit_batch {
    struct audit_record *records;
    size_t count;
    struct base_buf payloads;
};

struct audit_writer;

BASE_MUST_CHECK enum base_err audit_writer_new(const char *dir, struct audit_writer **ret_writer);
/* Waits for the batch under way. */
void audit_writer_free(struct audit_writer *writer);

/* One batch at a time; it stays the caller's and must not be touched while WRITING. */
void audit_writer_write(struct audit_writer *writer, const struct audit_batch *batch);

enum audit_progress {
    AUDIT_IDLE,
    AUDIT_WRITING,
    AUDIT_WRITTEN, /* told once, then IDLE */
    AUDIT_FAILED,  /* the same; nothing of the batch counts as written: hand it over again */
};
/* Never waits. ret_why: what went wrong; valid until the next write. */
enum audit_progress audit_writer_poll(struct audit_writer *writer, const char **ret_why);

#endif
