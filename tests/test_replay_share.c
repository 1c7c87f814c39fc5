/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reader, several takers: each handle gives what the source gives, to the packet, whatever
 * the others do. Takers run in threads; what they saw is judged when they have ended.
 */
#include "ring/replay_share.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/source_table.h"
#include "ring/view_arena.h"
#include "tests/pcap_replay.h"

#define TAKERS_MAX 4
#define FILE_PACKETS 10000u
/* More packets than all chunks hold. */
#define FILES 8
#define HANG_SECONDS 60

/* What came out of a source, in order. */
struct sight {
	uint64_t count;
	uint64_t sum; /* of all bytes, stamps and lengths, where order matters */
	uint64_t clock_ns;
	uint64_t received_pkts;
	uint64_t batches;
	int outcome;
	char error[SOURCE_ERROR_BYTES];
};

struct taker {
	struct source *source;
	uint64_t leave_after;  /* packets; 0: never */
	atomic_bool *wait_for; /* NULL: begin at once */
	pthread_t thread;
	struct sight sight;
};

static const char *many_files[FILES];

static void look_at(struct sight *sight, const struct packet *packet)
{
	uint64_t sum = sight->sum * 31 + packet->stamp_ns + packet->wire_bytes;

	for (uint32_t i = 0; i < packet->captured_bytes; i++)
		sum = sum * 31 + packet->bytes[i];
	sight->sum = sum;
	sight->count++;
}

static void *take(void *user)
{
	struct taker *taker = user;
	struct sight *sight = &taker->sight;
	struct packet_batch *batch = calloc(1, sizeof(*batch));
	struct ring_stats stats;

	while (taker->wait_for && !atomic_load(taker->wait_for))
		usleep(1000);
	do {
		sight->outcome = source_next(taker->source, batch);
		for (unsigned i = 0; i < batch->count; i++)
			look_at(sight, &batch->packets[i]);
		sight->batches++;
		sight->clock_ns = batch->clock_ns;
		source_release(taker->source, batch);
		if (taker->leave_after && sight->count >= taker->leave_after)
			break;
	} while (sight->outcome == 0 && !batch->is_end);
	source_leave(taker->source);
	snprintf(sight->error, sizeof(sight->error), "%s", source_error(taker->source));
	source_stats(taker->source, &stats);
	sight->received_pkts = stats.received_pkts;
	free(batch);
	return NULL;
}

static struct source *open_files(const char *const *files, size_t count)
{
	struct source_config config = { .files = files, .file_count = count };
	struct source *source = NULL;

	assert_int_equal(source_open(&config, &source, result.error), 0);
	return source;
}

static struct sight look_directly(const char *const *files, size_t count)
{
	struct taker alone = { .source = open_files(files, count) };

	take(&alone);
	source_close(alone.source);
	return alone.sight;
}

static void open_takers(struct source *source, struct taker *takers, unsigned count)
{
	struct source *handles[TAKERS_MAX];

	memset(takers, 0, count * sizeof(*takers));
	assert_int_equal(replay_share_open(source, count, handles), 0);
	for (unsigned i = 0; i < count; i++)
		takers[i].source = handles[i];
}

static void run_takers(struct taker *takers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
	for (unsigned i = 0; i < count; i++)
		pthread_join(takers[i].thread, NULL);
}

static void close_takers(struct taker *takers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		source_close(takers[i].source);
}

static void expect_same(const struct sight *left, const struct sight *right)
{
	assert_int_equal(left->count, right->count);
	assert_int_equal(left->sum, right->sum);
	assert_int_equal(left->clock_ns, right->clock_ns);
	assert_int_equal(left->batches, right->batches);
	assert_int_equal(left->outcome, right->outcome);
	assert_string_equal(left->error, right->error);
}

static int make_files(void **state)
{
	if (replay_make_directory(state))
		return -1;
	for (unsigned i = 0; i < FILES; i++)
		many_files[i] = path_a;
	alarm(HANG_SECONDS); /* a test that hangs has failed */
	return 0;
}

