/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts that are made from the option rows, and the readers of values. */
#include <errno.h>
#include <unistd.h>

#include "sensor/config_row.h"
#include "sensor/config_value.h"
#include "tests/config_run.h"
#include "tests/unit.h"

#define S UINT64_C(1000000000)

/* -- texts ---------------------------------------------------------------------------- */

static void config_help_names_every_option(void **state)
{
	const struct run *result = run("ringflowd --help");

	assert_int_equal(result->rc, CONFIG_HELP);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char name[64];

		if (option_rows[i].title || option_rows[i].is_refused)
			continue;
		snprintf(name, sizeof(name), " --%s", option_rows[i].name);
		assert_non_null(strstr(result->out, name));
		assert_non_null(strstr(result->out, option_rows[i].help));
	}
}

static void config_help_fits_a_terminal(void **state)
{
	const char *line = run("softflowd -h")->out;

	for (const char *end; (end = strchr(line, '\n')); line = end + 1)
		if (end - line > 110)
			fail_msg("%.*s", (int)(end - line), line);
}

static void config_help_comes_before_what_is_missing(void **state)
{
	assert_int_equal(run("ringflowd -h")->rc, CONFIG_HELP);
	assert_int_equal(run("ringflowd --version")->rc, CONFIG_HELP);
	assert_int_equal(run("ringflowd --check-config")->rc, -EINVAL);
	assert_int_equal(run("ringflowd -h -m x")->rc, -EINVAL);
}

static void config_version_says_what_was_built(void **state)
{
	const struct run *result = run("softflowd --version");

	assert_memory_equal(result->out, "softflowd (ringflow) ", 21);
	assert_null(strstr(result->out, "libpcap"));
	result = run("ringflowd --version --verbose");
	assert_memory_equal(result->out, "ringflowd (ringflow) ", 21);
	assert_non_null(strstr(result->out, "\nsources: "));
	assert_non_null(strstr(result->out, "pcap file\n"));
	assert_non_null(strstr(result->out, "\ncompressed captures: "));
	assert_non_null(strstr(result->out, "\nlibpcap version "));
}

/* The line of --elements that begins with .name, up to its end. */
static const char *element_line(const char *table, const char *name)
{
	static char line[512];
	size_t length = strlen(name);

	for (; *table; table = strchr(table, '\n') + 1)
		if (strncmp(table, name, length) == 0 && table[length] == ' ') {
			snprintf(line, sizeof(line), "%.*s", (int)strcspn(table, "\n"), table);
			return line;
		}
	fail_msg("no line for %s", name);
	return NULL;
}

static void config_lists_elements_a_line_each(void **state)
{
	const struct run *result = run("ringflowd --elements");
	unsigned ipfix, v9, octets;
	char type[32], json[32];

	assert_int_equal(result->rc, CONFIG_HELP);
	const char *line = element_line(result->out, "octetDeltaCount");
	assert_int_equal(
		sscanf(line, "%*s %u %u %u %31s %31s", &ipfix, &v9, &octets, type, json), 5);
	assert_int_equal(ipfix, 1);
	assert_int_equal(v9, 1);
	assert_int_equal(octets, 8);
	assert_string_equal(type, "unsigned64");
	assert_string_equal(json, "bytes");
	line = element_line(result->out, "icmpTypeCodeIPv6");
	assert_int_equal(sscanf(line, "%*s %u %u", &ipfix, &v9), 2);
	assert_int_equal(ipfix, 139);
	assert_int_equal(v9, 32);
	assert_non_null(strstr(line, "IPv6, ICMP"));
	assert_null(strstr(result->out, "scopeInterface"));
}

static void config_check_says_good_or_why_not(void **state)
{
	const struct run *result = run("ringflowd -i eth0 --check-config");

	assert_int_equal(result->rc, CONFIG_HELP);
	assert_string_equal(result->out, "ringflowd: the command line is good\n");
	result = run("ringflowd -i eth0 -t tcp=5q --check-config");
	assert_int_equal(result->rc, -EINVAL);
	assert_string_equal(result->out, "");
}

