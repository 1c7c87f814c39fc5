/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One configuration file: lines "NAME = VALUE" with the long names of the options, read through
 * the same rows as the command line. Errors say which file, which line, and why.
 *
 *	# a comment, on a line of its own
 *	collector = 192.0.2.10:4739
 *	timeout = udp=30
 *	filter = tcp port 80
 *		or tcp port 443        an indented line goes on with the value above
 */
#ifndef SENSOR_CONFIG_FILE_H
#define SENSOR_CONFIG_FILE_H

#include "sensor/config_row.h"

/*
 * Read the file .path into the parser's configuration. 0; -ENOENT when there is no such file,
 * with a line in the parser's error; or another negative errno with such a line.
 */
int config_file_read(struct config_parser *parser, const char *path);

/* The same of an open file, which stays the caller's; .path is what errors call it. */
int config_file_parse(struct config_parser *parser, FILE *in, const char *path);

#endif
