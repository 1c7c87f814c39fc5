/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A data record of IPFIX as a line of JSON, with everything that is in it. What --print json
 * has, too, has the same name; the rest is named as IANA names it, or as the data do (RFC
 * 5610), or "e<enterprise>.<number>". Reverse elements have "reverse_" in front.
 *
 * Numbers that are too large for JSON's readers are strings; octets are hexadecimal strings,
 * and so is what does not fit its type. dateTimeMicroseconds and Nanoseconds are nanoseconds
 * since 1970.
 */
#ifndef SENSOR_IPFIX_JSON_H
#define SENSOR_IPFIX_JSON_H

#include <stdio.h>

#include "sensor/ipfix_reader.h"

/* 0 or -ENOMEM; errors of .out are for its owner to look for. */
int ipfix_json_write(
	const struct ipfix_reader *reader, const struct ipfix_record *record, FILE *out);

#endif
