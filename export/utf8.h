/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting text to a field without leaving half a character (RFC 7011 6.1.6).
 */
#ifndef EXPORT_UTF8_H
#define EXPORT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Octets of the well-formed character at .text (RFC 3629), 0 at the end or when it is none.
 * Reads no further than the first octet that does not belong. */
static inline size_t utf8_character_bytes(const char *text)
{
	const uint8_t *s = (const uint8_t *)text;
	if (s[0] < 0x80)
		return s[0] != 0;
	size_t bytes = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	uint8_t least = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80; /* overlong forms */
	uint8_t most = s[0] == 0xed   ? 0x9f
		       : s[0] == 0xf4 ? 0x8f
				      : 0xbf; /* surrogates, > 10ffff */
	if (s[1] < least || s[1] > most)
		return 0;
	for (size_t i = 2; i < bytes; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return bytes;
}

/* Octets of the longest beginning of .text that is well-formed and at most .most octets long.
 */
static inline size_t utf8_prefix_bytes(const char *text, size_t most)
{
	size_t length = 0;
	for (;;) {
		size_t bytes = utf8_character_bytes(text + length);
		if (bytes == 0 || length + bytes > most)
			return length;
		length += bytes;
	}
}

#endif
