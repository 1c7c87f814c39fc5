/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to read bytes that came from outside. A cursor walks forward over a byte range;
 * the first read past its end sets .failed, and from then on every read gives zero. So a group
 * of reads is checked once, after it. All bounds live in cursor_take().
 */
#ifndef SENSOR_CURSOR_H
#define SENSOR_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at; /* borrowed */
	size_t left;
	bool failed; /* sticky */
};

static inline struct cursor cursor_over(const uint8_t *bytes, size_t length)
{
	return (struct cursor){ .at = bytes, .left = length };
}

/* The next .count bytes, or NULL when there are not as many. */
static inline const uint8_t *cursor_take(struct cursor *in, size_t count)
{
	if (in->failed || count > in->left) {
		in->failed = true;
		return NULL;
	}
	const uint8_t *bytes = in->at;
	in->at += count;
	in->left -= count;
	return bytes;
}

static inline void cursor_skip(struct cursor *in, size_t count)
{
	(void)cursor_take(in, count);
}

static inline uint8_t cursor_u8(struct cursor *in)
{
	const uint8_t *b = cursor_take(in, 1);
	return b ? b[0] : 0;
}

static inline uint16_t cursor_be16(struct cursor *in)
{
	const uint8_t *b = cursor_take(in, 2);
	return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static inline uint32_t cursor_be32(struct cursor *in)
{
	const uint8_t *b = cursor_take(in, 4);
	return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

/* Little-endian; what 802.11 and hosts write. */
static inline uint16_t cursor_le16(struct cursor *in)
{
	const uint8_t *b = cursor_take(in, 2);
	return b ? (uint16_t)(b[1] << 8 | b[0]) : 0;
}

static inline uint32_t cursor_le32(struct cursor *in)
{
	const uint8_t *b = cursor_take(in, 4);
	return b ? (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0] : 0;
}

/* Copy .count bytes to .out, or leave .out as it is. */
static inline void cursor_copy(struct cursor *in, void *out, size_t count)
{
	const uint8_t *b = cursor_take(in, count);
	if (b)
		memcpy(out, b, count);
}

/*
 * Cut the next .count bytes off into a cursor of their own; false when there are not as many.
 * For headers of a fixed size: the compiler sees that reads inside .count cannot fail and drops
 * their checks.
 */
static inline bool cursor_split(struct cursor *in, size_t count, struct cursor *ret_part)
{
	const uint8_t *bytes = cursor_take(in, count);
	if (!bytes)
		return false;
	*ret_part = cursor_over(bytes, count);
	return true;
}

/* Let the cursor see at most .count more bytes. Never makes it see more. */
static inline void cursor_limit(struct cursor *in, uint64_t count)
{
	if (in->left > count)
		in->left = (size_t)count;
}

#endif
