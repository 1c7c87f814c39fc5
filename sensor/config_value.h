/* SPDX-License-Identifier: BSD-2-Clause */
/* Text to value, for the kinds of options: no option is known here. */
#ifndef SENSOR_CONFIG_VALUE_H
#define SENSOR_CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>

#define VALUE_DURATION_MAX_S \
	INT32_MAX /* so that packet time plus a timeout cannot overflow \
		   */

/* Decimal digits and nothing else: 0, -EINVAL, or -ERANGE for more than .maximum. */
int value_number(const char *text, uint64_t maximum, uint64_t *ret_number);

/* A number and K, M or G (times 1024, its square, its cube). Same outcomes. */
int value_size(const char *text, uint64_t maximum, uint64_t *ret_bytes);

/* Sums like 1w2d3h4m5s; a number without a letter is in seconds. Same outcomes. */
int value_duration_s(const char *text, uint64_t *ret_seconds);

/* Six pairs of hexadecimal digits between colons or dashes: 0 or -EINVAL. */
int value_mac(const char *text, uint8_t ret_mac[static 6]);

/*
 * The parts of the .length octets "host:port" or "[host]:port", each to be freed. 0, -ENOMEM,
 * or -EINVAL with a sentence in *ret_reason.
 */
int value_endpoint(const char *text, size_t length, char **ret_host, char **ret_port,
	const char **ret_reason);

#endif
