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
	own->source_ports |= 1ULL << (endpoints->local_port & 63);
	return 0;
}

void own_export_clear(struct own_export *own)
{
	free(own->streams);
	*own = (struct own_export){ 0 };
}

bool own_export_matches(const struct own_export *own, const struct packet_meta *meta)
{
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
