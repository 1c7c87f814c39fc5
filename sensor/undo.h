/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that can be brought back to a moment of our choice, even when its process was killed
 * between two instructions. It lies in a file that outlives the process (lane_state.h).
 *
 *	undo_keep(x)      what x has now is written to the log, then
 *	x = ...           x may be changed
 *	undo_commit()     this is the moment: one store empties the log
 *
 * Who finds the memory later copies back what the log has, the youngest first, and has the last
 * such moment. Keeping something twice does no harm. A process that is killed stops between two
 * instructions, and all that it stored before is there: so the order of the program is all that
 * is needed, and the compiler has to be kept from changing it, not the processor.
 *
 * What is small and changes as a whole is not kept piece by piece: there are two copies of it,
 * the commit says which one counts, and the next one is written to the other.
 */
#ifndef SENSOR_UNDO_H
#define SENSOR_UNDO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The word that is stored to commit: which copy counts, and how long the log is. */
#define UNDO_COPY_BIT (1ull << 63)
#define UNDO_TORN_BIT (1ull << 62) /* the log was too short: there is no way back */
#define UNDO_LENGTH_MASK ((1ull << 48) - 1)

#define UNDO_BYTES_MAX (1u << 20) /* one object */
#define UNDO_PLACE_BITS 44        /* where in the memory; above it, how long */

struct undo {
	uint8_t *memory; /* offsets count from here */
	uint64_t *word;  /* in it */
	uint8_t *log;    /* in it */
	uint64_t log_bytes;
};

/* The order of stores around this is that of the program. */
static inline void undo_fence(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static inline uint64_t undo_padded(uint64_t bytes)
{
	return (bytes + 7) & ~7ull;
}

/* .object, in the memory, may change once this returned. .undo NULL: nothing is kept. */
__attribute__((always_inline)) static inline void undo_keep(
	const struct undo *undo, const void *object, size_t bytes)
{
	if (!undo)
		return;
	uint64_t word = *undo->word, at = word & UNDO_LENGTH_MASK;
	uint64_t end = at + undo_padded(bytes);
	uint64_t place = (uint64_t)((const uint8_t *)object - undo->memory) |
			 (uint64_t)bytes << UNDO_PLACE_BITS;

	if (__builtin_expect(end + sizeof(place) > undo->log_bytes, 0)) {
		*undo->word = word | UNDO_TORN_BIT;
		return;
	}
	memcpy(undo->log + at, object, bytes);
	memcpy(undo->log + end, &place, sizeof(place));
	undo_fence();
	*undo->word = word + (end + sizeof(place) - at);
	undo_fence();
}

/* Which of the two copies counts: 0 or 1. The next one is to be written to the other. */
static inline unsigned undo_copy(const struct undo *undo)
{
	return *undo->word & UNDO_COPY_BIT ? 1 : 0;
}

static inline void undo_commit(const struct undo *undo)
{
	undo_fence();
	*undo->word = ~*undo->word & UNDO_COPY_BIT;
	undo_fence();
}

/* Has anything been kept since the last commit? */
static inline bool undo_is_clean(const struct undo *undo)
{
	return (*undo->word & (UNDO_LENGTH_MASK | UNDO_TORN_BIT)) == 0;
}

/*
 * Bring the memory, .memory_bytes of it, back to the last commit. May itself be interrupted
 * anywhere, and done again. 0; -EBADMSG when the log makes no sense, and -ENODATA when it was
 * too short: what could be brought back was.
 */
int undo_roll_back(const struct undo *undo, uint64_t memory_bytes);

#endif