static int write_many(void **state)
{
	replay_write_pcap(FILE_PACKETS, false, false);
	replay_save(path_a);
	return 0;
}

/* -- what is handed over -------------------------------------------------------------- */

static void every_handle_gives_what_the_source_gives(void **state)
{
	struct sight direct = look_directly(many_files, FILES);

	assert_int_equal(direct.count, FILES * FILE_PACKETS);
	for (unsigned count = 1; count <= TAKERS_MAX; count++) {
		struct taker takers[TAKERS_MAX];

		open_takers(open_files(many_files, FILES), takers, count);
		run_takers(takers, count);

		for (unsigned i = 0; i < count; i++)
			expect_same(&takers[i].sight, &direct);
		close_takers(takers, count);
	}
}

static void a_handle_looks_like_the_source(void **state)
{
	struct taker takers[2];

	open_takers(open_files(many_files, 1), takers, 2);

	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(source_name(takers[i].source), "file");
		assert_int_equal(source_link_type(takers[i].source), ETHERNET);
		assert_int_equal(source_fd(takers[i].source), -1);
		assert_false(source_is_live(takers[i].source));
		assert_string_equal(source_error(takers[i].source), "");
	}
	close_takers(takers, 2);
}

static void the_first_handle_tells_the_totals(void **state)
{
	struct taker takers[3];

	open_takers(open_files(many_files, 2), takers, 3);
	run_takers(takers, 3);

	assert_int_equal(takers[0].sight.received_pkts, 2 * FILE_PACKETS);
	assert_int_equal(takers[1].sight.received_pkts, 0);
	assert_int_equal(takers[2].sight.received_pkts, 0);
	close_takers(takers, 3);
}

static void large_packets_fill_chunks_by_their_bytes(void **state)
{
	static uint8_t large[200000];
	const char *files[] = { path_a, path_a, path_a, path_a, path_a, path_a };
	struct taker takers[2];

	writer_pcap(&writer, false, false, 262144, ETHERNET);
	for (uint8_t i = 0; i < 5; i++) {
		memset(large, i, sizeof(large));
		writer_record(&writer, SECONDS, i, large, sizeof(large), sizeof(large));
	}
	replay_save(path_a);
	struct sight direct = look_directly(files, 6);

	open_takers(open_files(files, 6), takers, 2);
	run_takers(takers, 2);

	/* The batches may be others: there is more room in a chunk. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(takers[i].sight.count, 30);
		assert_int_equal(takers[i].sight.sum, direct.sum);
	}
	close_takers(takers, 2);
}

static void the_snap_length_holds_for_handles(void **state)
{
	struct source_config config = {
		.files = many_files, .file_count = 1, .snap_bytes = 20
	};
	static struct packet_batch batch;
	struct source *source, *handle;

	assert_int_equal(source_open(&config, &source, result.error), 0);
	assert_int_equal(replay_share_open(source, 1, &handle), 0);

	assert_int_equal(source_next(handle, &batch), 0);

	assert_int_equal(batch.packets[0].captured_bytes, 20);
	assert_int_equal(batch.packets[0].wire_bytes, 60);
	source_release(handle, &batch);
	source_close(handle);
}

/* -- ends ----------------------------------------------------------------------------- */

static void damage_is_told_by_every_handle(void **state)
{
	const char *files[] = { path_a, path_b, path_a };
	struct taker takers[3];

	writer_save(writer.bytes, writer.count - 1, path_b);
	struct sight direct = look_directly(files, 3);
	assert_int_equal(direct.outcome, SOURCE_DAMAGED);
	assert_non_null(strstr(direct.error, path_b));

	open_takers(open_files(files, 3), takers, 3);
	run_takers(takers, 3);

	for (unsigned i = 0; i < 3; i++)
		expect_same(&takers[i].sight, &direct);
	close_takers(takers, 3);
}

static void the_end_stays_the_end(void **state)
{
	static struct packet_batch batch;
	struct taker takers[1];

	writer_save(writer.bytes, writer.count - 1, path_a);
	open_takers(open_files(many_files, 1), takers, 1);
	run_takers(takers, 1);

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(source_next(takers[0].source, &batch), SOURCE_DAMAGED);
		assert_int_equal(batch.count, 0);
		assert_true(batch.is_end);
		assert_int_equal(batch.clock_ns, takers[0].sight.clock_ns);
		source_release(takers[0].source, &batch);
	}
	assert_string_equal(source_error(takers[0].source), takers[0].sight.error);
	close_takers(takers, 1);
}

