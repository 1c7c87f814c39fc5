/* SPDX-License-Identifier: BSD-2-Clause */
/* ringflowctl's parts: what it keeps, what it prints, what it takes for an end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/ctl_reply.h"
#include "tests/unit.h"

/* -- spool ---------------------------------------------------------------------------- */

static char octet_at(uint64_t place)
{
	return (char)(place * 7 + place / 251);
}

static void put(struct spool *spool, uint64_t *at, size_t count)
{
	char bytes[70000];

	for (size_t i = 0; i < count; i++)
		bytes[i] = octet_at(*at + i);
	assert_int_equal(spool_put(spool, bytes, count), 0);
	*at += count;
}

static size_t get(struct spool *spool, uint64_t *at, size_t most)
{
	size_t length = most;
	int rc;
	const char *bytes = spool_next(spool, &length, &rc);

	assert_int_equal(rc, 0);
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != octet_at(*at + i))
			fail_msg("octet %llu", (unsigned long long)(*at + i));
	spool_took(spool, length);
	*at += length;
	return length;
}

static void spool_gives_back_in_order_what_memory_and_file_hold(void **state)
{
	struct spool spool = { 0 };
	uint64_t in = 0, out = 0, random = 88172645463325252;

	assert_true(spool_is_empty(&spool));
	for (unsigned turn = 0; turn < 4000; turn++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		put(&spool, &in, random % 8000);
		/* Slower than it comes in for a while, then faster. */
		for (unsigned i = 0; i < (turn % 2000 < 1000 ? 1u : 4u); i++)
			get(&spool, &out, (random >> 32) % 4096 + 1);
	}
	while (get(&spool, &out, 4096) > 0)
		;
	assert_int_equal(in, out);
	assert_true(in > 3 * (uint64_t)SPOOL_MEMORY_BYTES);
	assert_true(spool_is_empty(&spool));
	spool_clear(&spool);
}

static void spool_keeps_much_in_a_file_and_little_in_memory(void **state)
{
	struct spool spool = { 0 };
	uint64_t in = 0, out = 0;

	put(&spool, &in, 65536);
	assert_null(spool.file);
	while (in < 2 * (uint64_t)SPOOL_MEMORY_BYTES)
		put(&spool, &in, 65536);
	assert_non_null(spool.file);
	while (get(&spool, &out, 65536) > 0)
		;
	assert_int_equal(in, out);
	assert_int_equal(spool.file_to, 0); /* begins again */
	spool_clear(&spool);
}

/* -- replies -------------------------------------------------------------------------- */

/* Hand over .text, NULs and all, in pieces of .piece octets; returns what is printed. */
static const char *printed(
	struct ctl_reply *reply, const char *text, size_t length, size_t piece)
{
	static char out[8192];
	struct spool spool = { 0 };
	size_t got = sizeof(out) - 1;
	int rc;

	for (size_t at = 0; at < length && !reply->reader.is_done; at += piece) {
		size_t count = length - at < piece ? length - at : piece;

		assert_int_equal(
			reply->reader.take(&reply->reader, text + at, count, &spool), 0);
	}
	ctl_reply_end(reply);
	const char *bytes = spool_next(&spool, &got, &rc);
	memcpy(out, bytes ? bytes : "", got);
	out[got] = '\0';
	spool_clear(&spool);
	ctl_reply_clear(reply);
	return out;
}

#define PRINTED(reply, text, piece) printed(reply, text, sizeof(text) - 1, piece)

static void words_of_several_parts_are_joined_until_the_last(void **state)
{
	static const char text[] = "{\"parameters\":{\"text\":\"one\\n\"},\"continues\":true}\0"
				   "{\"parameters\":{\"text\":\"two\\n\"}}\0junk behind it";

	for (size_t piece = 1; piece < sizeof(text); piece += 3) {
		struct ctl_reply reply =
			ctl_reply_of_call(&control_words[WORD_dump_flows], false, true);

		assert_string_equal(PRINTED(&reply, text, piece), "one\ntwo\n");
		assert_string_equal(reply.refusal, "");
	}
}

static void reply_without_its_last_part_is_cut_off(void **state)
{
	static const char text[] = "{\"parameters\":{\"text\":\"one\\n\"},\"continues\":true}\0"
				   "{\"parameters\":{\"te";
	struct ctl_reply reply =
		ctl_reply_of_call(&control_words[WORD_dump_flows], false, true);

	assert_string_equal(PRINTED(&reply, text, 1000), "one\n");
	assert_non_null(strstr(reply.refusal, "cut off"));
}