/* What a dump says, given as long options, leads to the same dump. */
static void config_dump_is_a_command_line_again(void **state)
{
	static char line[8192], first[16384];
	size_t length = (size_t)snprintf(line, sizeof(line), "ringflowd");

	strcpy(first,
		dumped("softflowd -i 3:eth0 -n a:1,[::1]:2 -v 9 -T ether -s 5 -e ::1 -L 9 "
		       "-H 02:00:00:00:00:01 -x 2 -l -t udp=1d --mtu 1400 -B 3M"));
	for (char *rest = first, *name; (name = strsep(&rest, "\n")) && *name;) {
		char *value = strstr(name, " = ");

		assert_non_null(value);
		*value = 0;
		value += 3;
		if (strcmp(value, "no") == 0)
			continue;
		length += (size_t)snprintf(line + length, sizeof(line) - length,
			strcmp(value, "yes") == 0 ? " --%s" : " --%s=%s", name, value);
	}
	strcpy(first,
		dumped("softflowd -i 3:eth0 -n a:1,[::1]:2 -v 9 -T ether -s 5 -e ::1 -L 9 "
		       "-H 02:00:00:00:00:01 -x 2 -l -t udp=1d --mtu 1400 -B 3M"));
	assert_string_equal(dumped(line), first);
}

static void config_rows_are_whole(void **state)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->title)
			continue;
		assert_non_null(row->set);
		assert_non_null(row->help);
		assert_int_equal(row->manual[strlen(row->manual) - 1], '.');
		assert_int_equal(!row->defaults[0], !row->defaults[1]);
		for (size_t j = 0; j < i; j++) {
			if (option_rows[j].title)
				continue;
			assert_string_not_equal(row->name, option_rows[j].name);
			assert_true(!row->letter || row->letter != option_rows[j].letter);
		}
	}
}

static void config_manual_and_completion_name_every_option(void **state)
{
	char *manual, *completion;
	size_t manual_length, completion_length;
	FILE *out = open_memstream(&manual, &manual_length);

	config_write_manual(out);
	fclose(out);
	out = open_memstream(&completion, &completion_length);
	config_write_completion(out);
	fclose(out);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char text[64];

		if (option_rows[i].title)
			continue;
		snprintf(text, sizeof(text), "*--%s*", option_rows[i].name);
		assert_non_null(strstr(manual, text));
		snprintf(text, sizeof(text), "--%s ", option_rows[i].name);
		assert_int_equal(!strstr(completion, text), option_rows[i].is_refused);
	}
	free(manual);
	free(completion);
}

static char *example_text(void)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	config_write_example(out);
	fclose(out);
	return text;
}

static void config_example_has_every_option_that_a_file_can_have(void **state)
{
	char *text = example_text();

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		char line[64];

		if (row->title || row->is_refused || !config_row_has_value(row) ||
			i == OPTION_CONFIG)
			continue;
		snprintf(line, sizeof(line),
			row->is_switch || row->defaults[0] ? "\n#%s = "
			: i == OPTION_TIMEOUT              ? "\n#%s = udp="
							   : "\n# %s = ",
			row->name);
		if (!strstr(text, line))
			fail_msg("no \"%s\"", line + 1);
	}
	free(text);
}

/* Without its comment signs, it says what is so without it. */
static void config_example_tells_the_defaults(void **state)
{
	char path[] = "/tmp/ringflow-example-XXXXXX", line[128];
	FILE *out = fdopen(mkstemp(path), "w");
	char *text = example_text(), *rest = text;

	assert_non_null(out);
	for (char *at; (at = strsep(&rest, "\n"));)
		if (at[0] == '#' && at[1] != '#' && at[1] != ' ')
			fprintf(out, "%s\n", at + 1);
	fclose(out);
	free(text);
	snprintf(line, sizeof(line), "ringflowd -i eth0 --config %s", path);
	char *first = strdup(dumped(line));
	assert_string_equal(first, dumped("ringflowd -i eth0"));
	free(first);
	unlink(path);
}

static void config_differences_list_what_differs_alone(void **state)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	config_write_differences(out);
	fclose(out);
	assert_non_null(strstr(text, "|  *-v, --export-version*\n:  10\n:  5\n"));
	assert_non_null(strstr(text, "|  *-t maxlife*\n:  60\n:  604800\n"));
	assert_null(strstr(text, "--track*"));
	free(text);
}

/* -- values --------------------------------------------------------------------------- */

