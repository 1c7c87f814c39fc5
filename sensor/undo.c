/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/undo.h"

#include <errno.h>

static int copy_back(const struct undo *undo, uint64_t memory_bytes, uint64_t length)
{
	uint64_t place, word = *undo->word;

	if (length < sizeof(place) || length > undo->log_bytes)
		return -EBADMSG;
	memcpy(&place, undo->log + length - sizeof(place), sizeof(place));
	uint64_t bytes = place >> UNDO_PLACE_BITS;
	uint64_t offset = place & ((1ull << UNDO_PLACE_BITS) - 1);
	uint64_t whole = undo_padded(bytes) + sizeof(place);

	if (bytes > memory_bytes || offset > memory_bytes - bytes || whole > length)
		return -EBADMSG;
	memcpy(undo->memory + offset, undo->log + length - whole, bytes);
	undo_fence();
	*undo->word = word - whole;
	undo_fence();
	return 0;
}

int undo_roll_back(const struct undo *undo, uint64_t memory_bytes)
{
	bool is_torn = *undo->word & UNDO_TORN_BIT;
	uint64_t length;
	int rc = 0;

	while (rc == 0 && (length = *undo->word & UNDO_LENGTH_MASK) != 0)
		rc = copy_back(undo, memory_bytes, length);
	*undo->word &= UNDO_COPY_BIT;
	return rc < 0 ? rc : is_torn ? -ENODATA : 0;
}
