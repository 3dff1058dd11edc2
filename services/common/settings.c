/* settings - a service's settings: what they are, and what the store has for them; see settings.h.
 */
#include "settings.h"

#include "rule.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const no_strings[] = {NULL};

/* ---- What the values point to ---------------------------------------------------------------- */

struct kept {
    struct kept *next;
    char bytes[];
};

static void *keep(struct settings *settings, const void *bytes, size_t size)
{
    struct kept *kept = malloc(sizeof(*kept) + size);
    if (kept == NULL) {
        return NULL;
    }
    kept->next = settings->kept;
    settings->kept = kept;
    return memcpy(kept->bytes, bytes, size);
}

/* Gives false where there is no memory. */
static bool keep_text(struct settings *settings, const char *text, const char **kept)
{
    const char *copy = keep(settings, text, strlen(text) + 1);
    if (copy != NULL) {
        *kept = copy;
    }
    return copy != NULL;
}

/* strings ends with NULL, and so does the copy. */
static bool keep_strings(struct settings *settings, const char *const *strings, size_t count,
                         const char *const **kept)
{
    const char **copy = keep(settings, strings, (count + 1) * sizeof(*strings));
    for (size_t i = 0; copy != NULL && i < count; i++) {
        if (!keep_text(settings, strings[i], &copy[i])) {
            return false;
        }
    }
    if (copy != NULL) {
        *kept = copy;
    }
    return copy != NULL;
}

/* ---- One value ------------------------------------------------------------------------------- */

/* What is read, and where it goes. */
struct reading {
    rs_txn *txn;
    const struct service *service;
    rs_key key; /* RS_NO_KEY: there is none */
    struct settings *settings;
};

static int decode_list(struct settings *settings, const rs_decoded *decoded,
                       struct setting_value *value)
{
    const char **strings = calloc(decoded->count + 1, sizeof(*strings));
    if (strings == NULL) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; i < decoded->count; i++) {
        strings[i] = decoded->list[i].text;
    }
    bool kept = keep_strings(settings, strings, decoded->count, &value->strings);
    free(strings);
    return kept ? RS_OK : RS_ENOMEM;
}

/* A rule's default is of the type that the row reads, and it decodes: it was made from text. */
static int take_default(struct settings *settings, const rs_rule *rule, struct setting_value *value)
{
    rs_decoded *decoded;
    const rs_value *given = &rule->default_value;
    int status = rs_decode(given->type, given->data, given->size, &decoded);
    if (status != RS_OK) {
        return status;
    }
    value->known = true;
    if (decoded->kind == RS_DECODED_NUMBER) {
        value->number = (uint32_t)decoded->number;
    } else if (decoded->kind == RS_DECODED_TEXT) {
        status = keep_text(settings, decoded->text.text, &value->text) ? RS_OK : RS_ENOMEM;
    } else if (decoded->kind == RS_DECODED_LIST) {
        status = decode_list(settings, decoded, value);
    }
    rs_free(decoded);
    return status;
}

static int take_stored(const struct reading *reading, const struct setting *row,
                       struct setting_value *value)
{
    struct settings *settings = reading->settings;
    const char *text;
    const char *const *strings;
    size_t count;
    int status;
    value->known = true;
    switch (row->type) {
    case SETTING_TEXT:
        status = rs_get_string(reading->txn, reading->key, row->name, &text);
        return status != RS_OK || keep_text(settings, text, &value->text) ? status : RS_ENOMEM;
    case SETTING_LIST:
        status = rs_get_multi(reading->txn, reading->key, row->name, &strings, &count);
        return status != RS_OK || keep_strings(settings, strings, count, &value->strings)
                   ? status
                   : RS_ENOMEM;
    default:
        return rs_get_dword(reading->txn, reading->key, row->name, &value->number);
    }
}

/* What is set is judged, and what is not set where it has to be; where the rule refuses it the
 * default stands in. */
static int read_value(const struct reading *reading, const struct setting *row, const rs_rule *rule,
                      struct setting_value *value)
{
    rs_value stored;
    rs_error why = RS_ERROR_INIT;
    bool set = false;
    int status = RS_OK;
    if (reading->key != RS_NO_KEY) {
        status = rs_value_get(reading->txn, reading->key, row->name, &stored);
        set = status == RS_OK;
        if (set || status == RS_ENOTFOUND) {
            status = rs_rule_check(rule, set ? &stored : NULL, &why);
        }
    }
    if (status == RS_OK && set) {
        value->origin = SETTING_FROM_STORE;
        return take_stored(reading, row, value);
    }
    if (status == RS_EREFUSED) {
        value->origin = SETTING_REFUSED;
        status = keep_text(reading->settings, why.text, &value->refusal) ? RS_OK : RS_ENOMEM;
    }
    return status == RS_OK && rule->has_default ? take_default(reading->settings, rule, value)
                                                : status;
}

