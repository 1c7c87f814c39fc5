/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls are read strictly, replies are written to the octet, and the description is sound. */
#include "sensor/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static char reason[VARLINK_REASON_BYTES];

static int read_call(const char *text, struct varlink_call *ret_call)
{
	return varlink_call_read(text, strlen(text), ret_call, reason);
}

static void call_has_method_parameters_and_flags(void **state)
{
	struct varlink_call call;

	assert_int_equal(
		read_call(
			"{\"method\":\"a.b.C\",\"parameters\":{\"x\":1},\"more\":true}", &call),
		0);
	assert_string_equal(call.method, "a.b.C");
	assert_int_equal(varlink_int(call.parameters, "x", 0), 1);
	assert_true(call.wants_more);
	assert_false(call.is_oneway);
	varlink_call_clear(&call);
}

static void parameters_may_be_left_out_or_null(void **state)
{
	struct varlink_call call;

	assert_int_equal(read_call("{\"method\":\"a.b.C\"}", &call), 0);
	assert_null(call.parameters);
	assert_null(varlink_misfit(call.parameters, &control_words[WORD_status].takes));
	varlink_call_clear(&call);
	assert_int_equal(
		read_call("{\"method\":\"a.b.C\",\"parameters\":null,\"oneway\":true}", &call),
		0);
	assert_null(call.parameters);
	assert_true(call.is_oneway);
	varlink_call_clear(&call);
}

static void what_is_no_call_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "", "end of file" },
		{ "[]", "not an object" },
		{ "{}", "\"method\" is missing" },
		{ "{\"method\":1}", "\"method\" is no string" },
		{ "{\"method\":\"a\",\"parameters\":[]}", "\"parameters\" is no object" },
		{ "{\"method\":\"a\",\"more\":1}", "\"more\" is neither true nor false" },
		{ "{\"method\":\"a\",\"method\":\"b\"}", "duplicate" },
		{ "{\"method\":\"a\",\"evil\":1}", "\"evil\" is no member of a call" },
		{ "{\"method\":\"a\",\"more\":true,\"oneway\":true}", "exclude each other" },
		{ "{\"method\":\"a\",\"upgrade\":true}", "upgraded" },
		{ "{\"method\":\"a\"} x", "end of file expected" },
		{ "{\"method\":\"\\u0000\"}", "u0000" },
		{ "{\"method\":\"\xff\"}", "unable to decode" },
		{ "{\"method\":\"a\",\"parameters\":{\"x\":[[[[[[[[1]]]]]]]]}}",
			"nested too deep" },
		{ "{\"method\":\"a\",\"parameters\":{\"x\":99999999999999999999}}",
			"too big integer" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct varlink_call call;

		assert_int_equal(read_call(rows[i].text, &call), -EBADMSG);
		if (!strstr(reason, rows[i].reason))
			fail_msg("%s: %s", rows[i].text, reason);
	}
}

static void brackets_in_strings_are_not_depth(void **state)
{
	struct varlink_call call;

	assert_int_equal(read_call("{\"method\":\"[[[[[[[[[[[[[\\\"[[[[[[[[{{{{\"}", &call), 0);
	varlink_call_clear(&call);
}

static void longest_call_is_read_and_a_longer_one_is_not(void **state)
{
	static char text[CONTROL_REQUEST_BYTES + 2];
	struct varlink_call call;

	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, "{\"method\":\"a.b.C\"}", 18);
	assert_int_equal(varlink_call_read(text, CONTROL_REQUEST_BYTES, &call, reason), 0);
	varlink_call_clear(&call);
	assert_int_equal(
		varlink_call_read(text, CONTROL_REQUEST_BYTES + 1, &call, reason), -EBADMSG);
	assert_string_equal(reason, "too long");
}

static const char *misfit_of(enum control_word_id word, const char *parameters)
{
	json_t *value = json_loads(parameters, 0, NULL);
	const char *name = varlink_misfit(value, &control_words[word].takes);
	static char copy[64];

	snprintf(copy, sizeof(copy), "%s", name ? name : "");
	json_decref(value);
	return copy;
}

