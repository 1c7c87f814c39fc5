/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a collector is written: HOST:PORT, or with the transport in front, tcp:HOST:PORT or
 * file:PATH. One row for each transport says which of these it takes.
 */
#ifndef SENSOR_CONFIG_DESTINATION_H
#define SENSOR_CONFIG_DESTINATION_H

#include "sensor/config.h"

/* Fill .destination from .length octets. 0, -ENOMEM, or -EINVAL with a sentence in *ret_reason;
 * then nothing is owned. */
int destination_read(struct config_destination *destination, const char *text, size_t length,
	const char **ret_reason);

/* As it would be given. */
void destination_write(const struct config_destination *destination, FILE *out);

/* What to call it: the same without the transport where there is a host. */
#define DESTINATION_PATH_BYTES 1000 /* longer paths are refused */
#define DESTINATION_TEXT_BYTES (DESTINATION_PATH_BYTES + 16)
const char *destination_text(
	const struct config_destination *destination, char out[static DESTINATION_TEXT_BYTES]);

void destination_clear(struct config_destination *destination);

#endif
