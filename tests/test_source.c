/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing a source: by name, the best one, and what is refused with which words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ring/source.h"
#include "ring/source_table.h"

static char error[SOURCE_ERROR_BYTES];

static int open_with(struct source_config config)
{
	struct source *source = NULL;

	config.block_bytes = 1 << 16;
	config.block_count = 4;
	config.retire_timeout_ms = 50;
	int outcome = source_open(&config, &source, error);
	source_close(source);
	return outcome;
}

static void an_unknown_kind_is_refused_by_name(void **state)
{
	assert_int_equal(
		open_with((struct source_config){ .kind = "magic", .interface = "lo" }),
		-EINVAL);
	assert_string_equal(error, "magic: no such kind of source");
}

static void a_live_source_wants_an_interface(void **state)
{
	assert_int_equal(open_with((struct source_config){ .kind = "pcap" }), -EINVAL);
	assert_string_equal(error, "pcap: no interface is given");
	assert_true(open_with((struct source_config){ .interface = "" }) < 0);
	assert_true(open_with((struct source_config){ 0 }) < 0);
}

static void a_replay_wants_files(void **state)
{
	assert_int_equal(open_with((struct source_config){ .kind = "file" }), -EINVAL);
	assert_string_equal(error, "file: no capture file is given");
}

static void a_missing_interface_is_named(void **state)
{
	for (size_t i = 0; i < source_table_count; i++) {
		if (!source_table[i].is_live || !source_table[i].ops)
			continue;
		assert_true(open_with((struct source_config){ .kind = source_table[i].name,
				    .interface = "no-such-if0" }) < 0);
		assert_non_null(strstr(error, "no-such-if0"));
	}
}

static void a_name_too_long_for_an_interface_is_refused(void **state)
{
	assert_true(open_with((struct source_config){
			    .interface = "lo-and-then-much-too-long" }) < 0);
	assert_non_null(strstr(error, "lo-and-then-much-too-long"));
}

static void a_source_left_out_of_the_build_says_so(void **state)
{
	for (size_t i = 0; i < source_table_count; i++) {
		if (source_table[i].ops)
			continue;
		assert_int_equal(open_with((struct source_config){
					 .kind = source_table[i].name, .interface = "lo" }),
			-ENOTSUP);
		assert_non_null(strstr(error, "not part of this build"));
	}
}

static void replay_and_libpcap_are_in_every_build(void **state)
{
	unsigned found = 0;

	for (size_t i = 0; i < source_table_count; i++)
		if (source_table[i].ops)
			found += strcmp(source_table[i].name, "pcap") == 0 ||
				 strcmp(source_table[i].name, "file") == 0;
	assert_int_equal(found, 2);
}

static void closing_nothing_is_fine(void **state)
{
	source_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_kind_is_refused_by_name),
		cmocka_unit_test(a_live_source_wants_an_interface),
		cmocka_unit_test(a_replay_wants_files),
		cmocka_unit_test(a_missing_interface_is_named),
		cmocka_unit_test(a_name_too_long_for_an_interface_is_refused),
		cmocka_unit_test(a_source_left_out_of_the_build_says_so),
		cmocka_unit_test(replay_and_libpcap_are_in_every_build),
		cmocka_unit_test(closing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
