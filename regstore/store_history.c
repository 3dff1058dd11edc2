/*
 * store_history.c - how much history a store keeps: its settings in HKRS\Settings\Journal.
 *
 * They are read by each commit, in its own transaction, so that a change of them counts at once.
 * What counts is the effective value: what is set, else the default of its rule, else that of a
 * store without rules, which hives/rules/regstore.xml repeats. What is set and makes no sense
 * counts as not set: a store must not forget, nor stop, because somebody mistyped. Needs schema. A
 * part of store.
 */
#include "store.h"

#define SETTINGS "HKRS\\Settings\\Journal"
#define KEEP_REVISIONS 10000u
#define KEEP_BYTES ((uint64_t)256 << 20)
#define DAY (UINT64_C(24) * 60 * 60 * 10000000) /* in 100 ns */

struct settings {
    struct schema schema;
    rs_key key; /* RS_NO_KEY: there is none */
    struct schema_set set;
};

/* *number stays as it is where neither the value nor its rule says anything. */
static int read_setting(struct settings *settings, const char *name, uint64_t *number)
{
    struct tree *tree = settings->schema.tree;
    rs_value value;
    rs_rule rule;
    rs_key at;
    int status = settings->key != RS_NO_KEY
                     ? tree_value_get(tree, settings->key, name, strlen(name), &value)
                     : RS_ENOTFOUND;
    if (status == RS_OK && schema_number(value.type, value.data, value.size, number)) {
        return RS_OK;
    }
    if (status == RS_OK || status == RS_ENOTFOUND) {
        status =
            schema_find_again(&settings->schema, &settings->set, name, strlen(name), &rule, &at);
    }
    if (status == RS_OK && rule.has_default) {
        const rs_value *otherwise = &rule.default_value;
        schema_number(otherwise->type, otherwise->data, otherwise->size, number);
    }
    return status == RS_ENOTFOUND || status == RS_ERULE ? RS_OK : status;
}

static int open_settings(struct settings *settings, struct rs_txn *txn)
{
    struct tree *tree = &txn->tree;
    int status = schema_begin(&settings->schema, tree, &txn->rules);
    if (status == RS_OK) {
        status = tree_open(tree, RS_NO_KEY, SETTINGS, strlen(SETTINGS), 0, &settings->key);
    }
    if (status == RS_ENOTFOUND) {
        settings->key = RS_NO_KEY;
        status = RS_OK;
    }
    return status == RS_OK
               ? schema_set_at(&settings->schema, SETTINGS, strlen(SETTINGS), &settings->set)
               : status;
}

static uint64_t oldest_of(uint64_t days)
{
    uint64_t now = store_now();
    return days > 0 && days < now / DAY ? now - days * DAY : 0;
}

int store_history_limits(struct rs_txn *txn, struct journal_limits *limits)
{
    struct settings settings = {.key = RS_NO_KEY};
    uint64_t revisions = KEEP_REVISIONS;
    uint64_t bytes = KEEP_BYTES;
    uint64_t days = 0;
    int status = open_settings(&settings, txn);
    if (status == RS_OK) {
        status = read_setting(&settings, "MaxRevisions", &revisions);
    }
    if (status == RS_OK) {
        status = read_setting(&settings, "MaxBytes", &bytes);
    }
    if (status == RS_OK) {
        status = read_setting(&settings, "MaxAge", &days);
    }
    schema_set_free(&settings.set);
    schema_end(&settings.schema);
    if (status == RS_OK) {
        *limits = (struct journal_limits){
            .revisions = revisions > 0 ? revisions : 1,
            .bytes = bytes,
            .oldest = oldest_of(days),
            .needed = txn->pending,
            .steps = JOURNAL_TRIM_STEP,
            /* As much as is added, so that the limit holds; where there may be no room, no more
             * than always works. */
            .chunks = txn->journal.adds ? txn->journal.chunk : 0,
        };
    }
    return status;
}
