/* SPDX-License-Identifier: Apache-2.0 */
/* Arena: a list of chunks, newest first; chunks double up to 64 KiB, larger requests get their own.
 */
#include "lib/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { FIRST_CHUNK = 1024, LARGEST_CHUNK = 64 * 1024 };

struct base_arena_chunk {
    struct base_arena_chunk *next;
    size_t cap;
    size_t len;
    alignas(max_align_t) char data[];
};

void base_arena_init(struct base_arena *arena, size_t max)
{
    *arena = (struct base_arena){.max = max};
}

static void free_chunks(struct base_arena_chunk *chunk)
{
    while (chunk) {
        struct base_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void base_arena_done(struct base_arena *arena)
{
    free_chunks(arena->chunks);
    arena->chunks = NULL;
    arena->used = 0;
}

void base_arena_reset(struct base_arena *arena)
{
    struct base_arena_chunk *keep = arena->chunks;
    if (keep) {
        free_chunks(keep->next);
        keep->next = NULL;
        memset(keep->data, 0, keep->len);
        keep->len = 0;
    }
    arena->used = 0;
}

static struct base_arena_chunk *grow(struct base_arena *arena, size_t size)
{
    size_t cap = arena->chunks ? arena->chunks->cap * 2 : FIRST_CHUNK;
    if (cap > LARGEST_CHUNK)
        cap = LARGEST_CHUNK;
    if (cap < size)
        cap = size;
    struct base_arena_chunk *chunk = calloc(1, sizeof(*chunk) + cap);
    if (!chunk)
        return NULL;
    chunk->cap = cap;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *base_arena_alloc(struct base_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (__builtin_add_overflow(size, align - 1, &size))
        return NULL;
    size &= ~(align - 1);
    if (size > arena->max - arena->used)
        return NULL;
    struct base_arena_chunk *chunk = arena->chunks;
    if (!chunk || size > chunk->cap - chunk->len)
        chunk = grow(arena, size);
    if (!chunk)
        return NULL;
    void *at = chunk->data + chunk->len;
    chunk->len += size;
    arena->used += size;
    return at;
}

void *base_arena_array(struct base_arena *arena, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    return base_arena_alloc(arena, total);
}

struct base_sv base_arena_sv(struct base_arena *arena, struct base_sv s)
{
    char *copy = base_arena_alloc(arena, s.len + 1);
    if (!copy)
        return SV_NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return base_sv(copy, s.len);
}
