/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/own_export.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* The first stream with this local port or a higher one. */
static size_t first_at(const struct own_export *own, uint16_t port)
{
	size_t low = 0, high = own->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (own->streams[middle].local_port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_port(struct own_export *own, uint16_t port)
{
	atomic_fetch_or_explicit(&own->ports, 1ULL << (port & 63), memory_order_relaxed);
}

int own_export_add(struct own_export *own, const struct transport_endpoints *endpoints)
{
	size_t place = first_at(own, endpoints->local_port);
	struct transport_endpoints *streams =
		reallocarray(own->streams, own->count + 1, sizeof(*streams));

	if (!streams)
		return -ENOMEM;
	memmove(&streams[place + 1], &streams[place], (own->count - place) * sizeof(*streams));
	streams[place] = *endpoints;
	own->streams = streams;
	own->count++;
	add_port(own, endpoints->local_port);
	return 0;
}

/* -- lines ---------------------------------------------------------------------------- */

/* The ends of a packet that .from_local sent or got. */
static void words_of(const uint8_t local[16], const uint8_t remote[16], uint16_t local_port,
	uint16_t remote_port, uint8_t ip_version, uint64_t ret_words[OWN_EXPORT_WORDS])
{
	memcpy(&ret_words[0], local, 16);
	memcpy(&ret_words[2], remote, 16);
	ret_words[4] = (uint64_t)ip_version << 32 | (uint64_t)local_port << 16 | remote_port;
}

static bool is_at(const struct own_export_ends *ends, const uint64_t words[OWN_EXPORT_WORDS])
{
	for (unsigned i = OWN_EXPORT_WORDS; i-- > 0;)
		if (atomic_load_explicit(&ends->words[i], memory_order_relaxed) != words[i])
			return false;
	return true;
}

static void set_ends(struct own_export_ends *ends, const uint64_t words[OWN_EXPORT_WORDS])
{
	for (unsigned i = 0; i < OWN_EXPORT_WORDS; i++)
		atomic_store_explicit(&ends->words[i], words[i], memory_order_relaxed);
}

int own_export_line(struct own_export *own, struct own_export_line **ret_line)
{
	struct own_export_line *line = calloc(1, sizeof(*line));

	if (!line)
		return -ENOMEM;
	line->own = own;
	line->next = own->lines;
	own->lines = line;
	*ret_line = line;
	return 0;
}

void own_export_moved(void *user, const struct transport_endpoints *endpoints)
{
	struct own_export_line *line = user;
	uint64_t before[OWN_EXPORT_WORDS], words[OWN_EXPORT_WORDS];

	for (unsigned i = 0; i < OWN_EXPORT_WORDS; i++)
		before[i] = atomic_load_explicit(&line->ends.words[i], memory_order_relaxed);
	words_of(endpoints->local, endpoints->remote, endpoints->local_port,
		endpoints->remote_port, endpoints->ip_version, words);
	set_ends(&line->before, before);
	set_ends(&line->ends, words);
	add_port(line->own, endpoints->local_port);
}

static bool is_of_a_line(const struct own_export *own, const struct packet_meta *meta)
{
	uint64_t sent[OWN_EXPORT_WORDS], got[OWN_EXPORT_WORDS];

	words_of(meta->source, meta->destination, meta->source_port, meta->destination_port,
		meta->ip_version, sent);
	words_of(meta->destination, meta->source, meta->destination_port, meta->source_port,
		meta->ip_version, got);
	for (const struct own_export_line *line = own->lines; line; line = line->next)
		if (is_at(&line->ends, sent) || is_at(&line->ends, got) ||
			is_at(&line->before, sent) || is_at(&line->before, got))
			return true;
	return false;
}

/* -- all ------------------------------------------------------------------------------ */

void own_export_clear(struct own_export *own)
{
	while (own->lines) {
		struct own_export_line *line = own->lines;

		own->lines = line->next;
		free(line);
	}
	free(own->streams);
	*own = (struct own_export){ 0 };
}

bool own_export_matches(const struct own_export *own, const struct packet_meta *meta)
{
	if (meta->protocol == IPPROTO_TCP)
		return is_of_a_line(own, meta);
	if (meta->protocol != IPPROTO_UDP)
		return false;
	for (size_t i = first_at(own, meta->source_port); i < own->count; i++) {
		const struct transport_endpoints *s = &own->streams[i];

		if (s->local_port != meta->source_port)
			return false;
		if (meta->destination_port == s->remote_port &&
			meta->ip_version == s->ip_version &&
			memcmp(meta->source, s->local, sizeof(s->local)) == 0 &&
			memcmp(meta->destination, s->remote, sizeof(s->remote)) == 0)
			return true;
	}
	return false;
}