static void a_handle_that_leaves_holds_up_nobody(void **state)
{
	struct sight direct = look_directly(many_files, FILES);

	for (unsigned leaver = 0; leaver < 3; leaver++) {
		struct taker takers[3];

		open_takers(open_files(many_files, FILES), takers, 3);
		takers[leaver].leave_after = 1 + 5000 * leaver;
		run_takers(takers, 3);

		assert_true(takers[leaver].sight.count < direct.count);
		assert_int_equal(takers[leaver].sight.outcome, 0);
		for (unsigned i = 0; i < 3; i++)
			if (i != leaver)
				expect_same(&takers[i].sight, &direct);
		close_takers(takers, 3);
	}
}

static void handles_may_all_leave_early(void **state)
{
	for (unsigned count = 1; count <= TAKERS_MAX; count++) {
		struct taker takers[TAKERS_MAX];

		open_takers(open_files(many_files, FILES), takers, count);
		for (unsigned i = 0; i < count; i++)
			takers[i].leave_after = 1 + 300 * i;
		run_takers(takers, count);

		assert_true(takers[0].sight.count < FILES * FILE_PACKETS);
		close_takers(takers, count);
	}
}

static void a_handle_may_be_closed_in_place_of_leaving(void **state)
{
	static struct packet_batch batch;
	struct sight direct = look_directly(many_files, FILES);
	struct taker takers[2];

	open_takers(open_files(many_files, FILES), takers, 2);
	assert_int_equal(source_next(takers[1].source, &batch), 0);
	source_close(takers[1].source);
	run_takers(takers, 1);

	expect_same(&takers[0].sight, &direct);
	close_takers(takers, 1);
}

static void handles_may_be_closed_unused(void **state)
{
	struct taker takers[3];

	open_takers(open_files(many_files, 1), takers, 3);

	close_takers(takers, 3);
}

static void a_late_handle_gets_everything(void **state)
{
	struct sight direct = look_directly(many_files, FILES);
	atomic_bool is_begun = false;
	struct taker takers[2];

	open_takers(open_files(many_files, FILES), takers, 2);
	takers[1].wait_for = &is_begun;
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&takers[i].thread, NULL, take, &takers[i]);
	usleep(50000); /* the other one has come as far as it can */
	atomic_store(&is_begun, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(takers[i].thread, NULL);

	for (unsigned i = 0; i < 2; i++)
		expect_same(&takers[i].sight, &direct);
	close_takers(takers, 2);
}

/* -- errors --------------------------------------------------------------------------- */

/* Batches of a packet each; behind the second comes an error, or no end at all. */
struct fake {
	bool is_endless;
	unsigned batches;
	uint8_t byte;
	bool is_closed;
};

static int fake_next_to(void *state, struct packet_batch *batch, struct view_arena *arena)
{
	struct fake *fake = state;

	if (fake->batches++ == 2 && !fake->is_endless)
		return -EIO;
	batch->packets[0] = (struct packet){ .bytes = &fake->byte, .captured_bytes = 1 };
	view_arena_keep(arena, &batch->packets[0]);
	batch->count = 1;
	batch->clock_ns = fake->batches;
	return 0;
}

static bool fake_may_wait(const void *state)
{
	return false;
}

static void fake_stop_on(void *state, int fd)
{
}

static void fake_close(void *state)
{
	struct fake *fake = state;

	fake->is_closed = true;
}

