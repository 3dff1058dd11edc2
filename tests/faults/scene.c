#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_VALUES 8u
#define IMPORT_KEYS 40u
#define RENAMED_BELOW 12u
#define TREE_BRANCHES 6u
#define TREE_LEAVES 8u
#define BIG_NUMBERS 25000u /* 100 kB */
#define STAMP "stamp"

static const char *const verb_names[SCENE_VERBS] = {"note",   "set",  "import",
                                                    "rename", "tree", "big"};

/* ---- Shorter calls ---- */

static rs_key open_key(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    RIG_OK(rs_key_open(txn, RS_NO_KEY, path, &key));
    return key;
}

static rs_key make_key(rs_txn *txn, rs_key base, const char *path)
{
    rs_key key = RS_NO_KEY;
    RIG_OK(rs_key_create(txn, base, path, &key));
    return key;
}

static void put_stamp(rs_txn *txn, rs_key key, const char *name, uint32_t stamp)
{
    RIG_OK(rs_set_dword(txn, key, name, stamp));
}

static uint32_t stamp_of(rs_txn *txn, rs_key key, const char *name)
{
    uint32_t stamp = 0;
    RIG_OK(rs_get_dword(txn, key, name, &stamp));
    return stamp;
}

/* ---- The verbs ---- */

static void do_note(rs_txn *txn, uint32_t stamp)
{
    put_stamp(txn, open_key(txn, SCENE_ROOT "\\Note"), STAMP, stamp);
}

static void do_set(rs_txn *txn, uint32_t stamp)
{
    char name[16];
    rs_key key = open_key(txn, SCENE_ROOT "\\Set");
    for (unsigned i = 0; i < SET_VALUES; i++) {
        snprintf(name, sizeof name, "v%u", i);
        put_stamp(txn, key, name, stamp);
    }
}

static void write_dump(const char *path, uint32_t stamp)
{
    FILE *file = fopen(path, "w");
    RIG_MUST(file != NULL);
    fprintf(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hive regstore=\"1\">"
                  "<node name=\"HKEY_LOCAL_MACHINE\\T\\Import\" root=\"1\">\n");
    for (unsigned i = 0; i < IMPORT_KEYS; i++) {
        fprintf(file, "<node name=\"K%u\"><value type=\"int32\" key=\"%s\" value=\"%u\"/></node>\n",
                i, STAMP, stamp);
    }
    fprintf(file, "</node></hive>\n");
    RIG_MUST(fclose(file) == 0);
}

static void do_import(rs_txn *txn, uint32_t stamp, const char *file)
{
    rs_import_report report;
    rs_error error = RS_ERROR_INIT;
    write_dump(file, stamp);
    int status = rs_import(txn, file, NULL, &report, &error);
    if (status != RS_OK) {
        fprintf(stderr, "%s\n", error.text);
    }
    RIG_OK(status);
}

static void do_rename(rs_txn *txn, uint32_t stamp)
{
    char name[32];
    rs_key parent = open_key(txn, SCENE_ROOT "\\Rename");
    rs_key key = rig_only_subkey(txn, parent, name);
    snprintf(name, sizeof name, "N%u", stamp);
    RIG_OK(rs_key_rename(txn, key, name));
    put_stamp(txn, parent, STAMP, stamp);
}

static void make_tree(rs_txn *txn, uint32_t stamp)
{
    char path[64];
    rs_key tree = make_key(txn, RS_NO_KEY, SCENE_ROOT "\\Tree\\Whole");
    for (unsigned i = 0; i < TREE_BRANCHES * TREE_LEAVES; i++) {
        snprintf(path, sizeof path, "Branch%u\\Leaf%u", i % TREE_BRANCHES, i / TREE_BRANCHES);
        put_stamp(txn, make_key(txn, tree, path), STAMP, stamp);
    }
}

static void do_tree(rs_txn *txn, uint32_t stamp)
{
    rs_key whole;
    rs_key parent = open_key(txn, SCENE_ROOT "\\Tree");
    int status = rs_key_open(txn, parent, "Whole", &whole);
    if (status == RS_OK) {
        RIG_OK(rs_key_delete(txn, whole, RS_RECURSIVE));
    } else {
        RIG_GIVES(RS_ENOTFOUND, status);
        make_tree(txn, stamp);
    }
    put_stamp(txn, parent, STAMP, stamp);
    put_stamp(txn, parent, "there", status != RS_OK);
}

static void do_big(rs_txn *txn, uint32_t stamp)
{
    uint32_t *numbers = calloc(BIG_NUMBERS, sizeof *numbers);
    RIG_MUST(numbers != NULL);
    for (unsigned i = 0; i < BIG_NUMBERS; i++) {
        numbers[i] = stamp;
    }
    RIG_OK(rs_set_binary(txn, open_key(txn, SCENE_ROOT "\\Big"), STAMP, numbers,
                         BIG_NUMBERS * sizeof *numbers));
    free(numbers);
}

