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

		if (own->streams[middle].ends.local_port < port)
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

/* -- lines ---------------------------------------------------------------------------- */

/* The ends of a packet that .from_local sent or got. */
static void words_of(const uint8_t local[16], const uint8_t remote[16], uint16_t local_port,
	uint16_t remote_port, uint8_t ip_version, uint8_t protocol,
	uint64_t ret_words[OWN_EXPORT_WORDS])
{
	memcpy(&ret_words[0], local, 16);
	memcpy(&ret_words[2], remote, 16);
	ret_words[4] = (uint64_t)protocol << 40 | (uint64_t)ip_version << 32 |
		       (uint64_t)local_port << 16 | remote_port;
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

static void words_of_ends(
	const struct transport_endpoints *ends, uint64_t ret_words[OWN_EXPORT_WORDS])
{
	words_of(ends->local, ends->remote, ends->local_port, ends->remote_port,
		ends->ip_version, ends->protocol, ret_words);
}

static struct own_export_line *find_free(const struct own_export *own)
{
	struct own_export_line *line = atomic_load(&own->lines);

	while (line && !line->is_free)
		line = line->next;
	return line;
}

int own_export_line(struct own_export *own, struct own_export_line **ret_line)
{
	struct own_export_line *line = find_free(own);

	if (!line) {
		line = calloc(1, sizeof(*line));
		if (!line)
			return -ENOMEM;
		line->own = own;
		line->next = atomic_load(&own->lines);
		atomic_store(&own->lines, line);
	}
	line->is_free = false;
	*ret_line = line;
	return 0;
}

void own_export_moved(void *user, const struct transport_endpoints *endpoints)
{
	struct own_export_line *line = user;
	uint64_t before[OWN_EXPORT_WORDS], words[OWN_EXPORT_WORDS];

	for (unsigned i = 0; i < OWN_EXPORT_WORDS; i++)
		before[i] = atomic_load_explicit(&line->ends.words[i], memory_order_relaxed);
	words_of_ends(endpoints, words);
	set_ends(&line->before, before);
	set_ends(&line->ends, words);
	add_port(line->own, endpoints->local_port);
}

static void free_line(struct own_export_line *line)
{
	static const uint64_t nobody[OWN_EXPORT_WORDS];

	set_ends(&line->ends, nobody);
	set_ends(&line->before, nobody);
	line->is_free = true;
}

static bool is_of_a_line(const struct own_export *own, const struct packet_meta *meta)
{
	uint64_t sent[OWN_EXPORT_WORDS], got[OWN_EXPORT_WORDS];

	words_of(meta->source, meta->destination, meta->source_port, meta->destination_port,
		meta->ip_version, meta->protocol, sent);
	words_of(meta->destination, meta->source, meta->destination_port, meta->source_port,
		meta->ip_version, meta->protocol, got);
	const struct own_export_line *line =
		atomic_load_explicit(&own->lines, memory_order_acquire);

	for (; line; line = line->next)
		if (is_at(&line->ends, sent) || is_at(&line->ends, got) ||
			is_at(&line->before, sent) || is_at(&line->before, got))
			return true;
	return false;
}

/* -- streams -------------------------------------------------------------------------- */

static int add_stream(struct own_export *own, const struct transport_endpoints *endpoints)
{
	size_t place = first_at(own, endpoints->local_port);
	struct own_export_stream *streams =
		reallocarray(own->streams, own->count + 1, sizeof(*streams));

	if (!streams)
		return -ENOMEM;
	memmove(&streams[place + 1], &streams[place], (own->count - place) * sizeof(*streams));
	streams[place].ends = *endpoints;
	atomic_init(&streams[place].is_gone, false);
	own->streams = streams;
	own->count++;
	add_port(own, endpoints->local_port);
	return 0;
}

static bool is_stream_of(const struct own_export_stream *stream, const struct packet_meta *meta)
{
	const struct transport_endpoints *ends = &stream->ends;

	return meta->destination_port == ends->remote_port &&
	       meta->ip_version == ends->ip_version &&
	       memcmp(meta->source, ends->local, sizeof(ends->local)) == 0 &&
	       memcmp(meta->destination, ends->remote, sizeof(ends->remote)) == 0 &&
	       !atomic_load_explicit(&stream->is_gone, memory_order_relaxed);
}

static bool is_of_a_stream(const struct own_export *own, const struct packet_meta *meta)
{
	size_t i = first_at(own, meta->source_port);

	for (; i < own->count && own->streams[i].ends.local_port == meta->source_port; i++)
		if (is_stream_of(&own->streams[i], meta))
			return true;
	return false;
}

/* -- all ------------------------------------------------------------------------------ */

int own_export_add(struct own_export *own, const struct transport_endpoints *endpoints)
{
	struct own_export_line *line;

	if (!own->is_in_use)
		return add_stream(own, endpoints);
	int rc = own_export_line(own, &line);
	if (rc == 0)
		own_export_moved(line, endpoints);
	return rc;
}

static bool is_same(const struct transport_endpoints *a, const struct transport_endpoints *b)
{
	uint64_t a_words[OWN_EXPORT_WORDS], b_words[OWN_EXPORT_WORDS];

	words_of_ends(a, a_words);
	words_of_ends(b, b_words);
	return memcmp(a_words, b_words, sizeof(a_words)) == 0;
}

void own_export_forget(struct own_export *own, const struct transport_endpoints *endpoints)
{
	struct own_export_line *line = atomic_load(&own->lines);
	uint64_t words[OWN_EXPORT_WORDS];

	if (endpoints->protocol == 0) /* of no socket */
		return;
	words_of_ends(endpoints, words);
	while (line && (line->is_free || !is_at(&line->ends, words)))
		line = line->next;
	if (line) {
		free_line(line);
		return;
	}
	for (size_t i = 0; i < own->count; i++)
		if (is_same(&own->streams[i].ends, endpoints))
			atomic_store(&own->streams[i].is_gone, true);
}

void own_export_clear(struct own_export *own)
{
	struct own_export_line *line = atomic_load(&own->lines);

	while (line) {
		struct own_export_line *next = line->next;

		free(line);
		line = next;
	}
	free(own->streams);
	*own = (struct own_export){ 0 };
}

bool own_export_matches(const struct own_export *own, const struct packet_meta *meta)
{
	if (meta->protocol != IPPROTO_UDP && meta->protocol != IPPROTO_TCP)
		return false;
	return (meta->protocol == IPPROTO_UDP && is_of_a_stream(own, meta)) ||
	       is_of_a_line(own, meta);
}
