/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replay: capture files, one after the other, as one stream of packets.
 *
 * All files are opened and judged before the first packet is handed over, so that a wrong name
 * or a foreign link type at the end of the list is an error at the start. Regular files are
 * then rewound and only their descriptor is kept (for long lists not even that); a pipe cannot
 * be rewound, so its capture stays open.
 */
#include "ring/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring/capture.h"
#include "ring/view_arena.h"

/* More files than this are opened again by name when their turn comes. */
#define HELD_FILES_MAX 64

struct slot {
	int fd;                  /* a regular file that was judged, or -1 */
	off_t start;             /* where the capture begins in it */
	struct capture *capture; /* a file that is being read, or waits half read, or NULL */
};

struct pcap_file {
	const char *const *files; /* borrowed, as .filter */
	const char *filter;
	struct slot *slots; /* one for each file */
	size_t file_count;
	size_t current;
	int link_type;
	int stop_fds[FEED_STOPS]; /* of the caller, and of who reads ahead; -1: none */
	struct view_arena arena;
	uint64_t received_pkts;
	uint64_t newest_ns;
	unsigned damages; /* files that could not be read to their end */
	char first_damage[SOURCE_ERROR_BYTES];
	char error[SOURCE_ERROR_BYTES];
};

extern const struct source_ops pcap_file_ops;

static bool is_stdin(const char *file)
{
	return strcmp(file, "-") == 0;
}

static const char *name_of(const char *file)
{
	return is_stdin(file) ? "standard input" : file;
}

static int open_file(const char *file, int *ret_fd, char error[static SOURCE_ERROR_BYTES])
{
	int fd = is_stdin(file) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
				: open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		int outcome = -errno;
		snprintf(
			error, SOURCE_ERROR_BYTES, "%s: %s", name_of(file), strerror(-outcome));
		return outcome;
	}
	*ret_fd = fd;
	return 0;
}

static bool is_regular(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && S_ISREG(status.st_mode);
}

static int check_link_type(const struct pcap_file *replay, const struct capture *capture,
	size_t index, char error[static SOURCE_ERROR_BYTES])
{
	if (index == 0 || capture_link_type(capture) == replay->link_type)
		return 0;
	snprintf(error, SOURCE_ERROR_BYTES,
		"%s has link type %d, but %s has link type %d: read them apart",
		name_of(replay->files[index]), capture_link_type(capture),
		name_of(replay->files[0]), replay->link_type);
	return -EINVAL;
}

/* Open file .index as a capture, from .fd (taken). */
static int open_capture(
	struct pcap_file *replay, size_t index, int fd, char error[static SOURCE_ERROR_BYTES])
{
	struct capture *capture;

	int outcome = capture_open(
		fd, name_of(replay->files[index]), replay->filter, &capture, error);
	if (outcome)
		return outcome;
	outcome = check_link_type(replay, capture, index, error);
	if (outcome) {
		capture_close(capture);
		return outcome;
	}
	if (index == 0)
		replay->link_type = capture_link_type(capture);
	capture_stop_on(capture, replay->stop_fds);
	replay->slots[index].capture = capture;
	return 0;
}

/* The capture of a regular file was opened only to be judged: keep at most its descriptor. */
static void set_aside(struct slot *slot, size_t index, int spare_fd)
{
	capture_close(slot->capture);
	slot->capture = NULL;
	if (index < HELD_FILES_MAX)
		slot->fd = spare_fd;
	else
		close(spare_fd);
}

static int judge_file(
	struct pcap_file *replay, size_t index, char error[static SOURCE_ERROR_BYTES])
{
	struct slot *slot = &replay->slots[index];
	int fd = -1, spare_fd = -1;

