/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The desk in front of a lane: the lane answers one request at a time, the desk keeps the
 * others waiting in order and calls back on the main thread.
 */
#ifndef SENSOR_LANE_DESK_H
#define SENSOR_LANE_DESK_H

#include "sensor/lane.h"
#include "sensor/loop.h"

struct lane_order {
	struct lane_request request;
	void (*answered)(struct lane_order *order);
	void *user;
	struct lane_order *next;
};

struct lane_desk {
	struct lane *lane;
	struct loop *loop;
	struct loop_watch watch;          /* the lane's notices */
	struct lane_order *first, **last; /* waiting; borrowed from whoever placed them */
	struct lane_order *in_hand;       /* lent to the lane */
	int notice_fds[2];
	void (*noticed)(
		void *user); /* at every notice: the lane may have ended, links changed */
	void *user;
};

/* Make the notice pipe: .notice_fds[1] goes into lane_config. 0 or a negative errno. */
int lane_desk_open(struct lane_desk *desk, struct loop *loop);
void lane_desk_close(struct lane_desk *desk);

/* Place an order; .answered is called from the loop. The order stays the caller's but must live
 * until it is answered, or until lane_desk_withdraw() returned true. */
void lane_desk_place(struct lane_desk *desk, struct lane_order *order);

/* Take back a waiting order. False when the lane has it in hand: wait for the answer. */
bool lane_desk_withdraw(struct lane_desk *desk, struct lane_order *order);

#endif
