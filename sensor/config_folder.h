/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which configuration files are read, and in which order:
 *
 *	--config FILE...                 those, and no others; "none": no file
 *	-r, or the name softflowd        none
 *	else  FOLDER/ringflow.conf       each of these if it is there;
 *	      FOLDER/ringflow.conf.d/    *.conf in the order of their names (strverscmp() would
 *	                                 surprise: it is strcmp()'s)
 *	      FOLDER/interfaces/IF.conf  of the interface, which -i or a file above has named
 *
 * Later ones take the place of earlier ones, line by line; collectors add up.
 */
#ifndef SENSOR_CONFIG_FOLDER_H
#define SENSOR_CONFIG_FOLDER_H

#include "sensor/config_row.h"

struct config_folder {
	const char *folder;       /* borrowed; NULL: only what is in .paths is read */
	char *interface;          /* that -i names; owned; NULL: not named */
	const char *const *paths; /* borrowed */
	size_t path_count;
	const char *base; /* where those begin that are relative; borrowed; NULL: here */
};

/* Find out what the command line, which .line has read, leads to; .line is borrowed. 0 or
 * -ENOMEM. */
int config_folder_find(struct config_folder *files, const struct config_parser *line,
	const struct config_input *input);

/* Read them into the parser's configuration. 0, or a negative errno with a line in the parser's
 * error. */
int config_folder_read(const struct config_folder *files, struct config_parser *parser);

void config_folder_clear(struct config_folder *files);

#endif
