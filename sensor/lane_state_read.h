/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lane's state that a program with another layout has left: what has a name that this one
 * knows too is written anew as this one has it, so that the lane can be lived to its end: the
 * ring read, what waits for the collectors sent, each open flow exported.
 *
 * It is foreign input. Nothing is believed but what lane_state_open() has looked at.
 *
 *	narrower, wider   numbers are numbers; what is too large for ours becomes the largest
 *	unknown names     are passed over
 *	missing names     give zero; without those that make a flow what it is nothing is read
 */
#ifndef SENSOR_LANE_STATE_READ_H
#define SENSOR_LANE_STATE_READ_H

#include "sensor/lane_state.h"

struct lane_state_reading {
	uint64_t flows;            /* with an open record, all taken */
	uint64_t unreadable_flows; /* entries in use that make no sense; left out */
	uint64_t lost_messages;    /* unsent, and not to be found by name */
};

/* A new state with what .from has. .from stays as it is. 0; -EBADMSG: fields are missing, or
 * are not where they could be; or the negative errno of lane_state_new(). */
int lane_state_read(const struct lane_state *from, struct lane_state **ret_state,
	struct lane_state_reading *ret_reading);

#endif
