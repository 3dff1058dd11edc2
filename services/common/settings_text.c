/* settings_text - settings in words; see settings_text.h. */
#include "settings_text.h"

#include <inttypes.h>

/* A list in a log line; --check shows no more either, regtool query does. */
#define SHOWN_STRINGS 16

static void add_strings(struct line *line, const char *const *strings)
{
    line_add(line, "[");
    for (size_t i = 0; strings[i] != NULL; i++) {
        line_add(line, "%s", i == 0 ? "" : ", ");
        if (i == SHOWN_STRINGS) {
            line_add(line, "...");
            break;
        }
        line_add_quoted(line, strings[i]);
    }
    line_add(line, "]");
}

static void add_bare_value(struct line *line, const struct setting *row,
                           const struct setting_value *value)
{
    if (!value->known) {
        line_add(line, "chosen by the service");
    } else if (row->type == SETTING_TEXT) {
        line_add_quoted(line, value->text);
    } else if (row->type == SETTING_LIST) {
        add_strings(line, value->strings);
    } else if (value->spelling != NULL) {
        line_add(line, "%s", value->spelling);
    } else {
        line_add(line, "%" PRIu32, value->number);
    }
}

void settings_add_value(struct line *line, const struct setting *row,
                        const struct setting_value *value)
{
    add_bare_value(line, row, value);
    if (value->known && value->unit[0] != '\0') {
        line_add(line, " %s", value->unit);
    }
}

void settings_add_refusal(struct line *line, const struct setting *row,
                          const struct setting_value *value)
{
    line_add(line, "%s: %s", row->name, value->refusal);
    if (value->source[0] != '\0') {
        line_add(line, " (%s)", value->source);
    }
}

void settings_add_refusals(struct line *line, const struct settings *settings)
{
    size_t start = line->length;
    for (size_t i = 0; i < settings->count; i++) {
        if (settings->values[i].origin == SETTING_REFUSED) {
            line_separate(line, start, "; ");
            settings_add_refusal(line, &settings->table[i], &settings->values[i]);
        }
    }
}

void settings_add_warning(struct line *line, const struct setting *row,
                          const struct setting_value *value)
{
    line_add(line, "%s: %s", row->name, value->warning);
    if (value->source[0] != '\0') {
        line_add(line, " (%s)", value->source);
    }
}

void settings_add_warnings(struct line *line, const struct settings *settings)
{
    size_t start = line->length;
    for (size_t i = 0; i < settings->count; i++) {
        if (settings->values[i].warning != NULL) {
            line_separate(line, start, "; ");
            settings_add_warning(line, &settings->table[i], &settings->values[i]);
        }
    }
}

static void add_change(struct line *line, const struct setting *row,
                       const struct setting_value *before, const struct setting_value *after)
{
    line_add(line, "%s ", row->name);
    add_bare_value(line, row, before);
    line_add(line, " -> ");
    settings_add_value(line, row, after);
    if (after->origin != SETTING_FROM_STORE && after->known) {
        line_add(line, " (default)");
    }
    if (after->applies == RS_APPLIES_RESTART) {
        line_add(line, " (from the next start)");
    }
}

size_t settings_add_changes(struct line *line, const struct settings *before,
                            const struct settings *after)
{
    size_t start = line->length;
    size_t changes = 0;
    for (size_t i = 0; i < after->count; i++) {
        const struct setting *row = &after->table[i];
        if (!settings_same_value(row, &before->values[i], &after->values[i])) {
            line_separate(line, start, ", ");
            add_change(line, row, &before->values[i], &after->values[i]);
            changes++;
        }
    }
    return changes;
}

size_t settings_add_waiting(struct line *line, const struct settings *started,
                            const struct settings *before, const struct settings *after)
{
    size_t start = line->length;
    size_t waiting = 0;
    for (size_t i = 0; i < after->count; i++) {
        const struct setting *row = &after->table[i];
        const struct setting_value *value = &after->values[i];
        if (value->applies != RS_APPLIES_RESTART ||
            settings_same_value(row, &started->values[i], value)) {
            continue;
        }
        waiting++;
        if (!settings_same_value(row, &before->values[i], value)) {
            line_separate(line, start, ", ");
            line_add(line, "%s", row->name);
        }
    }
    return waiting;
}
