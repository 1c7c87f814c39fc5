/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a collector is written: HOST:PORT, or with the transport in front, TCP:HOST:PORT in
 * lower case. One row for each transport says what of that it takes.
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

void destination_clear(struct config_destination *destination);

#endif
