/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process of several lanes leaves for the next one, and takes over. For lanes.c alone.
 */
#ifndef SENSOR_LANES_KEEP_H
#define SENSOR_LANES_KEEP_H

#include "sensor/lanes.h"

/* Take the lanes' memory that was handed in. Only before anything else is opened. */
void lanes_keep_take(struct lanes *lanes);

/* The descriptor of this name from the set that counts, the caller's; -1: there is none. */
int lanes_keep_claim(const struct lanes *lanes, struct handover_name name);

/* Can .count lanes under this configuration go on with it in place? Then .keys are those of the
 * process before, and .is_resumed is set. */
void lanes_keep_match(struct lanes *lanes, const struct config *config, unsigned count);

/* Have the keys of the process before. */
void lanes_keep_take_keys(struct lanes *lanes);

/* Make memory for lanes that have none, where somebody keeps it. 0 or a negative errno. */
int lanes_keep_make(struct lanes *lanes, const struct config *config);

/* Was this destination's place another one's? Then send what was left for that one through
 * .handed_fd, which is taken; returns -1. Else .handed_fd. */
int lanes_keep_check_udp(struct lanes *lanes, const struct config *config, unsigned lane,
	size_t destination, int handed_fd);

/* Send what was left for destinations that are no more. */
void lanes_keep_send_orphans(struct lanes *lanes, const struct config *config);

/* The transport that a lane had in this place, with its socket, which is taken. */
int lanes_keep_open_udp(const struct lane_state *state, unsigned place, int fd,
	struct transport **ret_transport, char error[static CONFIG_ERROR_BYTES]);

/* A collector's name, as exporters have it. */
void lanes_keep_name(const struct config *config, size_t destination, char name[static 128]);

/* Have all that the next process needs kept, in place of what was; with all their parts at
 * hand. */
void lanes_keep_store(struct lanes *lanes, const struct config *config);

/* One collector's socket of a lane that runs; -1: there is none any more. */
void lanes_keep_store_udp(const struct lanes *lanes, unsigned lane, size_t destination, int fd);

/* From lanes.c: open the sources with what was handed in. */
int lanes_open_handed(struct lanes *lanes, const struct config *config,
	const struct source_handed *handed, unsigned count,
	char error[static CONFIG_ERROR_BYTES]);

#endif
