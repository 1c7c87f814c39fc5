/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/loop.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define POLL_FOREVER (-1)

uint64_t loop_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int loop_add(struct loop *loop, struct loop_watch *watch)
{
	if (loop->count == LOOP_WATCHES_MAX)
		return -ENOSPC;
	loop->watches[loop->count++] = watch;
	return 0;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	for (unsigned i = 0; i < loop->count; i++)
		if (loop->watches[i] == watch) {
			loop->watches[i] = loop->watches[--loop->count];
			return;
		}
}

static bool loop_has(const struct loop *loop, const struct loop_watch *watch)
{
	for (unsigned i = 0; i < loop->count; i++)
		if (loop->watches[i] == watch)
			return true;
	return false;
}

static int milliseconds_until(const struct loop *loop)
{
	uint64_t now_ns = loop_now_ns(), earliest_ns = UINT64_MAX;

	for (unsigned i = 0; i < loop->count; i++)
		if (loop->watches[i]->deadline_ns < earliest_ns)
			earliest_ns = loop->watches[i]->deadline_ns;
	if (earliest_ns == UINT64_MAX)
		return POLL_FOREVER;
	if (earliest_ns <= now_ns)
		return 0;
	uint64_t ms = (earliest_ns - now_ns) / NS_PER_MS + 1;
	return ms > 60000 ? 60000 : (int)ms;
}

static void loop_dispatch(struct loop *loop, struct loop_watch *const *watches,
	const struct pollfd *fds, unsigned count)
{
	for (unsigned i = 0; i < count && !loop->is_stopped; i++) {
		if (!loop_has(loop, watches[i]))
			continue;
		if (fds[i].revents)
			watches[i]->ready(watches[i], fds[i].revents);
		else if (watches[i]->deadline_ns <= loop_now_ns())
			watches[i]->ready(watches[i], 0);
	}
}

int loop_run(struct loop *loop)
{
	while (!loop->is_stopped) {
		struct loop_watch *watches[LOOP_WATCHES_MAX];
		struct pollfd fds[LOOP_WATCHES_MAX];
		unsigned count = loop->count;

		for (unsigned i = 0; i < count; i++) {
			watches[i] = loop->watches[i];
			fds[i] = (struct pollfd){ .fd = watches[i]->fd,
				.events = watches[i]->events };
		}
		if (poll(fds, count, milliseconds_until(loop)) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		loop_dispatch(loop, watches, fds, count);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}