static void errors_are_told_in_words(void **state)
{
	static const struct {
		const char *text, *refusal;
		bool is_misuse;
	} rows[] = {
		{ "{\"error\":\"io.ringflow.Sensor.Busy\",\"parameters\":{\"reason\":\"why\"}}",
			"why", false },
		{ "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}",
			"not permitted: \"flows\" is for root and the daemon's user", false },
		{ "{\"error\":\"org.varlink.service.InvalidParameter\","
		  "\"parameters\":{\"parameter\":\"sort\"}}",
			"--sort: not one of: octets", true },
		{ "{\"error\":\"a.B\"}", "the daemon cannot do \"flows\": a.B", false },
		{ "[]", "what answers is no ringflowd", false },
		{ "nonsense", "what answers is no ringflowd", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ctl_reply reply =
			ctl_reply_of_call(&control_words[WORD_flows], false, false);

		printed(&reply, rows[i].text, strlen(rows[i].text) + 1, 7);
		assert_int_equal(
			strncmp(reply.refusal, rows[i].refusal, strlen(rows[i].refusal)), 0);
		assert_int_equal(reply.is_misuse, rows[i].is_misuse);
	}
}

static void daemon_without_a_place_says_so_in_a_line(void **state)
{
	static const char text[] = "Too many control connections, try again\n";
	struct ctl_reply call = ctl_reply_of_call(&control_words[WORD_flows], false, false);
	struct ctl_reply line = ctl_reply_of_line();

	assert_string_equal(PRINTED(&call, text, 5), "");
	assert_string_equal(call.refusal, "Too many control connections, try again");
	assert_string_equal(PRINTED(&line, text, 1000), "");
	assert_string_equal(line.refusal, "Too many control connections, try again");
}

static void line_is_printed_as_it_comes(void **state)
{
	struct ctl_reply line = ctl_reply_of_line(), empty = ctl_reply_of_line();

	assert_string_equal(PRINTED(&line, "softflowd[1]: Failed: not\n", 4),
		"softflowd[1]: Failed: not\n");
	assert_string_equal(line.refusal, "");
	PRINTED(&empty, "", 1);
	assert_non_null(strstr(empty.refusal, "without a reply"));
}

/* -- tables --------------------------------------------------------------------------- */

static const char *viewed(enum control_word_id word, const char *first, const char *second)
{
	static char out[8192];
	const char *texts[] = { first, second };
	struct view view = { 0 };
	FILE *file = fmemopen(out, sizeof(out), "w");

	for (size_t i = 0; i < 2 && texts[i]; i++) {
		json_t *reply = json_loads(texts[i], 0, NULL);

		assert_non_null(reply);
		view_write(&view, &control_words[word].gives, reply, i == 1 || !texts[i + 1],
			file);
		json_decref(reply);
	}
	fclose(file);
	return out;
}

static void table_has_one_head_and_widens(void **state)
{
	assert_string_equal(
		viewed(WORD_drops,
			"{\"frames\":12,\"drops\":[{\"reason\":\"arp\",\"frames\":5,"
			"\"sentence\":\"it is ARP\"}]}",
			"{\"frames\":12,\"drops\":[{\"reason\":\"a-longer-one\","
			"\"frames\":1234567,\"sentence\":\"so\"}]}"),
		"REASON  FRAMES  MEANING\n"
		"arp          5  it is ARP\n"
		"frames in no flow: 12\n" /* values stand with the last part alone */
		"a-longer-one  1234567  so\n");
}

static void values_have_their_form(void **state)
{
	setenv("TZ", "UTC", 1);
	const char *text = viewed(WORD_status,
		"{\"status\":{\"program\":\"ringflowd\",\"version\":\"1\",\"pid\":7,"
		"\"start_ns\":1700000000123456789,\"uptime_ns\":93784000000000,"
		"\"log_level\":\"info\",\"look_age_ns\":250000000,"
		"\"rates\":{\"frames\":1.25,\"octets\":0.0,\"created_flows\":2.0,"
		"\"exported_flows\":3.0},"
		"\"lanes\":[]}}",
		NULL);

	assert_non_null(strstr(text, "\nstarted:   2023-11-14 22:13:20.123\n"));
	assert_non_null(strstr(text, "\nup for:    1 d 02:03:04\n"));
	assert_non_null(strstr(text, "\nlook age:  0.250 s\n"));
	assert_non_null(strstr(text, "\nper second:\n  frames:         1.2\n"));
	assert_null(strstr(text, "interface:")); /* it was left out */
	assert_non_null(strstr(text, "\n\nLANE  FRAMES"));
}

static void share_is_shown_in_percent(void **state)
{
	assert_non_null(strstr(viewed(WORD_top,
				       "{\"groups\":[{\"key\":\"x\",\"flows\":1,\"packets\":2,"
				       "\"octets\":3,\"share\":0.125}],\"seen\":1}",
				       NULL),
		"\nx        1        2       3  12.5 %\nopen flows:     1\n"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(spool_gives_back_in_order_what_memory_and_file_hold),
	cmocka_unit_test(spool_keeps_much_in_a_file_and_little_in_memory),
	cmocka_unit_test(words_of_several_parts_are_joined_until_the_last),
	cmocka_unit_test(reply_without_its_last_part_is_cut_off),
	cmocka_unit_test(errors_are_told_in_words),
	cmocka_unit_test(daemon_without_a_place_says_so_in_a_line),
	cmocka_unit_test(line_is_printed_as_it_comes),
	cmocka_unit_test(table_has_one_head_and_widens),
	cmocka_unit_test(values_have_their_form),
	cmocka_unit_test(share_is_shown_in_percent),
};

UNIT_MAIN("ctl", tests)
