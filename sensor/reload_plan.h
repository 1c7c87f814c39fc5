/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another configuration, read and checked whole, with all that the lanes need for it: sockets
 * are open and names resolved, exporters made, the filter compiled. Nothing of what runs was
 * touched, so it can still be thrown away.
 */
#ifndef SENSOR_RELOAD_PLAN_H
#define SENSOR_RELOAD_PLAN_H

#include "sensor/lanes.h"

struct reload_plan {
	struct config config;
	struct config_changes changes;
	struct own_export *own;       /* borrowed: knows the new sockets */
	struct source_filter *filter; /* NULL: as it is */
	struct source_filter *back;   /* the way back, when there is a filter */
	struct lane_change *lanes;    /* one for each lane */
	unsigned lane_count;
};

/* What there is now. */
struct reload_base {
	const struct config *config;
	const struct config_input *input;
	struct lanes *lanes; /* .own learns the new sockets */
};

/*
 * Make a plan. 0: .changes say what differs, which may be nothing; or a negative errno with a
 * sentence in .error that names file and line, or what takes a restart.
 */
int reload_plan_make(const struct reload_base *base, struct reload_plan *ret_plan,
	char error[static CONFIG_ERROR_BYTES]);

/* Free what the lanes have not taken, and what they gave back. */
void reload_plan_free(struct reload_plan *plan);

#endif
