/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers: UUID version 7 (RFC 9562 5.7), so that ids made by any process sort by time and need
 * no round trip. Monotonic within a thread. Randomness is the kernel's.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "lib/base/sv.h"

enum { BASE_ID_TEXT = 36 };

struct base_id {
    uint8_t bytes[16];
};

struct base_id base_id_new(int64_t now_us);
bool base_id_eq(struct base_id a, struct base_id b);
bool base_id_is_null(struct base_id id);
/* Lower-case 8-4-4-4-12 with a NUL. */
void base_id_text(struct base_id id, char ret_text[BASE_ID_TEXT + 1]);
/* Exactly that form in either case; false on anything else. */
bool base_id_parse(struct base_sv text, struct base_id *ret_id);

/* n bytes from the kernel's generator; aborts if there is none. */
void base_random(void *dst, size_t n);

#endif
