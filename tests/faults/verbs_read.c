/*
 * verbs_read.c - see verbs.h: the verbs that write nothing into a store, and their table.
 *
 * A verb makes one call that can fail, or what that call needs around it, and judges the answer. It
 * leaves nothing open.
 */
#include "verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIXTURE "HKLM\\Verbs"

static int judge(int status, bool right)
{
    return status != RS_OK || right ? status : VERB_WRONG;
}

/* ---- Opening ---- */

static int open_with(struct verb_place *place, const char *dir, unsigned flags)
{
    rs_store *store = NULL;
    int status = rs_open(dir, flags, &store, &place->error);
    rs_close(store);
    return status;
}

static int open_existing(struct verb_place *place)
{
    return open_with(place, place->dir, 0);
}

static int open_readonly(struct verb_place *place)
{
    return open_with(place, place->dir, RS_READONLY);
}

static int open_or_create(struct verb_place *place)
{
    return open_with(place, place->dir, RS_CREATE);
}

static int create_new(struct verb_place *place)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/new", place->top);
    return open_with(place, dir, RS_CREATE);
}

static int open_twice(struct verb_place *place)
{
    rs_store *store = NULL;
    int status = rs_open(place->dir, 0, &store, &place->error);
    if (status == RS_OK) {
        status = open_with(place, place->dir, 0);
        rs_close(store);
    }
    return status;
}

static int default_dir(struct verb_place *place)
{
    (void)place;
    char *dir = NULL;
    int status = rs_default_dir(&dir);
    rs_free(dir);
    return judge(status, dir != NULL);
}

/* ---- Transactions ---- */

static int nothing(struct verb_place *place)
{
    (void)place;
    return RS_OK;
}

/* Beside the one that the verb is given: the pool has no other. */
static int begin_second(struct verb_place *place)
{
    rs_txn *second;
    int status = rs_begin(place->store, RS_READ, &second);
    if (status == RS_OK) {
        rs_abort(second);
    }
    return status;
}

static int begin_and_abort(struct verb_place *place)
{
    rs_txn *txn = NULL;
    int status = rs_begin(place->store, RS_WRITE, &txn);
    rs_key key;
    if (status == RS_OK) {
        status = rs_key_create(txn, RS_NO_KEY, FIXTURE "\\Dropped", &key);
    }
    rs_abort(txn);
    return status;
}

static int commit_nothing(struct verb_place *place)
{
    rs_txn *txn = NULL;
    uint64_t revision = 0;
    int status = rs_begin(place->store, RS_WRITE, &txn);
    if (status == RS_OK) {
        status = rs_commit(txn, &revision);
    }
    return judge(status, revision > 0);
}

/* ---- Keys, read ---- */

static int open_path(struct verb_place *place, rs_key base, const char *path)
{
    rs_key key = RS_NO_KEY;
    int status = rs_key_open(place->txn, base, path, &key);
    return judge(status, key != RS_NO_KEY);
}

static int open_key(struct verb_place *place)
{
    return open_path(place, RS_NO_KEY, FIXTURE "\\TREE\\Subkey Number 011\\below");
}

static int open_slashes(struct verb_place *place)
{
    return open_path(place, RS_NO_KEY, "/HKLM/Verbs/Empty");
}

static int open_through_link(struct verb_place *place)
{
    return open_path(place, place->key, "Link\\subkey number 001");
}

static int open_classes(struct verb_place *place)
{
    return open_path(place, RS_HKCR, "Class");
}

static int open_user(struct verb_place *place)
{
    return open_path(place, RS_NO_KEY, "HKCU\\User");
}

static int open_current(struct verb_place *place)
{
    return open_path(place, RS_HKCC, "Current");
}

static int key_info(struct verb_place *place)
{
    rs_key_info info = {0};
    int status = rs_key_info_get(place->txn, place->key, &info);
    return judge(status, info.subkeys == 3 && strcmp(info.class_name, "Class") == 0);
}

static int key_path(struct verb_place *place)
{
    const char *path = "";
    int status = rs_key_path(place->txn, place->key, &path, NULL);
    return judge(status, strcmp(path, "HKEY_LOCAL_MACHINE\\Verbs\\Tree\\subkey number 002") == 0);
}

static int link_target(struct verb_place *place)
{
    const char *target = "";
    int status = rs_link_target(place->txn, place->key, &target, NULL);
    return judge(status, strcmp(target, "HKEY_LOCAL_MACHINE\\Verbs\\Tree") == 0);
}

