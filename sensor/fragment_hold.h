/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Later fragments that came before the first one of their datagram. Until it comes nobody knows
 * their ports, so they wait here and are released
 *
 *     with its ports and protocol    when it comes
 *     as they are, ports 0           when the wait is over, there is no room, or at the end
 *
 * in both cases in the order in which they came. The wait is FRAGMENT_WINDOW_NS of the lane
 * clock and begins with the datagram's fragment that arrived first, as a reassembly timer does
 * (RFC 8200 4.5). The number of places is fixed; nothing is allocated per packet.
 */
#ifndef SENSOR_FRAGMENT_HOLD_H
#define SENSOR_FRAGMENT_HOLD_H

#include "sensor/fragment.h"
#include "sensor/meta.h"

#define FRAGMENT_HOLD_PKTS_DEFAULT 8192
#define FRAGMENT_HOLD_PKTS_MAX (1u << 24)

struct fragment_hold_config {
	uint32_t capacity_pkts; /* held at once; 0 is the default, at most .._MAX */
	uint64_t hash_key[2];   /* not known to those who send packets */
	/* Takes what is released; .meta is borrowed for the call. Must not call the hold. */
	void (*release)(void *user, const struct packet_meta *meta);
	void *user;
	/* Memory that outlives the process, as in fragment.h; NULL: its own. */
	const struct fragment_memory *memory;
};

struct fragment_hold_stats {
	uint64_t held;   /* now */
	uint64_t joined; /* released with their first */
	uint64_t lone;   /* released without it */
};

struct fragment_hold;

/* Octets of .memory that .capacity_pkts take. */
size_t fragment_hold_bytes(uint32_t capacity_pkts);

/* 0 or -ENOMEM. */
int fragment_hold_new(
	const struct fragment_hold_config *config, struct fragment_hold **ret_hold);
void fragment_hold_free(struct fragment_hold *hold); /* NULL is fine; who is held is forgotten
						      */

/* Hold a fragment that .awaits_first. Without room the oldest datagram's are released before.
 * now_ns: the lane clock; never goes back. */
void fragment_hold_add(
	struct fragment_hold *hold, const struct packet_meta *meta, uint64_t now_ns);

/* A first fragment came: release those of its datagram. It is itself the caller's to meter. */
void fragment_hold_join(struct fragment_hold *hold, const struct packet_meta *first);

/* The last moment at which the oldest datagram's first may come; UINT64_MAX: nothing is held.
 */
uint64_t fragment_hold_due_ns(const struct fragment_hold *hold);

/* Release the oldest datagram's fragments as they are. Nothing happens when nothing is held. */
void fragment_hold_give_up(struct fragment_hold *hold);

const struct fragment_hold_stats *fragment_hold_stats(const struct fragment_hold *hold);

#endif
