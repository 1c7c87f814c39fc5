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
	bool takes_path;
} prefixes[] = {
	{ "udp:",  CONFIG_TRANSPORT_UDP,  false },
	{ "tcp:",  CONFIG_TRANSPORT_TCP,  false },
	{ "file:", CONFIG_TRANSPORT_FILE, true },
};
/* clang-format on */

#define PREFIX_COUNT (sizeof(prefixes) / sizeof(prefixes[0]))

static bool is_number(const char *text, size_t length)
{
	size_t digits = strspn(text, "0123456789");

	return length > 0 && digits >= length;
}

/* A host may be called like a transport: tcp:4739 and file:4739 are port 4739 there. */
static const struct prefix *find_prefix(const char *text, size_t length)
{
	for (size_t i = 0; i < PREFIX_COUNT; i++) {
		size_t bytes = strlen(prefixes[i].word);

		if (length >= bytes && memcmp(text, prefixes[i].word, bytes) == 0 &&
			!is_number(text + bytes, length - bytes))
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

static int read_path(struct config_destination *destination, const char *text, size_t length,
	const char **ret_reason)
{
	if (length == 0) {
		*ret_reason = "the path is missing";
		return -EINVAL;
	}
	if (length >= DESTINATION_PATH_BYTES) {
		*ret_reason = "the path is too long";
		return -EINVAL;
	}
	destination->path = strndup(text, length);
	return destination->path ? 0 : -ENOMEM;
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
		if (prefix->takes_path)
			return read_path(destination, text, length, ret_reason);
	}
	return value_endpoint(text, length, &destination->host, &destination->port, ret_reason);
}

void destination_write(const struct config_destination *destination, FILE *out)
{
	char text[DESTINATION_TEXT_BYTES];

	if (destination->has_transport && !destination->path)
		fputs(prefix_of(destination->transport)->word, out);
	fputs(destination_text(destination, text), out);
}

const char *destination_text(
	const struct config_destination *destination, char out[static DESTINATION_TEXT_BYTES])
{
	if (destination->path) {
		snprintf(out, DESTINATION_TEXT_BYTES, "file:%s", destination->path);
		return out;
	}
	bool has_colon = strchr(destination->host, ':');
	snprintf(out, DESTINATION_TEXT_BYTES, "%s%s%s:%s", has_colon ? "[" : "",
		destination->host, has_colon ? "]" : "", destination->port);
	return out;
}

void destination_clear(struct config_destination *destination)
{
	free(destination->host);
	free(destination->port);
	free(destination->path);
	*destination = (struct config_destination){ 0 };
}
