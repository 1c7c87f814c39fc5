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

#endif
