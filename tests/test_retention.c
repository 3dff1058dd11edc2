/*
 * test_retention.c - how much history is kept, as the store's own settings say.
 */
#include "stores.h"

#include <stdio.h>

static rs_store *store;

static uint64_t first_kept(void)
{
    rs_txn *txn = start_reading(store);
    uint64_t first = stat_of(txn).first_revision;
    rs_abort(txn);
    return first;
}

static uint64_t size_of_journal(void)
{
    rs_txn *txn = start_reading(store);
    uint64_t size = stat_of(txn).journal_size;
    rs_abort(txn);
    return size;
}

static uint64_t set_values(unsigned revisions, size_t size)
{
    static uint32_t number;
    uint64_t revision = 0;
    for (unsigned i = 0; i < revisions; i++) {
        rs_txn *txn = start_writing(store);
        set_number(txn, RS_HKLM, "Number", ++number);
        SUCCEEDS(rs_set_binary(txn, RS_HKLM, "Data", repeated(number % 2 ? "a" : "b", size), size));
        revision = end_writing(txn);
    }
    return revision;
}

/* A REG_DWORD, or with wide a REG_QWORD. */
static uint64_t set_limit(const char *name, uint64_t number, bool wide)
{
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKRS\\Settings\\Journal");
    if (wide) {
        SUCCEEDS(rs_set_qword(txn, key, name, number));
    } else {
        SUCCEEDS(rs_set_dword(txn, key, name, (uint32_t)number));
    }
    return end_writing(txn);
}

static void everything_is_kept_at_first(void)
{
    store = open_store();
    set_values(30, 10);
    CU_ASSERT_EQUAL(first_kept(), 1);
    must_be_whole(store);
    rs_close(store);
}

static void so_many_revisions_are_kept(void)
{
    store = open_store();
    set_values(20, 10);
    set_limit("MaxRevisions", 5, false);
    CU_ASSERT_EQUAL(first_kept(), 1 + JOURNAL_TRIM_STEP); /* a few with each commit */
    uint64_t latest = set_values(10, 10);
    CU_ASSERT_EQUAL(first_kept(), latest - 4);
    must_be_whole(store);
    latest = set_limit("MaxRevisions", 0, false);
    latest = set_values(3, 10);
    CU_ASSERT_EQUAL(first_kept(), latest);
    must_be_whole(store);
    rs_close(store);
}

static void so_many_bytes_are_kept(void)
{
    store = open_store();
    set_values(20, 5000);
    uint64_t before = size_of_journal();
    CU_ASSERT(before > 20 * 5000);
    set_limit("MaxBytes", 40000, true);
    CU_ASSERT(size_of_journal() < before && first_kept() > 1);
    set_values(20, 5000);
    CU_ASSERT(size_of_journal() <= 40000 && size_of_journal() > 20000);
    must_be_whole(store);
    set_values(1, 60000); /* the latest stays, whatever its size */
    CU_ASSERT(size_of_journal() > 60000);
    set_limit("MaxBytes", 0, true);
    uint64_t first = first_kept();
    set_values(20, 5000);
    CU_ASSERT_EQUAL(first_kept(), first);
    must_be_whole(store);
    rs_close(store);
}

/* What adds more than always can be removed makes room for itself all the same. */
static void large_revisions_do_not_outrun_the_limit(void)
{
    static char large[6 << 20];
    store = open_store();
    set_limit("MaxBytes", 1 << 20, true);
    for (int i = 0; i < 6; i++) {
        rs_txn *txn = start_writing(store);
        large[0]++;
        SUCCEEDS(rs_set_binary(txn, RS_HKLM, "Large", large, sizeof large));
        end_writing(txn);
    }
    CU_ASSERT(size_of_journal() < 4 * sizeof large);
    must_be_whole(store);
    rs_close(store);
}

