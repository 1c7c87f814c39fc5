/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main thread's loop: descriptors and deadlines, on poll() alone so that it runs
 * everywhere. Whoever wants to be called embeds a watch and stays its owner.
 */
#ifndef SENSOR_LOOP_H
#define SENSOR_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_WATCHES_MAX 64

struct loop_watch {
	int fd;               /* -1: only the deadline counts */
	short events;         /* POLLIN, POLLOUT */
	uint64_t deadline_ns; /* monotonic; UINT64_MAX: none */
	/* revents is 0 when the deadline passed. May remove this or any other watch. */
	void (*ready)(struct loop_watch *watch, short revents);
	void *user;
};

struct loop {
	struct loop_watch *watches[LOOP_WATCHES_MAX]; /* borrowed until loop_remove() */
	unsigned count;
	bool is_stopped;
};

/* 0, or -ENOSPC when there are too many. */
int loop_add(struct loop *loop, struct loop_watch *watch);
void loop_remove(struct loop *loop, struct loop_watch *watch); /* fine when it is not there */

/* Call what is ready until loop_stop(). */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Monotonic nanoseconds, for deadlines. */
uint64_t loop_now_ns(void);

#endif
