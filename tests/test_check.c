/*
 * test_check.c - rs_check(): a store that is as it should be, and one damage of each kind.
 *
 * Damage is made by writing records through the environment, past the tree: one transaction each.
 */
#include "stores.h"
#include "../regstore/tree_node.h"

#include <stdio.h>
#include <stdlib.h>

/* What a check has told: lines joined by "|". */
struct findings {
    char lines[4000];
    rs_check_report report;
    rs_key key;
    uint64_t revision;
    unsigned steps;
    int answer; /* to each damage and each step */
};

static int on_damage(void *context, const rs_damage *damage)
{
    struct findings *findings = context;
    size_t used = strlen(findings->lines);
    snprintf(findings->lines + used, sizeof findings->lines - used, "%s|", damage->text);
    findings->key = damage->key;
    findings->revision = damage->revision;
    return findings->answer;
}

static int on_progress(void *context, const rs_check_report *report)
{
    struct findings *findings = context;
    (void)report;
    findings->steps++;
    return findings->answer;
}

static int check(rs_store *store, struct findings *findings)
{
    rs_check_options options = {on_damage, on_progress, findings};
    rs_txn *txn = start_reading(store);
    int status = rs_check(txn, &options, &findings->report);
    rs_abort(txn);
    return status;
}

/* The check finds so many damages, the first of which holds text. */
static void expect_damage(rs_store *store, const char *text)
{
    struct findings findings = {.answer = 0};
    SUCCEEDS(check(store, &findings));
    CU_ASSERT(findings.report.damages > 0);
    if (strstr(findings.lines, text) == NULL) {
        fprintf(stderr, "found \"%s\", expected \"%s\"\n", findings.lines, text);
        CU_FAIL("another damage");
    }
}

static void expect_none(rs_store *store)
{
    struct findings findings = {.answer = 0};
    SUCCEEDS(check(store, &findings));
    CU_ASSERT_EQUAL(findings.report.damages, 0);
    if (findings.lines[0] != '\0') {
        fprintf(stderr, "found \"%s\"\n", findings.lines);
    }
}

/* ---- A store with a bit of everything ---- */

static void fill(rs_store *store)
{
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A\\B");
    set_number(txn, key, "one", 1);
    set_number(txn, key, "two", 2);
    SUCCEEDS(rs_set_string(txn, key, repeated("long", 400), "x"));
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\L", "HKLM\\A", RS_VOLATILE, &key));
    SUCCEEDS(rs_key_set_class(txn, add_key(txn, "HKU\\C"), "a class"));
    end_writing(txn);
    txn = start_writing(store);
    for (unsigned i = 0; i < 3; i++) {
        char name[800];
        snprintf(name, sizeof name, "HKLM\\A\\%s%u", repeated("\xe4\xbd\xa0", 230), i);
        add_key(txn, name);
    }
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKU\\C"), 0));
    SUCCEEDS(rs_key_rename(txn, find_key(txn, "HKLM\\A\\B"), "b2"));
    SUCCEEDS(rs_value_delete(txn, find_key(txn, "HKLM\\A\\b2"), "one"));
    end_writing(txn);
}

static rs_store *open_filled(void)
{
    rs_store *store = open_store();
    fill(store);
    return store;
}

static void test_whole(void)
{
    rs_store *store = open_store();
    struct findings findings = {.answer = 0};
    expect_none(store);
    fill(store);
    SUCCEEDS(check(store, &findings));
    CU_ASSERT_STRING_EQUAL(findings.lines, "");
    rs_txn *txn = start_reading(store);
    rs_stat stat = stat_of(txn);
    rs_abort(txn);
    CU_ASSERT_EQUAL(findings.report.keys, stat.keys);
    CU_ASSERT_EQUAL(findings.report.values, stat.values);
    CU_ASSERT_EQUAL(findings.report.revisions, 2);
    CU_ASSERT_EQUAL(findings.steps, 3 + stat.keys + 2);
    rs_close(store);
}

/* Deleted again and again, trimmed, spread over many chunks and pages. */
static void test_whole_after_work(void)
{
    rs_store *store = open_store();
    static char data[200000];
    for (unsigned round = 0; round < 20; round++) {
        rs_txn *txn = start_writing(store);
        rs_key key = add_key(txn, "HKLM\\Work");
        SUCCEEDS(rs_set_binary(txn, key, "big", data, sizeof data - round * 7000));
        for (unsigned i = 0; i < 50; i++) {
            char name[40];
            snprintf(name, sizeof name, "HKLM\\Work\\%u\\%u", round, i);
            set_number(txn, add_key(txn, name), "v", i);
        }
        end_writing(txn);
        if (round % 3 == 2) {
            txn = start_writing(store);
            SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKLM\\Work"), RS_RECURSIVE));
            end_writing(txn);
        }
    }
    expect_none(store);
    rs_close(store);
}