/* The time is the first thing in a revision's record. */
static void make_older(uint64_t revision, uint64_t days)
{
    unsigned char key[12] = {0};
    unsigned char record[1000];
    struct slice name = {key, sizeof key};
    struct slice found;
    struct env_txn txn;
    uint64_t time = store_now() - days * 24 * 60 * 60 * 10000000;
    env_put_be64(key, revision);
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_get(&txn, TABLE_JOURNAL, name, &found));
    CU_ASSERT_FATAL(found.size <= sizeof record);
    memcpy(record, found.data, found.size);
    memcpy(record, &time, sizeof time);
    SUCCEEDS(env_put(&txn, TABLE_JOURNAL, name, (struct slice){record, found.size}));
    SUCCEEDS(env_commit(&txn, NULL));
}

static void what_is_too_old_goes(void)
{
    store = open_store();
    set_values(6, 10);
    for (uint64_t i = 1; i <= 6; i++) {
        make_older(i, 10 - i); /* 9 days ... 4 days */
    }
    set_values(1, 10);
    CU_ASSERT_EQUAL(first_kept(), 1);
    set_limit("MaxAge", 7, false);
    CU_ASSERT_EQUAL(first_kept(), 3 + 1); /* what is 7 days and a moment old is too old */
    set_values(3, 10);
    CU_ASSERT_EQUAL(first_kept(), 4);
    must_be_whole(store);
    rs_close(store);
}

static void nonsense_is_the_default(void)
{
    store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKRS\\Settings\\Journal");
    SUCCEEDS(rs_set_string(txn, key, "MaxRevisions", "2"));
    SUCCEEDS(rs_value_set(txn, key, "MaxBytes", REG_QWORD, "\1", 1));
    SUCCEEDS(rs_set_qword(txn, key, "MaxAge", UINT64_MAX));
    end_writing(txn);
    set_values(20, 100);
    CU_ASSERT_EQUAL(first_kept(), 1);
    set_limit("MaxRevisions", 3, true); /* another width is no nonsense */
    uint64_t latest = set_values(10, 10);
    CU_ASSERT_EQUAL(first_kept(), latest - 2);
    rs_close(store);
}

/* What holds is the effective value: that of the rule, too, even if no key of the setting is there,
 * and where what is set makes no sense. */
static void a_rule_s_default_is_the_default(void)
{
    store = open_store();
    set_values(20, 10);
    rs_txn *txn = start_writing(store);
    set_rule(txn, "HKRS\\Settings\\Journal", "MaxRevisions", "type=REG_DWORD|default=5");
    uint64_t latest = end_writing(txn);
    CU_ASSERT_EQUAL(first_kept(), 1 + JOURNAL_TRIM_STEP); /* it counts at once */
    latest = set_values(10, 10);
    CU_ASSERT_EQUAL(first_kept(), latest - 4);
    txn = start_writing(store);
    SUCCEEDS(rs_set_string(txn, add_key(txn, "HKRS\\Settings\\Journal"), "MaxRevisions", "9"));
    SUCCEEDS(rs_txn_force(txn));
    latest = end_writing(txn);
    latest = set_values(5, 10);
    CU_ASSERT_EQUAL(first_kept(), latest - 4);
    set_limit("MaxRevisions", 8, false);
    latest = set_values(10, 10);
    CU_ASSERT_EQUAL(first_kept(), latest - 7);
    txn = start_writing(store);
    set_rule(txn, "HKRS\\Settings\\Journal", "MaxBytes", "type=REG_QWORD|default=20000");
    set_number(txn, find_key(txn, "HKRS\\Settings\\Journal"), "MaxRevisions", 1000);
    end_writing(txn);
    set_values(20, 5000);
    CU_ASSERT(size_of_journal() <= 20000 && size_of_journal() > 10000);
    must_be_whole(store);
    rs_close(store);
}

