/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/reload.h"

#include <errno.h>
#include <stdlib.h>

struct reload {
	struct reload_order *first; /* waiting; borrowed from whoever placed them */
};

int reload_new(struct reload **ret_reload)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return -ENOMEM;
	*ret_reload = reload;
	return 0;
}

void reload_free(struct reload *reload)
{
	free(reload);
}

void reload_place(struct reload *reload, struct reload_order *order)
{
	(void)reload;
	order->outcome = -ENOTSUP;
	snprintf(order->sentence, sizeof(order->sentence),
		"nothing has changed: restart to change the configuration");
	order->answered(order);
}

void reload_withdraw(struct reload *reload, struct reload_order *order)
{
	for (struct reload_order **at = &reload->first; *at; at = &(*at)->next)
		if (*at == order) {
			*at = order->next;
			return;
		}
}
