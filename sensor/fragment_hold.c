/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two pools of the same size, linked by indices:
 *
 *     heads[hash] -> datagram -> datagram -> none      those with the same hash
 *     oldest <-> datagram <-> datagram <-> newest      in the order of their deadlines
 *                   |
 *                   v
 *                packet -> packet -> none              its fragments as they came
 *
 * A datagram is there as long as it has packets, so there are never more of them. The clock
 * does not go back, so a new datagram is always the newest. Places never used before are taken
 * in turn, which leaves the memory behind them untouched.
 */
#include "sensor/fragment_hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/fragment.h"

#define NONE UINT32_MAX

struct held_packet {
	struct packet_meta meta;
	uint32_t next; /* of the same datagram, or free */
};

struct datagram {
	struct fragment_key key;
	uint64_t due_ns;
	uint32_t chain; /* with the same hash, or free */
	uint32_t older, newer;
	uint32_t first, last; /* packets */
};

/* Places of one pool: those given back, then those never used. */
struct places {
	uint32_t free;
	uint32_t touched;
};

struct fragment_hold {
	struct fragment_hold_config config;
	struct fragment_hold_stats stats;
	uint32_t head_mask;
	uint32_t *heads;
	uint32_t oldest, newest;
	struct places packet_places, datagram_places;
	struct held_packet *packets;
	struct datagram *datagrams;
};

/* -- places --------------------------------------------------------------------------- */

static uint32_t take_packet(struct fragment_hold *hold)
{
	uint32_t place = hold->packet_places.free;

	if (place == NONE)
		return hold->packet_places.touched++;
	hold->packet_places.free = hold->packets[place].next;
	return place;
}

static void give_packet(struct fragment_hold *hold, uint32_t place)
{
	hold->packets[place].next = hold->packet_places.free;
	hold->packet_places.free = place;
}

static uint32_t take_datagram(struct fragment_hold *hold)
{
	uint32_t place = hold->datagram_places.free;

	if (place == NONE)
		return hold->datagram_places.touched++;
	hold->datagram_places.free = hold->datagrams[place].chain;
	return place;
}

static void give_datagram(struct fragment_hold *hold, uint32_t place)
{
	hold->datagrams[place].chain = hold->datagram_places.free;
	hold->datagram_places.free = place;
}

/* -- datagrams ------------------------------------------------------------------------ */

/* The link that leads to the datagram of .key, or to the end of its chain. */
static uint32_t *find_link(struct fragment_hold *hold, const struct fragment_key *key)
{
	uint64_t hash = fragment_key_hash(hold->config.hash_key, key);
	uint32_t *link = &hold->heads[hash & hold->head_mask];

	while (*link != NONE && memcmp(&hold->datagrams[*link].key, key, sizeof(*key)) != 0)
		link = &hold->datagrams[*link].chain;
	return link;
}

/* Begin a datagram at the end of its chain. */
static uint32_t begin_datagram(struct fragment_hold *hold, uint32_t *link,
	const struct fragment_key *key, uint64_t now_ns)
{
	uint32_t place = take_datagram(hold);

	hold->datagrams[place] = (struct datagram){
		.key = *key,
		.due_ns = now_ns + FRAGMENT_WINDOW_NS,
		.chain = NONE,
		.older = hold->newest,
		.newer = NONE,
		.first = NONE,
		.last = NONE,
	};
	*link = place;
	if (hold->newest == NONE)
		hold->oldest = place;
	else
		hold->datagrams[hold->newest].newer = place;
	hold->newest = place;
	return place;
}

/* Take the datagram that .link leads to out of its chain and of the order of deadlines. */
static void end_datagram(struct fragment_hold *hold, uint32_t *link)
{
	uint32_t place = *link;
	const struct datagram *datagram = &hold->datagrams[place];

	*link = datagram->chain;
	if (datagram->older == NONE)
		hold->oldest = datagram->newer;
	else
		hold->datagrams[datagram->older].newer = datagram->newer;
	if (datagram->newer == NONE)
		hold->newest = datagram->older;
	else
		hold->datagrams[datagram->newer].older = datagram->older;
	give_datagram(hold, place);
}

/* -- packets -------------------------------------------------------------------------- */

static void append_packet(
	struct fragment_hold *hold, uint32_t datagram_place, const struct packet_meta *meta)
{
	struct datagram *datagram = &hold->datagrams[datagram_place];
	uint32_t place = take_packet(hold);