static void change(rs_txn *txn, enum scene_verb verb, const char *file)
{
    uint32_t stamp = (uint32_t)rs_revision(txn) + 1;
    switch (verb) {
    case SCENE_NOTE:
        do_note(txn, stamp);
        break;
    case SCENE_SET:
        do_set(txn, stamp);
        break;
    case SCENE_IMPORT:
        do_import(txn, stamp, file);
        break;
    case SCENE_RENAME:
        do_rename(txn, stamp);
        break;
    case SCENE_TREE:
        do_tree(txn, stamp);
        break;
    case SCENE_BIG:
    case SCENE_VERBS:
        do_big(txn, stamp);
        break;
    }
}

uint64_t scene_do(rs_store *store, enum scene_verb verb, const char *file)
{
    uint64_t revision = 0;
    rs_txn *txn = rig_begin(store, RS_WRITE);
    uint64_t before = rs_revision(txn);
    change(txn, verb, file);
    RIG_OK(rs_txn_message(txn, verb_names[verb]));
    RIG_OK(rs_commit(txn, &revision));
    RIG_MUST(revision == before + 1);
    return revision;
}

enum scene_verb scene_any(struct rig_random *random)
{
    return (enum scene_verb)rig_below(random, SCENE_VERBS);
}

/* ---- Making it ---- */

void scene_prepare(rs_store *store, unsigned revisions, struct rig_random *random)
{
    char path[64];
    uint64_t revision = 0;
    const char *file = rig_path("prepare.xml");
    rs_txn *txn = rig_begin(store, RS_WRITE);
    for (unsigned i = 0; i < RENAMED_BELOW; i++) {
        snprintf(path, sizeof path, SCENE_ROOT "\\Rename\\N0\\Below%u", i);
        make_key(txn, RS_NO_KEY, path);
    }
    make_key(txn, RS_NO_KEY, SCENE_ROOT "\\Note");
    make_key(txn, RS_NO_KEY, SCENE_ROOT "\\Set");
    make_key(txn, RS_NO_KEY, SCENE_ROOT "\\Tree");
    make_key(txn, RS_NO_KEY, SCENE_ROOT "\\Big");
    for (enum scene_verb verb = SCENE_NOTE; verb < SCENE_VERBS; verb++) {
        change(txn, verb, file);
    }
    RIG_OK(rs_commit(txn, &revision));
    for (unsigned i = 0; i < revisions; i++) {
        scene_do(store, random != NULL ? rig_below(random, SCENE_BIG) : SCENE_NOTE, file);
    }
}

/* ---- Checking a snapshot ---- */

static uint32_t check_set(rs_txn *txn)
{
    char name[16];
    rs_key key = open_key(txn, SCENE_ROOT "\\Set");
    uint32_t stamp = stamp_of(txn, key, "v0");
    for (unsigned i = 1; i < SET_VALUES; i++) {
        snprintf(name, sizeof name, "v%u", i);
        RIG_MUST(stamp_of(txn, key, name) == stamp);
    }
    return stamp;
}

static uint32_t check_import(rs_txn *txn)
{
    char path[32];
    rs_key key;
    rs_key parent = open_key(txn, SCENE_ROOT "\\Import");
    uint32_t stamp = stamp_of(txn, open_key(txn, SCENE_ROOT "\\Import\\K0"), STAMP);
    for (unsigned i = 1; i < IMPORT_KEYS; i++) {
        snprintf(path, sizeof path, "K%u", i);
        RIG_OK(rs_key_open(txn, parent, path, &key));
        RIG_MUST(stamp_of(txn, key, STAMP) == stamp);
    }
    return stamp;
}

static uint32_t check_rename(rs_txn *txn)
{
    char name[32];
    char wanted[32];
    rs_key found;
    rs_key_info info;
    rs_key parent = open_key(txn, SCENE_ROOT "\\Rename");
    uint32_t stamp = stamp_of(txn, parent, STAMP);
    rs_key key = rig_only_subkey(txn, parent, name);
    snprintf(wanted, sizeof wanted, "N%u", stamp);
    RIG_MUST(strcmp(name, wanted) == 0);
    RIG_OK(rs_key_open(txn, parent, wanted, &found));
    RIG_MUST(found == key);
    RIG_OK(rs_key_info_get(txn, key, &info));
    RIG_MUST(info.subkeys == RENAMED_BELOW);
    return stamp;
}

static void check_leaves(rs_txn *txn, rs_key whole, uint32_t stamp)
{
    char path[64];
    rs_key leaf;
    for (unsigned i = 0; i < TREE_BRANCHES * TREE_LEAVES; i++) {
        snprintf(path, sizeof path, "Branch%u\\Leaf%u", i % TREE_BRANCHES, i / TREE_BRANCHES);
        RIG_OK(rs_key_open(txn, whole, path, &leaf));
        RIG_MUST(stamp_of(txn, leaf, STAMP) == stamp);
    }
}

