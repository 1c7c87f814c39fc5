/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ctl_spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spool_clear(struct spool *spool)
{
	free(spool->memory);
	if (spool->file)
		fclose(spool->file);
	*spool = (struct spool){ 0 };
}

bool spool_is_empty(const struct spool *spool)
{
	return spool->from == spool->to && spool->file_from == spool->file_to;
}

static int put_in_file(struct spool *spool, const char *bytes, size_t length)
{
	if (!spool->file)
		spool->file = tmpfile();
	if (!spool->file)
		return -errno;
	while (length > 0) {
		ssize_t n = pwrite(fileno(spool->file), bytes, length, (off_t)spool->file_to);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		spool->file_to += (uint64_t)n;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

int spool_put(struct spool *spool, const char *bytes, size_t length)
{
	if (!spool->memory)
		spool->memory = malloc(SPOOL_MEMORY_BYTES);
	if (!spool->memory)
		return -ENOMEM;
	if (spool->from == spool->to)
		spool->from = spool->to = 0;
	if (spool->file_from != spool->file_to || length > SPOOL_MEMORY_BYTES - spool->to)
		return put_in_file(spool, bytes, length);
	memcpy(spool->memory + spool->to, bytes, length);
	spool->to += length;
	return 0;
}

/* Memory is empty: the file's next octets go there. An empty file begins again. */
static int refill(struct spool *spool)
{
	uint64_t left = spool->file_to - spool->file_from;
	size_t want = left < SPOOL_MEMORY_BYTES ? (size_t)left : SPOOL_MEMORY_BYTES;
	ssize_t n = pread(fileno(spool->file), spool->memory, want, (off_t)spool->file_from);

	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	spool->from = 0;
	spool->to = (size_t)n;
	spool->file_from += (uint64_t)n;
	if (spool->file_from < spool->file_to)
		return 0;
	spool->file_from = spool->file_to = 0;
	return ftruncate(fileno(spool->file), 0) < 0 ? -errno : 0;
}

const char *spool_next(struct spool *spool, size_t *ret_length, int *ret_rc)
{
	size_t most = *ret_length;

	*ret_length = 0;
	*ret_rc = 0;
	if (spool->from == spool->to && spool->file_from != spool->file_to)
		*ret_rc = refill(spool);
	if (*ret_rc < 0 || spool->from == spool->to)
		return NULL;
	*ret_length = spool->to - spool->from < most ? spool->to - spool->from : most;
	return spool->memory + spool->from;
}

void spool_took(struct spool *spool, size_t length)
{
	spool->from += length;
}
