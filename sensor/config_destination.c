/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config_destination.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/config_value.h"

/* clang-format off */
static const struct prefix {
	const char *word;
	enum config_transport transport;
} prefixes[] = {
	{ "udp:", CONFIG_TRANSPORT_UDP },
	{ "tcp:", CONFIG_TRANSPORT_TCP },
};
/* clang-format on */

#define PREFIX_COUNT (sizeof(prefixes) / sizeof(prefixes[0]))

/* A host may be called like a transport: tcp:4739 is port 4739 there. */
static const struct prefix *find_prefix(const char *text, size_t length)
{
	for (size_t i = 0; i < PREFIX_COUNT; i++) {
		size_t bytes = strlen(prefixes[i].word);

		if (length > bytes && memcmp(text, prefixes[i].word, bytes) == 0 &&
			memchr(text + bytes, ':', length - bytes))
			return &prefixes[i];
	}
	return NULL;
}

static const struct prefix *prefix_of(enum config_transport transport)
{
	for (size_t i = 0; i < PREFIX_COUNT; i++)
		if (prefixes[i].transport == transport)
			return &prefixes[i];
	return NULL;
}

int destination_read(struct config_destination *destination, const char *text, size_t length,
	const char **ret_reason)
{
	const struct prefix *prefix = find_prefix(text, length);

	if (prefix) {
		destination->has_transport = true;
		destination->transport = prefix->transport;
		text += strlen(prefix->word);
		length -= strlen(prefix->word);
	}
	return value_endpoint(text, length, &destination->host, &destination->port, ret_reason);
}

void destination_write(const struct config_destination *destination, FILE *out)
{
	bool has_colon = strchr(destination->host, ':');

	if (destination->has_transport)
		fputs(prefix_of(destination->transport)->word, out);
	fprintf(out, "%s%s%s:%s", has_colon ? "[" : "", destination->host, has_colon ? "]" : "",
		destination->port);
}

void destination_clear(struct config_destination *destination)
{
	free(destination->host);
	free(destination->port);
	*destination = (struct config_destination){ 0 };
}
