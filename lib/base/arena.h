/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: many small allocations that end together, such as one chat turn. Memory comes in chunks,
 * is zeroed, and is bounded by the maximum given at birth. Not for sharing between threads.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "lib/base/sv.h"

struct base_arena_chunk;

struct base_arena {
    struct base_arena_chunk *chunks;
    size_t used; /* bytes handed out, alignment included */
    size_t max;
};

void base_arena_init(struct base_arena *arena, size_t max);
void base_arena_done(struct base_arena *arena);
/* Ends all allocations but keeps one chunk for the next turn. */
void base_arena_reset(struct base_arena *arena);

/* Zeroed memory aligned for any type, or NULL when the maximum or the memory is exhausted. */
void *base_arena_alloc(struct base_arena *arena, size_t size);
/* n elements of size; NULL also on overflow of the product. */
void *base_arena_array(struct base_arena *arena, size_t n, size_t size);
/* A copy (with a NUL behind it for libraries). ptr is NULL if there is no room. */
struct base_sv base_arena_sv(struct base_arena *arena, struct base_sv s);

#define BASE_ARENA_NEW(arena, type) ((type *)base_arena_alloc((arena), sizeof(type)))

#endif
