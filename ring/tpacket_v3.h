/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of the ring source. Included by its files alone: opening and running is in
 * tpacket_v3.c, going on with the sockets of somebody else in tpacket_handed.c. */
#ifndef RING_TPACKET_V3_H
#define RING_TPACKET_V3_H

#include "ring/interface_drops.h"
#include "ring/link_watch.h"
#include "ring/live_clock.h"
#include "ring/ring_walk.h"
#include "ring/source.h"

struct kernel_filter;

struct tpacket_v3 {
	struct source_config
		config; /* .interface is borrowed; the other pointers are not used */
	int fd;
	int spare_fd;          /* of a member of a group: what comes after it; -1: none */
	bool uses_spare;       /* it has come, or .fd was one from the start: not in a group */
	unsigned lane, lanes;  /* this one, from 0, of so many that share an interface */
	struct pcap *compiler; /* of filters that come later; lane 0 has it; may be NULL */
	void *memory;          /* NULL or MAP_FAILED: not mapped */
	size_t memory_bytes;
	struct ring_walk walk;
	struct link_watch watch;
	struct interface_drops drops;
	struct live_clock clock;
	uint64_t received_pkts;
	uint64_t dropped_pkts;
	uint64_t freezes;
	uint64_t earlier_interface_drops; /* before this process */
	uint64_t seen_interface_drops;    /* when they were last asked for */
};

int tpacket_v3_fail(
	char error[static SOURCE_ERROR_BYTES], const char *interface, const char *doing);

/* A source that has nothing yet. 0 or a negative errno. */
int tpacket_v3_begin(const struct source_config *config, struct tpacket_v3 **ret_ring,
	char error[static SOURCE_ERROR_BYTES]);

/* Learn what the named interface is. */
int tpacket_v3_find(struct tpacket_v3 *ring, int *ret_if_index, unsigned *ret_hardware_type,
	char error[static SOURCE_ERROR_BYTES]);

/* Map the ring that .fd has. */
int tpacket_v3_map(
	struct tpacket_v3 *ring, size_t bytes, char error[static SOURCE_ERROR_BYTES]);

/* Tell the link watch about the socket. */
void tpacket_v3_watch(struct tpacket_v3 *ring);

/* Be ready to compile filters later, when there are no rights. */
void tpacket_v3_keep_compiler(struct tpacket_v3 *ring);

void tpacket_v3_close(void *state);

/* -- tpacket_filter.c ------------------------------------------------------------------- */

/* Let the frames in that pass the filter and are the lane's own, on both sockets, from the next
 * frame on. 0 or a negative errno. */
int tpacket_v3_attach(struct tpacket_v3 *ring, const struct kernel_filter *filter,
	char error[static SOURCE_ERROR_BYTES]);

int tpacket_v3_compile(void *state, const char *expression, struct source_filter **ret_filter,
	char error[static SOURCE_ERROR_BYTES]);
int tpacket_v3_set_filter(void *state, const struct source_filter *filter);

/* -- tpacket_handed.c ------------------------------------------------------------------- */

/* Go on with what config->handed has for each lane. Returns how many there are. */
int tpacket_v3_adopt(const struct source_config *config, unsigned lanes, void **ret_states,
	int *ret_link_type, char error[static SOURCE_ERROR_BYTES]);

void tpacket_v3_keep(void *state, struct source_handed *ret_handed);
void tpacket_v3_place(void *state, struct source_place *ret_place);

#endif
