/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/element.h"

#include "export/community_id.h"
#include "export/flow_trait.h"

enum {
#define TYPE(name, number) TYPE_##name = number,
#include "export/element_type.def"
#undef TYPE
};

const struct element_info element_infos[ELEMENT_COUNT] = {
#define ELEMENT( \
	element, ipfix, v9, length, abstract_type, kind, where, traits, reversal, field, text) \
	[ELEMENT_##element] = { \
		.name = #element, \
		.ipfix_id = ipfix, \
		.v9_id = v9, \
		.octets = length, \
		.type_number = TYPE_##abstract_type, \
		.type = #abstract_type, \
		.needs = traits, \
		.reverse = reversal, \
		.json = field, \
		.sentence = text, \
	},
#include "export/element.def"
#undef ELEMENT
};
