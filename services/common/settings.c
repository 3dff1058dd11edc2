/* settings - a service's settings: what they are, and what the store has for them; see settings.h.
 */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

static const char *const no_strings[] = {NULL};

static void take_default(const struct setting *row, struct setting_value *value)
{
    *value = (struct setting_value){
        .origin = SETTING_FROM_DEFAULT,
        .known = !row->no_default,
        .number = row->number,
        .text = row->text != NULL ? row->text : "",
        .strings = row->strings != NULL ? row->strings : no_strings,
    };
}

static void refuse(const struct setting *row, struct setting_value *value, enum setting_fault fault,
                   const rs_value *stored, uint32_t number)
{
    take_default(row, value);
    value->origin = SETTING_REFUSED;
    value->refused.fault = fault;
    value->refused.type = stored->type;
    value->refused.size = stored->size;
    value->refused.number = number;
}

static bool is_allowed(const struct setting *row, uint32_t number)
{
    if (row->type == SETTING_BOOL) {
        return number <= 1;
    }
    return (number >= row->min && number <= row->max) ||
           (row->has_special && number == row->special);
}

static int copy_text(const char *text, struct setting_value *value)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        return RS_ENOMEM;
    }
    value->text = copy;
    value->memory = copy;
    return RS_OK;
}

/* The array and its texts go into one block, the array first. */
static int copy_strings(const char *const *strings, size_t count, struct setting_value *value)
{
    size_t size = (count + 1) * sizeof(char *);
    for (size_t i = 0; i < count; i++) {
        size += strlen(strings[i]) + 1;
    }
    const char **copy = malloc(size);
    if (copy == NULL) {
        return RS_ENOMEM;
    }
    char *text = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(strings[i]) + 1;
        copy[i] = memcpy(text, strings[i], length);
        text += length;
    }
    copy[count] = NULL;
    value->strings = copy;
    value->memory = copy;
    return RS_OK;
}

/* Gives RS_ETYPE or RS_EDATA for stored bytes that are not of the row's type. */
static int read_typed(rs_txn *txn, rs_key key, const struct setting *row,
                      struct setting_value *value)
{
    const char *text;
    const char *const *strings;
    size_t count;
    int status;
    switch (row->type) {
    case SETTING_STRING:
        status = rs_get_string(txn, key, row->name, &text);
        return status == RS_OK ? copy_text(text, value) : status;
    case SETTING_MULTI:
        status = rs_get_multi(txn, key, row->name, &strings, &count);
        return status == RS_OK ? copy_strings(strings, count, value) : status;
    default:
        return rs_get_dword(txn, key, row->name, &value->number);
    }
}

static bool holds_number(const struct setting *row)
{
    return row->type == SETTING_DWORD || row->type == SETTING_BOOL;
}

static int read_stored(rs_txn *txn, rs_key key, const struct setting *row, const rs_value *stored,
                       struct setting_value *value)
{
    value->known = true;
    int status = read_typed(txn, key, row, value);
    if (status == RS_ETYPE) {
        refuse(row, value, SETTING_WRONG_TYPE, stored, 0);
        return RS_OK;
    }
    if (status == RS_EDATA) {
        refuse(row, value, SETTING_WRONG_DATA, stored, 0);
        return RS_OK;
    }
    if (status == RS_OK && holds_number(row) && !is_allowed(row, value->number)) {
        refuse(row, value, SETTING_OUT_OF_BOUNDS, stored, value->number);
    }
    return status;
}

static int load_row(rs_txn *txn, rs_key key, const struct setting *row, struct setting_value *value)
{
    rs_value stored;
    enum rs_origin origin;
    int status = rs_effective(txn, key, row->name, &stored, &origin);
    if (status != RS_OK || origin == RS_ORIGIN_NONE) {
        return status;
    }
    value->origin = origin == RS_ORIGIN_SET ? SETTING_FROM_STORE : SETTING_FROM_RULE;
    return read_stored(txn, key, row, &stored, value);
}

static struct settings *new_settings(const struct setting *table, size_t count)
{
    struct settings *settings = calloc(1, sizeof(*settings) + count * sizeof(settings->values[0]));
    if (settings == NULL) {
        return NULL;
    }
    settings->table = table;
    settings->count = count;
    for (size_t i = 0; i < count; i++) {
        take_default(&table[i], &settings->values[i]);
    }
    return settings;
}

static int load_rows(rs_txn *txn, rs_key key, struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        struct setting_value *value = &settings->values[i];
        int status = load_row(txn, key, &settings->table[i], value);
        if (status != RS_OK) {
            return status;
        }
        settings->set += value->origin == SETTING_FROM_STORE;
        settings->refused += value->origin == SETTING_REFUSED;
    }
    return RS_OK;
}

int settings_load(rs_txn *txn, const char *path, const struct setting *table, size_t count,
                  struct settings **settings)
{
    rs_key key;
    struct settings *loaded = new_settings(table, count);
    if (loaded == NULL) {
        return RS_ENOMEM;
    }
    loaded->revision = rs_revision(txn);
    int status = rs_key_open(txn, RS_NO_KEY, path, &key);
    if (status == RS_OK) {
        loaded->key_exists = true;
        status = load_rows(txn, key, loaded);
    } else if (status == RS_ENOTFOUND) {
        status = RS_OK;
    }
    if (status != RS_OK) {
        settings_free(loaded);
        return status;
    }
    *settings = loaded;
    return RS_OK;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL) {
        return;
    }
    for (size_t i = 0; i < settings->count; i++) {
        free(settings->values[i].memory);
    }
    free(settings);
}

static bool same_strings(const char *const *a, const char *const *b)
{
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return *a == NULL && *b == NULL;
}

bool settings_same_value(const struct setting *row, const struct setting_value *a,
                         const struct setting_value *b)
{
    if (!a->known || !b->known) {
        return a->known == b->known;
    }
    switch (row->type) {
    case SETTING_STRING:
        return strcmp(a->text, b->text) == 0;
    case SETTING_MULTI:
        return same_strings(a->strings, b->strings);
    default:
        return a->number == b->number;
    }
}
