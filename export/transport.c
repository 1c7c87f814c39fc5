/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all transports share: the way through their operations.
 */
#include "export/transport.h"

int transport_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	return transport->ops->submit(transport, bytes, length);
}

int transport_submit_run(
	struct transport *transport, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	if (!transport->takes_runs)
		return TRANSPORT_ONE_BY_ONE;
	return transport->ops->submit_run(transport, bytes, length, message_bytes);
}

int transport_poll(struct transport *transport)
{
	return transport->ops->poll ? transport->ops->poll(transport) : 0;
}

int transport_fd(const struct transport *transport)
{
	return transport->ops->fd ? transport->ops->fd(transport) : -1;
}

void transport_close(struct transport *transport)
{
	if (transport)
		transport->ops->close(transport);
}
