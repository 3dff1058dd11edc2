/*
 * verbs_write.c - see verbs.h: what each verb does that changes a store, and their table.
 *
 * A verb makes one call that can fail and judges the answer, but for those of VERB_MANY.
 */
#include "verbs.h"

#include <stdio.h>
#include <string.h>

#define FIXTURE "HKLM\\Verbs"
#define MANY                                                                                       \
    400 /* changes in a transaction: several pages, and more than a chunk of the journal           \
         */

static int judge(int status, bool right)
{
    return status != RS_OK || right ? status : VERB_WRONG;
}

/* ---- Transactions ---- */

static int set_notes(struct verb_place *place)
{
    int status = rs_txn_message(place->txn, "why it was done");
    status = status != RS_OK ? status : rs_txn_program(place->txn, "verbs");
    return status != RS_OK ? status : rs_set_dword(place->txn, place->key, "Number", 8);
}

/* ---- Keys, written ---- */

static int create(struct verb_place *place, rs_key base, const char *path, unsigned flags)
{
    rs_key key = RS_NO_KEY;
    int created = 0;
    int status = rs_key_create_n(place->txn, base, path, RS_NTS, flags, &key, &created);
    return judge(status, key != RS_NO_KEY && created);
}

static int create_key(struct verb_place *place)
{
    return create(place, RS_NO_KEY, FIXTURE "\\New\\key\\and\\more", 0);
}

static int create_volatile(struct verb_place *place)
{
    return create(place, place->key, "Passing", RS_VOLATILE);
}

static int create_in_view(struct verb_place *place)
{
    return create(place, RS_HKCU, "Software\\New", 0);
}

static int create_through_link(struct verb_place *place)
{
    return create(place, place->key, "Link\\New\\key", 0);
}

static int delete_key(struct verb_place *place)
{
    return rs_key_delete(place->txn, place->key, 0);
}

static int delete_recursive(struct verb_place *place)
{
    return rs_key_delete(place->txn, place->key, RS_RECURSIVE);
}

static int rename_key(struct verb_place *place)
{
    return rs_key_rename(place->txn, place->key, "Renamed");
}

static int copy_key(struct verb_place *place)
{
    rs_import_report report = {0};
    int status =
        rs_key_copy(place->txn, place->key, RS_NO_KEY, "HKLM\\Copied\\Verbs", RS_SUBTREE, &report);
    return judge(status, report.keys_added > 0);
}

static int set_class(struct verb_place *place)
{
    return rs_key_set_class(place->txn, place->key, "Another class");
}

static int remove_class(struct verb_place *place)
{
    return rs_key_set_class(place->txn, place->key, "");
}

static int create_link(struct verb_place *place)
{
    rs_key key;
    return rs_link_create(place->txn, RS_NO_KEY, FIXTURE "\\Deep\\Link2", FIXTURE "\\Empty", 0,
                          &key);
}

static int point_link(struct verb_place *place)
{
    rs_key key;
    return rs_link_create(place->txn, RS_NO_KEY, FIXTURE "\\Link", "HKLM\\Else\\where", 0, &key);
}

/* ---- Values, written ---- */

static int set_value(struct verb_place *place)
{
    return rs_value_set(place->txn, place->key, "New value", 0x1234, "abc", 3);
}

static int set_large_value(struct verb_place *place)
{
    static const char data[300000] = {1};
    return rs_value_set(place->txn, place->key, "BIG", REG_BINARY, data, sizeof data);
}

static int set_long_name(struct verb_place *place)
{
    char name[900];
    memset(name, 'n', sizeof name);
    return rs_value_set_n(place->txn, place->key, name, sizeof name, REG_NONE, "", 0);
}

static int delete_value(struct verb_place *place)
{
    return rs_value_delete(place->txn, place->key, "text");
}

static int delete_large_value(struct verb_place *place)
{
    return rs_value_delete(place->txn, place->key, "Big");
}

static int set_dword(struct verb_place *place)
{
    return rs_set_dword(place->txn, place->key, "Number", 9);
}

static int set_qword(struct verb_place *place)
{
    return rs_set_qword(place->txn, place->key, "Long", 9);
}

static int set_bool(struct verb_place *place)
{
    return rs_set_bool(place->txn, place->key, "Switch", 1);
}

static int set_string(struct verb_place *place)
{
    return rs_set_string(place->txn, place->key, "", "another text");
}

static int set_expanded(struct verb_place *place)
{
    return rs_set_expanded(place->txn, place->key, "Text", "%HOME%");
}

static int set_multi(struct verb_place *place)
{
    const char *const strings[] = {"a", "", "c"};
    return rs_set_multi(place->txn, place->key, "List", strings, 3);
}

static int set_binary(struct verb_place *place)
{
    return rs_set_binary(place->txn, place->key, "Bytes", "xyz", 3);
}

static int append_multi(struct verb_place *place)
{
    return rs_multi_append(place->txn, place->key, "List", "four");
}

static int append_first(struct verb_place *place)
{
    return rs_multi_append(place->txn, place->key, "New list", "one");
}

static int remove_multi(struct verb_place *place)
{
    return rs_multi_remove(place->txn, place->key, "List", "TWO");
}

