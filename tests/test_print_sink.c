/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/print_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit.h"

static const struct print_config csv = { .format = PRINT_CSV, .sampling_interval = 1 };

static struct flow_record numbered_record(uint64_t number)
{
	return (struct flow_record){
		.flow_id = number,
		.ip_version = 4,
		.protocol = 17,
		.side = { { .packets = 1, .octets = 28 } },
	};
}

static void put_records(struct print_sink *sink, uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct flow_record record = numbered_record(first + i);

		print_sink_record(sink, 0, &record);
	}
}

enum { LANES_MAX = 4, LANE_STRIDE = 1000000 };

/* What a reader of the pipe saw: lines, and whether they were whole and in order. */
struct reading {
	int fd;
	unsigned delay_us;                 /* before each read */
	uint64_t lines, newest[LANES_MAX]; /* of each lane: number / LANE_STRIDE */
	bool is_ordered;
	char line[1024];
	size_t length;
};

static void take_line(struct reading *reading)
{
	reading->line[reading->length] = 0;
	reading->length = 0;
	if (reading->lines++ == 0) { /* the header */
		reading->is_ordered = strncmp(reading->line, "type,", 5) == 0;
		return;
	}
	const char *comma = strrchr(reading->line, ',');
	uint64_t number = comma ? strtoull(comma + 1, NULL, 10) : 0;
	uint64_t *newest = &reading->newest[number / LANE_STRIDE % LANES_MAX];
	if (strncmp(reading->line, "IPFIX,1,", 8) != 0 || number <= *newest)
		reading->is_ordered = false;
	*newest = number;
}

static void *read_all(void *argument)
{
	struct reading *reading = argument;
	char bytes[8192];
	ssize_t n;

	while ((n = read(reading->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == '\n')
				take_line(reading);
			else if (reading->length < sizeof(reading->line) - 1)
				reading->line[reading->length++] = bytes[i];
		}
		if (reading->delay_us > 0)
			poll(NULL, 0, (int)(reading->delay_us / 1000));
	}
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sink_writes_header_and_records_in_order(void **state)
{
	int ends[2];
	struct print_sink *sink;
	pthread_t reader;

	assert_int_equal(pipe(ends), 0);
	struct reading reading = { .fd = ends[0] };
	assert_int_equal(print_sink_new(&csv, ends[1], false, 1, &sink), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);

	put_records(sink, 1, 1000);
	print_sink_close(sink);
	close(ends[1]);
	pthread_join(reader, NULL);

	assert_int_equal(reading.lines, 1001);
	assert_int_equal(reading.newest[0], 1000);
	assert_true(reading.is_ordered);
	assert_int_equal(print_sink_lost(sink, 0), 0);
	print_sink_free(sink);
	close(ends[0]);
}

static void sink_writes_a_record_without_being_asked(void **state)
{
	int ends[2];
	struct print_sink *sink;
	struct print_config json = { .format = PRINT_JSON };

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(print_sink_new(&json, ends[1], false, 1, &sink), 0);

	for (uint64_t i = 1; i <= 20; i++) {
		struct pollfd poll_fd = { .fd = ends[0], .events = POLLIN };
		char bytes[4096];

		put_records(sink, i, 1);
		assert_int_equal(poll(&poll_fd, 1, 5000), 1);
		assert_true(read(ends[0], bytes, sizeof(bytes)) > 0);
	}
	print_sink_free(sink);
	close(ends[0]);
	close(ends[1]);
}

static void sink_waits_for_a_slow_reader_in_replay(void **state)
{
	enum { RECORDS = 80000 }; /* twice the ring and more */
	int ends[2];
	struct print_sink *sink;
	pthread_t reader;

	assert_int_equal(pipe(ends), 0);
	struct reading reading = { .fd = ends[0], .delay_us = 1000 };
	assert_int_equal(print_sink_new(&csv, ends[1], true, 1, &sink), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);

	put_records(sink, 1, RECORDS);
	print_sink_close(sink);
	close(ends[1]);
	pthread_join(reader, NULL);

	assert_int_equal(reading.lines, RECORDS + 1);
	assert_true(reading.is_ordered);
	assert_int_equal(print_sink_lost(sink, 0), 0);
	print_sink_free(sink);
	close(ends[0]);
}

static void sink_drops_whole_records_when_a_live_reader_is_slow(void **state)
{
	enum { RECORDS = 80000 };
	int ends[2];
	struct print_sink *sink;
	pthread_t reader;

	assert_int_equal(pipe(ends), 0);
	struct reading reading = { .fd = ends[0] };
	assert_int_equal(print_sink_new(&csv, ends[1], false, 1, &sink), 0);

	put_records(sink, 1, RECORDS); /* nobody reads yet */
	assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);
	print_sink_close(sink);
	close(ends[1]);
	pthread_join(reader, NULL);

	assert_true(reading.is_ordered);
	assert_true(print_sink_lost(sink, 0) > 0);
	assert_int_equal(reading.lines - 1 + print_sink_lost(sink, 0), RECORDS);
	print_sink_free(sink);
	close(ends[0]);
}

