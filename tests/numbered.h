/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbered test datagrams: packet_gun makes them, ring_probe finds them again. The number
 * follows a mark in the UDP payload, so that it is found behind any header.
 */
#ifndef TESTS_NUMBERED_H
#define TESTS_NUMBERED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NUMBERED_MARK "ringflow"
#define NUMBERED_MARK_BYTES 8u
#define NUMBERED_BYTES (NUMBERED_MARK_BYTES + 8u)
#define NUMBERED_MAX (1u << 24)
/* Ethernet, one tag, IPv6 with an extension header: the mark begins before this. */
#define NUMBERED_SEARCH_BYTES 128u

static inline void numbered_put(uint8_t *to, uint64_t number)
{
	memcpy(to, NUMBERED_MARK, NUMBERED_MARK_BYTES);
	memcpy(to + NUMBERED_MARK_BYTES, &number, sizeof(number));
}

static inline bool numbered_find(const uint8_t *bytes, uint32_t count, uint64_t *ret_number)
{
	for (uint32_t at = 0; at < NUMBERED_SEARCH_BYTES && at + NUMBERED_BYTES <= count;
		at++) {
		if (memcmp(bytes + at, NUMBERED_MARK, NUMBERED_MARK_BYTES) != 0)
			continue;
		memcpy(ret_number, bytes + at + NUMBERED_MARK_BYTES, sizeof(*ret_number));
		return true;
	}
	return false;
}

#endif
