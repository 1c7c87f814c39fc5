/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket without lanes: nobody sits at the desk, so an order waits there for ever,
 * as it would for a lane that hangs.
 */
#include "sensor/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/control_call.h"
#include "sensor/metrics.h"
#include "tests/unit.h"

#define TURN_NS 30000000ULL

static struct config config = {
	.program = "softflowd",
	.personality = PERSONALITY_SOFTFLOWD,
	.interface = (char[]){ "eth\"0" },
	.maximum_flows = 100,
};
static struct loop loop;
static struct lane_desk desk;
static struct log log_to_nobody = { .program = "test", .level = LOG_INFO };
static struct sight sight;
static const struct privilege_report rights = { .user = "nobody", .has_no_new_privs = true };
static struct control *control;
static unsigned shut_downs;
static char folder[] = "/tmp/ringflow-control-XXXXXX";
static char path[64];

static void count_shut_down(void *user)
{
	shut_downs++;
}

static int start(void **state)
{
	char error[CONFIG_ERROR_BYTES];
	struct control_context context = {
		.config = &config,
		.desk = &desk,
		.loop = &loop,
		.log = &log_to_nobody,
		.sight = &sight,
		.rights = &rights,
		.shut_down = count_shut_down,
	};

	memcpy(folder, "/tmp/ringflow-control-XXXXXX", sizeof(folder));
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/ctl", folder);
	struct control_listen listen = { .fd = -1, .path = path, .mode = 0600 };
	loop = (struct loop){ 0 };
	sight = (struct sight){ 0 };
	shut_downs = 0;
	context.start_ns = loop_now_ns();
	if (lane_desk_open(&desk, &loop) < 0 || control_open(&listen, &control, error) < 0)
		return -1;
	return control_serve(control, &context);
}

static int stop(void **state)
{
	control_free(control);
	lane_desk_close(&desk);
	return rmdir(folder);
}

static void stop_loop(struct loop_watch *watch, short revents)
{
	loop_stop(&loop);
}

/* Let the control socket do what there is to do. */
static void turn(void)
{
	struct loop_watch end = {
		.fd = -1, .deadline_ns = loop_now_ns() + TURN_NS, .ready = stop_loop
	};

	loop.is_stopped = false;
	loop_add(&loop, &end);
	loop_run(&loop);
	loop_remove(&loop, &end);
}

static int connect_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text, size_t length)
{
	assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
}

/* What came so far, as one text with '|' for each NUL; *ret_end: the daemon hung up. */
static const char *heard(int fd, bool *ret_end)
{
	static char text[65536];
	size_t length = 0;
	ssize_t n;

	while ((n = recv(fd, text + length, sizeof(text) - 1 - length, MSG_DONTWAIT)) > 0)
		length += (size_t)n;
	*ret_end = n == 0;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0')
			text[i] = '|';
	text[length] = '\0';
	return text;
}

static const char *asked_line(const char *line)
{
	int fd = connect_client();
	bool is_end;

	say(fd, line, strlen(line));
	turn();
	const char *text = heard(fd, &is_end);
	assert_true(is_end);
	close(fd);
	turn();
	return text;
}

static void line_is_answered_in_the_incumbents_words(void **state)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "softflowd[%d]: Printing timeouts:\n",
		(int)getpid());
	assert_int_equal(strncmp(asked_line("timeouts\n"), expected, strlen(expected)), 0);
	assert_string_equal(asked_line("help\r\n"),
		"Valid control words are:\n"
		"\tdebug+ debug- delete-all dump-flows exit expire-all\n"
		"\tshutdown start-gather statistics stop-gather timeouts\n"
		"\tsend-template\n");
	assert_string_equal(asked_line("fly\n"), "Unknown control command \"fly\"\n");
	assert_string_equal(asked_line("\n"), "Unknown control command \"\"\n");
	assert_string_equal(asked_line("run\n"), "Unknown control command \"run\"\n");
}

static void shutdown_is_asked_for_once_for_each_word(void **state)
{
	assert_non_null(strstr(asked_line("shutdown\n"), "]: Shutting down gracefully...\n"));
	assert_int_equal(shut_downs, 1);
	assert_non_null(strstr(asked_line("exit\n"), "]: Exiting now...\n"));
	assert_int_equal(shut_downs, 2);
}

static void calls_are_answered_one_after_the_other(void **state)
{
	static const char calls[] = "{\"method\":\"io.ringflow.Sensor.LogLevel\"}\0"
				    "{\"method\":\"io.ringflow.Sensor.Fly\"}\0"
				    "{\"method\":\"io.ringflow.Sensor.LogLevel\","
				    "\"parameters\":{\"level\":\"debug\"}}";
	int fd = connect_client();
	bool is_end;

	say(fd, calls, sizeof(calls));
	turn();
	assert_string_equal(heard(fd, &is_end),
		"{\"parameters\":{\"level\":\"info\"}}|"
		"{\"error\":\"org.varlink.service.MethodNotFound\","
		"\"parameters\":{\"method\":\"io.ringflow.Sensor.Fly\"}}|"
		"{\"parameters\":{\"level\":\"debug\"}}|");
	assert_false(is_end);
	assert_int_equal(log_to_nobody.level, LOG_DEBUG);
	log_set_level(&log_to_nobody, LOG_INFO);
	close(fd);
}

