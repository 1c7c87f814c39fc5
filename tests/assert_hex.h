/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes against a listing in hexadecimal, in which blanks mean nothing: so expected messages
 * can be written one field to a line, with what it means beside it.
 */
#ifndef TESTS_ASSERT_HEX_H
#define TESTS_ASSERT_HEX_H

#include <string.h>

#include "tests/unit.h"

static inline void assert_hex(const uint8_t *bytes, size_t length, const char *expected)
{
	size_t at = 0;
	while (*(expected += strspn(expected, " "))) {
		unsigned value = 0;
		if (sscanf(expected, "%2x", &value) != 1)
			fail_msg("the listing is not hexadecimal: %.8s", expected);
		if (at >= length)
			fail_msg("ends after %zu octets, before %.24s", length, expected);
		if (bytes[at] != value)
			fail_msg("octet %zu is %02x, not at %.24s", at, bytes[at], expected);
		expected += 2;
		at++;
	}
	assert_int_equal(length, at);
}

#endif
