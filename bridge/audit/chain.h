/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log's lines. Each holds one record of a partition and a hash over it and the hash of
 * the line before, so that no line can be changed, removed or moved unseen:
 *
 *     {"offset":7,"hash":"<SHA-256, hex>","event":{…}}
 *
 * hash = SHA-256(hash of the line before, as hex (64 zeros for the first) + offset in decimal + ","
 * + the line from "event" to its end). A record that is no JSON object in one line is kept as
 * "raw":"…". Cutting lines off the end shows only against a hash noted elsewhere. Pure.
 */
#ifndef BRIDGE_AUDIT_CHAIN_H
#define BRIDGE_AUDIT_CHAIN_H

#include "lib/base/buf.h"

enum { AUDIT_HASH_TEXT = 64 };

struct audit_chain {
    int64_t offset; /* of the last line; -1: none yet */
    char hash[AUDIT_HASH_TEXT + 1];
};

void audit_chain_begin(struct audit_chain *chain);

/* Appends the line of a record, with its line end, and moves the chain on. The offset must be above
 * the chain's. */
BASE_MUST_CHECK enum base_err audit_chain_add(struct audit_chain *chain, int64_t offset,
                                              struct base_sv payload, struct base_buf *buf);

/* Whether the line, without its end, holds this payload. */
bool audit_chain_holds(struct base_sv line, struct base_sv payload);

enum audit_fault {
    AUDIT_FINE,
    AUDIT_NOT_A_LINE, /* its shape is wrong */
    AUDIT_BROKEN,     /* its hash does not follow from the line before and its own content */
    AUDIT_DISORDER,   /* its offset is not above that of the line before */
    AUDIT_FAULT_COUNT
};
/* In words, for an operator. */
const char *audit_fault_text(enum audit_fault fault);

/* A line without its end: does it follow? Moves the chain on if it does. */
enum audit_fault audit_chain_follow(struct audit_chain *chain, struct base_sv line);
/* Goes on behind a line that is trusted: the last one of one's own log. */
enum audit_fault audit_chain_resume(struct audit_chain *chain, struct base_sv line);

#endif
