/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EXPORT_FLOW_LAYOUTS_H
#define EXPORT_FLOW_LAYOUTS_H

#include "export/dialect.h"

/* Build the templates of flows that .config asks for; those that it does not use have no
 * rows. */
void flow_layouts_build(
	const struct exporter_config *config, struct layout ret_layouts[FLOW_LAYOUT_COUNT]);

#endif