/* A store without rules goes by the same bounds as one that has those that ship. */
static void the_rules_that_ship_say_the_same(void)
{
    struct journal_limits before, after;
    char path[4096];
    store = open_store();
    rs_txn *txn = start_writing(store);
    SUCCEEDS(store_history_limits(txn, &before));
    snprintf(path, sizeof path, "%s/hives/rules/regstore.xml", top_dir());
    SUCCEEDS(rs_import(txn, path, NULL, NULL, NULL));
    SUCCEEDS(store_history_limits(txn, &after));
    CU_ASSERT_EQUAL(before.revisions, after.revisions);
    CU_ASSERT_EQUAL(before.bytes, after.bytes);
    CU_ASSERT_EQUAL(before.oldest, after.oldest);
    rs_abort(txn);
    rs_close(store);
}

/* The record of a value becomes one that cannot be read. */
static void damage_value(const char *name)
{
    struct env_txn txn;
    struct env_cursor cursor = {NULL};
    struct slice key, record;
    struct buffer found = BUFFER_INIT;
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_cursor_open(&txn, TABLE_TREE, &cursor));
    int status = env_cursor_first(&cursor, &key, &record);
    while (status == RS_OK && memmem(record.data, record.size, name, strlen(name)) == NULL) {
        status = env_cursor_next(&cursor, &key, &record);
    }
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    SUCCEEDS(buffer_append(&found, key.data, key.size));
    env_cursor_close(&cursor);
    SUCCEEDS(env_put(&txn, TABLE_TREE, (struct slice){found.data, found.size},
                     (struct slice){"\xff", 1}));
    SUCCEEDS(env_commit(&txn, NULL));
    buffer_free(&found);
}

/* As if thousands of revisions had been made. */
static void pretend_revisions(uint64_t revisions)
{
    struct env_txn txn;
    struct store_state state;
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(store_state_read(&txn, &state));
    state.revision += revisions;
    SUCCEEDS(store_state_write(&txn, &state));
    SUCCEEDS(env_commit(&txn, NULL));
}

/* More may be kept than the default says: who cannot read how much removes nothing. */
static void bounds_that_cannot_be_read_remove_nothing(void)
{
    store = open_store();
    set_limit("MaxRevisions", 50000, false);
    set_values(10, 10);
    pretend_revisions(20000);
    set_values(1, 10);
    CU_ASSERT_EQUAL(first_kept(), 1);
    damage_value("MaxRevisions");
    set_values(3, 10);
    CU_ASSERT_EQUAL(first_kept(), 1);
    rs_close(store);
}

/* In a transaction that is given up, and in one that fails, nothing is trimmed or counted. */
static void what_is_not_committed_counts_nothing(void)
{
    store = open_store();
    set_values(5, 100);
    uint64_t size = size_of_journal();
    rs_txn *txn = start_writing(store);
    set_number(txn, RS_HKLM, "Number", 77);
    rs_abort(txn);
    CU_ASSERT_EQUAL(size_of_journal(), size);
    txn = start_writing(store);
    set_rule(txn, "HKLM", "Number", "type=REG_DWORD|max=5");
    set_number(txn, RS_HKLM, "Number", 77);
    GIVES(RS_EREFUSED, rs_commit(txn, NULL));
    CU_ASSERT_EQUAL(size_of_journal(), size);
    CU_ASSERT_EQUAL(first_kept(), 1);
    must_be_whole(store);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"everything is kept at first", everything_is_kept_at_first},
    {"so many revisions are kept", so_many_revisions_are_kept},
    {"so many bytes are kept", so_many_bytes_are_kept},
    {"large revisions do not outrun the limit", large_revisions_do_not_outrun_the_limit},
    {"what is too old goes", what_is_too_old_goes},
    {"nonsense is the default", nonsense_is_the_default},
    {"a rule's default is the default", a_rule_s_default_is_the_default},
    {"the rules that ship say the same", the_rules_that_ship_say_the_same},
    {"bounds that cannot be read remove nothing", bounds_that_cannot_be_read_remove_nothing},
    {"what is not committed counts nothing", what_is_not_committed_counts_nothing},
    {NULL, NULL},
};
const struct test_suite suite_retention = {"retention", cases};