static uint32_t check_tree(rs_txn *txn)
{
    rs_key whole;
    rs_key parent = open_key(txn, SCENE_ROOT "\\Tree");
    uint32_t stamp = stamp_of(txn, parent, STAMP);
    bool there = stamp_of(txn, parent, "there") != 0;
    /* By a whole path, which may be remembered from a snapshot where it was another key or none. */
    RIG_GIVES(there ? RS_OK : RS_ENOTFOUND,
              rs_key_open(txn, RS_NO_KEY, SCENE_ROOT "\\Tree\\Whole", &whole));
    if (there) {
        check_leaves(txn, whole, stamp);
    }
    return stamp;
}

static uint32_t check_numbers(const void *data, size_t size)
{
    uint32_t stamp;
    uint32_t number;
    RIG_MUST(size == BIG_NUMBERS * sizeof stamp);
    memcpy(&stamp, data, sizeof stamp);
    for (unsigned i = 1; i < BIG_NUMBERS; i++) {
        memcpy(&number, (const char *)data + i * sizeof number, sizeof number);
        RIG_MUST(number == stamp);
    }
    return stamp;
}

static uint32_t check_big(rs_txn *txn)
{
    const void *data;
    size_t size;
    RIG_OK(rs_get_binary(txn, open_key(txn, SCENE_ROOT "\\Big"), STAMP, &data, &size));
    return check_numbers(data, size);
}

void scene_check(rs_txn *txn)
{
    const uint32_t stamps[SCENE_VERBS] = {stamp_of(txn, open_key(txn, SCENE_ROOT "\\Note"), STAMP),
                                          check_set(txn),
                                          check_import(txn),
                                          check_rename(txn),
                                          check_tree(txn),
                                          check_big(txn)};
    uint32_t latest = 0;
    for (unsigned i = 0; i < SCENE_VERBS; i++) {
        latest = stamps[i] > latest ? stamps[i] : latest;
    }
    RIG_MUST(latest == rs_revision(txn));
}

/* ---- Checking a batch ---- */

static unsigned count_kind(const rs_batch *batch, enum rs_change_kind kind)
{
    unsigned count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        count += batch->changes[i].kind == kind;
    }
    return count;
}

static void check_new_value(const rs_batch *batch, const rs_change *told)
{
    uint32_t number;
    RIG_MUST(told->new_value != NULL && told->old_value != NULL);
    if (told->new_value->size == sizeof number) {
        memcpy(&number, told->new_value->data, sizeof number);
    } else {
        number = check_numbers(told->new_value->data, told->new_value->size);
    }
    RIG_MUST(number == batch->revision || (strcmp(told->name, "there") == 0 && number < 2));
}

void scene_check_batch(const rs_batch *batch)
{
    static const unsigned values_set[SCENE_VERBS] = {1, SET_VALUES, IMPORT_KEYS, 1, 2, 1};
    unsigned verb = 0;
    while (verb < SCENE_VERBS && strcmp(batch->message, verb_names[verb]) != 0) {
        verb++;
    }
    RIG_MUST(verb < SCENE_VERBS);
    RIG_MUST(count_kind(batch, RS_VALUE_SET) == values_set[verb]);
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->changes[i].kind == RS_VALUE_SET) {
            check_new_value(batch, &batch->changes[i]);
        }
    }
    RIG_MUST(count_kind(batch, RS_KEY_RENAMED) == (verb == SCENE_RENAME));
    RIG_MUST(count_kind(batch, RS_KEY_CREATED) + count_kind(batch, RS_KEY_DELETED) ==
             (verb == SCENE_TREE));
}

/* ---- Walking ---- */

struct walked {
    uint64_t keys;
    uint64_t values;
};

static void walk(rs_txn *txn, rs_key key, struct walked *walked)
{
    rs_cursor *cursor;
    rs_key_info info;
    rs_value value;
    uint32_t subkeys = 0;
    uint32_t values = 0;
    RIG_OK(rs_values(txn, key, &cursor));
    while (rs_next_value(cursor, &value) == RS_OK) {
        values++;
    }
    rs_cursor_close(cursor);
    RIG_OK(rs_subkeys(txn, key, &cursor));
    while (rs_next_key(cursor, &info) == RS_OK) {
        RIG_MUST(info.parent == key);
        subkeys++;
        walk(txn, info.key, walked);
    }
    rs_cursor_close(cursor);
    RIG_OK(rs_key_info_get(txn, key, &info));
    RIG_MUST(info.subkeys == subkeys && info.values == values);
    walked->keys += subkeys;
    walked->values += values;
}

void scene_count(rs_txn *txn)
{
    struct walked walked = {0, 0};
    rs_stat stat;
    walk(txn, RS_HKLM, &walked);
    walk(txn, RS_HKU, &walked);
    walk(txn, RS_HKRS, &walked);
    RIG_OK(rs_stat_get(txn, &stat));
    RIG_MUST(stat.keys == walked.keys && stat.values == walked.values);
    RIG_MUST(stat.revision == rs_revision(txn));
}