static void status_needs_no_lane_and_says_how_old_it_is(void **state)
{
	const char *text = asked_line("status\n");

	assert_non_null(strstr(text, "\"interface\":\"eth\\\"0\""));
	assert_non_null(strstr(text, "\"look_age_ns\":"));
	assert_non_null(strstr(text, "\"lanes\":[]"));
	assert_non_null(strstr(text, "\"rights\":{\"user\":\"nobody\",\"capabilities\":0,"
				     "\"no_new_privileges\":true,"));
}

static void order_of_a_client_that_hangs_up_is_taken_back(void **state)
{
	static const char *const lines[] = { "statistics\n", "dump-flows\n", "top\n",
		"expire-all\n", "metrics\n" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = connect_client();

		say(fd, lines[i], strlen(lines[i]));
		turn();
		assert_non_null(desk.first);
		close(fd);
		turn();
		assert_null(desk.first);
	}
}

static void large_questions_are_few_at_once(void **state)
{
	static const char top[] = "{\"method\":\"io.ringflow.Sensor.Top\"}";
	int fds[CALL_LARGE_MAX + 1];
	bool is_end;

	for (size_t i = 0; i <= CALL_LARGE_MAX; i++) {
		fds[i] = connect_client();
		say(fds[i], top, sizeof(top));
		turn();
		const char *text = heard(fds[i], &is_end);
		assert_int_equal(
			strstr(text, "io.ringflow.Sensor.Busy") != NULL, i == CALL_LARGE_MAX);
	}
	/* One that gives up makes room for another one. */
	close(fds[0]);
	turn();
	say(fds[CALL_LARGE_MAX], top, sizeof(top));
	turn();
	assert_string_equal(heard(fds[CALL_LARGE_MAX], &is_end), "");
	for (size_t i = 1; i <= CALL_LARGE_MAX; i++)
		close(fds[i]);
	turn();
	assert_null(desk.first);
}

static void too_many_clients_are_told_so_and_places_come_free(void **state)
{
	int fds[40];
	unsigned refused = 0;
	bool is_end;

	for (size_t i = 0; i < 40; i++)
		fds[i] = connect_client();
	turn();
	for (size_t i = 0; i < 40; i++) {
		const char *text = heard(fds[i], &is_end);

		refused += is_end;
		assert_string_equal(
			text, is_end ? "Too many control connections, try again\n" : "");
	}
	assert_int_equal(refused, 8);
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
	turn();
	assert_non_null(strstr(asked_line("timeouts\n"), "Printing timeouts"));
}

static void table_knows_which_words_have_text(void **state)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		assert_non_null(control_answers[i]->json);
		assert_int_equal(control_answers[i]->text != NULL, control_words[i].has_words);
		assert_int_equal(
			control_answers[i]->ask != NULL, control_answers[i]->withdraw != NULL);
	}
}

static void metrics_escape_labels_and_end(void **state)
{
	static const struct sensor_stats stats = { .seen_pkts = 7, .start_ns = 1500000000 };
	struct metrics_collector collector = { .address = "[::1]:9", .stats.messages = 3 };
	struct metrics metrics = {
		.interface = "a\"b\\c\n\xff",
		.stats = &stats,
		.sight = &sight,
		.collectors = &collector,
		.collector_count = 1,
	};
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	metrics_write(&metrics, out);
	fclose(out);
	assert_non_null(strstr(
		text, "\nringflow_frames_seen_total{interface=\"a\\\"b\\\\c\\n?\"} 7\n"));
	assert_non_null(strstr(text, "\nringflow_collector_messages_total{interface=\"a\\\"b"
				     "\\\\c\\n?\",collector=\"[::1]:9\"} 3\n"));
	assert_non_null(strstr(text, "start_timestamp_seconds{interface="));
	assert_non_null(strstr(text, "\"} 1.500\n"));
	assert_string_equal(text + length - 6, "# EOF\n");
	free(text);
}

static void rates_are_those_of_the_last_ten_seconds(void **state)
{
	struct sensor_stats stats = { 0 };

	assert_true(sight_rates(&sight).frames == 0);
	for (uint64_t second = 1; second <= 30; second++) {
		stats.seen_pkts += second <= 20 ? 1000 : 50;
		sight_take(&sight, &desk, &stats, second * 1000000000);
	}
	assert_true(sight_rates(&sight).frames == 50);
	assert_int_equal(sight.sample_count, SIGHT_SAMPLES);
	assert_int_equal(sight.sum.seen_pkts, 20500);
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
	CASE(line_is_answered_in_the_incumbents_words),
	CASE(shutdown_is_asked_for_once_for_each_word),
	CASE(calls_are_answered_one_after_the_other),
	CASE(status_needs_no_lane_and_says_how_old_it_is),
	CASE(order_of_a_client_that_hangs_up_is_taken_back),
	CASE(large_questions_are_few_at_once),
	CASE(too_many_clients_are_told_so_and_places_come_free),
	CASE(table_knows_which_words_have_text),
	CASE(metrics_escape_labels_and_end),
	CASE(rates_are_those_of_the_last_ten_seconds),
};

UNIT_MAIN("control", tests)