	hold->packets[place].meta = *meta;
	hold->packets[place].next = NONE;
	if (datagram->last == NONE)
		datagram->first = place;
	else
		hold->packets[datagram->last].next = place;
	datagram->last = place;
	hold->stats.held++;
}

/* .first: what the packet's first fragment says; NULL: it did not come. */
static void release_packet(
	struct fragment_hold *hold, uint32_t place, const struct packet_meta *first)
{
	struct packet_meta *meta = &hold->packets[place].meta;

	hold->stats.held--;
	if (first) {
		meta->source_port = first->source_port;
		meta->destination_port = first->destination_port;
		meta->protocol = first->protocol;
		meta->is_icmp = first->is_icmp;
		meta->awaits_first = false;
		hold->stats.joined++;
	} else {
		hold->stats.lone++;
	}
	hold->config.release(hold->config.user, meta);
	give_packet(hold, place);
}

static void release_datagram(
	struct fragment_hold *hold, uint32_t *link, const struct packet_meta *first)
{
	uint32_t place = hold->datagrams[*link].first;

	end_datagram(hold, link);
	while (place != NONE) {
		uint32_t next = hold->packets[place].next;

		release_packet(hold, place, first);
		place = next;
	}
}

/* -- life ----------------------------------------------------------------------------- */

int fragment_hold_new(
	const struct fragment_hold_config *config, struct fragment_hold **ret_hold)
{
	uint32_t capacity_pkts =
		config->capacity_pkts ? config->capacity_pkts : FRAGMENT_HOLD_PKTS_DEFAULT;
	uint32_t head_count = 1;
	struct fragment_hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		return -ENOMEM;
	if (capacity_pkts > FRAGMENT_HOLD_PKTS_MAX)
		capacity_pkts = FRAGMENT_HOLD_PKTS_MAX;
	while (head_count < capacity_pkts)
		head_count *= 2;
	hold->heads = malloc(head_count * sizeof(*hold->heads));
	hold->packets = calloc(capacity_pkts, sizeof(*hold->packets));
	hold->datagrams = calloc(capacity_pkts, sizeof(*hold->datagrams));
	if (!hold->heads || !hold->packets || !hold->datagrams) {
		fragment_hold_free(hold);
		return -ENOMEM;
	}
	memset(hold->heads, 0xff, head_count * sizeof(*hold->heads)); /* NONE */
	hold->config = *config;
	hold->config.capacity_pkts = capacity_pkts;
	hold->head_mask = head_count - 1;
	hold->oldest = hold->newest = NONE;
	hold->packet_places.free = hold->datagram_places.free = NONE;
	*ret_hold = hold;
	return 0;
}

void fragment_hold_add(
	struct fragment_hold *hold, const struct packet_meta *meta, uint64_t now_ns)
{
	struct fragment_key key = fragment_key_of(meta, meta->fragment_id);

	if (hold->stats.held == hold->config.capacity_pkts)
		fragment_hold_give_up(hold);
	uint32_t *link = find_link(hold, &key);
	uint32_t place = *link == NONE ? begin_datagram(hold, link, &key, now_ns) : *link;
	append_packet(hold, place, meta);
}

void fragment_hold_join(struct fragment_hold *hold, const struct packet_meta *first)
{
	struct fragment_key key = fragment_key_of(first, first->fragment_id);

	if (hold->stats.held == 0)
		return;
	uint32_t *link = find_link(hold, &key);
	if (*link != NONE)
		release_datagram(hold, link, first);
}

uint64_t fragment_hold_due_ns(const struct fragment_hold *hold)
{
	return hold->oldest == NONE ? UINT64_MAX : hold->datagrams[hold->oldest].due_ns;
}

void fragment_hold_give_up(struct fragment_hold *hold)
{
	if (hold->oldest != NONE)
		release_datagram(
			hold, find_link(hold, &hold->datagrams[hold->oldest].key), NULL);
}

const struct fragment_hold_stats *fragment_hold_stats(const struct fragment_hold *hold)
{
	return &hold->stats;
}

void fragment_hold_free(struct fragment_hold *hold)
{
	if (!hold)
		return;
	free(hold->heads);
	free(hold->packets);
	free(hold->datagrams);
	free(hold);
}