static void test_arguments(void)
{
    rs_store *store = open_filled();
    rs_check_report report;
    rs_txn *txn = start_reading(store);
    SUCCEEDS(rs_check(txn, NULL, &report));
    GIVES(RS_EINVAL, rs_check(txn, NULL, NULL));
    GIVES(RS_EINVAL, rs_check(NULL, NULL, &report));
    rs_abort(txn);
    txn = start_writing(store);
    GIVES(RS_EINVAL, rs_check(txn, NULL, &report));
    rs_abort(txn);
    struct findings findings = {.answer = 1};
    GIVES(RS_ECANCELLED, check(store, &findings));
    CU_ASSERT_EQUAL(findings.steps, 1);
    rs_close(store);
}

/* ---- Damage ---- */

static struct slice text_slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void put(rs_store *store, enum env_table table, struct slice key, struct slice value)
{
    struct env_txn txn;
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, table, key, value));
    SUCCEEDS(env_commit(&txn, NULL));
}

static void take_away(rs_store *store, enum env_table table, struct slice key)
{
    struct env_txn txn;
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_delete(&txn, table, key));
    SUCCEEDS(env_commit(&txn, NULL));
}

/* The key of a record in the table of keys and values; name is folded already. */
static struct tree_key record_key(rs_key id, int tag, const char *name)
{
    struct tree_key key;
    tree_key_head(&key, id, (enum tree_tag)tag);
    memcpy(key.bytes + key.size, name, strlen(name));
    key.size += strlen(name);
    return key;
}

static rs_key id_of(rs_store *store, const char *path)
{
    rs_txn *txn = start_reading(store);
    rs_key key = find_link(txn, path);
    rs_abort(txn);
    return key;
}

/* Changes one byte of a record, counted from its start. */
static void flip(rs_store *store, const struct tree_key *key, size_t at, unsigned char bits)
{
    struct env_txn txn;
    struct slice found;
    unsigned char bytes[1000];
    SUCCEEDS(env_begin(store->env, false, &txn, NULL));
    SUCCEEDS(env_get(&txn, TABLE_TREE, tree_key_slice(key), &found));
    CU_ASSERT_FATAL(found.size <= sizeof bytes && at < found.size);
    size_t size = found.size;
    memcpy(bytes, found.data, size);
    env_abort(&txn);
    bytes[at] ^= bits;
    put(store, TABLE_TREE, tree_key_slice(key), (struct slice){bytes, size});
}

/* Where things stand in a key's own record. */
enum { AT_PARENT = 0, AT_FLAGS = 16, AT_SUBKEYS = 20, AT_VALUES = 24, AT_NEXT = 28, AT_NAME = 36 };

static void check_flip(const char *path, size_t at, unsigned char bits, const char *text)
{
    rs_store *store = open_store();
    struct findings findings = {.answer = 0};
    struct tree_key key = record_key(id_of(store, path), TAG_SELF, "");
    flip(store, &key, at, bits);
    expect_damage(store, text);
    CU_ASSERT(check(store, &findings) == RS_OK && findings.report.damages > 0);
    flip(store, &key, at, bits);
    expect_none(store);
    rs_close(store);
}

static void test_key_records(void)
{
    rs_close(open_filled());
    check_flip("HKLM\\A", AT_PARENT, 1, "does not have it");
    check_flip("HKLM\\A", AT_FLAGS, 8, "HKEY_LOCAL_MACHINE\\A: its flags are 0x8");
    check_flip("HKLM\\A", AT_FLAGS, RS_KEY_LINK, "told in two ways");
    check_flip("HKLM\\A", AT_SUBKEYS, 1, "HKEY_LOCAL_MACHINE\\A: it has 4 subkeys, its record");
    check_flip("HKLM\\A\\b2", AT_VALUES, 4, "it has 2 values, its record says 6");
    check_flip("HKLM\\A\\b2", AT_NEXT, 2, "the next one is 1");
    check_flip("HKLM\\A", AT_NAME, 2, "does not have it");
    check_flip("HKLM\\A", AT_NAME, 0x80, "its name is none that a key can have");
    check_flip("HKLM\\A", AT_NAME - 4, 0x40, "cannot be read");
    check_flip("HKLM", AT_NAME, 1, "this root has another name");
}

