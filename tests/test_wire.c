/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/utf8.h"
#include "export/wire.h"
#include "tests/assert_hex.h"
#include "tests/unit.h"

static void wire_writes_in_network_order(void **state)
{
	uint8_t bytes[32];
	struct wire out = wire_over(bytes, sizeof(bytes));

	wire_u8(&out, 0x01);
	wire_be16(&out, 0x0203);
	wire_be32(&out, 0x04050607);
	wire_be64(&out, 0x08090a0b0c0d0e0f);
	wire_zeros(&out, 2);
	wire_copy(&out, "\x10\x11\x12", 3);

	assert_false(out.has_overflowed);
	assert_hex(bytes, out.length, "01 0203 04050607 08090a0b0c0d0e0f 0000 101112");
}

static void wire_writes_nothing_past_its_end(void **state)
{
	uint8_t bytes[4] = { 0xaa, 0xaa, 0xaa, 0xaa };
	struct wire out = wire_over(bytes, 3);

	wire_be16(&out, 0x0102);
	wire_be16(&out, 0x0304);

	assert_true(out.has_overflowed);
	assert_hex(bytes, 4, "0102 aa aa");
	assert_int_equal(out.length, 2);
}

static void wire_stays_overflowed(void **state)
{
	uint8_t bytes[4] = { 0 };
	struct wire out = wire_over(bytes, 4);

	wire_be64(&out, 1);
	wire_u8(&out, 1);

	assert_true(out.has_overflowed);
	assert_int_equal(out.length, 0);
	assert_hex(bytes, 4, "00000000");
}

static void wire_fills_its_capacity_to_the_last_octet(void **state)
{
	uint8_t bytes[4];
	struct wire out = wire_over(bytes, 4);

	wire_be32(&out, 0x01020304);

	assert_false(out.has_overflowed);
	assert_int_equal(out.length, 4);
	assert_null(wire_take(&out, 1));
}

static void wire_patches_what_was_written(void **state)
{
	uint8_t bytes[8];
	struct wire out = wire_over(bytes, 8);
	wire_u8(&out, 9);
	size_t mark = wire_mark(&out);
	wire_be16(&out, 0);
	wire_u8(&out, 9);

	wire_patch_be16(&out, mark, 0x0102);

	assert_hex(bytes, out.length, "09 0102 09");
}

static void wire_refuses_to_patch_behind_its_end(void **state)
{
	uint8_t bytes[8] = { 0 };
	struct wire out = wire_over(bytes, 8);
	wire_be16(&out, 0);

	wire_patch_be16(&out, 1, 0xffff);

	assert_true(out.has_overflowed);
	assert_hex(bytes, 4, "00000000");
}

static void utf8_is_cut_between_characters(void **state)
{
	assert_int_equal(utf8_prefix_bytes("eth0", 16), 4);
	assert_int_equal(utf8_prefix_bytes("abcdef", 4), 4);
	assert_int_equal(utf8_prefix_bytes("ab\xc3\xa9", 3), 2);         /* e acute, 2 octets */
	assert_int_equal(utf8_prefix_bytes("ab\xc3\xa9", 4), 4);         /* fits */
	assert_int_equal(utf8_prefix_bytes("\xf0\x9f\x90\x8c", 3), 0);   /* a snail, 4 octets */
	assert_int_equal(utf8_prefix_bytes("a\xf0\x9f\x90\x8c", 16), 5); /* whole */
}

static void utf8_ends_before_what_is_none(void **state)
{
	assert_int_equal(utf8_prefix_bytes("ab\xff", 16), 2);
	assert_int_equal(utf8_prefix_bytes("ab\xc3", 16), 2);            /* cut already */
	assert_int_equal(utf8_prefix_bytes("ab\xc0\xaf", 16), 2);        /* overlong */
	assert_int_equal(utf8_prefix_bytes("ab\xed\xa0\x80", 16), 2);    /* surrogate */
	assert_int_equal(utf8_prefix_bytes("a\xf4\x90\x80\x80", 16), 1); /* above 10ffff */
	assert_int_equal(utf8_prefix_bytes("a\xe2\x82 b", 16), 1); /* third octet missing */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(wire_writes_in_network_order),
	cmocka_unit_test(wire_writes_nothing_past_its_end),
	cmocka_unit_test(wire_stays_overflowed),
	cmocka_unit_test(wire_fills_its_capacity_to_the_last_octet),
	cmocka_unit_test(wire_patches_what_was_written),
	cmocka_unit_test(wire_refuses_to_patch_behind_its_end),
	cmocka_unit_test(utf8_is_cut_between_characters),
	cmocka_unit_test(utf8_ends_before_what_is_none),
};

UNIT_MAIN("wire", tests)
