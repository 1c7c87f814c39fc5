/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/collector_watch.h"

#include <errno.h>
#include <stdlib.h>

#include "sensor/config_destination.h"

static enum collector_news see_losses(
	struct collector_seen *seen, uint64_t failed_records_before)
{
	seen->good_looks = 0;
	if (seen->is_away)
		return COLLECTOR_SAME;
	seen->is_away = true;
	seen->failed_records = failed_records_before;
	return COLLECTOR_AWAY;
}

enum collector_news collector_watch_look(struct collector_watch *watch, size_t place,
	const struct exporter_stats *now, uint64_t *ret_lost)
{
	struct collector_seen *seen = &watch->seen[place];
	bool has_lost = now->failed_messages > seen->failed_messages;
	bool has_sent = now->messages > seen->messages;
	uint64_t before = seen->failed_records;

	if (now->messages < seen->messages) /* another one, which has the place now */
		*seen = (struct collector_seen){ 0 };
	seen->messages = now->messages;
	seen->failed_messages = now->failed_messages;
	if (has_lost)
		return see_losses(seen, before);
	if (!seen->is_away) {
		seen->failed_records = now->failed_records;
		return COLLECTOR_SAME;
	}
	if (!has_sent || ++seen->good_looks < COLLECTOR_WATCH_LOOKS)
		return COLLECTOR_SAME;
	seen->is_away = false;
	*ret_lost = now->failed_records - seen->failed_records;
	seen->failed_records = now->failed_records;
	return COLLECTOR_BACK;
}

int collector_watch_open(struct collector_watch *watch, unsigned lanes)
{
	watch->lanes = lanes;
	watch->exporters =
		calloc((size_t)lanes * CONFIG_DESTINATIONS_MAX, sizeof(*watch->exporters));
	return watch->exporters ? 0 : -ENOMEM;
}

void collector_watch_close(struct collector_watch *watch)
{
	free(watch->exporters);
	watch->exporters = NULL;
}

static struct exporter_stats sum_of(const struct collector_watch *watch, size_t place)
{
	struct exporter_stats sum = { 0 };

	for (unsigned lane = 0; lane < watch->lanes; lane++) {
		const struct exporter_stats *one =
			&watch->exporters[lane * CONFIG_DESTINATIONS_MAX + place];

		sum.messages += one->messages;
		sum.failed_messages += one->failed_messages;
		sum.failed_records += one->failed_records;
	}
	return sum;
}

void collector_watch_tell(
	struct collector_watch *watch, const struct config *config, const struct log *log)
{
	for (size_t i = 0; i < config->destination_count; i++) {
		const struct config_destination *to = &config->destinations[i];
		struct exporter_stats stats = sum_of(watch, i);
		char name[DESTINATION_TEXT_BYTES];
		uint64_t lost = 0;

		switch (collector_watch_look(watch, i, &stats, &lost)) {
		case COLLECTOR_SAME:
			break;
		case COLLECTOR_AWAY:
			log_line(log, LOG_WARNING, "collector %s: messages do not arrive",
				destination_text(to, name));
			break;
		case COLLECTOR_BACK:
			log_line(log, LOG_NOTICE,
				"collector %s: messages arrive again, %llu records were lost",
				destination_text(to, name), (unsigned long long)lost);
			break;
		}
	}
}
