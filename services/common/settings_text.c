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

/* A special number stands apart from the range and is written as in the articles: 0xffffffff. */
static void add_number(struct line *line, const struct setting *row, uint32_t number)
{
    bool special = row->has_special && number == row->special;
    line_add(line, special ? "0x%" PRIx32 : "%" PRIu32, number);
}

static void add_bare_value(struct line *line, const struct setting *row,
                           const struct setting_value *value)
{
    if (!value->known) {
        line_add(line, "chosen by the service");
    } else if (row->type == SETTING_STRING) {
        line_add_quoted(line, value->text);
    } else if (row->type == SETTING_MULTI) {
        add_strings(line, value->strings);
    } else {
        add_number(line, row, value->number);
    }
}

void settings_add_value(struct line *line, const struct setting *row,
                        const struct setting_value *value)
{
    add_bare_value(line, row, value);
    if (value->known && row->unit != NULL) {
        line_add(line, " %s", row->unit);
    }
}

static uint32_t row_type(const struct setting *row)
{
    switch (row->type) {
    case SETTING_STRING:
        return REG_SZ;
    case SETTING_MULTI:
        return REG_MULTI_SZ;
    default:
        return REG_DWORD;
    }
}

void settings_add_allowed(struct line *line, const struct setting *row)
{
    if (row->type == SETTING_BOOL) {
        line_add(line, "0-1");
    } else if (row->type != SETTING_DWORD) {
        line_add(line, "%s", rs_type_name(row_type(row)));
    } else if (row->min == 0 && row->max == UINT32_MAX) {
        line_add(line, "any number");
    } else {
        line_add(line, "%" PRIu32 "-%" PRIu32, row->min, row->max);
        if (row->has_special) {
            line_add(line, " and ");
            add_number(line, row, row->special);
        }
    }
}

static void add_type(struct line *line, uint32_t type)
{
    const char *name = rs_type_name(type);
    if (name != NULL) {
        line_add(line, "%s", name);
    } else {
        line_add(line, "value of type 0x%" PRIx32, type);
    }
}

void settings_add_refusal(struct line *line, const struct setting *row,
                          const struct setting_value *value)
{
    line_add(line, "%s ", row->name);
    switch (value->refused.fault) {
    case SETTING_WRONG_TYPE:
        line_add(line, "is a ");
        add_type(line, value->refused.type);
        line_add(line, ", must be a %s", rs_type_name(row_type(row)));
        break;
    case SETTING_WRONG_DATA:
        line_add(line, "holds %zu bytes that are no ", value->refused.size);
        add_type(line, value->refused.type);
        break;
    case SETTING_OUT_OF_BOUNDS:
        line_add(line, "is %" PRIu32 ", allowed ", value->refused.number);
        settings_add_allowed(line, row);
        break;
    }
    line_add(line, " (KB %s)", row->source);
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
    if (row->applies == SETTING_RESTART) {
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
