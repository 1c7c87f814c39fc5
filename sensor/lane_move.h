/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving house: the flows of lanes that have ended, as they are, into the memory of lanes that
 * have not begun yet, which may be more or fewer, with room for more or fewer flows. What has
 * no room stays, and is exported by the lane that has it.
 *
 * A flow goes to the lane that will see its packets. It gets another number there: those are
 * given by lane. All that was counted is in the books of the first lane from here on.
 */
#ifndef SENSOR_LANE_MOVE_H
#define SENSOR_LANE_MOVE_H

#include "ring/steering.h"
#include "sensor/lane_inside.h"

struct lane_move_target {
	struct lane_state *state; /* borrowed; new, without flows */
	struct flow_paths paths;
	uint32_t touched;
	uint64_t created_flows;
};

struct lane_move {
	struct lane_move_target *targets; /* one for each new lane */
	struct steering steering;         /* theirs */
	uint64_t moved_flows;
};

/* 0 or -ENOMEM. .first_id: no flow of the lanes that are left has a greater id. */
int lane_move_begin(struct lane_move *move, struct lane_state *const *states, unsigned count,
	const uint64_t steering_key[static 2], uint64_t last_id);

/* The flows of a lane whose thread has ended, and whose queue is empty; then its books. */
void lane_move_flows(struct lane_move *move, struct lane *from);
void lane_move_books(struct lane_move *move, struct lane *from);

/* Commit: the new lanes can go on with it. */
void lane_move_end(struct lane_move *move);

#endif