static void sink_gives_a_stuck_live_reader_up(void **state)
{
	enum { RECORDS = 2000 }; /* more than a pipe holds */
	int ends[2];
	struct print_sink *sink;

	assert_int_equal(pipe(ends), 0);
	struct reading reading = { .fd = ends[0] };
	assert_int_equal(print_sink_new(&csv, ends[1], false, 1, &sink), 0);
	uint64_t start_ms = now_ms();

	put_records(sink, 1, RECORDS);
	print_sink_close(sink);
	uint64_t took_ms = now_ms() - start_ms;
	close(ends[1]);
	read_all(&reading);

	assert_in_range(took_ms, 500, 10000);
	assert_true(print_sink_lost(sink, 0) > 0);
	assert_int_equal(reading.lines - 1 + print_sink_lost(sink, 0), RECORDS);
	print_sink_free(sink);
	close(ends[0]);
}

static void lose_reader(bool may_wait)
{
	enum { RECORDS = 80000 };
	int ends[2];
	struct print_sink *sink;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(print_sink_new(&csv, ends[1], may_wait, 1, &sink), 0);
	close(ends[0]);

	put_records(sink, 1, RECORDS);
	print_sink_close(sink);

	assert_int_equal(print_sink_lost(sink, 0), RECORDS);
	print_sink_free(sink);
	close(ends[1]);
}

static void sink_survives_a_reader_that_went_away(void **state)
{
	signal(SIGPIPE, SIG_DFL);
	lose_reader(false);
	lose_reader(true);
}

static void sink_counts_records_after_close_as_lost(void **state)
{
	int fd = open("/dev/null", O_WRONLY);
	struct print_sink *sink;

	assert_true(fd >= 0);
	assert_int_equal(print_sink_new(&csv, fd, true, 1, &sink), 0);
	print_sink_close(sink);
	print_sink_close(sink);
	put_records(sink, 1, 3);

	assert_int_equal(print_sink_lost(sink, 0), 3);
	print_sink_free(sink);
	close(fd);
}

static void sink_counts_records_of_a_full_device_as_lost(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct print_sink *sink;

	if (fd < 0)
		skip();
	assert_int_equal(print_sink_new(&csv, fd, true, 1, &sink), 0);
	put_records(sink, 1, 10);
	print_sink_close(sink);

	assert_int_equal(print_sink_lost(sink, 0), 10);
	print_sink_free(sink);
	close(fd);
}

struct lane_work {
	struct print_sink *sink;
	unsigned lane;
	uint64_t count;
};

static void *print_from_lane(void *argument)
{
	const struct lane_work *work = argument;

	for (uint64_t i = 1; i <= work->count; i++) {
		struct flow_record record = numbered_record(work->lane * LANE_STRIDE + i);

		print_sink_record(work->sink, work->lane, &record);
	}
	return NULL;
}

static void sink_keeps_the_order_of_each_lane(void **state)
{
	enum { LANES = 3, RECORDS = 40000 }; /* each more than its ring holds */
	int ends[2];
	struct print_sink *sink;
	struct lane_work work[LANES];
	pthread_t reader, lanes[LANES];

	assert_int_equal(pipe(ends), 0);
	struct reading reading = { .fd = ends[0] };
	assert_int_equal(print_sink_new(&csv, ends[1], true, LANES, &sink), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);

	for (unsigned i = 0; i < LANES; i++) {
		work[i] = (struct lane_work){ sink, i, RECORDS };
		assert_int_equal(pthread_create(&lanes[i], NULL, print_from_lane, &work[i]), 0);
	}
	for (unsigned i = 0; i < LANES; i++)
		pthread_join(lanes[i], NULL);
	print_sink_close(sink);
	close(ends[1]);
	pthread_join(reader, NULL);

	assert_int_equal(reading.lines, LANES * RECORDS + 1);
	assert_true(reading.is_ordered);
	for (unsigned i = 0; i < LANES; i++) {
		assert_int_equal(reading.newest[i], i * LANE_STRIDE + RECORDS);
		assert_int_equal(print_sink_lost(sink, i), 0);
	}
	print_sink_free(sink);
	close(ends[0]);
}

static void sink_counts_losses_by_lane(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct print_sink *sink;

	if (fd < 0)
		skip();
	assert_int_equal(print_sink_new(&csv, fd, true, 2, &sink), 0);
	for (uint64_t i = 1; i <= 5; i++) {
		struct flow_record record = numbered_record(i);
		print_sink_record(sink, i > 2, &record);
	}
	print_sink_close(sink);

	assert_int_equal(print_sink_lost(sink, 0), 2);
	assert_int_equal(print_sink_lost(sink, 1), 3);
	print_sink_free(sink);
	close(fd);
}

static void sink_of_null_is_freed(void **state)
{
	print_sink_close(NULL);
	print_sink_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sink_writes_header_and_records_in_order),
	cmocka_unit_test(sink_writes_a_record_without_being_asked),
	cmocka_unit_test(sink_waits_for_a_slow_reader_in_replay),
	cmocka_unit_test(sink_drops_whole_records_when_a_live_reader_is_slow),
	cmocka_unit_test(sink_gives_a_stuck_live_reader_up),
	cmocka_unit_test(sink_survives_a_reader_that_went_away),
	cmocka_unit_test(sink_counts_records_after_close_as_lost),
	cmocka_unit_test(sink_counts_records_of_a_full_device_as_lost),
	cmocka_unit_test(sink_keeps_the_order_of_each_lane),
	cmocka_unit_test(sink_counts_losses_by_lane),
	cmocka_unit_test(sink_of_null_is_freed),
};

UNIT_MAIN("print_sink", tests)
