/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-1-3 (Aumasson and Bernstein 2012, with one and three rounds) over whole 64-bit words:
 * a keyed pseudo-random function for short input. Who does not know the key cannot choose
 * packets that collide in the table, and one round per word is enough for that purpose.
 *
 * The result is that of the published function over the same octets, on either byte order.
 */
#ifndef SENSOR_HASH_H
#define SENSOR_HASH_H

#include <endian.h>
#include <stdint.h>

struct hash_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t hash_rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline void hash_round(struct hash_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = hash_rotate(s->v1, 13) ^ s->v0;
	s->v3 = hash_rotate(s->v3, 16) ^ s->v2;
	s->v0 = hash_rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = hash_rotate(s->v1, 17) ^ s->v2;
	s->v3 = hash_rotate(s->v3, 21) ^ s->v0;
	s->v2 = hash_rotate(s->v2, 32);
}

static inline void hash_absorb(struct hash_state *s, uint64_t word)
{
	s->v3 ^= word;
	hash_round(s);
	s->v0 ^= word;
}

/* .words are octets in memory order, not numbers. */
static inline uint64_t hash_words(
	const uint64_t key[static 2], const uint64_t *words, unsigned count)
{
	struct hash_state s = {
		.v0 = key[0] ^ 0x736f6d6570736575,
		.v1 = key[1] ^ 0x646f72616e646f6d,
		.v2 = key[0] ^ 0x6c7967656e657261,
		.v3 = key[1] ^ 0x7465646279746573,
	};

	for (unsigned i = 0; i < count; i++)
		hash_absorb(&s, le64toh(words[i]));
	hash_absorb(&s, (uint64_t)(count * 8 & 0xff) << 56);
	s.v2 ^= 0xff;
	hash_round(&s);
	hash_round(&s);
	hash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif
