/* SPDX-License-Identifier: BSD-2-Clause */
/* --template: what is taken, and what is refused with which words. */
#include <errno.h>

#include "tests/config_run.h"

static void config_takes_a_template(void **state)
{
	const struct run *result = run("ringflowd -i eth0");

	assert_int_equal(result->config.template.preset, PRESET_default);
	result = run("ringflowd -i eth0 --template full -v 9");
	assert_int_equal(result->rc, 0);
	assert_int_equal(result->config.template.preset, PRESET_full);
	result = run("ringflowd -i eth0 --template octetDeltaCount,packetDeltaCount");
	assert_int_equal(result->rc, 0);
	assert_int_equal(result->config.template.element_count, 2);
}

static void assert_template_refused(const char *line, const char *error)
{
	const struct run *result = run(line);

	assert_int_equal(result->rc, -EINVAL);
	assert_string_equal(result->error, error);
}

static void config_refuses_a_template_by_name(void **state)
{
	assert_template_refused("ringflowd -i eth0 --template octetDeltaCount,octets",
		"--template octetDeltaCount,octets: octets is no element that can be exported; "
		"--elements lists them");
	assert_template_refused("ringflowd -i eth0 --template octetDeltaCount,natEvent",
		"--template octetDeltaCount,natEvent: natEvent cannot be filled: address "
		"translation is not known");
	assert_template_refused("ringflowd -i eth0 -v 9 --template flowEndReason",
		"--template: flowEndReason is IPFIX's: NetFlow v9 has no number for it");
	assert_template_refused("softflowd -i eth0 --template full",
		"--template: the records of NetFlow v1 and v5 are fixed");
	assert_template_refused(
		"ringflowd -i eth0 -T ip --template octetDeltaCount,sourceTransportPort",
		"--template: sourceTransportPort cannot be filled: flows are not told apart by "
		"port (-T)");
}

static void config_dumps_a_template_as_it_was_given(void **state)
{
	const struct run *result =
		run("ringflowd -i eth0 --template vlanId,octetDeltaCount --dump-config");

	assert_non_null(strstr(result->out, "\ntemplate = vlanId,octetDeltaCount\n"));
	result = run("ringflowd -i eth0 --template nfdump --dump-config");
	assert_non_null(strstr(result->out, "\ntemplate = nfdump\n"));
}

static void config_says_which_options_a_named_template_makes_idle(void **state)
{
	const struct run *result =
		run("ringflowd -i eth0 -A nano -x 3 --template octetDeltaCount");

	assert_int_equal(result->config.note_count, 2);
	assert_string_equal(result->config.notes[0], "-A: --template names the form of times");
	assert_string_equal(result->config.notes[1], "-x: --template names the labels");
}

static void config_takes_options_data(void **state)
{
	const struct run *result = run("ringflowd -i eth0");

	assert_int_equal(result->config.options_data, OPTIONS_SET_DEFAULT);
	result = run("ringflowd -i eth0 --options-data none");
	assert_int_equal(result->config.options_data, 0);
	result = run("ringflowd -i eth0 --options-data Sampling,keys --dump-config");
	assert_non_null(strstr(result->out, "\noptions-data = sampling,keys\n"));
	result = run("ringflowd -i eth0 -v 9 --options-data default --dump-config");
	assert_non_null(strstr(result->out, "\noptions-data = default\n"));
	result = run("ringflowd -i eth0 --options-data none --dump-config");
	assert_non_null(strstr(result->out, "\noptions-data = none\n"));
	result = run("ringflowd -i eth0 --options-data default,metering");
	assert_int_equal(
		result->config.options_data, OPTIONS_SET_DEFAULT | 1u << OPTIONS_SET_METERING);
}

static void config_refuses_options_data_by_name(void **state)
{
	assert_template_refused("ringflowd -i eth0 --options-data keys,samp",
		"--options-data keys,samp: samp is not one of: default none sampling interface "
		"exporter uptime metering sending keys types");
	assert_template_refused("ringflowd -i eth0 -v 9 --options-data sampling,keys",
		"--options-data: keys is IPFIX's, not NetFlow v9's");
	assert_template_refused("ringflowd -i eth0 -v 9 --options-data exporter",
		"--options-data: exporter is IPFIX's, not NetFlow v9's");
	assert_template_refused("softflowd -i eth0 --options-data sampling",
		"--options-data: NetFlow v1 and v5 have none");
	assert_int_equal(run("ringflowd -i eth0 -v 9 --options-data interface")->rc, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(config_takes_a_template),
	cmocka_unit_test(config_refuses_a_template_by_name),
	cmocka_unit_test(config_dumps_a_template_as_it_was_given),
	cmocka_unit_test(config_takes_options_data),
	cmocka_unit_test(config_refuses_options_data_by_name),
	cmocka_unit_test(config_says_which_options_a_named_template_makes_idle),
};

UNIT_MAIN("config_template", tests)
