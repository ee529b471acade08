/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of tasks: one reader for each format, which takes a file task by task, so that a large one
 * needs no more memory than its text and one task. Whatever the format, a task comes out as the
 * API's own fields in JSON, which are checked like those of any other request.
 */
#ifndef GATEWAY_EXCHANGE_READER_H
#define GATEWAY_EXCHANGE_READER_H

#include <jansson.h>

#include "lib/base/err.h"
#include "lib/base/sv.h"

enum { GW_ITEM_MAX = 256 * 1024, GW_UID_MAX = 255 };

struct gw_item {
    json_t *fields;           /* the API's; the caller's to free */
    char uid[GW_UID_MAX + 1]; /* its name where it comes from; empty if it has none */
    char due[32];             /* a series: the occurrence it has come to, if not the first */
    int64_t due_us;           /* the due date as an instant, for the user's own zone; 0: none */
    bool due_has_time;
    char said[256]; /* the due date in words, in a language and zone; empty if none */
    char language[16];
    char zone[64];
    bool done;
    int64_t created_us, completed_us; /* 0: not said */
    size_t line;                      /* where it begins */
};

/* Whose JSON it is. */
enum gw_json_kind { GW_JSON_OURS, GW_JSON_TASKS_ORG, GW_JSON_GOOGLE };

struct gw_reader {
    const struct gw_format *format;
    struct base_sv text;
    size_t at;   /* bytes read */
    size_t line; /* of that position, from 1 */
    bool begun;
    enum gw_json_kind kind;
    struct base_sv columns; /* of a table: its first line */
    /* The last failure: where, and what is wrong there. */
    size_t wrong_line;
    char why[200];
};

struct gw_format {
    const char *name;
    const char *media_type;
    /* OK, NOT_FOUND at the end, or MALFORMED with wrong_line and why. */
    enum base_err (*next)(struct gw_reader *reader, struct gw_item *ret_item);
};

/* By name, or by media type (parameters are ignored); NULL if there is none. */
const struct gw_format *gw_format_find(struct base_sv name);

void gw_reader_init(struct gw_reader *reader, const struct gw_format *format, struct base_sv text);
BASE_MUST_CHECK enum base_err gw_reader_next(struct gw_reader *reader, struct gw_item *ret_item);

/* For the formats. */
enum base_err gw_json_next(struct gw_reader *reader, struct gw_item *ret_item);
enum base_err gw_ical_next(struct gw_reader *reader, struct gw_item *ret_item);
enum base_err gw_todoist_next(struct gw_reader *reader, struct gw_item *ret_item);

/* foreign.c: one task of another's JSON. NOT_FOUND: it is to be left out (deleted, or without a
 * title). */
enum base_err gw_tasks_org_item(const json_t *entry, struct gw_item *ret_item);
enum base_err gw_google_item(const json_t *entry, struct gw_item *ret_item);

/* MALFORMED, with the reason for gw_reader.why. */
enum base_err gw_reader_fail(struct gw_reader *reader, size_t line, const char *why);
/* Goes on to a position, counting lines. */
void gw_reader_move(struct gw_reader *reader, size_t to);

#endif
