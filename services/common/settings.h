/*
 * settings - a service's settings: what they are, and what the store has for them.
 *
 * A service declares its settings as a table: the name of each and how it is read. All else, bounds
 * and default, when a change takes effect, unit and source, is said by the setting's rule: the
 * store's, or where it has none the one in hives/rules/. settings_load() reads all rows from one
 * key in one snapshot and judges each by its rule; a value that the rule does not allow never
 * reaches the service. settings_text.h puts the result into words. Needs regstore.h, rule.
 *
 * To add a setting, add its rule to hives/rules/, a row to the service's table, and its entry to
 * the manual page.
 */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <regstore.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules;
struct service;

enum setting_type {
    SETTING_NUMBER, /* REG_DWORD */
    SETTING_TEXT,   /* REG_SZ, REG_EXPAND_SZ */
    SETTING_LIST    /* REG_MULTI_SZ */
};

struct setting {
    const char *name; /* as real hives spell it */
    enum setting_type type;
};

enum setting_origin {
    SETTING_FROM_DEFAULT, /* of the rule that ships */
    SETTING_FROM_RULE,    /* the default of a rule in the store */
    SETTING_FROM_STORE,   /* set */
    SETTING_REFUSED       /* as its rule does not allow it; stands in: the rule's default */
};

/* One row's value. What number, text and strings hold goes by the row's type; where it is not known
 * they are 0, "" and no strings. The texts belong to the settings. */
struct setting_value {
    enum setting_origin origin;
    bool known; /* false: nothing is set and the rule has no default, so the service chooses */
    uint32_t number;
    const char *spelling; /* of the number, if the rule names it; else NULL */
    const char *text;
    const char *const *strings; /* ends with NULL */
    const char *refusal;        /* if SETTING_REFUSED: what is given, and what the rule says */
    const char *warning;        /* why it is not wise, beside another one; NULL: it is */
    /* What else the rule says; "" where it says nothing. */
    enum rs_applies applies;
    const char *allowed;
    const char *unit;
    const char *source;
};

struct kept;

struct settings {
    const struct setting *table;
    size_t count;
    uint64_t revision; /* that was read */
    bool key_exists;
    size_t set;        /* rows whose value comes from the store */
    size_t refused;    /* rows that were refused */
    size_t warned;     /* rows that have a warning */
    struct kept *kept; /* what the values point to */
    struct setting_value values[];
};

/*
 * Reads the settings of service, whose table must outlive the result, and judges them by rules,
 * which were loaded for it (rule.h). A key that does not exist gives the defaults. A refused value
 * is no failure: look at (*settings)->refused. *settings is the caller's, to be released with
 * settings_free(). Fails with the library's statuses when the store cannot be read; RS_ENOMEM.
 */
int settings_load(rs_txn *txn, const struct service *service, const struct rules *rules,
                  struct settings **settings);
/* NULL is allowed. */
void settings_free(struct settings *settings);
/* Whether both values mean the same to the service, wherever they come from. */
bool settings_same_value(const struct setting *row, const struct setting_value *a,
                         const struct setting_value *b);

#endif