static void test_entries(void)
{
    rs_store *store = open_filled();
    struct tree_key entry = record_key(RS_HKLM, TAG_SUBKEY, "A");
    flip(store, &entry, 0, 64);
    expect_damage(store, "HKEY_LOCAL_MACHINE: its subkey, key 68, is not there");
    flip(store, &entry, 0, 64);
    flip(store, &entry, 8, RS_KEY_LINK);
    expect_damage(store, "told in two ways");
    flip(store, &entry, 8, RS_KEY_LINK);
    put(store, TABLE_TREE, tree_key_slice(&entry), text_slice("short"));
    expect_damage(store, "the record of a subkey cannot be read");
    rs_close(store);
}

static void test_two_entries_of_a_key(void)
{
    rs_store *store = open_filled();
    struct tree_key first = record_key(RS_HKLM, TAG_SUBKEY, "A");
    struct tree_key second = record_key(RS_HKLM, TAG_SUBKEY, "B");
    unsigned char record[9] = {(unsigned char)id_of(store, "HKLM\\A")};
    struct env_txn txn;
    struct slice found;
    SUCCEEDS(env_begin(store->env, false, &txn, NULL));
    SUCCEEDS(env_get(&txn, TABLE_TREE, tree_key_slice(&first), &found));
    CU_ASSERT(found.size == sizeof record && memcmp(found.data, record, sizeof record) == 0);
    env_abort(&txn);
    put(store, TABLE_TREE, tree_key_slice(&second), (struct slice){record, sizeof record});
    expect_damage(store, "its subkey \"A\" stands under another name");
    rs_close(store);
}

static void test_values(void)
{
    rs_store *store = open_filled();
    rs_key id = id_of(store, "HKLM\\A\\b2");
    struct tree_key two = record_key(id, TAG_VALUE, "TWO");
    flip(store, &two, 0, 0x3); /* its place: 1 becomes that of the other, 2 */
    expect_damage(store, "two of its values have the place 2");
    flip(store, &two, 0, 0x3);
    flip(store, &two, 12, 1); /* its name */
    expect_damage(store, "stands under another name");
    flip(store, &two, 12, 1);
    flip(store, &two, 8, 0x10); /* the length of its name */
    expect_damage(store, "the record of a value cannot be read");
    flip(store, &two, 8, 0x10);
    expect_none(store);
    take_away(store, TABLE_TREE, tree_key_slice(&two));
    expect_damage(store, "HKEY_LOCAL_MACHINE\\A\\b2: it has 1 values, its record says 2");
    rs_close(store);
}

static void test_link_without_target(void)
{
    rs_store *store = open_filled();
    struct tree_key target = record_key(id_of(store, "HKLM\\L"), TAG_VALUE, "SYMBOLICLINKVALUE");
    flip(store, &target, 4, 1); /* its type */
    expect_damage(store, "HKEY_LOCAL_MACHINE\\L: it is a link, but has no target");
    rs_close(store);
}

static void test_missing_and_strange_records(void)
{
    rs_store *store = open_filled();
    struct tree_key self = record_key(id_of(store, "HKLM\\A\\b2"), TAG_SELF, "");
    struct tree_key strange = record_key(id_of(store, "HKLM\\A"), 7, "");
    put(store, TABLE_TREE, tree_key_slice(&strange), text_slice("?"));
    expect_damage(store, "HKEY_LOCAL_MACHINE\\A: a record of it is of no known kind");
    take_away(store, TABLE_TREE, tree_key_slice(&strange));
    put(store, TABLE_TREE, text_slice("ab"), text_slice("?"));
    expect_damage(store, "a record after it has no number");
    take_away(store, TABLE_TREE, text_slice("ab"));
    take_away(store, TABLE_TREE, tree_key_slice(&self));
    expect_damage(store, "0 subkeys and 2 values are of this key, which has no record");
    rs_close(store);
}

/* Two keys that are each other's parents; nothing leads to them. */
static void test_circle(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key a = add_key(txn, "HKLM\\X");
    rs_key b = add_key(txn, "HKLM\\X\\Y");
    end_writing(txn);
    struct tree_key self = record_key(a, TAG_SELF, "");
    struct tree_key entry = record_key(b, TAG_SUBKEY, "X");
    struct tree_key old = record_key(RS_HKLM, TAG_SUBKEY, "X");
    unsigned char record[9] = {(unsigned char)a};
    flip(store, &self, AT_PARENT, (unsigned char)(RS_HKLM ^ b));
    put(store, TABLE_TREE, tree_key_slice(&entry), (struct slice){record, sizeof record});
    take_away(store, TABLE_TREE, tree_key_slice(&old));
    expect_damage(store, "no root is above it");
    rs_close(store);
}

