/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/message_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MODE 0644
#define NAMES_MAX 10000 /* so many files of one name, and no more are tried */
#define STAMP_BYTES 32

struct message_file {
	struct message_file_config config;
	void *codec_state;
	uint8_t *pieces; /* what a piece is compressed into */
	size_t pieces_bytes;
	int fd; /* -1: no file */
	bool is_broken;
	char stamp[STAMP_BYTES];
	off_t good_bytes; /* the length of the file without what was written in part */
	uint64_t written;
	size_t waiting; /* octets in .wait, of a piece that is not full */
	uint8_t wait[MESSAGE_FILE_PIECE_BYTES];
};

/* -- names ------------------------------------------------------------------------------ */

/* 0, or -ENAMETOOLONG. */
static int write_part_name(const struct message_file *file, unsigned number, char out[PATH_MAX])
{
	char behind[16] = "";

	if (number > 0)
		snprintf(behind, sizeof(behind), "-%u", number);
	int length = snprintf(out, PATH_MAX, "%s.part%s", file->config.path, behind);
	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int write_final_name(
	const struct message_file *file, unsigned number, char out[PATH_MAX])
{
	const struct compress_codec *codec = file->config.codec;
	char behind[16] = "";
	int length;

	if (number > 1)
		snprintf(behind, sizeof(behind), "-%u", number);
	if (file->config.is_series)
		length = snprintf(out, PATH_MAX, "%s-%s%s.ipfix%s", file->config.path,
			file->stamp, behind, codec ? codec->suffix : "");
	else
		length = snprintf(out, PATH_MAX, "%s", file->config.path);
	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Move .from to the first name that is free; link() replaces nothing. */
static int move_to_free_name(const struct message_file *file, const char *from,
	int (*write_name)(const struct message_file *, unsigned, char[PATH_MAX]))
{
	char to[PATH_MAX];
	int rc = -EEXIST;

	for (unsigned number = 1; rc == -EEXIST && number < NAMES_MAX; number++) {
		rc = write_name(file, number, to);
		if (rc == 0 && link(from, to) < 0)
			rc = -errno;
	}
	if (rc == 0 && unlink(from) < 0)
		rc = -errno;
	return rc;
}

/* -- writing ---------------------------------------------------------------------------- */

/* All or nothing: what was written in part is cut off. */
static int write_whole(struct message_file *file, const uint8_t *bytes, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(file->fd, bytes + done, length - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int rc = n < 0 ? -errno : -EIO;
			file->is_broken = true;
			(void)!ftruncate(file->fd, file->good_bytes);
			return rc;
		}
		done += (size_t)n;
	}
	file->good_bytes += (off_t)length;
	return 0;
}

static int append_plain(struct message_file *file, const uint8_t *bytes, size_t length)
{
	int rc = write_whole(file, bytes, length);

	if (rc == 0)
		file->written += length;
	return rc;
}

int message_file_flush(struct message_file *file)
{
	if (file->waiting == 0 || file->fd < 0)
		return 0;
	if (file->is_broken)
		return -EIO;
	size_t length = file->config.codec->ops->piece(
		file->codec_state, file->wait, file->waiting, file->pieces, file->pieces_bytes);
	file->is_broken |= length == 0;
	int rc = length == 0 ? -EIO : write_whole(file, file->pieces, length);
	if (rc == 0)
		file->written += file->waiting;
	file->waiting = 0;
	return rc;
}

int message_file_append(struct message_file *file, const uint8_t *bytes, size_t length)
{
	int rc = 0;

	if (file->fd < 0)
		return -EBADF;
	if (file->is_broken)
		return -EIO;
	if (!file->config.codec)
		return append_plain(file, bytes, length);
	if (length > sizeof(file->wait) - file->waiting)
		rc = message_file_flush(file);
	if (rc < 0)
		return rc;
	memcpy(file->wait + file->waiting, bytes, length);
	file->waiting += length;
	return 0;
}

uint64_t message_file_written(const struct message_file *file)
{
	return file->written;
}

/* -- files ------------------------------------------------------------------------------ */

static void write_stamp(struct message_file *file, uint64_t begin_s)
{
	time_t seconds = (time_t)begin_s;
	struct tm utc;

	if (!gmtime_r(&seconds, &utc) ||
		strftime(file->stamp, sizeof(file->stamp), "%Y%m%dT%H%M%SZ", &utc) == 0)
		snprintf(file->stamp, sizeof(file->stamp), "%llu", (unsigned long long)begin_s);
}

int message_file_begin(struct message_file *file, uint64_t begin_s)
{
	char part[PATH_MAX];
	int rc = message_file_finish(file);

	if (rc == 0)
		rc = write_part_name(file, 0, part);
	if (rc < 0)
		return rc;
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;
	int fd = open(part, flags, FILE_MODE);
	if (fd < 0 && errno == EEXIST) {
		rc = move_to_free_name(file, part, write_part_name);
		if (rc < 0)
			return rc;
		fd = open(part, flags, FILE_MODE);
	}
	if (fd < 0)
		return -errno;
	file->fd = fd;
	file->is_broken = false;
	file->good_bytes = 0;
	file->waiting = 0;
	write_stamp(file, begin_s);
	return 0;
}

static int give_name(const struct message_file *file)
{
	char part[PATH_MAX], final[PATH_MAX];
	int rc = write_part_name(file, 0, part);

	if (rc < 0)
		return rc;
	if (file->good_bytes == 0)
		return unlink(part) < 0 ? -errno : 0;
	if (file->config.is_series)
		return move_to_free_name(file, part, write_final_name);
	rc = write_final_name(file, 0, final);
	if (rc < 0)
		return rc;
	return rename(part, final) < 0 ? -errno : 0;
}

int message_file_finish(struct message_file *file)
{
	if (file->fd < 0)
		return 0;
	int rc = file->is_broken ? 0 : message_file_flush(file);
	file->waiting = 0;
	/* Its name says that it is complete: then it is on the disk, too. */
	if (fdatasync(file->fd) < 0 && errno != EINVAL && rc == 0)
		rc = -errno;
	close(file->fd);
	file->fd = -1;
	int named = give_name(file);
	return rc < 0 ? rc : named;
}

int message_file_new(const struct message_file_config *config, struct message_file **ret_file)
{
	struct message_file *file = calloc(1, sizeof(*file));
	int rc = 0;

	if (!file)
		return -ENOMEM;
	file->config = *config;
	file->fd = -1;
	if (config->codec) {
		const struct compress_ops *ops = config->codec->ops;
		file->pieces_bytes = ops->bound(MESSAGE_FILE_PIECE_BYTES);
		file->pieces = malloc(file->pieces_bytes);
		rc = file->pieces ? ops->open(&file->codec_state) : -ENOMEM;
	}
	if (rc < 0) {
		message_file_free(file);
		return rc;
	}
	*ret_file = file;
	return 0;
}

void message_file_free(struct message_file *file)
{
	if (!file)
		return;
	message_file_finish(file);
	if (file->codec_state)
		file->config.codec->ops->close(file->codec_state);
	free(file->pieces);
	free(file);
}
