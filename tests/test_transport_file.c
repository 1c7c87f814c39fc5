/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in a folder of the test's own. A limit for the size of files plays the full disk. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/compress.h"
#include "tests/export_samples.h"
#include "tests/export_session.h"

#define BEGIN_NS (SAMPLE_BOOT_NS + 10 * S) /* 2023-11-14 22:13:30 UTC */

static char folder[] = "/tmp/ringflow-file-XXXXXX";
static char path[128];
static char error[TRANSPORT_ERROR_BYTES];
static uint8_t content[8 << 20];

/* -- the folder ------------------------------------------------------------------------- */

static int make_folder(void **state)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/flows", folder);
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

static int remove_folder(void **state)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

/* The names in it, sorted, with spaces between them. */
static const char *names(void)
{
	static char text[4096];
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);

	text[0] = 0;
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') {
			strcat(text, text[0] ? " " : "");
			strcat(text, entries[i]->d_name);
		}
		free(entries[i]);
	}
	free(entries);
	return text;
}

static size_t read_content(const char *name)
{
	char full[256];
	snprintf(full, sizeof(full), "%s/%s", folder, name);
	FILE *in = fopen(full, "r");
	assert_non_null(in);
	size_t length = fread(content, 1, sizeof(content), in);
	fclose(in);
	return length;
}

/* Every message of a file, by a reader that knows nothing of the files before. Returns how many
 * flow records there are. */
static unsigned read_file(const char *name)
{
	size_t length = read_content(name), at = 0;

	reader = (struct reader){ 0 };
	while (at < length) {
		size_t bytes = (size_t)content[at + 2] << 8 | content[at + 3];
		assert_in_range(bytes, 16, length - at);
		reader_feed(&reader, content + at, bytes);
		at += bytes;
	}
	assert_int_equal(reader.gap, 0);
	assert_int_equal(content[8] | content[9] | content[10] | content[11], 0);
	return reader_flow_count(&reader);
}

/* -- exporting -------------------------------------------------------------------------- */

static struct exporter *start_files(const struct transport_file_config *config)
{
	struct exporter_config exporting = sample_config(EXPORT_IPFIX);
	struct transport *transport = NULL;
	struct exporter *exporter = NULL;