static int list_keys(struct verb_place *place)
{
    rs_cursor *cursor = NULL;
    rs_key_info info;
    unsigned count = 0;
    int status = rs_subkeys(place->txn, place->key, &cursor);
    while (status == RS_OK && (status = rs_next_key(cursor, &info)) == RS_OK) {
        count++;
    }
    rs_cursor_close(cursor);
    return status == RS_END ? judge(RS_OK, count == 39) : status;
}

static int list_values(struct verb_place *place)
{
    rs_cursor *cursor = NULL;
    rs_value value;
    unsigned count = 0;
    int status = rs_values(place->txn, place->key, &cursor);
    while (status == RS_OK && (status = rs_next_value(cursor, &value)) == RS_OK) {
        count++;
    }
    rs_cursor_close(cursor);
    return status == RS_END ? judge(RS_OK, count == 10) : status;
}

/* ---- Values, read ---- */

static int get_value(struct verb_place *place)
{
    rs_value value = {0};
    int status = rs_value_get(place->txn, place->key, "Big", &value);
    return judge(status, value.size == 70000);
}

static int get_effective(struct verb_place *place)
{
    rs_value value = {0};
    enum rs_origin origin = RS_ORIGIN_NONE;
    int status = rs_effective(place->txn, place->key, "Number", &value, &origin);
    return judge(status, origin == RS_ORIGIN_SET && value.type == REG_DWORD);
}

static int get_dword(struct verb_place *place)
{
    uint32_t number = 0;
    int status = rs_get_dword(place->txn, place->key, "Number", &number);
    return judge(status, number == 7);
}

static int get_qword(struct verb_place *place)
{
    uint64_t number = 0;
    int status = rs_get_qword(place->txn, place->key, "Long", &number);
    return judge(status, number == UINT64_C(1) << 40);
}

static int get_bool(struct verb_place *place)
{
    int truth = -1;
    int status = rs_get_bool(place->txn, place->key, "Switch", &truth);
    return judge(status, truth == 0);
}

static int get_string(struct verb_place *place)
{
    const char *text = "";
    int status = rs_get_string(place->txn, place->key, "Text", &text);
    return judge(status, strcmp(text, "some text") == 0);
}

static int get_expanded(struct verb_place *place)
{
    const char *text = "";
    int status = rs_get_expanded(place->txn, place->key, "Expand", &text);
    return judge(status, strcmp(text, "a%VERBS_UNSET%b") == 0);
}

static int get_multi(struct verb_place *place)
{
    const char *const *strings = NULL;
    size_t count = 0;
    int status = rs_get_multi(place->txn, place->key, "List", &strings, &count);
    return judge(status, count == 3 && strcmp(strings[2], "three") == 0);
}

static int get_binary(struct verb_place *place)
{
    const void *data = NULL;
    size_t size = 0;
    int status = rs_get_binary(place->txn, place->key, "Bytes", &data, &size);
    return judge(status, size == 16);
}

/* ---- State ---- */

static int get_stat(struct verb_place *place)
{
    rs_stat stat = {0};
    int status = rs_stat_get(place->txn, &stat);
    return judge(status, stat.revision == 5 && stat.keys > 80);
}

static int check_store(struct verb_place *place)
{
    rs_check_report report = {0};
    int status = rs_check(place->txn, NULL, &report);
    return judge(status, report.damages == 0 && report.keys > 80 && report.revisions == 5);
}

static int count_reader(void *context, const rs_reader *reader)
{
    (void)reader;
    ++*(unsigned *)context;
    return 0;
}

static int list_readers(struct verb_place *place)
{
    unsigned count = 0;
    return rs_readers(place->txn, count_reader, &count);
}

static int count_watcher(void *context, const rs_watcher *watcher)
{
    *(unsigned *)context += strcmp(watcher->path, FIXTURE) == 0;
    return 0;
}

static int list_watchers(struct verb_place *place)
{
    unsigned count = 0;
    int status = rs_watchers(place->store, count_watcher, &count);
    return judge(status, count == 1);
}

/* ---- Watching ---- */

static int open_watch(struct verb_place *place)
{
    rs_watch *watch = NULL;
    int status =
        rs_watch_open(place->store, FIXTURE "\\Not\\there\\yet", 0, RS_NOW, &watch, &place->error);
    rs_watch_close(watch);
    return status;
}

/* The history of the place from its beginning. */
static int read_watch(struct verb_place *place)
{
    rs_watch *watch = NULL;
    const rs_batch *batch;
    size_t batches = 0;
    int status = rs_watch_open(place->store, FIXTURE, RS_SUBTREE, 0, &watch, &place->error);
    while (status == RS_OK && (status = rs_watch_next(watch, &batch)) == RS_OK) {
        batches += batch->count > 0;
    }
    rs_watch_close(watch);
    return status == RS_END ? judge(RS_OK, batches == 5) : status;
}

