/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the hexadecimal text of decode_vectors. */
#include "tests/decode_vectors.h"

#include <assert.h>
#include <ctype.h>

static uint8_t digit_of(char c)
{
	assert(isxdigit((unsigned char)c));
	return (uint8_t)(isdigit((unsigned char)c) ? c - '0' : tolower(c) - 'a' + 10);
}

size_t vector_bytes(const char *hex, uint8_t *out)
{
	size_t digits = 0;
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		assert(digits / 2 < VECTOR_BYTES_MAX);
		if (digits % 2 == 0)
			out[digits / 2] = (uint8_t)(digit_of(*hex) << 4);
		else
			out[digits / 2] |= digit_of(*hex);
		digits++;
	}
	assert(digits % 2 == 0);
	return digits / 2;
}
