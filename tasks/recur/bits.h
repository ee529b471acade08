/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of small numbers as words of bits: membership, neighbours and rank without loops over
 * members. */
#ifndef RECUR_BITS_H
#define RECUR_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* 366 numbers: the days of a year. */
enum { RECUR_BITS_WORDS = 6 };

static inline int recur_bits_lowest(uint64_t word)
{
    return __builtin_ctzll(word);
}

static inline int recur_bits_highest(uint64_t word)
{
    return 63 - __builtin_clzll(word);
}

static inline int recur_bits_count(uint64_t word)
{
    return __builtin_popcountll(word);
}

/* The members below bit, which may be 64. */
static inline uint64_t recur_bits_below(uint64_t word, int bit)
{
    return bit >= 64 ? word : word & ((UINT64_C(1) << bit) - 1);
}

/* The members at or above bit. */
static inline uint64_t recur_bits_from(uint64_t word, int bit)
{
    return bit >= 64 ? 0 : word & (~UINT64_C(0) << bit);
}

static inline bool recur_bits_has(uint64_t word, int bit)
{
    return word >> bit & 1;
}

/* The k-th member, counted from 0; there must be more than k. */
static inline int recur_bits_select(uint64_t word, int k)
{
    while (k-- > 0)
        word &= word - 1;
    return recur_bits_lowest(word);
}

static inline bool recur_bits_any(const uint64_t words[RECUR_BITS_WORDS])
{
    uint64_t all = 0;
    for (int i = 0; i < RECUR_BITS_WORDS; i++)
        all |= words[i];
    return all != 0;
}

/* The smallest member >= bit, or -1. */
static inline int recur_bits_next(const uint64_t words[RECUR_BITS_WORDS], int bit)
{
    for (int i = bit / 64; i < RECUR_BITS_WORDS; i++) {
        uint64_t word = i == bit / 64 ? recur_bits_from(words[i], bit % 64) : words[i];
        if (word)
            return i * 64 + recur_bits_lowest(word);
    }
    return -1;
}

/* The largest member <= bit, or -1; bit may be negative. */
static inline int recur_bits_prev(const uint64_t words[RECUR_BITS_WORDS], int bit)
{
    if (bit < 0)
        return -1;
    if (bit >= RECUR_BITS_WORDS * 64)
        bit = RECUR_BITS_WORDS * 64 - 1;
    for (int i = bit / 64; i >= 0; i--) {
        uint64_t word = i == bit / 64 ? recur_bits_below(words[i], bit % 64 + 1) : words[i];
        if (word)
            return i * 64 + recur_bits_highest(word);
    }
    return -1;
}

/* n <= 32 members from bit on, moved down to bit 0. */
static inline uint32_t recur_bits_slice(const uint64_t words[RECUR_BITS_WORDS], int bit, int n)
{
    uint64_t low = words[bit / 64] >> (bit % 64);
    if (bit % 64 > 32 && bit / 64 + 1 < RECUR_BITS_WORDS)
        low |= words[bit / 64 + 1] << (64 - bit % 64);
    return (uint32_t)recur_bits_below(low, n);
}

/* The lowest n bits in reverse order. */
static inline uint32_t recur_bits_reverse(uint32_t word, int n)
{
    word = (word >> 1 & 0x55555555U) | (word & 0x55555555U) << 1;
    word = (word >> 2 & 0x33333333U) | (word & 0x33333333U) << 2;
    word = (word >> 4 & 0x0f0f0f0fU) | (word & 0x0f0f0f0fU) << 4;
    return __builtin_bswap32(word) >> (32 - n);
}

#endif
