/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/config_file.h"

const char config_folder[] = RINGFLOW_CONFIG_FOLDER;

#define GENERAL_FILE "ringflow.conf"
#define DROP_IN_FOLDER "ringflow.conf.d"
#define INTERFACE_FOLDER "interfaces"
#define SUFFIX ".conf"

int config_folder_find(struct config_folder *files, const struct config_parser *line,
	const struct config_input *input)
{
	const struct config *config = line->config;
	bool reads_unasked = !line->was_given[OPTION_CONFIG] && config->file_count == 0 &&
			     config->personality == PERSONALITY_RINGFLOW;

	*files = (struct config_folder){
		.folder = reads_unasked ? input->folder : NULL,
		.paths = line->paths,
		.path_count = line->path_count,
		.base = input->base,
	};
	if (!config->interface)
		return 0;
	files->interface = strdup(config->interface);
	return files->interface ? 0 : -ENOMEM;
}

/* A daemon goes to another folder; its files stay where they were. */
static int read_given(
	const struct config_folder *files, const char *path, struct config_parser *parser)
{
	char whole[PATH_MAX];

	if (path[0] == '/' || !files->base ||
		snprintf(whole, sizeof(whole), "%s/%s", files->base, path) >=
			(int)sizeof(whole))
		return config_file_read(parser, path);
	return config_file_read(parser, whole);
}

/* A file that does not have to be there. */
static int read_optional(
	const struct config_folder *files, const char *name, struct config_parser *parser)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", files->folder, name) >= (int)sizeof(path))
		return 0;
	int rc = config_file_read(parser, path);
	return rc == -ENOENT ? 0 : rc;
}

static int is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), suffix = sizeof(SUFFIX) - 1;

	return entry->d_name[0] != '.' && length > suffix &&
	       strcmp(entry->d_name + length - suffix, SUFFIX) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_drop_ins(const struct config_folder *files, struct config_parser *parser)
{
	char path[PATH_MAX], name[sizeof(DROP_IN_FOLDER) + NAME_MAX + 1];
	struct dirent **entries;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/" DROP_IN_FOLDER, files->folder);
	int count = scandir(path, &entries, is_drop_in, by_name);
	if (count < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (count < 0) {
		rc = -errno;
		snprintf(parser->error, CONFIG_ERROR_BYTES, "%.200s: %s", path, strerror(-rc));
		return rc;
	}
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), DROP_IN_FOLDER "/%s", entries[i]->d_name);
		if (rc == 0)
			rc = read_optional(files, name, parser);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* What the interface's own file says holds for it alone, so it cannot name another one. */
static int read_interface(const struct config_folder *files, struct config_parser *parser)
{
	struct config *config = parser->config;
	const char *named = files->interface ? files->interface : config->interface;
	char interface[NAME_MAX],
		name[sizeof(INTERFACE_FOLDER) + NAME_MAX + sizeof(SUFFIX) + 1];
	size_t before = config->source_count;

	if (!named || strchr(named, '/') || strlen(named) >= sizeof(interface))
		return 0;
	strcpy(interface, named);
	snprintf(name, sizeof(name), INTERFACE_FOLDER "/%s" SUFFIX, interface);
	int rc = read_optional(files, name, parser);
	struct config_place place = parser->places[OPTION_INTERFACE];
	if (rc < 0 || place.source <= before || strcmp(config->interface, interface) == 0)
		return rc;
	parser->spelling = "interface";
	parser->value = config->interface;
	parser->place = place;
	return config_fail(parser, "this file is read for %s alone", interface);
}

int config_folder_read(const struct config_folder *files, struct config_parser *parser)
{
	int rc = 0;

	parser->layer = LAYER_FILES;
	for (size_t i = 0; rc == 0 && i < files->path_count; i++)
		rc = read_given(files, files->paths[i], parser);
	if (rc < 0 || !files->folder)
		return rc;
	rc = read_optional(files, GENERAL_FILE, parser);
	if (rc == 0)
		rc = read_drop_ins(files, parser);
	if (rc == 0)
		rc = read_interface(files, parser);
	return rc;
}

void config_folder_clear(struct config_folder *files)
{
	free(files->interface);
	*files = (struct config_folder){ 0 };
}

void config_write_files(FILE *out)
{
	fprintf(out,
		"*%s/" GENERAL_FILE "*++\n"
		"*%s/" DROP_IN_FOLDER "/\\*" SUFFIX "*, in the order of their names++\n"
		"*%s/" INTERFACE_FOLDER "/INTERFACE" SUFFIX
		"*, of the interface that *-i* or a file above has named\n\n",
		config_folder, config_folder, config_folder);
}

void config_write_folder(FILE *out)
{
	fprintf(out, "_%s/_\n\tConfiguration files, see *CONFIGURATION FILES*.\n\n",
		config_folder);
}