static struct slice chunk_key(unsigned char key[12], uint64_t revision, unsigned char chunk)
{
    memset(key, 0, 12);
    env_put_be64(key, revision);
    key[11] = chunk;
    return (struct slice){key, 12};
}

static void test_journal(void)
{
    unsigned char key[12];
    rs_store *store = open_filled();
    put(store, TABLE_JOURNAL, chunk_key(key, 2, 2), text_slice("?"));
    expect_damage(store, "the journal's revision 2: it has 2 chunks of 1");
    put(store, TABLE_JOURNAL, chunk_key(key, 2, 4), text_slice("?"));
    expect_damage(store, "after chunk 2 comes chunk 4");
    take_away(store, TABLE_JOURNAL, chunk_key(key, 2, 4));
    take_away(store, TABLE_JOURNAL, chunk_key(key, 2, 2));
    expect_none(store);
    put(store, TABLE_JOURNAL, chunk_key(key, 4, 0), text_slice("?"));
    expect_damage(store, "the journal's revision 4: revision 3 should come before it");
    expect_damage(store, "the journal's revision 4: its head cannot be read");
    expect_damage(store, "the journal ends with revision 4, not 2");
    take_away(store, TABLE_JOURNAL, chunk_key(key, 4, 0));
    put(store, TABLE_JOURNAL, text_slice("zz"), text_slice("?"));
    expect_damage(store, "the journal's revision 2: a record after it has no number");
    take_away(store, TABLE_JOURNAL, text_slice("zz"));
    take_away(store, TABLE_JOURNAL, chunk_key(key, 2, 0));
    expect_damage(store, "the journal's revision 2: its head is missing");
    rs_close(store);
}

/* A change of the last revision says that it was inside a deleted key, and is not. */
static void test_journal_inner(void)
{
    static const char path[] = "HKEY_USERS\\C";
    unsigned char key[12];
    struct env_txn txn;
    struct slice found;
    rs_store *store = open_filled();
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_get(&txn, TABLE_JOURNAL, chunk_key(key, 2, 1), &found));
    struct buffer record = BUFFER_INIT;
    SUCCEEDS(buffer_append(&record, found.data, found.size));
    char *at = memmem(record.data, record.size, path, sizeof path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_EQUAL_FATAL(at[-4 - 56 - 2], RS_KEY_DELETED);
    at[-4 - 56 - 1] |= 1;
    SUCCEEDS(env_put(&txn, TABLE_JOURNAL, chunk_key(key, 2, 1),
                     (struct slice){record.data, record.size}));
    SUCCEEDS(env_commit(&txn, NULL));
    buffer_free(&record);
    expect_damage(store, "the journal's revision 2: its changes cannot be read");
    rs_close(store);
}

/* The first revision without its head is one that is being trimmed away. */
static void test_journal_being_trimmed(void)
{
    static const char large[3000000];
    struct env_txn txn;
    uint64_t first = 0;
    rs_store *store = open_store();
    for (int i = 0; i < 2; i++) {
        rs_txn *change = start_writing(store);
        SUCCEEDS(rs_set_binary(change, RS_HKLM, "large", large, i == 0 ? sizeof large : 1));
        end_writing(change);
    }
    trim_history(store, 1);
    SUCCEEDS(env_begin(store->env, false, &txn, NULL));
    SUCCEEDS(journal_first(&txn, &first));
    env_abort(&txn);
    CU_ASSERT_EQUAL(first, 2);
    expect_none(store);
    trim_history(store, 1);
    expect_none(store);
    rs_close(store);
}

/* On a full disk a deletion may cost all of the history. */
static void test_journal_given_up(void)
{
    rs_store *store = open_filled();
    trim_history(store, 0);
    expect_none(store);
    rs_txn *next = start_writing(store);
    set_number(next, RS_HKLM, "next", 1);
    end_writing(next);
    expect_none(store);
    rs_close(store);
}

static void test_journal_size(void)
{
    struct store_state state;
    struct env_txn txn;
    rs_store *store = open_filled();
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(store_state_read(&txn, &state));
    state.journal_bytes++;
    SUCCEEDS(store_state_write(&txn, &state));
    SUCCEEDS(env_commit(&txn, NULL));
    expect_damage(store, "bytes, its state says");
    rs_close(store);
}

