/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text to value. Every reader takes the whole text or refuses it: a half-read value is an
 * operator's mistake that would otherwise go unnoticed.
 */
#include "sensor/config_value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MAX 65535u

struct unit {
	char letter; /* lower case */
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ 'k', UINT64_C(1) << 10 },
	{ 'm', UINT64_C(1) << 20 },
	{ 'g', UINT64_C(1) << 30 },
	{ 0 },
};

static const struct unit time_units[] = {
	{ 's', 1 },
	{ 'm', 60 },
	{ 'h', 60 * 60 },
	{ 'd', 24 * 60 * 60 },
	{ 'w', 7 * 24 * 60 * 60 },
	{ 0 },
};

/* Read digits at *text and move it behind them. */
static int read_digits(const char **text, uint64_t maximum, uint64_t *ret_number)
{
	const char *at = *text;
	uint64_t number = 0;

	if (!isdigit((unsigned char)*at))
		return -EINVAL;
	for (; isdigit((unsigned char)*at); at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (number > (maximum - digit) / 10 || digit > maximum)
			return -ERANGE;
		number = number * 10 + digit;
	}
	*text = at;
	*ret_number = number;
	return 0;
}

/* The factor of the unit at *text, which moves behind it; 1 when the text ends here, else 0. */
static uint64_t read_unit(const char **text, const struct unit *units)
{
	if (**text == 0)
		return 1;
	for (; units->letter; units++) {
		if (tolower((unsigned char)**text) != units->letter)
			continue;
		(*text)++;
		return units->factor;
	}
	return 0;
}

int value_number(const char *text, uint64_t maximum, uint64_t *ret_number)
{
	uint64_t number;
	int rc = read_digits(&text, maximum, &number);

	if (rc < 0)
		return rc;
	if (*text)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int value_size(const char *text, uint64_t maximum, uint64_t *ret_bytes)
{
	uint64_t number;
	int rc = read_digits(&text, maximum, &number);

	if (rc < 0)
		return rc;
	uint64_t factor = read_unit(&text, size_units);
	if (factor == 0 || *text)
		return -EINVAL;
	if (number > maximum / factor)
		return -ERANGE;
	*ret_bytes = number * factor;
	return 0;
}

int value_duration_s(const char *text, uint64_t *ret_seconds)
{
	uint64_t sum = 0;

	do {
		uint64_t number;
		int rc = read_digits(&text, VALUE_DURATION_MAX_S, &number);

		if (rc < 0)
			return rc;
		uint64_t factor = read_unit(&text, time_units);
		if (factor == 0)
			return -EINVAL;
		if (number * factor > VALUE_DURATION_MAX_S - sum)
			return -ERANGE;
		sum += number * factor;
	} while (*text);
	*ret_seconds = sum;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int value_mac(const char *text, uint8_t ret_mac[static 6])
{
	uint8_t mac[6];
	char separator = strlen(text) == 17 ? text[2] : 0;

	if (separator != ':' && separator != '-')
		return -EINVAL;
	for (unsigned i = 0; i < 6; i++) {
		int high = hex_digit(text[i * 3]);
		int low = hex_digit(text[i * 3 + 1]);

		if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != separator))
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

/* A port is a number from 1 to 65535 or the name of a service. */
static bool is_port(const char *port)
{
	uint64_t number;

	if (port[0] == 0)
		return false;
	if (port[strspn(port, "0123456789")] != 0)
		return true;
	return value_number(port, PORT_MAX, &number) == 0 && number > 0;
}

static bool is_v6(const char *host)
{
	uint8_t address[16];

	return inet_pton(AF_INET6, host, address) == 1;
}

/* Split at the last colon, and take off brackets. NULL, or what is wrong. */
static const char *split_endpoint(char *text, char **ret_host, char **ret_port)
{
	char *colon = strrchr(text, ':');
	bool has_bracket = text[0] == '[';

	if (!colon || (has_bracket && colon[-1] != ']'))
		return "not HOST:PORT; an IPv6 address stands in brackets, [2001:db8::1]:4739";
	*colon = 0;
	if (has_bracket) {
		text++;
		colon[-1] = 0;
	}
	if (text[0] == 0)
		return "the host is missing";
	if (!is_port(colon + 1))
		return "the port is missing or is not in 1..65535";
	if (!has_bracket && strchr(text, ':') && !is_v6(text))
		return "not HOST:PORT; an IPv6 address stands in brackets, [2001:db8::1]:4739";
	*ret_host = text;
	*ret_port = colon + 1;
	return NULL;
}

int value_endpoint(const char *text, size_t length, char **ret_host, char **ret_port,
	const char **ret_reason)
{
	char *copy = strndup(text, length);
	char *host, *port;
	int rc = -ENOMEM;

	if (!copy)
		return -ENOMEM;
	const char *reason = split_endpoint(copy, &host, &port);
	if (reason) {
		*ret_reason = reason;
		rc = -EINVAL;
		goto out;
	}
	host = strdup(host);
	port = strdup(port);
	if (host && port) {
		*ret_host = host;
		*ret_port = port;
		rc = 0;
		goto out;
	}
	free(host);
	free(port);
out:
	free(copy);
	return rc;
}
