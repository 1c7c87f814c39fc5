/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash of flow keys: multilinear over 32-bit words (Carter and Wegman 1979, in the form of
 * Lemire and Kaser 2014), then mixed.
 *
 *   sum = addend + multiplier[0] * word[0] + multiplier[1] * word[1] + ...   modulo 2^64
 *
 * Multipliers and addend are secret and random. Two keys that differ have equal sums for at
 * most one of 2^32 choices of them, whatever the keys are: so who knows this code but not the
 * choice cannot make packets that collide. Keys in a row give sums in a row; mixing, which is
 * one to one, scatters those over the table.
 *
 * A word costs one multiplication. SipHash, whose result may be published without giving the
 * key away, costs five times as much; these results never leave the process.
 */
#ifndef SENSOR_FLOW_HASH_H
#define SENSOR_FLOW_HASH_H

#include <stdint.h>
#include <string.h>

#include "sensor/hash.h"

#define FLOW_HASH_WORDS_MAX 13 /* ports and the rest 2, two IPv6 addresses 8, two MACs 3 */

struct flow_hash {
	uint64_t addend;
	uint64_t multiplier[FLOW_HASH_WORDS_MAX];
};

/* Draw the multipliers from a key of 128 bits. */
static inline void flow_hash_init(struct flow_hash *hash, const uint64_t key[static 2])
{
	uint64_t number = 0;

	hash->addend = hash_words(key, &number, 1);
	for (unsigned i = 0; i < FLOW_HASH_WORDS_MAX; i++) {
		number++;
		hash->multiplier[i] = hash_words(key, &number, 1);
	}
}

/* The part of .count words, multiplied from number .first on. */
static inline uint64_t flow_hash_part(
	const struct flow_hash *hash, unsigned first, const void *words, unsigned count)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < count; i++) {
		uint32_t word;

		memcpy(&word, (const uint8_t *)words + i * sizeof(word), sizeof(word));
		sum += hash->multiplier[first + i] * word;
	}
	return sum;
}

static inline uint64_t flow_hash_mix(uint64_t sum)
{
	sum ^= sum >> 32;
	sum *= 0xbf58476d1ce4e5b9;
	sum ^= sum >> 29;
	sum *= 0x94d049bb133111eb;
	return sum ^ sum >> 32;
}

#endif