/* ---- Text and data, without a store ---- */

static int parse_data(struct verb_place *place, uint32_t type, const char *text, size_t expected)
{
    void *data = NULL;
    size_t size = 0;
    int status = rs_data_parse(type, text, strlen(text), NULL, &data, &size, &place->error);
    rs_free(data);
    return judge(status, size == expected);
}

static int parse_number(struct verb_place *place)
{
    return parse_data(place, REG_DWORD, "0x1234", 4);
}

static int parse_text(struct verb_place *place)
{
    return parse_data(place, REG_SZ, "text", 10);
}

static int parse_list(struct verb_place *place)
{
    return parse_data(place, REG_MULTI_SZ, "a\\0b", 10);
}

static int parse_bytes(struct verb_place *place)
{
    return parse_data(place, REG_BINARY, "0102030405", 5);
}

static int print_data(uint32_t type, const void *data, size_t size, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    int status = rs_data_print(type, data, size, NULL, &text, &len);
    bool right = status == RS_OK && strcmp(text, expected) == 0;
    rs_free(text);
    return judge(status, right);
}

static const char list_data[] = "a\0\0\0b\0\0\0\0"; /* with the literal's own NUL: 10 bytes */

static int print_number(struct verb_place *place)
{
    (void)place;
    return print_data(REG_DWORD, "\7\0\0", 4, "0x7");
}

static int print_list(struct verb_place *place)
{
    (void)place;
    return print_data(REG_MULTI_SZ, list_data, sizeof list_data, "a\\0b");
}

static int print_bytes(struct verb_place *place)
{
    (void)place;
    return print_data(REG_BINARY, "\1\2", 2, "0102");
}

static int decode(uint32_t type, const void *data, size_t size, enum rs_decoded_kind kind)
{
    rs_decoded *decoded = NULL;
    int status = rs_decode(type, data, size, &decoded);
    bool right = status == RS_OK && decoded->kind == kind;
    rs_free(decoded);
    return judge(status, right);
}

static int decode_number(struct verb_place *place)
{
    (void)place;
    return decode(REG_DWORD, "\7\0\0", 4, RS_DECODED_NUMBER);
}

static int decode_text(struct verb_place *place)
{
    (void)place;
    return decode(REG_SZ, "a\0\0", 4, RS_DECODED_TEXT);
}

static int decode_list(struct verb_place *place)
{
    (void)place;
    return decode(REG_MULTI_SZ, list_data, sizeof list_data, RS_DECODED_LIST);
}

static int decode_bytes(struct verb_place *place)
{
    (void)place;
    return decode(REG_DWORD, "\7\0", 3, RS_DECODED_NONE);
}

static int parse_type(struct verb_place *place)
{
    (void)place;
    uint32_t type = 0;
    int status = rs_type_parse("reg_multi_sz", &type);
    return judge(status, type == REG_MULTI_SZ);
}

/* ---- Dumps ---- */

static int export_to(struct verb_place *place, const char *name, unsigned flags)
{
    return rs_export(place->txn, place->key, verb_file(place, name),
                     &(rs_export_options){.flags = flags}, &place->error);
}

static int export_new(struct verb_place *place)
{
    return export_to(place, "new.xml", 0);
}

static int export_hive(struct verb_place *place)
{
    return export_to(place, "new.hiv", 0);
}

static int export_over(struct verb_place *place)
{
    return export_to(place, "out.xml", RS_OVERWRITE);
}

/* ---- Comparing ---- */

static int compare_keys(struct verb_place *place)
{
    rs_compare_options options = {.flags = RS_SUBTREE | RS_SAME};
    rs_key tree;
    uint64_t differences = 0;
    int status = rs_key_open(place->txn, RS_NO_KEY, FIXTURE "\\Tree", &tree);
    if (status == RS_OK) {
        status = rs_compare(place->txn, place->key, place->txn, tree, &options, &differences);
    }
    return judge(status, differences > 100);
}

static int export_patch(struct verb_place *place, const char *name, unsigned flags)
{
    rs_export_options options = {.format = "reg", .flags = flags};
    rs_key tree;
    int status = rs_key_open(place->txn, RS_NO_KEY, FIXTURE "\\Tree", &tree);
    if (status == RS_OK) {
        status = rs_export_patch(place->txn, place->key, place->txn, tree, verb_file(place, name),
                                 &options, &place->error);
    }
    return status;
}

static int export_patch_new(struct verb_place *place)
{
    return export_patch(place, "patch.reg", 0);
}

