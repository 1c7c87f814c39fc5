/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reader, several lanes: a source of capture files that is read once, by a thread of its
 * own, and handed to several takers. Each of them sees every packet, in order.
 *
 *                      .-> handle 0 -> lane 0
 *   files -> reader ---+-> handle 1 -> lane 1       with one handle: reading ahead
 *            (thread)  '-> handle 2 -> lane 2
 *
 * A handle is a source like any other (source.h): batches, clock, end, SOURCE_DAMAGED, errors,
 * link type and name are those of the source behind it, and a batch is the same in each handle.
 * Here waiting is right: the reader waits for the slowest taker, a taker for the reader, both
 * without spinning. What a slow pipe gives goes on at once, and stop_fd ends it as ever.
 *
 * What its user has to know:
 *
 *  - A handle is used by one thread at a time; different handles by different threads.
 *  - A taker that stops before the end must say source_leave(), or source_close() at once: all
 *    others wait for it otherwise. After the end of the stream, or after an error, a handle has
 *    left by itself. Handles are closed in any order, from any thread.
 *  - source_stats(): handle 0 tells what was handed to it; the others tell zeros, so that the
 *    sum over all handles is right.
 *  - The reader starts with the first source_next() of any handle: fork(), chroot() and giving
 *    up privileges before that are safe. It has no signals, and the CPUs that the thread had
 *    that called replay_share_open(), whatever the lanes are pinned to.
 */
#ifndef RING_REPLAY_SHARE_H
#define RING_REPLAY_SHARE_H

#include "ring/source.h"

#define REPLAY_SHARE_HANDLES_MAX 256

/*
 * Takes .source, on failure too; *ret_handles has room for .count of them, 1 to
 * REPLAY_SHARE_HANDLES_MAX. 0; -EINVAL for another count, or for a source that is not of
 * capture files; or another negative errno.
 */
int replay_share_open(struct source *source, unsigned count, struct source **ret_handles);

#endif
