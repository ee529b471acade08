/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as CloudEvents 1.0 in structured JSON mode. What the database stores is the event without
 * its userseq; the number is known only when the relay has given it, and task_event_number() adds
 * it to the front of the text without parsing it.
 */
#ifndef TASKS_EVENT_H
#define TASKS_EVENT_H

#include "lib/base/id.h"
#include "lib/base/json.h"
#include "lib/base/trace.h"

enum task_event_type {
#define X(name, number, wire, topic) TASK_EVENT_##name = (number),
#include "tasks/events.def"
#undef X
};

/* Besides task-updates, which carries every event. */
enum task_event_topic { TASK_TOPIC_NONE, TASK_TOPIC_TASKS, TASK_TOPIC_REMINDERS };

/* NULL for a number that is no type. */
const char *task_event_name(int type);
enum task_event_topic task_event_topic(int type);
/* 0 for a name that is no type. */
int task_event_parse(struct base_sv name);

struct task_event_head {
    int type;
    struct base_id id; /* the dedupe key */
    struct base_sv user_id;
    struct base_sv subject; /* task id, or empty */
    int64_t time_us;
    const struct base_trace *trace; /* or NULL */
};

/* Writes the event up to and including "data": — the caller appends one JSON value and calls
 * task_event_end. */
void task_event_begin(struct base_buf *buf, const struct task_event_head *head);
void task_event_end(struct base_buf *buf);

/* What a stored event says of itself, read from the envelope's own order of fields without parsing
 * the rest. False if it is not an event of ours, or has no trace. */
bool task_event_id(struct base_sv stored, struct base_id *ret_id);
bool task_event_trace(struct base_sv stored, struct base_trace *ret_trace);

/* Appends the stored event with its userseq: {"userseq":42,… */
void task_event_number(struct base_buf *buf, struct base_sv stored, int64_t user_seq);

#endif