static const char *fake_error(void *state)
{
	return "the fake broke";
}

static const struct source_replay_ops fake_replay_ops = { fake_next_to, fake_may_wait,
	fake_stop_on };
static const struct source_ops fake_ops = {
	.close = fake_close, .error = fake_error, .replay = &fake_replay_ops
};
static const struct source_ops fake_live_ops = { .close = fake_close, .error = fake_error };

static struct source *fake_source(struct fake *fake, const struct source_ops *ops)
{
	static struct source_kind kind;
	struct source *source = calloc(1, sizeof(*source));

	assert_non_null(source);
	kind = (struct source_kind){ "fake", ops, false };
	*source = (struct source){ .kind = &kind, .state = fake, .link_type = 1 };
	return source;
}

static void an_error_comes_behind_what_was_read(void **state)
{
	struct fake fake = { 0 };
	struct taker takers[2];

	open_takers(fake_source(&fake, &fake_ops), takers, 2);
	run_takers(takers, 2);

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(takers[i].sight.count, 2);
		assert_int_equal(takers[i].sight.outcome, -EIO);
		assert_string_equal(takers[i].sight.error, "the fake broke");
	}
	assert_false(fake.is_closed);
	close_takers(takers, 2);
	assert_true(fake.is_closed);
}

static void nothing_is_read_for_nobody(void **state)
{
	struct fake fake = { .is_endless = true };
	struct taker takers[2];

	open_takers(fake_source(&fake, &fake_ops), takers, 2);
	takers[0].leave_after = 1;
	takers[1].leave_after = 5000;
	run_takers(takers, 2);

	close_takers(takers, 2);

	assert_int_equal(takers[1].sight.count, 5000);
	assert_true(fake.is_closed);
}

static void what_cannot_be_shared_is_refused_and_closed(void **state)
{
	struct source *handles[1];
	struct fake fake[3] = { 0 };

	assert_int_equal(
		replay_share_open(fake_source(&fake[0], &fake_ops), 0, handles), -EINVAL);
	assert_int_equal(replay_share_open(fake_source(&fake[1], &fake_ops),
				 REPLAY_SHARE_HANDLES_MAX + 1, handles),
		-EINVAL);
	assert_int_equal(
		replay_share_open(fake_source(&fake[2], &fake_live_ops), 1, handles), -EINVAL);

	for (unsigned i = 0; i < 3; i++)
		assert_true(fake[i].is_closed);
}

/* -- pipes ---------------------------------------------------------------------------- */

/* Standard input is a pipe; its other end is data_fd. */
static int kept_stdin = -1, data_fd = -1;

static void begin_pipe(size_t bytes)
{
	int data[2];

	kept_stdin = dup(STDIN_FILENO);
	assert_int_equal(pipe2(data, O_CLOEXEC), 0);
	dup2(data[0], STDIN_FILENO);
	close(data[0]);
	data_fd = data[1];
	assert_int_equal(write(data_fd, writer.bytes, bytes), bytes);
}

static void end_pipe(void)
{
	if (data_fd >= 0)
		close(data_fd);
	data_fd = -1;
	dup2(kept_stdin, STDIN_FILENO);
	close(kept_stdin);
}

static struct source *open_stdin(int stop_fd)
{
	static const char *files[] = { "-" };
	struct source_config config = { .files = files, .file_count = 1, .stop_fd = stop_fd };
	struct source *source = NULL;

	assert_int_equal(source_open(&config, &source, result.error), 0);
	return source;
}

#define RECORD_BYTES 76
#define HEADER_BYTES 24

