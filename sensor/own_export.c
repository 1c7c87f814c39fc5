/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/own_export.h"

#include <netinet/in.h>
#include <string.h>

void own_export_add(struct own_export *own, const struct transport_endpoints *endpoints)
{
	if (own->count == CONFIG_DESTINATIONS_MAX)
		return;
	own->streams[own->count++] = *endpoints;
	own->source_ports |= 1ULL << (endpoints->local_port & 63);
}

bool own_export_matches(const struct own_export *own, const struct packet_meta *meta)
{
	if (meta->protocol != IPPROTO_UDP)
		return false;
	for (size_t i = 0; i < own->count; i++) {
		const struct transport_endpoints *s = &own->streams[i];

		if (meta->source_port == s->local_port &&
			meta->destination_port == s->remote_port &&
			meta->ip_version == s->ip_version &&
			memcmp(meta->source, s->local, sizeof(s->local)) == 0 &&
			memcmp(meta->destination, s->remote, sizeof(s->remote)) == 0)
			return true;
	}
	return false;
}