static void duration_adds_its_parts(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		uint64_t seconds;
	} rows[] = {
		{ "0", 0 },
		{ "600", 600 },
		{ "10m", 600 },
		{ "1h30m", 5400 },
		{ "1h30", 3630 },
		{ "1w2d3h4m5s", 604800 + 2 * 86400 + 3 * 3600 + 4 * 60 + 5 },
		{ "1W2D3H4M5S", 604800 + 2 * 86400 + 3 * 3600 + 4 * 60 + 5 },
		{ "5s5s", 10 },
		{ "1m1h", 3660 },
		{ "007", 7 },
		{ "2147483647", 2147483647 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = 1;

		assert_int_equal(config_parse_duration(rows[i].text, &ns), 0);
		assert_int_equal(ns, rows[i].seconds * S);
	}
}

static void duration_refuses_the_rest(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "", -EINVAL },
		{ "s", -EINVAL },
		{ "5q", -EINVAL },
		{ "5ss", -EINVAL },
		{ " 5", -EINVAL },
		{ "5 ", -EINVAL },
		{ "-5", -EINVAL },
		{ "+5", -EINVAL },
		{ "1.5", -EINVAL },
		{ "0x10", -EINVAL },
		{ "2147483648", -ERANGE },
		{ "3551w", -ERANGE },
		{ "2147483647s1s", -ERANGE },
		{ "99999999999999999999999999", -ERANGE },
		{ "18446744073709551616", -ERANGE },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ns = 42;

		if (config_parse_duration(rows[i].text, &ns) != rows[i].rc)
			fail_msg("%s", rows[i].text);
		assert_int_equal(ns, 42);
	}
}

static void timeout_is_read_into_its_member_alone(void **state)
{
	struct flow_timeouts timeouts = { .general_ns = 1, .udp_ns = 2, .tcp_fin_ns = 3 };
	char error[CONFIG_ERROR_BYTES];

	assert_int_equal(config_parse_timeout("tcp.fin=1m", &timeouts, error), 0);
	assert_int_equal(timeouts.tcp_fin_ns, 60 * S);
	assert_int_equal(timeouts.tcp_ns, 0);
	assert_int_equal(timeouts.general_ns, 1);
	assert_int_equal(config_parse_timeout("udp=0", &timeouts, error), 0);
	assert_int_equal(timeouts.udp_ns, 0);
	assert_int_equal(config_parse_timeout("general=0", &timeouts, error), -EINVAL);
	assert_int_equal(timeouts.general_ns, 1);
	assert_non_null(strstr(error, "general=0"));
}

static void number_stops_at_its_maximum(void **state)
{
	uint64_t number = 42;

	assert_int_equal(value_number("255", 255, &number), 0);
	assert_int_equal(number, 255);
	assert_int_equal(value_number("256", 255, &number), -ERANGE);
	assert_int_equal(value_number("3", 2, &number), -ERANGE);
	assert_int_equal(value_number("18446744073709551615", UINT64_MAX, &number), 0);
	assert_true(number == UINT64_MAX);
	assert_int_equal(value_number("18446744073709551616", UINT64_MAX, &number), -ERANGE);
	assert_int_equal(value_size("4194304K", UINT32_MAX, &number), -ERANGE);
	assert_int_equal(value_size("4194303k", UINT32_MAX, &number), 0);
	assert_int_equal(number, 4294966272);
}

static void config_clear_can_be_repeated(void **state)
{
	struct run *result = run("ringflowd -i eth0 -n a:1 -e ::1 -S x tcp");

	config_clear(&result->config);
	config_clear(&result->config);
	assert_null(result->config.interface);
	assert_int_equal(result->config.destination_count, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(config_help_names_every_option),
	cmocka_unit_test(config_help_fits_a_terminal),
	cmocka_unit_test(config_help_comes_before_what_is_missing),
	cmocka_unit_test(config_version_says_what_was_built),
	cmocka_unit_test(config_lists_elements_a_line_each),
	cmocka_unit_test(config_check_says_good_or_why_not),
	cmocka_unit_test(config_dump_is_a_command_line_again),
	cmocka_unit_test(config_rows_are_whole),
	cmocka_unit_test(config_manual_and_completion_name_every_option),
	cmocka_unit_test(config_example_has_every_option_that_a_file_can_have),
	cmocka_unit_test(config_example_tells_the_defaults),
	cmocka_unit_test(config_differences_list_what_differs_alone),
	cmocka_unit_test(duration_adds_its_parts),
	cmocka_unit_test(duration_refuses_the_rest),
	cmocka_unit_test(timeout_is_read_into_its_member_alone),
	cmocka_unit_test(number_stops_at_its_maximum),
	cmocka_unit_test(config_clear_can_be_repeated),
};

UNIT_MAIN("config_text", tests)
