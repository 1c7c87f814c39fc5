/* SPDX-License-Identifier: BSD-2-Clause */
/* The options about packets that no kind of option fits: for the table in options.c. */
#ifndef SENSOR_OPTION_PACKETS_H
#define SENSOR_OPTION_PACKETS_H

#include "sensor/config_row.h"

/* --interface */
int option_packets_set_interface(struct config_parser *parser, const struct option_row *row);
void option_packets_dump_interface(
	const struct config *config, const struct option_row *row, FILE *out);

/* --read */
int option_packets_add_file(struct config_parser *parser, const struct option_row *row);
void option_packets_dump_files(
	const struct config *config, const struct option_row *row, FILE *out);

/* --filter, and the words behind the options */
int option_packets_set_filter(struct config_parser *parser, const struct option_row *row);
void option_packets_dump_filter(
	const struct config *config, const struct option_row *row, FILE *out);

/* --lanes */
int option_packets_set_lanes(struct config_parser *parser, const struct option_row *row);
void option_packets_dump_lanes(
	const struct config *config, const struct option_row *row, FILE *out);

#endif
