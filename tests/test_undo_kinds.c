/*
 * test_undo_kinds.c - the conflicts that each kind of change can meet when it is taken back.
 */
#include "undo_steps.h"

#include <stdio.h>

static int set_again(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP), "Number", 3);
}

static int rename_renamed(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, TOP "\\Zzz"), "Yyy");
}

static int rename_new(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, TOP "\\New"), "Newest");
}

static int delete_new(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP "\\New"), RS_RECURSIVE);
}

static int delete_renamed(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP "\\Zzz"), RS_RECURSIVE);
}

static int create_sub(rs_txn *txn)
{
    rs_key key;
    return rs_key_create(txn, RS_NO_KEY, TOP "\\SUB\\Other", &key);
}

static int delete_sub(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP "\\Sub"), RS_RECURSIVE);
}

static int set_third_class(rs_txn *txn)
{
    return rs_key_set_class(txn, undo_at(txn, TOP "\\Sub"), "Third class");
}

static int delete_number(rs_txn *txn)
{
    return rs_value_delete(txn, undo_at(txn, TOP), "Number");
}

static int rename_back(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, TOP "\\Zzz"), "Sub");
}

/* Each is told, skipped without any change, and forced unless it is lasting. */
static void every_kind_of_change_has_its_conflicts(void)
{
    static const struct {
        int (*edit)(rs_txn *txn);
        int (*others)(rs_txn *txn);
        const char *told;
    } rows[] = {
        {undo_create_keys, rename_new, "New: the key was renamed since"},
        {undo_create_keys, delete_new, "New: the key was deleted since"},
        {undo_rename_key, delete_renamed, "Sub:Zzz: the key was deleted since!"},
        {undo_rename_key, rename_renamed, "Sub:Zzz: the key was renamed since"},
        {undo_rename_key, rename_back, "Sub:Zzz: the key was renamed since"},
        {delete_number, set_again, "Top:Number: the value was set since"},
        {undo_rename_key, create_sub, "Sub:Zzz: another key has its name now"},
        {undo_delete_key, undo_delete_all, "b: the key that it was in was deleted since!"},
        {undo_set_class, set_third_class, "Sub:Other class: the class name was changed since"},
        {undo_set_class, delete_sub, "Sub:Other class: the key was deleted since!"},
    };
    undo_begin();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char told[128];
        struct buffer start = records_of(undo_store);
        uint64_t done = undo_do_edit(rows[i].edit);
        undo_do_edit(rows[i].others);
        struct buffer before = records_of(undo_store);
        bool lasting = strchr(rows[i].told, '!') != NULL;
        snprintf(told, sizeof told, "%llu %s", (unsigned long long)done, rows[i].told);
        EQUAL_TEXT(undo_attempt(done, done, 0, RS_ECONFLICT), told);
        EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_SKIP, RS_OK), told);
        undo_must_match(&before);
        EQUAL_TEXT(undo_attempt(done, done, RS_UNDO_FORCE, lasting ? RS_ECONFLICT : RS_OK), told);
        undo_take_back(done, undo_latest());
        undo_must_match(&start);
        buffer_free(&start);
        buffer_free(&before);
    }
    rs_close(undo_store);
}

static void force_takes_a_name_and_a_class_back(void)
{
    undo_begin();
    rs_txn *txn = start_reading(undo_store);
    rs_key sub = find_key(txn, TOP "\\Sub");
    rs_abort(txn);
    uint64_t renamed = undo_do_edit(undo_rename_key);
    undo_do_edit(create_sub);
    undo_attempt(renamed, renamed, RS_UNDO_FORCE, RS_OK);
    uint64_t classed = undo_do_edit(undo_set_class);
    undo_do_edit(set_third_class);
    undo_attempt(classed, classed, RS_UNDO_FORCE, RS_OK);
    txn = start_reading(undo_store);
    CU_ASSERT_EQUAL(find_key(txn, TOP "\\Sub"), sub);
    EQUAL_TEXT(info_of(txn, sub).class_name, "Classy");
    EQUAL_TEXT(subkeys_of(txn, sub), "Deep");
    CU_ASSERT_EQUAL(undo_at(txn, TOP "\\Zzz"), RS_NO_KEY);
    rs_abort(txn);
    rs_close(undo_store);
}

static const struct test_case cases[] = {
    {"every kind of change has its conflicts", every_kind_of_change_has_its_conflicts},
    {"force takes a name and a class back", force_takes_a_name_and_a_class_back},
    {NULL, NULL},
};
const struct test_suite suite_undo_kinds = {"undo_kinds", cases};
