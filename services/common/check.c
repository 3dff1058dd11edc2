/* check - a service's settings as a table for a person, and whether the service would take them;
 * see check.h. */
#include "check.h"

#include "rule.h"
#include "settings_text.h"

#include <inttypes.h>
#include <string.h>

/* The value stands last because only it can be long. */
#define ROW_FORMAT "%-*s  %-7s  %-16s  %-7s  %-*s  %s\n"

/* Of the two columns that are as wide as what stands in them. */
struct widths {
    int name;
    int source;
};

static const char *origin_word(enum setting_origin origin)
{
    switch (origin) {
    case SETTING_FROM_STORE:
        return "set";
    case SETTING_FROM_RULE:
        return "rule";
    case SETTING_REFUSED:
        return "refused";
    default:
        return "default";
    }
}

static const char *applies_word(enum rs_applies applies)
{
    switch (applies) {
    case RS_APPLIES_RELOAD:
        return "reload";
    case RS_APPLIES_RESTART:
        return "restart";
    default:
        return "live";
    }
}

static void widen(int *width, const char *text)
{
    int length = (int)strlen(text);
    *width = length > *width ? length : *width;
}

static struct widths find_widths(const struct settings *settings)
{
    struct widths widths = {.source = 7};
    for (size_t i = 0; i < settings->count; i++) {
        widen(&widths.name, settings->table[i].name);
        widen(&widths.source, settings->values[i].source);
    }
    return widths;
}

static void print_row(FILE *stream, struct widths widths, const struct setting *row,
                      const struct setting_value *value)
{
    struct line text = LINE_INIT;
    settings_add_value(&text, row, value);
    fprintf(stream, ROW_FORMAT, widths.name, row->name, origin_word(value->origin), value->allowed,
            applies_word(value->applies), widths.source,
            value->source[0] != '\0' ? value->source : "-", text.text);
}

static bool print_settings(FILE *stream, const char *key, const struct settings *settings)
{
    struct widths widths = find_widths(settings);
    fprintf(stream, "%s, revision %" PRIu64 "%s\n\n", key, settings->revision,
            settings->key_exists ? "" : " (the key does not exist)");
    fprintf(stream, ROW_FORMAT, widths.name, "SETTING", "ORIGIN", "ALLOWED", "APPLIES",
            widths.source, "SOURCE", "VALUE");
    for (size_t i = 0; i < settings->count; i++) {
        print_row(stream, widths, &settings->table[i], &settings->values[i]);
    }
    return fflush(stream) == 0 && ferror(stream) == 0;
}

static int load(rs_txn *txn, const struct service *service, struct settings **settings)
{
    struct rules *rules;
    int status = rules_load(txn, service, &rules);
    if (status != RS_OK) {
        return status;
    }
    status = settings_load(txn, service, rules, settings);
    rules_free(rules);
    return status;
}

int check_settings(const struct service *service, rs_store *store, FILE *stream,
                   struct check *check)
{
    rs_txn *txn;
    struct settings *settings;
    int status = rs_begin(store, RS_READ, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = load(txn, service, &settings);
    rs_abort(txn);
    if (status != RS_OK) {
        return status;
    }
    *check = (struct check){.refusals = LINE_INIT, .warnings = LINE_INIT};
    check->printed = print_settings(stream, service->key, settings);
    check->allowed = settings->refused == 0;
    settings_add_refusals(&check->refusals, settings);
    settings_add_warnings(&check->warnings, settings);
    settings_free(settings);
    return RS_OK;
}
