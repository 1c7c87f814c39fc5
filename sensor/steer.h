/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which lane meters a packet of a capture file: by its two addresses alone, in either order, so
 * that both directions of a flow and all its fragments are in one lane. The kernel's program
 * for interfaces (ring/steering.h) has the same idea. Keyed, so that nobody can write packets
 * that all meet in one lane.
 */
#ifndef SENSOR_STEER_H
#define SENSOR_STEER_H

#include <string.h>

#include "sensor/meta.h"

static inline uint64_t steer_mix(const uint64_t key[static 2], const uint8_t address[static 16])
{
	uint64_t high, low;

	memcpy(&high, address, sizeof(high));
	memcpy(&low, address + sizeof(high), sizeof(low));
	uint64_t mixed = (high ^ key[0]) * 0x9e3779b97f4a7c15;
	mixed ^= mixed >> 32;
	mixed = ((low ^ key[1]) + mixed) * 0xbf58476d1ce4e5b9;
	return mixed ^ mixed >> 29;
}

static inline unsigned steer_lane(
	const uint64_t key[static 2], const struct packet_meta *meta, unsigned lanes)
{
	uint64_t sum = steer_mix(key, meta->source) + steer_mix(key, meta->destination);

	sum *= 0x94d049bb133111eb;
	return (unsigned)((sum >> 32) * lanes >> 32);
}

#endif
