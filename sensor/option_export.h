/* SPDX-License-Identifier: BSD-2-Clause */
/* The options about what is exported that no kind of option fits: for the table in options.c.
 */
#ifndef SENSOR_OPTION_EXPORT_H
#define SENSOR_OPTION_EXPORT_H

#include "sensor/config_row.h"

/* --template */
int option_export_set_template(struct config_parser *parser, const struct option_row *row);
void option_export_dump_template(
	const struct config *config, const struct option_row *row, FILE *out);

/* --options-data */
int option_export_set_options_data(struct config_parser *parser, const struct option_row *row);
void option_export_dump_options_data(
	const struct config *config, const struct option_row *row, FILE *out);

/* --collector */
int option_export_add_collectors(struct config_parser *parser, const struct option_row *row);
void option_export_dump_collectors(
	const struct config *config, const struct option_row *row, FILE *out);

/* --bidirectional */
int option_export_set_bidirectional(struct config_parser *parser, const struct option_row *row);

/* --domain */
int option_export_set_domain(struct config_parser *parser, const struct option_row *row);
void option_export_dump_domain(
	const struct config *config, const struct option_row *row, FILE *out);

/* --export-device */
int option_export_set_export_device(struct config_parser *parser, const struct option_row *row);
void option_export_dump_export_device(
	const struct config *config, const struct option_row *row, FILE *out);

/* --hop-limit */
int option_export_set_hop_limit(struct config_parser *parser, const struct option_row *row);
void option_export_dump_hop_limit(
	const struct config *config, const struct option_row *row, FILE *out);

#endif
