/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Understanding: one chat message in, task commands out. A pure library: no I/O after start, no
 * log, no clock of its own, no state between calls. One struct nlu serves any number of threads;
 * each thread brings a struct nlu_scratch. Everything in a result lives in the caller's arena or in
 * the text itself.
 */
#ifndef NLU_NLU_H
#define NLU_NLU_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/time/civil.h"
#include "lib/time/zone.h"

enum { NLU_TEXT_MAX = 4096 };

enum nlu_intent {
#define X(name, wire, help) NLU_##name,
#include "nlu/intents.def"
#undef X
    NLU_INTENT_COUNT
};

/* "task.create" */
const char *nlu_intent_name(enum nlu_intent intent);

/* A point in time as it was said. */
struct nlu_when {
    bool set;
    bool has_time;        /* false: a date only, the clock part is 0 */
    struct time_civil at; /* wall time in zone */
    struct base_sv zone;  /* IANA name if the text named one ("3pm Berlin time"), otherwise empty:
                             the input's */
};

enum nlu_anchor { NLU_ANCHOR_NONE, NLU_ANCHOR_SCHEDULE, NLU_ANCHOR_COMPLETION };

/* A reminder: before the due time, or at a time of its own. */
struct nlu_reminder {
    bool relative;
    int64_t before_s;   /* relative: seconds before due, 0 = at the due time */
    struct nlu_when at; /* absolute */
};

/* The fields of a task that a message can speak of; a field that was not said is empty. */
struct nlu_fields {
    struct base_sv title;
    struct nlu_when due;
    struct nlu_reminder *reminders;
    size_t reminder_count;
    struct base_sv rrule; /* without the "RRULE:" */
    struct nlu_when *exdates;
    size_t exdate_count;
    enum nlu_anchor anchor;
    int priority;         /* 1 lowest … 4 urgent, 0 = not said, -1 = to be cleared */
    struct base_sv *tags; /* without '#' */
    size_t tag_count;
    struct base_sv *untags; /* tags to be taken off */
    size_t untag_count;
    struct base_sv project; /* without '+' */
    struct base_sv notes;
    bool clear_due, clear_recurrence, clear_reminders, clear_project, clear_notes;
    int64_t shift_s; /* "move it by two hours": relative to the present due time; 0 = none */
    int64_t
        snooze_s; /* snooze: how long from now; 0 = not said (due.set may name a time instead) */
};

/* Which tasks a list speaks of. */
struct nlu_filter {
    struct nlu_when from, to; /* due in [from, to); a day is [00:00, next 00:00) */
    bool overdue;
    bool done;    /* the finished ones */
    bool all;     /* open and done */
    int priority; /* 0 = any */
    struct base_sv tag, project, text;
};

/* Which task a command is about. */
enum nlu_ref { NLU_REF_NONE, NLU_REF_LAST /* it, that */, NLU_REF_ALL };
struct nlu_target {
    enum nlu_ref ref;
    int number;          /* "the second one", "task 3": 1-based, -1 = the last one, 0 = none */
    struct base_sv text; /* words of the title */
};

struct nlu_command {
    enum nlu_intent intent;
    double confidence;        /* 0–1; below NLU_SURE the dialogue should ask */
    struct nlu_fields fields; /* create, reminder.set: the task; update, snooze: what changes */
    struct nlu_target target;
    struct nlu_filter filter;
    struct base_sv setting; /* settings: "timezone" | "quiet_hours" | "default_time" | "language",
                               and its value */
    struct base_sv setting_value;
};

#define NLU_SURE 0.5

/* What was found where: byte offsets into the text as given. */
struct nlu_span {
    const char *type; /* title, date, time, datetime, duration, set, reminder, priority, tag,
                         project, notes, … */
    size_t start, end;
    struct base_sv value; /* ISO 8601, RRULE or the plain value */
};

struct nlu_result {
    struct nlu_command
        *commands; /* at least one; further ones when a message holds several tasks */
    size_t command_count;
    struct nlu_span *spans;
    size_t span_count;
    struct base_sv *warnings; /* sentences that quote the part that was not understood */
    size_t warning_count;
    const char *language; /* "en", "de" */
};

/* What the conversation is about, so that answers can be understood. */
enum nlu_expect {
    NLU_EXPECT_NOTHING,
    NLU_EXPECT_YES_NO,
    NLU_EXPECT_CHOICE,
    NLU_EXPECT_TIME,
    NLU_EXPECT_TITLE
};

struct nlu_input {
    struct base_sv text;          /* UTF-8, at most NLU_TEXT_MAX bytes */
    int64_t now_us;               /* when it was written */
    const struct time_zone *zone; /* the writer's */
    struct base_sv locale;        /* "en", "de-AT"; empty = find out */
    enum nlu_expect expect;
};

struct nlu;
struct nlu_scratch;

/* Compiles the rule files below rules_dir (one folder per language). On failure errors names file,
 * line and reason. NULL as rules_dir takes the rules built into the program. */
BASE_MUST_CHECK enum base_err nlu_new(const char *rules_dir, struct nlu **ret_nlu,
                                      struct base_buf *errors);
void nlu_free(struct nlu *nlu);

BASE_MUST_CHECK enum base_err nlu_scratch_new(const struct nlu *nlu,
                                              struct nlu_scratch **ret_scratch);
void nlu_scratch_free(struct nlu_scratch *scratch);

/* TOO_LARGE: more than NLU_TEXT_MAX; MALFORMED: not UTF-8; NO_MEMORY: the arena is exhausted. */
BASE_MUST_CHECK enum base_err nlu_parse(const struct nlu *nlu, struct nlu_scratch *scratch,
                                        const struct nlu_input *input, struct base_arena *arena,
                                        struct nlu_result *ret_result);

/* Runs the examples that stand beside the rules; a line "file:line: …" for each that does not come
 * out as written. Returns how many those are. */
size_t nlu_check(const struct nlu *nlu, struct nlu_scratch *scratch, struct base_buf *out,
                 size_t *ret_examples);

/* For people: tokens, candidate rules, spans, scores, what was left over. */
void nlu_explain(const struct nlu *nlu, struct nlu_scratch *scratch, const struct nlu_input *input,
                 struct base_buf *out);

#endif