/* ---- What the rule says beside it ------------------------------------------------------------ */

static int describe(struct settings *settings, const struct setting *row, const rs_rule *rule,
                    struct setting_value *value)
{
    struct line allowed = LINE_INIT;
    const char *spelling = NULL;
    bool kept = true;
    rule_add_allowed(&allowed, rule);
    value->applies = rule->applies;
    if (row->type == SETTING_NUMBER && value->known) {
        spelling = rule_spelling(rule, value->number);
    }
    if (spelling != NULL) {
        kept = keep_text(settings, spelling, &value->spelling);
    }
    kept = kept && keep_text(settings, allowed.text, &value->allowed) &&
           keep_text(settings, rule->unit, &value->unit) &&
           keep_text(settings, rule->source, &value->source);
    return kept ? RS_OK : RS_ENOMEM;
}

/* ---- All rows -------------------------------------------------------------------------------- */

static int load_row(const struct reading *reading, const struct setting *row,
                    const struct rule *rule, struct setting_value *value)
{
    *value = (struct setting_value){
        .origin = rule->stored ? SETTING_FROM_RULE : SETTING_FROM_DEFAULT,
        .text = "",
        .strings = no_strings,
    };
    int status = read_value(reading, row, rule->says, value);
    return status == RS_OK ? describe(reading->settings, row, rule->says, value) : status;
}

static int load_rows(const struct reading *reading, const struct rules *rules)
{
    struct settings *settings = reading->settings;
    for (size_t i = 0; i < settings->count; i++) {
        struct setting_value *value = &settings->values[i];
        int status = load_row(reading, &settings->table[i], &rules->rows[i], value);
        if (status != RS_OK) {
            return status;
        }
        settings->set += value->origin == SETTING_FROM_STORE;
        settings->refused += value->origin == SETTING_REFUSED;
    }
    return RS_OK;
}

/* ---- Beside each other ----------------------------------------------------------------------- */

static const struct setting_value *find_value(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++) {
        const char *own = settings->table[i].name;
        if (settings->table[i].type == SETTING_NUMBER && settings->values[i].known &&
            rs_name_compare(own, strlen(own), name, strlen(name)) == 0) {
            return &settings->values[i];
        }
    }
    return NULL;
}

/* As the rule's warn-above says. A limit that is no setting of this service is not looked at. */
static int warn_row(struct settings *settings, const rs_rule *rule, struct setting_value *value)
{
    struct line line = LINE_INIT;
    const struct setting_value *limit =
        rule->warn_above[0] != '\0' && value->known ? find_value(settings, rule->warn_above) : NULL;
    if (limit == NULL || value->number <= limit->number) {
        return RS_OK;
    }
    line_add(&line, "%" PRIu32 " is above ", value->number);
    line_add_quoted(&line, rule->warn_above);
    line_add(&line, ", which is %" PRIu32 "%s%s", limit->number,
             rule->warning[0] != '\0' ? ": " : "", rule->warning);
    settings->warned++;
    return keep_text(settings, line.text, &value->warning) ? RS_OK : RS_ENOMEM;
}

static int warn_rows(struct settings *settings, const struct rules *rules)
{
    int status = RS_OK;
    for (size_t i = 0; status == RS_OK && i < settings->count; i++) {
        status = warn_row(settings, rules->rows[i].says, &settings->values[i]);
    }
    return status;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static int open_key(struct reading *reading)
{
    int status = rs_key_open(reading->txn, RS_NO_KEY, reading->service->key, &reading->key);
    reading->settings->key_exists = status == RS_OK;
    return status == RS_ENOTFOUND ? RS_OK : status;
}

int settings_load(rs_txn *txn, const struct service *service, const struct rules *rules,
                  struct settings **settings)
{
    struct settings *loaded =
        calloc(1, sizeof(*loaded) + service->count * sizeof(loaded->values[0]));
    if (loaded == NULL) {
        return RS_ENOMEM;
    }
    loaded->table = service->table;
    loaded->count = service->count;
    loaded->revision = rs_revision(txn);
    struct reading reading = {txn, service, RS_NO_KEY, loaded};
    int status = open_key(&reading);
    if (status == RS_OK) {
        status = load_rows(&reading, rules);
    }
    if (status == RS_OK) {
        status = warn_rows(loaded, rules);
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
    while (settings != NULL && settings->kept != NULL) {
        struct kept *kept = settings->kept;
        settings->kept = kept->next;
        free(kept);
    }
    free(settings);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

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
    case SETTING_TEXT:
        return strcmp(a->text, b->text) == 0;
    case SETTING_LIST:
        return same_strings(a->strings, b->strings);
    default:
        return a->number == b->number;
    }
}
