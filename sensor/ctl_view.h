/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies of the control socket for people: values with their titles, lists as aligned tables.
 * What is shown and what it is called stands in control_shape.def and control_word.def.
 */
#ifndef SENSOR_CTL_VIEW_H
#define SENSOR_CTL_VIEW_H

#include <jansson.h>

#include "sensor/control_table.h"

#define VIEW_COLUMNS_MAX 32

/* Goes on from one part of a long reply to the next; all zero at first. */
struct view {
	bool has_head;                /* the table's titles are written */
	int widths[VIEW_COLUMNS_MAX]; /* of the table's columns so far */
};

/* Write one reply. Values beside a list are written with the last one alone. */
void view_write(struct view *view, const struct control_shape *shape, const json_t *reply,
	bool is_last, FILE *out);

#endif
