/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ctl_view.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define CELL_BYTES 512
#define NS_PER_S 1000000000
#define NS_PER_MS 1000000
#define S_PER_MINUTE 60
#define S_PER_HOUR 3600
#define S_PER_DAY 86400
#define INDENT 2

/* -- values --------------------------------------------------------------------------- */

static void format_time(json_int_t time_ns, char out[static CELL_BYTES])
{
	time_t second = (time_t)(time_ns / NS_PER_S);
	struct tm parts;
	char text[64];

	if (!localtime_r(&second, &parts) ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 0)
		snprintf(text, sizeof(text), "%lld", (long long)second);
	snprintf(out, CELL_BYTES, "%s.%03d", text, (int)(time_ns % NS_PER_S / NS_PER_MS));
}

static void format_span(json_int_t span_ns, char out[static CELL_BYTES])
{
	long long seconds = span_ns / NS_PER_S;
	long long days = seconds / S_PER_DAY;

	if (seconds < S_PER_MINUTE)
		snprintf(out, CELL_BYTES, "%lld.%03lld s", seconds,
			(long long)(span_ns % NS_PER_S / NS_PER_MS));
	else if (days == 0)
		snprintf(out, CELL_BYTES, "%02lld:%02lld:%02lld", seconds / S_PER_HOUR,
			seconds / S_PER_MINUTE % S_PER_MINUTE, seconds % S_PER_MINUTE);
	else
		snprintf(out, CELL_BYTES, "%lld d %02lld:%02lld:%02lld", days,
			seconds % S_PER_DAY / S_PER_HOUR, seconds / S_PER_MINUTE % S_PER_MINUTE,
			seconds % S_PER_MINUTE);
}

/* A value that is not there is a dash. */
static void format_cell(
	const struct control_field *field, const json_t *value, char out[static CELL_BYTES])
{
	if (!value || json_is_null(value)) {
		snprintf(out, CELL_BYTES, "-");
		return;
	}
	switch (field->kind) {
	case CONTROL_INT:
	case CONTROL_INT_MAYBE:
		snprintf(out, CELL_BYTES, "%lld", (long long)json_integer_value(value));
		return;
	case CONTROL_REAL:
		snprintf(out, CELL_BYTES, "%.1f", json_number_value(value));
		return;
	case CONTROL_SHARE:
		snprintf(out, CELL_BYTES, "%.1f %%", 100 * json_number_value(value));
		return;
	case CONTROL_TIME:
		format_time(json_integer_value(value), out);
		return;
	case CONTROL_SPAN:
	case CONTROL_SPAN_MAYBE:
		format_span(json_integer_value(value), out);
		return;
	case CONTROL_BOOL:
	case CONTROL_SWITCH:
		snprintf(out, CELL_BYTES, "%s", json_is_true(value) ? "yes" : "no");
		return;
	case CONTROL_TEXT:
	case CONTROL_TEXT_MAYBE:
		snprintf(out, CELL_BYTES, "%s",
			json_string_value(value) ? json_string_value(value) : "-");
		return;
	case CONTROL_OBJECT:
	case CONTROL_LIST:
		break;
	}
	snprintf(out, CELL_BYTES, "?");
}

static bool is_left_aligned(const struct control_field *field)
{
	return field->kind == CONTROL_TEXT || field->kind == CONTROL_TEXT_MAYBE ||
	       field->kind == CONTROL_BOOL;
}

static bool is_value(const struct control_field *field)
{
	return field->kind != CONTROL_OBJECT && field->kind != CONTROL_LIST;
}

/* -- tables --------------------------------------------------------------------------- */

/* .row NULL: the titles. */
static void format_column(
	const struct control_field *field, const json_t *row, char out[static CELL_BYTES])
{
	if (row)
		format_cell(field, json_object_get(row, field->name), out);
	else
		snprintf(out, CELL_BYTES, "%s", field->title);
}

static bool is_column(const struct control_shape *shape, size_t place)
{
	return place < VIEW_COLUMNS_MAX && shape->fields[place].title &&
	       is_value(&shape->fields[place]);
}

