/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates of options data, and how many records each has. */
#ifndef EXPORT_OPTIONS_LAYOUTS_H
#define EXPORT_OPTIONS_LAYOUTS_H

#include "export/dialect.h"

/* Add what .config asks for to .layouts, which has its templates of flows. */
void options_layouts_build(
	const struct exporter_config *config, struct dialect_layouts *layouts);

/* How many records .layout has. */
unsigned options_record_count(const struct layout *layout);

/* Fill in what record .index tells apart from the others; false when there is nothing to tell.
 */
bool options_fill(const struct exporter_config *config, const struct dialect_layouts *layouts,
	const struct layout *layout, unsigned index, struct layout_facts *facts);

#endif
