/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shapes of control_shape.def as JSON: control_make_<symbol>() for each, from the object
 * that its row names. The result is the caller's.
 */
#ifndef SENSOR_CONTROL_MAKE_H
#define SENSOR_CONTROL_MAKE_H

#include <jansson.h>

#include "sensor/config_row.h"
#include "sensor/control.h"
#include "sensor/flow_group.h"

/* Objects that exist for being shown alone; all they point to is borrowed. */
struct flow_group_view {
	const char *key;
	const struct flow_group *group;
	double share;
};

struct drop_view {
	const struct drop_reason_row *row;
	uint64_t frames;
};

struct collector_view {
	const char *address;
	struct exporter_stats stats; /* summed over the lanes */
	uint64_t
		template_age_ns; /* of the lane where they are oldest; UINT64_MAX: never sent */
};

struct lane_view {
	unsigned number;
	const struct sight_lane *seen;
	uint64_t passes;
	bool is_busy;
};

struct end_view {
	const char *reason;
	uint64_t records;
};

struct protocol_view {
	unsigned number;
	const struct flow_protocol_stats *stats;
};

struct timeout_view {
	const struct timeout_row *row;
	uint64_t seconds;
};

#define SHAPE(symbol, type, object, sentence) json_t *control_make_##symbol(const object *it);
#include "sensor/control_shape.def"

#endif
