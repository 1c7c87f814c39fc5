/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all transports share: the way through their operations.
 */
#include "export/transport.h"

int transport_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	return transport->ops->submit(transport, bytes, length);
}

void transport_close(struct transport *transport)
{
	if (transport)
		transport->ops->close(transport);
}
