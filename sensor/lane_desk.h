/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The desk in front of the lanes: each lane answers one request at a time, the desk keeps the
 * orders waiting in line, hands each one to all lanes, makes one answer of theirs and calls
 * back on the main thread:
 *
 *	LANE_STATS           the sums, as if one lane had done it all
 *	LANE_SNAPSHOT        one lane after the other; the order knows how far it is
 *	what has a count     the sum of the counts
 *	LANE_FILTER, CHANGE  each lane has its own of .changes, and answers there
 *
 * With .exporters there is room in it for every lane's, one after the other: each fills its
 *own.
 *
 * A lane that has ended answers nothing more; it has no flows, and its statistics stay.
 */
#ifndef SENSOR_LANE_DESK_H
#define SENSOR_LANE_DESK_H

#include "sensor/lane.h"
#include "sensor/loop.h"

struct lane_order {
	struct lane_request request; /* as for one lane; then its answer */
	unsigned lane;               /* LANE_SNAPSHOT: whose turn it is; 0 first */
	void (*answered)(struct lane_order *order);
	void *user;
	struct lane_order *next;
};

/* A lane's part of the order in hand. */
struct lane_errand {
	struct lane_request request;
	bool is_out; /* the lane has it */
};

struct lane_desk {
	struct lane *const *lanes; /* borrowed; NULL before lane_desk_seat() */
	unsigned lane_count;
	struct lane_errand *errands; /* one for each lane */
	struct loop *loop;
	struct loop_watch watch;          /* the lanes' notices */
	struct lane_order *first, **last; /* waiting; borrowed from whoever placed them */
	struct lane_order *in_hand;       /* lent to the lanes */
	int notice_fds[2];
	void (*noticed)(void *user); /* at every notice: a lane may have ended, links changed */
	void *user;
};

/* Make the notice pipe: .notice_fds[1] goes into lane_config. 0 or a negative errno. */
int lane_desk_open(struct lane_desk *desk, struct loop *loop);

/* Seat the lanes, before the first order. 0 or -ENOMEM. */
int lane_desk_seat(struct lane_desk *desk, struct lane *const *lanes, unsigned count);

/* Only when no lane runs. */
void lane_desk_close(struct lane_desk *desk);

/* Place an order; .answered is called from the loop. The order stays the caller's but must live
 * until it is answered, or until lane_desk_withdraw() returned true. */
void lane_desk_place(struct lane_desk *desk, struct lane_order *order);

/* What lane .lane said, while an order is being answered that went to all of them. */
const struct lane_request *lane_desk_answer_of(const struct lane_desk *desk, unsigned lane);

/* Is the lane at work on an order, or does it not answer? */
bool lane_desk_is_out(const struct lane_desk *desk, unsigned lane);

/* Take back a waiting order. False when lanes have it in hand: wait for the answer. */
bool lane_desk_withdraw(struct lane_desk *desk, struct lane_order *order);

#endif
