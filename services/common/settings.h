/*
 * settings - a service's settings: what they are, and what the store has for them.
 *
 * A service declares its settings as a table, one row each: name, type, bounds, default, when a
 * change takes effect, unit and source. The table is data and nothing else. settings_load() reads
 * all rows from one key in one snapshot and judges each by its row; a value that the row does not
 * allow never reaches the service. settings_text.h puts the result into words. Needs regstore.h.
 *
 * To add a setting, add a row to the service's table and its entry to the manual page.
 */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include <regstore.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    SETTING_DWORD,
    SETTING_BOOL, /* a REG_DWORD that is 0 or 1 */
    SETTING_STRING,
    SETTING_MULTI
};

/* What takes a changed value. */
enum setting_applies {
    SETTING_LIVE,   /* all work, also what is under way */
    SETTING_RELOAD, /* work that begins after the reload: a new connection, a thread started anew */
    SETTING_RESTART /* the service when it is started the next time */
};

struct setting {
    const char *name; /* as real hives spell it */
    enum setting_type type;
    enum setting_applies applies;
    uint32_t min; /* of a SETTING_DWORD, both allowed */
    uint32_t max;
    bool has_special; /* one more number is allowed */
    uint32_t special;
    bool no_default;            /* while it is not set, the service chooses by the machine */
    uint32_t number;            /* the default, by type */
    const char *text;           /* NULL: "" */
    const char *const *strings; /* ends with NULL; NULL: the empty list */
    const char *unit;           /* NULL: none */
    const char *source;         /* the number of the Knowledge Base article, "Q161734" */
};

/* Rows for the tables of the services, so that a table reads like one. */
#define SETTING_ROW_NUMBER(row, low, high, value, of_unit, when, article)                          \
    {                                                                                              \
        .name = (row), .type = SETTING_DWORD, .min = (low), .max = (high), .number = (value),      \
        .unit = (of_unit), .applies = (when), .source = (article)                                  \
    }
/* As above, and one number outside of the range is allowed too. */
#define SETTING_ROW_NUMBER_OR(row, low, high, other, value, of_unit, when, article)                \
    {                                                                                              \
        .name = (row), .type = SETTING_DWORD, .min = (low), .max = (high), .has_special = true,    \
        .special = (other), .number = (value), .unit = (of_unit), .applies = (when),               \
        .source = (article)                                                                        \
    }
/* A number without a default: while it is not set, the service chooses. */
#define SETTING_ROW_CHOSEN(row, low, high, of_unit, when, article)                                 \
    {                                                                                              \
        .name = (row), .type = SETTING_DWORD, .min = (low), .max = (high), .no_default = true,     \
        .unit = (of_unit), .applies = (when), .source = (article)                                  \
    }
#define SETTING_ROW_BOOL(row, value, when, article)                                                \
    {                                                                                              \
        .name = (row), .type = SETTING_BOOL, .number = (value), .applies = (when),                 \
        .source = (article)                                                                        \
    }
#define SETTING_ROW_STRING(row, value, when, article)                                              \
    {                                                                                              \
        .name = (row), .type = SETTING_STRING, .text = (value), .applies = (when),                 \
        .source = (article)                                                                        \
    }
#define SETTING_ROW_MULTI(row, value, when, article)                                               \
    {                                                                                              \
        .name = (row), .type = SETTING_MULTI, .strings = (value), .applies = (when),               \
        .source = (article)                                                                        \
    }

enum setting_origin {
    SETTING_FROM_DEFAULT, /* of the table */
    SETTING_FROM_RULE,    /* the default of a rule in the store */
    SETTING_FROM_STORE,   /* set */
    SETTING_REFUSED       /* set to what the row does not allow; stands in: the table's default */
};

enum setting_fault { SETTING_WRONG_TYPE, SETTING_WRONG_DATA, SETTING_OUT_OF_BOUNDS };

/* One row's value. What number, text and strings hold goes by the row's type. */
struct setting_value {
    enum setting_origin origin;
    bool known; /* false: nothing is set and the row has no default */
    uint32_t number;
    const char *text;
    const char *const *strings; /* ends with NULL */
    void *memory;               /* that text or strings live in; NULL if in the table */
    struct {
        enum setting_fault fault;
        uint32_t type; /* as stored */
        size_t size;
        uint32_t number; /* if SETTING_OUT_OF_BOUNDS */
    } refused;           /* if SETTING_REFUSED */
};

struct settings {
    const struct setting *table;
    size_t count;
    uint64_t revision; /* that was read */
    bool key_exists;
    size_t set;     /* rows whose value comes from the store */
    size_t refused; /* rows that were refused */
    struct setting_value values[];
};

/*
 * Reads the rows of table, which must outlive the result, from the key at path (with its root's
 * name). A key that does not exist gives the defaults. A refused value is no failure: look at
 * (*settings)->refused. *settings is the caller's, to be released with settings_free(). Fails with
 * the library's statuses when the store cannot be read; RS_ENOMEM.
 */
int settings_load(rs_txn *txn, const char *path, const struct setting *table, size_t count,
                  struct settings **settings);
/* NULL is allowed. */
void settings_free(struct settings *settings);
/* Whether both values mean the same to the service, wherever they come from. */
bool settings_same_value(const struct setting *row, const struct setting_value *a,
                         const struct setting_value *b);

#endif
