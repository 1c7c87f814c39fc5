/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which messages of a stream were sent last: when the end of the stream is lost, and all that
 * is known is how many octets that were, these tell how many messages and records.
 *
 * When there are more than it has room for, the oldest two become one: counted together, too
 * many rather than too few are called lost.
 */
#ifndef EXPORT_SENT_MARKS_H
#define EXPORT_SENT_MARKS_H

#include <stdint.h>

#define SENT_MARKS_MAX 1024

struct sent_mark {
	uint64_t octets;
	unsigned message_count, flow_count;
};

struct sent_marks {
	unsigned first, count;
	struct sent_mark marks[SENT_MARKS_MAX];
};

/* One more message was sent. */
void sent_marks_add(struct sent_marks *marks, uint32_t octets, uint32_t flow_count);

/* The messages to which the last .octets belong, wholly or in part; they are forgotten, and so
 * are all others. */
struct sent_mark sent_marks_take_back(struct sent_marks *marks, uint64_t octets);

#endif
