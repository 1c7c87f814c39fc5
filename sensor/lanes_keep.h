/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process of several lanes leaves for the next one, and takes over. For lanes.c alone.
 */
#ifndef SENSOR_LANES_KEEP_H
#define SENSOR_LANES_KEEP_H

#include "sensor/lanes.h"

/* Take the lanes' memory that was handed in. Only before anything else is opened. */
void lanes_keep_take(struct lanes *lanes);

/* Can .count lanes under this configuration go on with it in place? Then .keys are those of the
 * process before, and .is_resumed is set. */
void lanes_keep_match(struct lanes *lanes, const struct config *config, unsigned count);

/* Make memory for lanes that have none, where somebody keeps it. 0 or a negative errno. */
int lanes_keep_make(struct lanes *lanes, const struct config *config);

/* Was this destination's place another one's? Then send what was left for that one through
 * .handed_fd, which is taken; returns -1. Else .handed_fd. */
int lanes_keep_check_udp(struct lanes *lanes, const struct config *config, unsigned lane,
	size_t destination, int handed_fd);

/* Send what was left for destinations that are no more. */
void lanes_keep_send_orphans(struct lanes *lanes, const struct config *config);

/* Have a lane's descriptors kept. */
void lanes_keep_store_udp(const struct lanes *lanes, unsigned lane, size_t destination, int fd);
void lanes_keep_store_lane(const struct lanes *lanes, unsigned lane, struct source *source);

#endif
