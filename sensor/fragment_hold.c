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
	const struct undo *undo; /* NULL: the memory is ours */
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
	undo_keep(hold->undo, &hold->packets[place], sizeof(hold->packets[place]));
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
	undo_keep(hold->undo, &hold->datagrams[place], sizeof(hold->datagrams[place]));
	hold->datagrams[place].chain = hold->datagram_places.free;
	hold->datagram_places.free = place;
}

/* -- datagrams ------------------------------------------------------------------------ */

/* Their members change. NONE is nobody. */
static void keep_datagram(const struct fragment_hold *hold, uint32_t place)
{
	if (place != NONE)
		undo_keep(hold->undo, &hold->datagrams[place], sizeof(hold->datagrams[place]));
}

static void keep_packet(const struct fragment_hold *hold, uint32_t place)
{
	if (place != NONE)
		undo_keep(hold->undo, &hold->packets[place], sizeof(hold->packets[place]));
}

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

	keep_datagram(hold, place);
	keep_datagram(hold, hold->newest);
	undo_keep(hold->undo, link, sizeof(*link));
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

	keep_datagram(hold, datagram->older);
	keep_datagram(hold, datagram->newer);
	undo_keep(hold->undo, link, sizeof(*link));
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

	keep_packet(hold, place);
	keep_packet(hold, datagram->last);
	keep_datagram(hold, datagram_place);
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

	keep_packet(hold, place);
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

static uint32_t bounded_pkts(uint32_t capacity_pkts)
{
	if (capacity_pkts == 0)
		return FRAGMENT_HOLD_PKTS_DEFAULT;
	return capacity_pkts > FRAGMENT_HOLD_PKTS_MAX ? FRAGMENT_HOLD_PKTS_MAX : capacity_pkts;
}

static uint32_t head_count_for(uint32_t capacity_pkts)
{
	uint32_t head_count = 1;

	while (head_count < capacity_pkts)
		head_count *= 2;
	return head_count;
}

size_t fragment_hold_bytes(uint32_t capacity_pkts)
{
	size_t count = bounded_pkts(capacity_pkts);

	return sizeof(struct fragment_hold) + count * sizeof(struct held_packet) +
	       count * sizeof(struct datagram) +
	       head_count_for((uint32_t)count) * sizeof(uint32_t);
}

/* Where the parts lie in one piece of memory: the hold itself, packets, datagrams, heads. */
static void point(struct fragment_hold *hold, uint32_t capacity_pkts)
{
	hold->packets = (struct held_packet *)(hold + 1);
	hold->datagrams = (struct datagram *)(hold->packets + capacity_pkts);
	hold->heads = (uint32_t *)(hold->datagrams + capacity_pkts);
}

static void begin(struct fragment_hold *hold, uint32_t capacity_pkts)
{
	uint32_t head_count = head_count_for(capacity_pkts);

	memset(hold->heads, 0xff, head_count * sizeof(*hold->heads)); /* NONE */
	hold->oldest = hold->newest = NONE;
	hold->packet_places.free = hold->datagram_places.free = NONE;
	undo_fence();
	hold->head_mask = head_count - 1;
}

int fragment_hold_new(
	const struct fragment_hold_config *config, struct fragment_hold **ret_hold)
{
	const struct fragment_memory *memory = config->memory;
	uint32_t capacity_pkts = bounded_pkts(config->capacity_pkts);
	struct fragment_hold *hold =
		memory ? memory->bytes : calloc(1, fragment_hold_bytes(capacity_pkts));

	if (!hold)
		return -ENOMEM;
	point(hold, capacity_pkts);
	/* Memory of zeroes: its process was killed before it began. */
	if (!memory || !memory->is_begun || hold->head_mask == 0)
		begin(hold, capacity_pkts);
	hold->undo = memory ? memory->undo : NULL;
	hold->config = *config;
	hold->config.memory = NULL;
	hold->config.capacity_pkts = capacity_pkts;
	*ret_hold = hold;
	return 0;
}

void fragment_hold_add(
	struct fragment_hold *hold, const struct packet_meta *meta, uint64_t now_ns)
{
	struct fragment_key key = fragment_key_of(meta, meta->fragment_id);

	undo_keep(hold->undo, hold, sizeof(*hold));
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
	undo_keep(hold->undo, hold, sizeof(*hold));
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
	undo_keep(hold->undo, hold, sizeof(*hold));
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
	if (hold && !hold->undo)
		free(hold);
}
