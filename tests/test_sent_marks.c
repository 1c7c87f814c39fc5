/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/sent_marks.h"
#include "tests/unit.h"

static struct sent_marks marks;

static void marks_tell_whose_the_last_octets_were(void **state)
{
	marks = (struct sent_marks){ 0 };
	sent_marks_add(&marks, 100, 1);
	sent_marks_add(&marks, 200, 2);
	sent_marks_add(&marks, 300, 4);

	struct sent_mark lost = sent_marks_take_back(&marks, 301); /* and one octet of 200 */

	assert_int_equal(lost.message_count, 2);
	assert_int_equal(lost.flow_count, 6);
	assert_int_equal(sent_marks_take_back(&marks, 1).message_count, 0);
}

static void marks_count_whole_messages(void **state)
{
	marks = (struct sent_marks){ 0 };
	sent_marks_add(&marks, 100, 1);
	sent_marks_add(&marks, 200, 2);

	assert_int_equal(sent_marks_take_back(&marks, 200).message_count, 1);
}

static void marks_never_call_too_few_lost(void **state)
{
	enum { COUNT = 5 * SENT_MARKS_MAX / 2 };
	marks = (struct sent_marks){ 0 };
	for (unsigned i = 0; i < COUNT; i++)
		sent_marks_add(&marks, 10, 1);
	struct sent_marks copy = marks;

	assert_int_equal(sent_marks_take_back(&copy, 10 * COUNT).flow_count, COUNT);
	assert_int_equal(sent_marks_take_back(&marks, 1000).flow_count, 100);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(marks_tell_whose_the_last_octets_were),
	cmocka_unit_test(marks_count_whole_messages),
	cmocka_unit_test(marks_never_call_too_few_lost),
};

UNIT_MAIN("sent_marks", tests)
