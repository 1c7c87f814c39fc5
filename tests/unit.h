/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every unit test begins and ends with: cmocka with the headers it wants, and a main()
 * that takes a pattern of case names (`meson test -C build <module> --test-args
 * 'cursor_reads*'`).
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fnmatch.h>

static inline int unit_run(
	int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t count)
{
	size_t matching = argc > 1 ? 0 : count;

	for (size_t i = 0; i < count && argc > 1; i++)
		matching += fnmatch(argv[1], tests[i].name, 0) == 0;
	if (matching == 0) {
		fprintf(stderr, "no case is named like \"%s\"\n", argc > 1 ? argv[1] : "");
		return 1;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

/* main() over an array of cmocka_unit_test() rows. */
#define UNIT_MAIN(name, tests) \
	int main(int argc, char **argv) \
	{ \
		return unit_run(argc, argv, name, tests, sizeof(tests) / sizeof((tests)[0])); \
	}

#endif
