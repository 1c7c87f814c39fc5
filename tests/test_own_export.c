/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "sensor/own_export.h"

/* 192.0.2.1:40000 -> 198.51.100.2:4739 */
static const struct transport_endpoints stream = {
	.ip_version = 4,
	.protocol = IPPROTO_UDP,
	.local = { 192, 0, 2, 1 },
	.remote = { 198, 51, 100, 2 },
	.local_port = 40000,
	.remote_port = 4739,
};

static struct packet_meta message_of(const struct transport_endpoints *from)
{
	struct packet_meta meta = {
		.ip_version = from->ip_version,
		.protocol = IPPROTO_UDP,
		.source_port = from->local_port,
		.destination_port = from->remote_port,
	};

	memcpy(meta.source, from->local, sizeof(meta.source));
	memcpy(meta.destination, from->remote, sizeof(meta.destination));
	return meta;
}

static void own_export_knows_its_messages(void **state)
{
	struct own_export own = { 0 };
	struct packet_meta meta = message_of(&stream);
	(void)state;
	assert_int_equal(own_export_add(&own, &stream), 0);

	assert_true(own_export_is(&own, &meta));
	own_export_clear(&own);
}

static void own_export_leaves_everything_else(void **state)
{
	struct own_export own = { 0 };
	struct packet_meta other_port = message_of(&stream), other_host = message_of(&stream),
			   other_protocol = message_of(&stream), same_bit = message_of(&stream);
	(void)state;
	assert_int_equal(own_export_add(&own, &stream), 0);
	other_port.destination_port++;
	other_host.destination[3]++;
	other_protocol.protocol = IPPROTO_TCP;
	same_bit.source_port = (uint16_t)(same_bit.source_port + 64);

	assert_false(own_export_is(&own, &other_port));
	assert_false(own_export_is(&own, &other_host));
	assert_false(own_export_is(&own, &other_protocol));
	assert_false(own_export_is(&own, &same_bit));
	own_export_clear(&own);
}

/* Of every lane to every collector; ports in any order, and some of them twice. */
static void own_export_holds_every_stream(void **state)
{
	enum { STREAMS = 4096, PORTS = 1024 };
	struct own_export own = { 0 };
	struct transport_endpoints each = stream;
	(void)state;
	for (unsigned i = 0; i < STREAMS; i++) {
		each.local_port = (uint16_t)(40000 + i * 7 % PORTS);
		each.remote[2] = (uint8_t)(i / PORTS);
		assert_int_equal(own_export_add(&own, &each), 0);
	}

	for (unsigned i = 0; i < STREAMS; i++) {
		each.local_port = (uint16_t)(40000 + i % PORTS);
		each.remote[2] = (uint8_t)(i / PORTS);
		struct packet_meta meta = message_of(&each);
		assert_true(own_export_is(&own, &meta));
		meta.destination[2] = STREAMS / PORTS;
		assert_false(own_export_is(&own, &meta));
	}
	own_export_clear(&own);
}

/* Both directions of a connection, and of the one before; written while lanes look. */
static void own_export_follows_a_connection(void **state)
{
	struct own_export own = { 0 };
	struct transport_endpoints first = stream, second = stream, third = stream;
	struct own_export_line *line;
	(void)state;
	first.protocol = second.protocol = third.protocol = IPPROTO_TCP;
	second.local_port = 40001;
	third.local_port = 40002;
	struct packet_meta sent = message_of(&first), got = message_of(&first),
			   of_udp = message_of(&first);
	sent.protocol = got.protocol = IPPROTO_TCP;
	memcpy(got.source, first.remote, sizeof(got.source));
	memcpy(got.destination, first.local, sizeof(got.destination));
	got.source_port = first.remote_port;
	got.destination_port = first.local_port;
	assert_int_equal(own_export_line(&own, &line), 0);

	assert_false(own_export_is(&own, &sent));
	own_export_moved(line, &first);
	assert_true(own_export_is(&own, &sent));
	assert_true(own_export_is(&own, &got));
	assert_false(own_export_is(&own, &of_udp));
	own_export_moved(line, &second);
	assert_true(own_export_is(&own, &sent));
	sent.source_port = second.local_port;
	assert_true(own_export_is(&own, &sent));
	own_export_moved(line, &third);
	assert_false(own_export_is(&own, &got));
	sent.destination_port++;
	assert_false(own_export_is(&own, &sent));
	own_export_clear(&own);
}

static void own_export_learns_and_forgets_while_it_is_used(void **state)
{
	struct own_export own = { 0 };
	struct transport_endpoints late = stream, later = stream;
	struct own_export_line *line;
	(void)state;
	late.local_port = 40001;
	later.local_port = 40002;
	struct packet_meta first = message_of(&stream), second = message_of(&late),
			   third = message_of(&later);
	assert_int_equal(own_export_add(&own, &stream), 0);
	own.is_in_use = true;

	assert_false(own_export_is(&own, &second));
	assert_int_equal(own_export_add(&own, &late), 0);
	assert_true(own_export_is(&own, &first));
	assert_true(own_export_is(&own, &second));
	second.protocol = IPPROTO_TCP;
	assert_false(own_export_is(&own, &second));
	second.protocol = IPPROTO_UDP;

	own_export_forget(&own, &late);
	assert_false(own_export_is(&own, &second));
	assert_true(own_export_is(&own, &first));
	own_export_forget(&own, &stream);
	assert_false(own_export_is(&own, &first));

	struct own_export_line *before = own.lines;
	assert_int_equal(own_export_add(&own, &later), 0);
	assert_true(own_export_is(&own, &third));
	assert_ptr_equal(own.lines, before); /* the line of .late is used again */
	assert_int_equal(own_export_line(&own, &line), 0);
	assert_ptr_not_equal(line, before);
	own_export_clear(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_export_knows_its_messages),
		cmocka_unit_test(own_export_leaves_everything_else),
		cmocka_unit_test(own_export_holds_every_stream),
		cmocka_unit_test(own_export_follows_a_connection),
		cmocka_unit_test(own_export_learns_and_forgets_while_it_is_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