/* A whole batch is no reason to wait, either. */
static void what_a_pipe_has_goes_on_at_once(void **state)
{
	static const unsigned amounts[] = { 1, 2, PACKET_BATCH_MAX, PACKET_BATCH_MAX + 3 };

	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		static struct packet_batch batch;
		struct taker takers[2];
		size_t first_bytes = HEADER_BYTES + amounts[i] * RECORD_BYTES;

		replay_write_pcap(amounts[i] + 1, false, false);
		begin_pipe(first_bytes);
		open_takers(open_stdin(0), takers, 2);
		for (unsigned t = 0; t < 2; t++) {
			unsigned got = 0;
			for (; got < amounts[i]; got += batch.count) {
				source_release(takers[t].source, &batch);
				assert_int_equal(source_next(takers[t].source, &batch), 0);
				assert_false(batch.is_end);
			}
			assert_int_equal(got, amounts[i]);
			source_release(takers[t].source, &batch);
		}
		assert_int_equal(
			write(data_fd, writer.bytes + first_bytes, RECORD_BYTES), RECORD_BYTES);
		close(data_fd);
		data_fd = -1;
		run_takers(takers, 2);

		for (unsigned t = 0; t < 2; t++) {
			assert_int_equal(takers[t].sight.count, 1);
			assert_int_equal(takers[t].sight.outcome, 0);
		}
		close_takers(takers, 2);
		end_pipe();
	}
}

static void a_stop_ends_a_silent_pipe_for_all(void **state)
{
	struct taker takers[3];
	int stop[2];

	replay_write_pcap(5, false, false);
	begin_pipe(HEADER_BYTES + 2 * RECORD_BYTES + 10);
	assert_int_equal(pipe(stop), 0);
	open_takers(open_stdin(stop[0]), takers, 3);
	for (unsigned i = 0; i < 3; i++)
		pthread_create(&takers[i].thread, NULL, take, &takers[i]);
	usleep(20000);
	assert_int_equal(write(stop[1], "", 1), 1);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(takers[i].thread, NULL);

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(takers[i].sight.count, 2);
		assert_int_equal(takers[i].sight.outcome, 0);
	}
	close_takers(takers, 3);
	close(stop[0]);
	close(stop[1]);
	end_pipe();
}

static void handles_of_a_silent_pipe_can_be_closed(void **state)
{
	struct taker takers[2];

	replay_write_pcap(5, false, false);
	begin_pipe(HEADER_BYTES + 2 * RECORD_BYTES);
	open_takers(open_stdin(0), takers, 2);
	takers[0].leave_after = takers[1].leave_after = 2;
	run_takers(takers, 2);

	/* The reader waits for the pipe. */
	close_takers(takers, 2);

	assert_int_equal(takers[0].sight.count, 2);
	assert_int_equal(takers[1].sight.count, 2);
	end_pipe();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_handle_gives_what_the_source_gives, write_many),
		cmocka_unit_test_setup(a_handle_looks_like_the_source, write_many),
		cmocka_unit_test_setup(the_first_handle_tells_the_totals, write_many),
		cmocka_unit_test(large_packets_fill_chunks_by_their_bytes),
		cmocka_unit_test_setup(the_snap_length_holds_for_handles, write_many),
		cmocka_unit_test_setup(damage_is_told_by_every_handle, write_many),
		cmocka_unit_test_setup(the_end_stays_the_end, write_many),
		cmocka_unit_test_setup(a_handle_that_leaves_holds_up_nobody, write_many),
		cmocka_unit_test_setup(handles_may_all_leave_early, write_many),
		cmocka_unit_test_setup(a_handle_may_be_closed_in_place_of_leaving, write_many),
		cmocka_unit_test_setup(handles_may_be_closed_unused, write_many),
		cmocka_unit_test_setup(a_late_handle_gets_everything, write_many),
		cmocka_unit_test(an_error_comes_behind_what_was_read),
		cmocka_unit_test(nothing_is_read_for_nobody),
		cmocka_unit_test(what_cannot_be_shared_is_refused_and_closed),
		cmocka_unit_test(what_a_pipe_has_goes_on_at_once),
		cmocka_unit_test(a_stop_ends_a_silent_pipe_for_all),
		cmocka_unit_test(handles_of_a_silent_pipe_can_be_closed),
	};

	return cmocka_run_group_tests(tests, make_files, replay_remove_directory);
}
