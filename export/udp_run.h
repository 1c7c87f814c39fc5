/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many datagrams with one system call, where the host can do that.
 */
#ifndef EXPORT_UDP_RUN_H
#define EXPORT_UDP_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this host can at all. */
bool udp_run_is_known(int fd);

/* Send .length octets as datagrams of .message_bytes each, the last may be shorter: all or
 * none. 0 or a negative errno; udp_run_is_refusal() tells those that mean "not together". */
int udp_run_send(int fd, const uint8_t *bytes, size_t length, size_t message_bytes);

/* Not these datagrams are wrong, but sending them together on this path. */
bool udp_run_is_refusal(int result);

#endif