static void parameters_have_to_be_known_and_of_their_kind(void **state)
{
	assert_string_equal(misfit_of(WORD_flows, "{}"), "");
	assert_string_equal(
		misfit_of(WORD_flows, "{\"limit\":5,\"sort\":\"octets\",\"filter\":null}"), "");
	assert_string_equal(misfit_of(WORD_flows, "{\"limit\":\"5\"}"), "limit");
	assert_string_equal(misfit_of(WORD_flows, "{\"limit\":5.5}"), "limit");
	assert_string_equal(misfit_of(WORD_flows, "{\"sort\":1}"), "sort");
	assert_string_equal(misfit_of(WORD_flows, "{\"colour\":1}"), "colour");
	assert_string_equal(misfit_of(WORD_drops, "{\"all\":1}"), "all");
	assert_string_equal(misfit_of(WORD_run, "{}"), "word");
	assert_string_equal(misfit_of(WORD_status, "{\"x\":null}"), "x");
}

static void assert_written(const char *bytes, size_t length, json_t *parameters, bool continues)
{
	char *text;
	size_t written;
	FILE *out = open_memstream(&text, &written);

	varlink_write_reply(out, parameters, continues);
	fclose(out);
	assert_int_equal(written, length);
	assert_memory_equal(text, bytes, length);
	free(text);
	json_decref(parameters);
}

static void replies_end_in_nul_and_say_whether_they_continue(void **state)
{
	static const char last[] = "{\"parameters\":{\"a\":1}}";
	static const char more[] = "{\"parameters\":{\"a\":1},\"continues\":true}";
	static const char none[] = "{\"parameters\":{}}";

	assert_written(last, sizeof(last), json_pack("{s:i}", "a", 1), false);
	assert_written(more, sizeof(more), json_pack("{s:i}", "a", 1), true);
	assert_written(none, sizeof(none), NULL, false);
}

static void errors_carry_their_member(void **state)
{
	static const char bytes[] = "{\"error\":\"x.Y\",\"parameters\":{\"why\":\"so\"}}";
	char *text;
	size_t written;
	FILE *out = open_memstream(&text, &written);

	varlink_write_error(out, "x.Y", "why", "so");
	fclose(out);
	assert_int_equal(written, sizeof(bytes));
	assert_memory_equal(text, bytes, sizeof(bytes));
	free(text);
}

static void text_that_is_not_utf8_stays_readable(void **state)
{
	json_t *good = varlink_string("gr\xc3\xbc\xc3\x9f", 6);
	json_t *bad = varlink_string("veth\xff", 5);

	assert_string_equal(json_string_value(good), "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(json_string_value(bad), "veth?");
	json_decref(good);
	json_decref(bad);
}

static void words_and_methods_are_told_apart_and_unique(void **state)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		const struct control_word *word = &control_words[i];

		assert_true(word->word || word->method);
		if (word->word)
			assert_ptr_equal(control_word_find(word->word), word);
		if (word->method)
			assert_ptr_equal(control_method_find(word->method), word);
	}
	assert_null(control_word_find("Status"));
	assert_null(control_method_find("status"));
}

static void description_names_every_method_and_type(void **state)
{
	char *text = varlink_description(CONTROL_INTERFACE);
	char line[96];

	assert_non_null(strstr(text, "interface io.ringflow.Sensor\n"));
	for (size_t i = 0; i < WORD_COUNT; i++) {
		if (!control_words[i].method)
			continue;
		snprintf(line, sizeof(line), "\nmethod %s(", control_words[i].method);
		assert_non_null(strstr(text, line));
	}
	for (size_t i = SHAPE_none + 1; i < SHAPE_COUNT; i++) {
		snprintf(line, sizeof(line), "\ntype %s (", control_shapes[i].type);
		assert_non_null(strstr(text, line));
	}
	free(text);
	text = varlink_description(VARLINK_SERVICE);
	assert_non_null(strstr(text, "method GetInfo()"));
	free(text);
	assert_null(varlink_description("io.ringflow.Other"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(call_has_method_parameters_and_flags),
	cmocka_unit_test(parameters_may_be_left_out_or_null),
	cmocka_unit_test(what_is_no_call_is_refused_with_the_reason),
	cmocka_unit_test(brackets_in_strings_are_not_depth),
	cmocka_unit_test(longest_call_is_read_and_a_longer_one_is_not),
	cmocka_unit_test(parameters_have_to_be_known_and_of_their_kind),
	cmocka_unit_test(replies_end_in_nul_and_say_whether_they_continue),
	cmocka_unit_test(errors_carry_their_member),
	cmocka_unit_test(text_that_is_not_utf8_stays_readable),
	cmocka_unit_test(words_and_methods_are_told_apart_and_unique),
	cmocka_unit_test(description_names_every_method_and_type),
};

UNIT_MAIN("varlink", tests)