static int export_patch_over(struct verb_place *place)
{
    return export_patch(place, "out.xml", RS_OVERWRITE);
}

/* ---- Whole stores ---- */

static int back_up_to(struct verb_place *place, const char *name, unsigned flags)
{
    rs_backup_options options = {.flags = flags};
    rs_backup_report report = {0};
    int status = rs_backup(place->store, verb_file(place, name), &options, &report, &place->error);
    return judge(status, report.revision > 0 && report.bytes > 0);
}

static int back_up_new(struct verb_place *place)
{
    return back_up_to(place, "new.mdb", 0);
}

static int back_up_over(struct verb_place *place)
{
    return back_up_to(place, "out.xml", RS_OVERWRITE);
}

/* What is in the store stays. */
static int compact(struct verb_place *place)
{
    rs_store *store;
    rs_backup_report report = {0};
    int status = rs_open(place->dir, 0, &store, &place->error);
    if (status == RS_OK) {
        status = rs_compact(store, &report, &place->error);
        rs_close(store);
    }
    return judge(status, report.revision > 0 && report.bytes > 0);
}

#define READS VERB_READS
#define FILES (VERB_READS | VERB_FILES)
#define TREE FIXTURE "\\Tree"

const struct verb verb_reads[] = {
    {"open", VERB_OPENS, NULL, open_existing},
    {"open-readonly", VERB_OPENS, NULL, open_readonly},
    {"open-or-create", VERB_OPENS, NULL, open_or_create},
    {"open-create", VERB_OPENS | VERB_NEW, NULL, create_new},
    {"open-twice", VERB_OPENS, NULL, open_twice},
    {"default-dir", 0, NULL, default_dir},

    {"begin-read", READS, NULL, nothing},
    {"begin-second", READS, NULL, begin_second},
    {"begin-abort", 0, NULL, begin_and_abort},
    {"commit-nothing", 0, NULL, commit_nothing},

    {"key-open", READS, NULL, open_key},
    {"key-open-slashes", READS, NULL, open_slashes},
    {"key-open-link", READS, FIXTURE, open_through_link},
    {"key-open-hkcr", READS, NULL, open_classes},
    {"key-open-hkcu", READS, NULL, open_user},
    {"key-open-hkcc", READS, NULL, open_current},
    {"key-info", READS, FIXTURE, key_info},
    {"key-path", READS, TREE "\\subkey number 002", key_path},
    {"link-target", READS, FIXTURE "\\Link", link_target},
    {"subkeys", READS, TREE, list_keys},
    {"values", READS, FIXTURE, list_values},
    {"compare", READS, FIXTURE, compare_keys},

    {"value-get", READS, FIXTURE, get_value},
    {"effective", READS, FIXTURE, get_effective},
    {"get-dword", READS, FIXTURE, get_dword},
    {"get-qword", READS, FIXTURE, get_qword},
    {"get-bool", READS, FIXTURE, get_bool},
    {"get-string", READS, FIXTURE, get_string},
    {"get-expanded", READS, FIXTURE, get_expanded},
    {"get-multi", READS, FIXTURE, get_multi},
    {"get-binary", READS, FIXTURE, get_binary},

    {"stat", READS, NULL, get_stat},
    {"check", READS, NULL, check_store},
    {"readers", READS, NULL, list_readers},
    {"watchers", 0, NULL, list_watchers},
    {"watch-open", 0, NULL, open_watch},
    {"watch-next", 0, NULL, read_watch},

    {"type-parse", 0, NULL, parse_type},
    {"parse-number", 0, NULL, parse_number},
    {"parse-text", 0, NULL, parse_text},
    {"parse-list", 0, NULL, parse_list},
    {"parse-bytes", 0, NULL, parse_bytes},
    {"print-number", 0, NULL, print_number},
    {"print-list", 0, NULL, print_list},
    {"print-bytes", 0, NULL, print_bytes},
    {"decode-number", 0, NULL, decode_number},
    {"decode-text", 0, NULL, decode_text},
    {"decode-list", 0, NULL, decode_list},
    {"decode-bytes", 0, NULL, decode_bytes},

    {"export-new", FILES, FIXTURE, export_new},
    {"export-hive", FILES, FIXTURE, export_hive},
    {"export-over", FILES, FIXTURE, export_over},
    {"export-patch", FILES, FIXTURE, export_patch_new},
    {"export-patch-over", FILES, FIXTURE, export_patch_over},

    {"backup-new", VERB_FILES, NULL, back_up_new},
    {"backup-over", VERB_FILES, NULL, back_up_over},
    {"compact", VERB_OPENS, NULL, compact},

    {NULL, 0, NULL, NULL},
};