static void test_state(void)
{
    rs_store *store = open_filled();
    /* revision, transaction, next id, counts, size of the journal */
    uint64_t state[6] = {2, 1u << 30, 1000, 5, 3, 0};
    put(store, TABLE_META, text_slice("state"), (struct slice){state, sizeof state});
    expect_damage(store, "its state is of a commit that was never made");
    state[1] = 1;
    state[3] = 99;
    put(store, TABLE_META, text_slice("state"), (struct slice){state, sizeof state});
    expect_damage(store, "values, its state says 99 and 3");
    state[2] = 5;
    put(store, TABLE_META, text_slice("state"), (struct slice){state, sizeof state});
    expect_damage(store, "was never given");
    put(store, TABLE_META, text_slice("state"), text_slice("?"));
    expect_damage(store, "its state cannot be read");
    rs_close(store);
}

/* A place is cut between two characters. */
static void test_long_place(void)
{
    char path[1000];
    char place[1000];
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    snprintf(path, sizeof path, "HKLM\\%s", repeated("\xe4\xbd\xa0", 120));
    add_key(txn, path);
    end_writing(txn);
    struct tree_key key = record_key(id_of(store, path), TAG_SELF, "");
    flip(store, &key, AT_FLAGS, 8);
    snprintf(place, sizeof place, "HKEY_LOCAL_MACHINE\\%s...: its flags are 0x8",
             repeated("\xe4\xbd\xa0", 93));
    expect_damage(store, place);
    rs_close(store);
}

static void test_records_beyond_the_limits(void)
{
    static char big[RS_MAX_DATA + 20];
    const char head[] = {0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 'n', 0, 1, 0, 0, 1}; /* and a NUL */
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key id = add_key(txn, "HKLM\\K");
    SUCCEEDS(rs_key_set_class(txn, id, "class"));
    set_number(txn, id, "n", 1);
    end_writing(txn);
    struct tree_key self = record_key(id, TAG_SELF, "");
    struct tree_key longer = record_key(id, TAG_SELF, "x");
    struct tree_key value = record_key(id, TAG_VALUE, "N");
    flip(store, &self, AT_NAME + 6, 0x80); /* behind "K", a NUL and a length */
    expect_damage(store, "HKEY_LOCAL_MACHINE\\K: its class name is damaged");
    flip(store, &self, AT_NAME + 6, 0x80);
    put(store, TABLE_TREE, tree_key_slice(&longer), text_slice("?"));
    expect_damage(store, "a record of it has a name that does not belong");
    take_away(store, TABLE_TREE, tree_key_slice(&longer));
    expect_none(store);
    memcpy(big, head, sizeof head);
    put(store, TABLE_TREE, tree_key_slice(&value), (struct slice){big, sizeof big});
    expect_damage(store, "HKEY_LOCAL_MACHINE\\K: its value \"n\" has 16777217 bytes");
    rs_close(store);
}

/* Counts the steps that are told while the journal is looked at; ends the check at one of them. */
struct journal_steps {
    unsigned seen;
    unsigned last;
};

static int on_journal_step(void *context, const rs_check_report *report)
{
    struct journal_steps *steps = context;
    steps->seen += report->revision == 2;
    return steps->seen == steps->last;
}

/* Of a revision with very many changes progress is told before its end. */
static void test_progress_in_a_revision(void)
{
    struct journal_steps steps = {.last = 0};
    rs_check_options options = {NULL, on_journal_step, &steps};
    rs_check_report report;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    end_writing(txn);
    txn = start_writing(store);
    for (unsigned i = 0; i < 5000; i++) {
        char name[20];
        snprintf(name, sizeof name, "%u", i);
        set_number(txn, key, name, i);
    }
    end_writing(txn);
    txn = start_reading(store);
    steps.last = UINT32_MAX;
    SUCCEEDS(rs_check(txn, &options, &report));
    CU_ASSERT_EQUAL(steps.seen, 2);
    steps = (struct journal_steps){.last = 1};
    GIVES(RS_ECANCELLED, rs_check(txn, &options, &report));
    CU_ASSERT_EQUAL(steps.seen, 1);
    rs_abort(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"whole", test_whole},
    {"whole after work", test_whole_after_work},
    {"arguments", test_arguments},
    {"key records", test_key_records},
    {"entries", test_entries},
    {"two entries of a key", test_two_entries_of_a_key},
    {"values", test_values},
    {"link without target", test_link_without_target},
    {"missing and strange records", test_missing_and_strange_records},
    {"circle", test_circle},
    {"journal", test_journal},
    {"journal's inner changes", test_journal_inner},
    {"journal being trimmed", test_journal_being_trimmed},
    {"journal given up", test_journal_given_up},
    {"journal size", test_journal_size},
    {"state", test_state},
    {"long place", test_long_place},
    {"records beyond the limits", test_records_beyond_the_limits},
    {"progress in a revision", test_progress_in_a_revision},
    {NULL, NULL},
};
const struct test_suite suite_check = {"check", cases};