static void widen(struct view *view, const struct control_shape *shape, const json_t *row)
{
	char cell[CELL_BYTES];

	for (size_t i = 0; i < shape->count; i++) {
		if (!is_column(shape, i))
			continue;
		format_column(&shape->fields[i], row, cell);
		if ((int)strlen(cell) > view->widths[i])
			view->widths[i] = (int)strlen(cell);
	}
}

static size_t last_column(const struct control_shape *shape)
{
	size_t last = 0;

	for (size_t i = 0; i < shape->count; i++)
		if (is_column(shape, i))
			last = i;
	return last;
}

/* Nothing is filled up behind the last column. */
static void write_row(const struct view *view, const struct control_shape *shape,
	const json_t *row, FILE *out)
{
	size_t last = last_column(shape);
	const char *gap = "";
	char cell[CELL_BYTES];

	for (size_t i = 0; i < shape->count; i++) {
		if (!is_column(shape, i))
			continue;
		format_column(&shape->fields[i], row, cell);
		if (!is_left_aligned(&shape->fields[i]))
			fprintf(out, "%s%*s", gap, view->widths[i], cell);
		else
			fprintf(out, "%s%-*s", gap, i < last ? view->widths[i] : 0, cell);
		gap = "  ";
	}
	fputc('\n', out);
}

static void write_table(
	struct view *view, const struct control_shape *shape, const json_t *rows, FILE *out)
{
	size_t place;
	const json_t *row;

	widen(view, shape, NULL);
	json_array_foreach(rows, place, row)
	{
		widen(view, shape, row);
	}
	if (!view->has_head)
		write_row(view, shape, NULL, out);
	view->has_head = true;
	json_array_foreach(rows, place, row)
	{
		write_row(view, shape, row, out);
	}
}

/* -- objects -------------------------------------------------------------------------- */

static int widest_title(const struct control_shape *shape)
{
	int widest = 0;

	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].title && is_value(&shape->fields[i]) &&
			(int)strlen(shape->fields[i].title) > widest)
			widest = (int)strlen(shape->fields[i].title);
	return widest;
}

static void write_value(const struct control_field *field, const json_t *value, int indent,
	int width, FILE *out)
{
	char cell[CELL_BYTES];

	format_cell(field, value, cell);
	if (field->title[0] == '\0') /* a text that speaks for itself */
		fprintf(out, "%s\n", cell);
	else
		fprintf(out, "%*s%s:%*s %s\n", indent, "", field->title,
			width - (int)strlen(field->title), "", cell);
}

static void write_object(
	const struct control_shape *shape, const json_t *object, int indent, FILE *out);

/* An object under its title, or in the place of its own if it has none. */
static void write_member(const struct control_field *field, const json_t *value, int indent,
	int width, FILE *out)
{
	struct view view = { 0 };

	if (is_value(field)) {
		write_value(field, value, indent, width, out);
	} else if (field->kind == CONTROL_LIST) {
		fputc('\n', out);
		write_table(&view, field->of, value, out);
	} else if (field->title[0] == '\0') {
		write_object(field->of, value, indent, out);
	} else {
		fprintf(out, "%*s%s:\n", indent, "", field->title);
		write_object(field->of, value, indent + INDENT, out);
	}
}

static void write_object(
	const struct control_shape *shape, const json_t *object, int indent, FILE *out)
{
	int width = widest_title(shape);

	for (size_t i = 0; i < shape->count; i++) {
		const struct control_field *field = &shape->fields[i];
		const json_t *value = json_object_get(object, field->name);

		if (field->title && value)
			write_member(field, value, indent, width, out);
	}
}

/* -- replies -------------------------------------------------------------------------- */

void view_write(struct view *view, const struct control_shape *shape, const json_t *reply,
	bool is_last, FILE *out)
{
	int width = widest_title(shape);

	for (size_t i = 0; i < shape->count; i++) {
		const struct control_field *field = &shape->fields[i];
		const json_t *value = json_object_get(reply, field->name);

		if (!field->title || !value)
			continue;
		if (field->kind == CONTROL_LIST)
			write_table(view, field->of, value, out);
		else if (is_last)
			write_member(field, value, 0, width, out);
	}
}