	if (transport_file_open(config, &transport, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(exporter_new(&exporting, transport, &exporter), 0);
	return exporter;
}

static void add_flows(struct exporter *exporter, unsigned count, uint64_t now_ns)
{
	struct flow_record tcp = sample_tcp();
	for (unsigned i = 0; i < count; i++)
		exporter_add(exporter, &tcp, now_ns);
}

/* As a lane does, until nothing is held. */
static uint64_t pass_time(struct exporter *exporter, uint64_t now_ns)
{
	for (unsigned i = 0; i < 2000; i++) {
		exporter_advance(exporter, now_ns += 20 * MS);
		if (i > 60 && !exporter_is_held(exporter))
			return now_ns;
		poll(NULL, 0, 1);
	}
	fail_msg("it is held for ever");
	return now_ns;
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* -- cases ------------------------------------------------------------------------------ */

static void a_replay_writes_one_file_of_the_name_given(void **state)
{
	struct transport_file_config config = { .path = path, .may_wait = true };
	struct exporter *exporter = start_files(&config);

	add_flows(exporter, 100, BEGIN_NS);
	assert_string_equal(names(), "flows.part");
	exporter_free(exporter);

	assert_string_equal(names(), "flows");
	assert_int_equal(read_file("flows"), 200);
}

static void a_lane_writes_the_same_with_a_thread(void **state)
{
	struct transport_file_config config = { .path = path };
	struct exporter *exporter = start_files(&config);

	add_flows(exporter, 100, BEGIN_NS);
	uint64_t now_ns = pass_time(exporter, BEGIN_NS);
	add_flows(exporter, 100, now_ns);
	pass_time(exporter, now_ns);
	exporter_free(exporter);

	assert_string_equal(names(), "flows");
	assert_int_equal(read_file("flows"), 400);
}

static void what_is_being_written_can_be_read(void **state)
{
	struct transport_file_config config = { .path = path };
	struct exporter *exporter = start_files(&config);
	add_flows(exporter, 100, BEGIN_NS);
	uint64_t now_ns = pass_time(exporter, BEGIN_NS);
	exporter_flush(exporter, now_ns);
	pass_time(exporter, now_ns);

	for (unsigned i = 0; i < 500 && read_content("flows.part") < 15000; i++)
		poll(NULL, 0, 10);

	assert_int_equal(read_file("flows.part"), 200);
	exporter_free(exporter);
}

static void a_file_begins_where_one_is_full(void **state)
{
	struct transport_file_config config = {
		.path = path, .rotate_bytes = 5000, .may_wait = true
	};
	struct exporter *exporter = start_files(&config);
	add_flows(exporter, 100, BEGIN_NS);
	exporter_free(exporter);

	char list[4096];
	unsigned flows = 0, files = 0;
	strcpy(list, names());
	for (char *rest = list, *name; (name = strsep(&rest, " ")); files++) {
		flows += read_file(name);
		assert_in_range(read_content(name), 1, 5000);
	}
	assert_int_equal(flows, 200);
	assert_in_range(files, 4, 8);
	assert_non_null(strstr(names(), "flows-20231114T221330Z-2.ipfix"));
}

static void a_file_ends_when_the_clock_strikes(void **state)
{
	struct transport_file_config config = {
		.path = path, .rotate_s = 60, .may_wait = true
	};
	struct exporter *exporter = start_files(&config);

	add_flows(exporter, 10, BEGIN_NS);           /* 22:13:30 */
	exporter_flush(exporter, BEGIN_NS + 29 * S); /* 22:13:59 */
	add_flows(exporter, 20, BEGIN_NS + 30 * S);  /* 22:14:00 */
	exporter_flush(exporter, BEGIN_NS + 30 * S);
	exporter_free(exporter);

	assert_string_equal(
		names(), "flows-20231114T221330Z.ipfix flows-20231114T221400Z.ipfix");
	assert_int_equal(read_file("flows-20231114T221330Z.ipfix"), 20);
	assert_int_equal(read_file("flows-20231114T221400Z.ipfix"), 40);
}

static void what_a_crash_has_left_is_kept(void **state)
{
	struct transport_file_config config = { .path = path, .may_wait = true };
	char part[160];
	snprintf(part, sizeof(part), "%s.part", path);
	FILE *left = fopen(part, "w");
	assert_non_null(left);
	fputs("left", left);
	fclose(left);

	struct exporter *exporter = start_files(&config);
	add_flows(exporter, 1, BEGIN_NS);
	exporter_free(exporter);

	assert_string_equal(names(), "flows flows.part-1");
	assert_int_equal(read_content("flows.part-1"), 4);
}

static void a_folder_that_is_not_there_is_an_error_at_the_start(void **state)
{
	struct transport_file_config config = { .path = "/no/such/folder/flows" };
	struct transport *transport;

	assert_int_equal(transport_file_open(&config, &transport, error), -ENOENT);
	assert_string_equal(error, "file /no/such/folder/flows: No such file or directory");
}

/* Nothing is counted twice, nothing is in the file that was counted as lost, and what is in it
 * is whole. */
static void a_full_disk_costs_what_is_counted(void **state)
{
	struct transport_file_config config = { .path = path, .rotate_s = 3600 };
	struct exporter *exporter = start_files(&config);
	const struct exporter_stats *stats = exporter_stats(exporter);
	add_flows(exporter, 50, BEGIN_NS);
	uint64_t now_ns = pass_time(exporter, BEGIN_NS);

	limit_files(20000);
	add_flows(exporter, 400, now_ns);
	for (unsigned i = 0; i < 2000 && stats->sessions.lost == 0; i++) {
		exporter_advance(exporter, now_ns += 20 * MS);
		poll(NULL, 0, 1);
	}
	assert_int_equal(stats->sessions.lost, 1);
	assert_int_equal(stats->sessions.last_error, EFBIG);
	assert_false(exporter_is_held(exporter));
	limit_files(RLIM_INFINITY);
	now_ns = pass_time(exporter, now_ns + 11 * S);
	add_flows(exporter, 7, now_ns);
	exporter_flush(exporter, now_ns);
	now_ns = pass_time(exporter, now_ns);
	unsigned sent = (unsigned)stats->records, failed = (unsigned)stats->failed_records;
	exporter_free(exporter);

	char list[4096];
	unsigned found = 0, files = 0;
	strcpy(list, names());
	for (char *rest = list, *name; (name = strsep(&rest, " ")); files++)
		found += read_file(name);
	assert_int_equal(files, 2);
	assert_true(failed > 0);
	assert_int_equal(sent, 2 * 457);
	assert_int_equal(found, sent - failed);
}

static void a_disk_that_stays_full_is_tried_again_with_templates_alone(void **state)
{
	struct transport_file_config config = { .path = path, .rotate_s = 3600 };
	struct exporter *exporter = start_files(&config);
	const struct exporter_stats *stats = exporter_stats(exporter);
	uint64_t now_ns = BEGIN_NS;

	limit_files(10);
	add_flows(exporter, 10, now_ns);
	for (unsigned i = 0; i < 5000 && stats->sessions.refused < 3; i++) {
		exporter_advance(exporter, now_ns += 50 * MS);
		poll(NULL, 0, 1);
	}
	limit_files(RLIM_INFINITY);

	assert_int_equal(stats->sessions.refused, 3);
	assert_int_equal(stats->failed_records, 0);
	assert_in_range(now_ns - BEGIN_NS, 20 * S, 200 * S);
	exporter_flush(exporter, now_ns += 11 * S);
	pass_time(exporter, now_ns);
	exporter_free(exporter);
	assert_non_null(strstr(names(), ".ipfix"));
	assert_int_equal(read_file(names()), 20);
}

static void a_replay_counts_what_a_full_disk_did_not_take(void **state)
{
	struct transport_file_config config = { .path = path, .may_wait = true };
	struct exporter *exporter = start_files(&config);

	limit_files(5000);
	add_flows(exporter, 100, BEGIN_NS);
	exporter_flush(exporter, BEGIN_NS);
	limit_files(RLIM_INFINITY);
	unsigned sent = (unsigned)exporter_stats(exporter)->records;
	unsigned failed = (unsigned)exporter_stats(exporter)->failed_records;
	exporter_free(exporter);

	assert_int_equal(sent + failed, 200);
	assert_int_equal(read_file("flows"), sent);
}

/* The codecs of the build, each against its own program. */
static void files_can_be_compressed(void **state)
{
	static const struct {
		const char *codec, *name, *command;
	} rows[] = {
		{ "gzip", "flows-20231114T221330Z.ipfix.gz", "gzip -dc" },
		{ "zstd", "flows-20231114T221330Z.ipfix.zst", "zstd -dcq" },
	};
	for (size_t i = 0; i < 2; i++) {
		struct transport_file_config config = { .path = path, .rotate_s = 86400 };
		char command[512];
		config.codec = compress_find(rows[i].codec);
		assert_non_null(config.codec);
		if (!config.codec->ops)
			continue;
		struct exporter *exporter = start_files(&config);
		add_flows(exporter, 1000, BEGIN_NS);
		pass_time(exporter, BEGIN_NS);
		exporter_free(exporter);

		snprintf(command, sizeof(command), "cd %s && %s %s > plain", folder,
			rows[i].command, rows[i].name);
		assert_int_equal(system(command), 0);
		assert_int_equal(read_file("plain"), 2000);
		assert_in_range(read_content(rows[i].name), 100, 20000);
	}
	assert_null(compress_find("rar"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

static const struct CMUnitTest tests[] = {
	CASE(a_replay_writes_one_file_of_the_name_given),
	CASE(a_lane_writes_the_same_with_a_thread),
	CASE(what_is_being_written_can_be_read),
	CASE(a_file_begins_where_one_is_full),
	CASE(a_file_ends_when_the_clock_strikes),
	CASE(what_a_crash_has_left_is_kept),
	CASE(a_folder_that_is_not_there_is_an_error_at_the_start),
	CASE(a_full_disk_costs_what_is_counted),
	CASE(a_disk_that_stays_full_is_tried_again_with_templates_alone),
	CASE(a_replay_counts_what_a_full_disk_did_not_take),
	CASE(files_can_be_compressed),
};

UNIT_MAIN("transport_file", tests)
