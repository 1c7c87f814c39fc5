/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way bytes for the outside are written. A writer walks forward over a buffer; the
 *first write that does not fit sets .has_overflowed and writes nothing, and from then on
 *neither does any other. So a group of writes is checked once, after it. All bounds live in
 *wire_take(). Everything is in network order.
 *
 * Lengths and counts that are known only later are reserved, marked and patched:
 *
 *	size_t mark = wire_mark(out);
 *	wire_be16(out, 0);
 *	...
 *	wire_patch_be16(out, mark, (uint16_t)(wire_mark(out) - start));
 */
#ifndef EXPORT_WIRE_H
#define EXPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
	uint8_t *bytes; /* borrowed */
	size_t capacity;
	size_t length;       /* written so far, never more than .capacity */
	bool has_overflowed; /* sticky */
};

static inline struct wire wire_over(uint8_t *bytes, size_t capacity)
{
	return (struct wire){ .bytes = bytes, .capacity = capacity };
}

/* The next .count bytes for the caller to fill, or NULL when there is no room for them. */
static inline uint8_t *wire_take(struct wire *out, size_t count)
{
	if (out->has_overflowed || count > out->capacity - out->length) {
		out->has_overflowed = true;
		return NULL;
	}
	uint8_t *at = out->bytes + out->length;
	out->length += count;
	return at;
}

/* Store a value at .at, which has room for it: for places that wire_take() has handed out. */
static inline void wire_store_be16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void wire_store_be32(uint8_t *at, uint32_t value)
{
	uint32_t swapped = __builtin_bswap32(value);
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		swapped = value;
	memcpy(at, &swapped, sizeof(swapped));
}

static inline void wire_store_be64(uint8_t *at, uint64_t value)
{
	uint64_t swapped = __builtin_bswap64(value);
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		swapped = value;
	memcpy(at, &swapped, sizeof(swapped));
}

static inline void wire_u8(struct wire *out, uint8_t value)
{
	uint8_t *at = wire_take(out, 1);
	if (at)
		at[0] = value;
}

static inline void wire_be16(struct wire *out, uint16_t value)
{
	uint8_t *at = wire_take(out, 2);
	if (at)
		wire_store_be16(at, value);
}

static inline void wire_be32(struct wire *out, uint32_t value)
{
	uint8_t *at = wire_take(out, 4);
	if (at)
		wire_store_be32(at, value);
}

static inline void wire_be64(struct wire *out, uint64_t value)
{
	uint8_t *at = wire_take(out, 8);
	if (at)
		wire_store_be64(at, value);
}

static inline void wire_zeros(struct wire *out, size_t count)
{
	uint8_t *at = wire_take(out, count);
	if (at)
		memset(at, 0, count);
}

static inline void wire_copy(struct wire *out, const void *from, size_t count)
{
	uint8_t *at = wire_take(out, count);
	if (at)
		memcpy(at, from, count);
}

/* The place of the next byte. */
static inline size_t wire_mark(const struct wire *out)
{
	return out->length;
}

/* Overwrite two bytes written earlier. A mark behind the end is refused like any overflow. */
static inline void wire_patch_be16(struct wire *out, size_t mark, uint16_t value)
{
	if (mark > out->length || out->length - mark < 2) {
		out->has_overflowed = true;
		return;
	}
	wire_store_be16(out->bytes + mark, value);
}

#endif
