/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/sent_marks.h"

static struct sent_mark *mark_at(struct sent_marks *marks, unsigned index)
{
	return &marks->marks[(marks->first + index) % SENT_MARKS_MAX];
}

static void add_to(struct sent_mark *sum, const struct sent_mark *one)
{
	sum->octets += one->octets;
	sum->message_count += one->message_count;
	sum->flow_count += one->flow_count;
}

void sent_marks_add(struct sent_marks *marks, uint32_t octets, uint32_t flow_count)
{
	if (marks->count == SENT_MARKS_MAX) {
		add_to(mark_at(marks, 1), mark_at(marks, 0));
		marks->first = (marks->first + 1) % SENT_MARKS_MAX;
		marks->count--;
	}
	*mark_at(marks, marks->count++) = (struct sent_mark){
		.octets = octets,
		.message_count = 1,
		.flow_count = flow_count,
	};
}

struct sent_mark sent_marks_take_back(struct sent_marks *marks, uint64_t octets)
{
	struct sent_mark sum = { 0 };

	while (marks->count > 0 && sum.octets < octets)
		add_to(&sum, mark_at(marks, --marks->count));
	marks->first = marks->count = 0;
	return sum;
}