	int outcome = open_file(replay->files[index], &fd, error);
	if (outcome)
		return outcome;
	bool is_set_aside = index > 0 && is_regular(fd);
	if (is_set_aside) {
		slot->start = lseek(fd, 0, SEEK_CUR);
		spare_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	outcome = open_capture(replay, index, fd, error);
	if (outcome == 0 && is_set_aside)
		set_aside(slot, index, spare_fd);
	else if (spare_fd >= 0)
		close(spare_fd);
	return outcome;
}

static int check_stdin_once(
	const struct source_config *config, char error[static SOURCE_ERROR_BYTES])
{
	size_t times = 0;

	for (size_t i = 0; i < config->file_count; i++)
		times += is_stdin(config->files[i]);
	if (times <= 1)
		return 0;
	snprintf(error, SOURCE_ERROR_BYTES, "standard input can be read only once");
	return -EINVAL;
}

static int set_up(struct pcap_file *replay, const struct source_config *config,
	char error[static SOURCE_ERROR_BYTES])
{
	int outcome = check_stdin_once(config, error);
	if (outcome)
		return outcome;
	replay->slots = calloc(config->file_count, sizeof(*replay->slots));
	if (!replay->slots || view_arena_open(&replay->arena, config->snap_bytes)) {
		snprintf(error, SOURCE_ERROR_BYTES, "out of memory");
		return -ENOMEM;
	}
	replay->file_count = config->file_count;
	for (size_t i = 0; i < replay->file_count; i++)
		replay->slots[i].fd = -1;
	for (size_t i = 0; i < replay->file_count; i++) {
		outcome = judge_file(replay, i, error);
		if (outcome)
			return outcome;
	}
	return 0;
}

static void pcap_file_close(void *state)
{
	struct pcap_file *replay = state;

	for (size_t i = 0; i < replay->file_count; i++) {
		capture_close(replay->slots[i].capture);
		if (replay->slots[i].fd >= 0)
			close(replay->slots[i].fd);
	}
	free(replay->slots);
	view_arena_close(&replay->arena);
	free(replay);
}

static int pcap_file_open(const struct source_config *config, void **ret_state,
	int *ret_link_type, char error[static SOURCE_ERROR_BYTES])
{
	struct pcap_file *replay = calloc(1, sizeof(*replay));

	if (!replay) {
		snprintf(error, SOURCE_ERROR_BYTES, "out of memory");
		return -ENOMEM;
	}
	replay->files = config->files;
	replay->filter = config->filter;
	replay->stop_fds[0] = config->stop_fd > 0 ? config->stop_fd : -1;
	replay->stop_fds[1] = -1;
	int outcome = set_up(replay, config, error);
	if (outcome) {
		pcap_file_close(replay);
		return outcome;
	}
	*ret_link_type = replay->link_type;
	*ret_state = replay;
	return 0;
}

/* The next file's turn has come. A file that was good at the start and is not now is damage. */
static int open_current(struct pcap_file *replay, char error[static SOURCE_ERROR_BYTES])
{
	struct slot *slot = &replay->slots[replay->current];
	int fd = slot->fd;

	slot->fd = -1;
	if (fd < 0 && open_file(replay->files[replay->current], &fd, error))
		return -1;
	/* Pipes never get here; a descriptor shares its position with the one that was judged.
	 */
	lseek(fd, slot->start, SEEK_SET);
	return open_capture(replay, replay->current, fd, error);
}

static void close_current(struct pcap_file *replay)
{
	struct slot *slot = &replay->slots[replay->current];

	capture_close(slot->capture);
	slot->capture = NULL;
	replay->current++;
}

/* The first damage is told in full; of more there is only the number. */
static void note_damage(struct pcap_file *replay, const char *what)
{
	if (replay->damages++ == 0)
		snprintf(replay->first_damage, sizeof(replay->first_damage), "%s", what);
	snprintf(replay->error, sizeof(replay->error),
		replay->damages == 1 ? "%s" : "%.440s; %u more of the files are damaged",
		replay->first_damage, replay->damages - 1);
}

/* The file that is being read, or the next that can be; NULL at the end of all. */
static struct capture *current_capture(struct pcap_file *replay)
{
	for (; replay->current < replay->file_count; replay->current++) {
		struct slot *slot = &replay->slots[replay->current];
		char error[SOURCE_ERROR_BYTES];

		if (slot->capture || open_current(replay, error) == 0)
			return slot->capture;
		note_damage(replay, error);
	}
	return NULL;
}

/* True: the batch may take more, from another file. */
static bool read_packets(struct pcap_file *replay, struct capture *capture,
	struct packet_batch *batch, struct view_arena *arena)
{
	switch (capture_read(capture, batch, arena)) {
	case CAPTURE_GOES_ON:
		return false;
	case CAPTURE_END:
		break;
	case CAPTURE_STOPPED:
		replay->current = replay->file_count;
		return false;
	case CAPTURE_DAMAGED:
		note_damage(replay, capture_error(capture));
		break;
	}
	close_current(replay);
	return true;
}

static int pcap_file_next_to(void *state, struct packet_batch *batch, struct view_arena *arena)
{
	struct pcap_file *replay = state;
	struct capture *capture;

	arena->snap_bytes = replay->arena.snap_bytes;
	batch->clock_ns = replay->newest_ns;
	do {
		capture = current_capture(replay);
	} while (capture && read_packets(replay, capture, batch, arena));

	replay->newest_ns = batch->clock_ns;
	replay->received_pkts += batch->count;
	batch->is_end = replay->current == replay->file_count;
	return batch->is_end && replay->damages ? SOURCE_DAMAGED : 0;
}

static int pcap_file_next(void *state, struct packet_batch *batch)
{
	struct pcap_file *replay = state;

	view_arena_reset(&replay->arena);
	return pcap_file_next_to(state, batch, &replay->arena);
}

/* Those that can be slow are open from the start. */
static bool pcap_file_may_wait(const void *state)
{
	const struct pcap_file *replay = state;

	for (size_t i = replay->current; i < replay->file_count; i++)
		if (replay->slots[i].capture && capture_is_slow(replay->slots[i].capture))
			return true;
	return false;
}

static void pcap_file_stop_on(void *state, int fd)
{
	struct pcap_file *replay = state;

	replay->stop_fds[1] = fd;
}

static void pcap_file_release(void *state, struct packet_batch *batch)
{
	struct pcap_file *replay = state;

	(void)batch;
	view_arena_reset(&replay->arena);
}

static void pcap_file_stats(void *state, struct ring_stats *ret_stats)
{
	const struct pcap_file *replay = state;

	ret_stats->received_pkts = replay->received_pkts;
}

static const char *pcap_file_error(void *state)
{
	const struct pcap_file *replay = state;

	return replay->error;
}

static const struct source_replay_ops replay_ops = {
	.next_to = pcap_file_next_to,
	.may_wait = pcap_file_may_wait,
	.stop_on = pcap_file_stop_on,
};

const struct source_ops pcap_file_ops = {
	.open = pcap_file_open,
	.next = pcap_file_next,
	.release = pcap_file_release,
	.stats = pcap_file_stats,
	.close = pcap_file_close,
	.error = pcap_file_error,
	.replay = &replay_ops,
};