/* Many calls: only an abort is right after a failure, so it is a verb of its own kind. */
static int set_many(struct verb_place *place)
{
    int status = RS_OK;
    for (int i = 0; status == RS_OK && i < MANY; i++) {
        char name[256];
        int len = snprintf(name, sizeof name, "value %0*d", 200, i);
        status = rs_value_set_n(place->txn, place->key, name, (size_t)len, REG_SZ, name, 100);
    }
    return status;
}

/* ---- Dumps ---- */

static int import(struct verb_place *place, const char *name, const char *key, unsigned flags)
{
    rs_import_options options = {.key = key, .flags = flags};
    rs_import_report report = {0};
    int status = rs_import(place->txn, verb_file(place, name), &options, &report, &place->error);
    return judge(status, report.keys_added > 0);
}

static int import_ours(struct verb_place *place)
{
    return import(place, "ours.xml", NULL, 0);
}

static int import_spooled(struct verb_place *place)
{
    rs_import_options options = {.key = NULL};
    rs_import_report report = {0};
    const char *file = verb_file(place, "ours.xml");
    int status = rs_spool_open(file, NULL, &options.spool, &place->error);
    if (status != RS_OK) {
        return status;
    }
    status = rs_import(place->txn, file, &options, &report, &place->error);
    rs_spool_close(options.spool);
    return judge(status, report.keys_added > 0);
}

static int import_elsewhere(struct verb_place *place)
{
    return import(place, "ours.xml", "HKLM\\Copy", 0);
}

static int import_hive(struct verb_place *place)
{
    return import(place, "ours.hiv", "HKLM\\Hive", 0);
}

static int import_keeping(struct verb_place *place)
{
    return import(place, "ours.xml", NULL, RS_KEEP);
}

static int import_foreign(struct verb_place *place)
{
    return import(place, "foreign.xml", "HKLM\\Foreign\\Hive", 0);
}

/* ---- Whole stores ---- */

static int restore(struct verb_place *place)
{
    rs_backup_report report = {0};
    int status =
        rs_restore(place->dir, verb_file(place, "backup.mdb"), NULL, &report, &place->error);
    return status != RS_OK || report.revision > 0 ? status : VERB_WRONG;
}

static int restore_unread(struct verb_place *place)
{
    rs_restore_options options = {.flags = RS_UNREAD};
    return rs_restore(place->dir, verb_file(place, "backup.mdb"), &options, NULL, &place->error);
}

#define WRITES VERB_WRITES
#define TREE FIXTURE "\\Tree"

const struct verb verb_writes[] = {
    {"notes", WRITES | VERB_MANY, FIXTURE, set_notes},
    {"key-create", WRITES, NULL, create_key},
    {"key-create-volatile", WRITES, FIXTURE, create_volatile},
    {"key-create-view", WRITES, NULL, create_in_view},
    {"key-create-link", WRITES, FIXTURE, create_through_link},
    {"key-delete", WRITES, FIXTURE "\\Empty", delete_key},
    {"key-delete-link", WRITES, FIXTURE "\\Link", delete_key},
    {"key-delete-recursive", WRITES, FIXTURE, delete_recursive},
    {"key-rename", WRITES, TREE, rename_key},
    {"key-copy", WRITES, FIXTURE, copy_key},
    {"class-set", WRITES, FIXTURE, set_class},
    {"class-remove", WRITES, FIXTURE, remove_class},
    {"link-create", WRITES, NULL, create_link},
    {"link-point", WRITES, NULL, point_link},
    {"value-set", WRITES, FIXTURE, set_value},
    {"value-set-large", WRITES, FIXTURE, set_large_value},
    {"value-set-long-name", WRITES, FIXTURE, set_long_name},
    {"value-delete", WRITES, FIXTURE, delete_value},
    {"value-delete-large", WRITES, FIXTURE, delete_large_value},
    {"set-dword", WRITES, FIXTURE, set_dword},
    {"set-qword", WRITES, FIXTURE, set_qword},
    {"set-bool", WRITES, FIXTURE, set_bool},
    {"set-string", WRITES, FIXTURE, set_string},
    {"set-expanded", WRITES, FIXTURE, set_expanded},
    {"set-multi", WRITES, FIXTURE, set_multi},
    {"set-binary", WRITES, FIXTURE, set_binary},
    {"multi-append", WRITES, FIXTURE, append_multi},
    {"multi-append-first", WRITES, FIXTURE, append_first},
    {"multi-remove", WRITES, FIXTURE, remove_multi},
    {"set-many", WRITES | VERB_MANY, FIXTURE "\\Empty", set_many},
    {"import-ours", WRITES, NULL, import_ours},
    {"import-spooled", WRITES, NULL, import_spooled},
    {"import-elsewhere", WRITES, NULL, import_elsewhere},
    {"import-hive", WRITES, NULL, import_hive},
    {"import-keep", WRITES, NULL, import_keeping},
    {"import-foreign", WRITES, NULL, import_foreign},
    {"restore", WRITES | VERB_OPENS, NULL, restore},
    {"restore-unread", WRITES | VERB_OPENS, NULL, restore_unread},

    {NULL, 0, NULL, NULL},
};
