/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of information elements as text: --elements and the manual. */
#ifndef SENSOR_ELEMENT_TEXT_H
#define SENSOR_ELEMENT_TEXT_H

#include <stdio.h>

/* A heading and a line per element, in columns. */
void element_write_table(FILE *out);

/* Lists in scdoc: what the build puts into ringflow-elements(7). */
void element_write_preset_manual(FILE *out);
void element_write_options_data_manual(FILE *out); /* --options-data */
void element_write_flow_manual(FILE *out);         /* of flow records */
void element_write_options_manual(FILE *out);      /* of options data */

#endif
