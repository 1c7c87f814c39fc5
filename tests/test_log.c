/* SPDX-License-Identifier: BSD-2-Clause */
/* Levels of the log: their words, and what is shown. */
#include "sensor/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

static void level_is_found_by_its_word_in_either_case(void **state)
{
	int level = -1;

	assert_int_equal(log_level_find("warning", &level), 0);
	assert_int_equal(level, LOG_WARNING);
	assert_int_equal(log_level_find("DEBUG", &level), 0);
	assert_int_equal(level, LOG_DEBUG);
	assert_int_equal(log_level_find("loud", &level), -EINVAL);
	assert_int_equal(log_level_find("", &level), -EINVAL);
	assert_int_equal(level, LOG_DEBUG);
}

static void levels_go_from_little_to_everything(void **state)
{
	for (const struct log_level *row = log_levels; row[1].word; row++)
		assert_true(row[0].level < row[1].level);
}

/* What standard error gets when the three lines are logged at .level. */
static const char *logged_at(int level)
{
	static char text[256];
	struct log log;
	FILE *out = tmpfile();
	int saved = dup(STDERR_FILENO);

	assert_non_null(out);
	unsetenv("JOURNAL_STREAM");
	log_open(&log, "ringflowd", false, false);
	log_set_level(&log, level);
	dup2(fileno(out), STDERR_FILENO);
	log_line(&log, LOG_ERR, "bad");
	log_line(&log, LOG_NOTICE, "news");
	log_line(&log, LOG_DEBUG, "detail");
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(out);
	text[fread(text, 1, sizeof(text) - 1, out)] = 0;
	fclose(out);
	return text;
}

static void lines_below_the_level_are_not_shown(void **state)
{
	assert_string_equal(logged_at(LOG_ERR), "ringflowd: bad\n");
	assert_string_equal(logged_at(LOG_NOTICE), "ringflowd: bad\nringflowd: news\n");
	assert_string_equal(
		logged_at(LOG_DEBUG), "ringflowd: bad\nringflowd: news\nringflowd: detail\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(level_is_found_by_its_word_in_either_case),
	cmocka_unit_test(levels_go_from_little_to_everything),
	cmocka_unit_test(lines_below_the_level_are_not_shown),
};

UNIT_MAIN("log", tests)
