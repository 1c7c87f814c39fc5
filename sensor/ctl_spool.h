/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands between a daemon that hangs up on slow readers and a standard output that may be
 * one: octets come out in the order in which they went in. The first few MiB are kept in
 * memory, more in a temporary file.
 */
#ifndef SENSOR_CTL_SPOOL_H
#define SENSOR_CTL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SPOOL_MEMORY_BYTES (4u << 20)

struct spool {
	char *memory; /* SPOOL_MEMORY_BYTES, from the first octet on; owned */
	size_t from, to;
	FILE *file; /* what came after that; owned */
	uint64_t file_from, file_to;
};

/* Nothing is made before it is needed: all zero is an empty spool. */
void spool_clear(struct spool *spool);

/* 0 or a negative errno. */
int spool_put(struct spool *spool, const char *bytes, size_t length);

bool spool_is_empty(const struct spool *spool);

/* The next octets, at most so many as ret_length says, in one piece; NULL with *ret_length 0
 * when there are none, or with a negative errno in *ret_rc. They stay until spool_took(). */
const char *spool_next(struct spool *spool, size_t *ret_length, int *ret_rc);
void spool_took(struct spool *spool, size_t length);

#endif
