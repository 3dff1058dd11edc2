/*
 * test_digest.c - the digests of the journal: what they rule out is not there, and they come and go
 * with their blocks.
 */
#include "digest_steps.h"

#include <inttypes.h>
#include <stdio.h>

static char large[2200000]; /* more than is read for a digest */

static uint64_t set_in(const char *path, uint32_t number)
{
    rs_txn *txn = start_writing(digest_store);
    set_number(txn, add_key(txn, path), "Value", number);
    return end_writing(txn);
}

/* Up to this revision each sets a value in a key of its own. */
static void fill_to(uint64_t last)
{
    for (uint64_t i = digest_latest(digest_store) + 1; i <= last; i++) {
        char path[64];
        snprintf(path, sizeof path, "HKLM\\Fill\\Key %" PRIu64, i);
        set_in(path, 1);
    }
}

/* ---- Digests as records ---- */

static struct slice record_key(unsigned char key[JOURNAL_KEY_SIZE], uint64_t revision,
                               uint64_t block)
{
    env_put_be64(key + 4, block);
    env_put_be64(key, revision);
    return (struct slice){key, JOURNAL_KEY_SIZE};
}

/* Changes so many bytes of a record of the journal, before its last one. */
static void spoil(uint64_t revision, uint64_t block, unsigned char with, size_t count)
{
    unsigned char key[JOURNAL_KEY_SIZE];
    struct env_txn txn;
    struct slice found;
    struct buffer record = BUFFER_INIT;
    SUCCEEDS(env_begin(digest_store->env, true, &txn, NULL));
    SUCCEEDS(env_get(&txn, TABLE_JOURNAL, record_key(key, revision, block), &found));
    SUCCEEDS(buffer_append(&record, found.data, found.size));
    CU_ASSERT_FATAL(count < record.size);
    memset(record.data + record.size - 1 - count, with, count);
    SUCCEEDS(env_put(&txn, TABLE_JOURNAL, record_key(key, revision, block),
                     (struct slice){record.data, record.size}));
    SUCCEEDS(env_commit(&txn, NULL));
    buffer_free(&record);
}

/* ---- Searches ---- */

static const char *found_of(const char *path)
{
    static char text[1000];
    struct buffer found = BUFFER_INIT;
    size_t at = 0;
    digest_find(&found, path, 0, RS_NOW, 0);
    const uint64_t *numbers = (const uint64_t *)(const void *)found.data;
    text[0] = '\0';
    for (size_t i = 0; numbers[i] != 0 && at < sizeof text; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%" PRIu64, i > 0 ? " " : "",
                               numbers[i]);
    }
    buffer_free(&found);
    return text;
}

static int search(const char *path)
{
    struct buffer found = BUFFER_INIT;
    rs_txn *txn = start_reading(digest_store);
    int status = rs_history_key(txn, path, 0, RS_NOW, 0, digest_add_number, &found);
    rs_abort(txn);
    buffer_free(&found);
    return status;
}

/* The first one lacks revision 0. */
static unsigned blocks_unread_for(const char *path)
{
    return digest_unread_for(path) / (JOURNAL_BLOCK - 1);
}

/* ---- What is ruled out is not read ---- */

static void other_blocks_are_ruled_out(void)
{
    char path[64];
    unsigned out = 0;
    digest_begin();
    fill_to(4 * JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 4);
    for (unsigned i = 2; i < 4 * JOURNAL_BLOCK; i += 10) {
        snprintf(path, sizeof path, "HKLM\\Fill\\Key %u", i);
        out += blocks_unread_for(path);
    }
    /* The first block made the key above; by chance a few more are read than that and the own. */
    CU_ASSERT(out <= 3 * 26 + 2 * 77 && out > 3 * 26 + 2 * 77 - 10);
    CU_ASSERT_EQUAL(blocks_unread_for("HKLM\\Fill"), 0);
    CU_ASSERT(blocks_unread_for("HKLM\\Nothing\\Like It") >= 3);
    must_be_whole(digest_store);
    rs_close(digest_store);
}

/* Damage in a revision is met only by who has to read it. */
static void a_block_that_is_ruled_out_is_not_read(void)
{
    digest_begin();
    fill_to(JOURNAL_BLOCK);
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 70"), "70 1");
    spoil(70, 0, 0xff, 60);
    GIVES(RS_EDAMAGED, search("HKLM\\Fill\\Key 70"));
    GIVES(RS_OK, search("HKLM\\Nothing\\Like It"));
    digest_remove_all();
    GIVES(RS_EDAMAGED, search("HKLM\\Nothing\\Like It"));
    rs_close(digest_store);
}

/* What is damaged before its digest is made is no reason to refuse a commit, nor forgotten. */
static void a_damaged_revision_is_always_read(void)
{
    digest_begin();
    fill_to(100);
    spoil(70, 0, 0xff, 60);
    fill_to(JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    GIVES(RS_EDAMAGED, search("HKLM\\Nothing\\Like It"));
    rs_close(digest_store);
}

static uint64_t tell_change_of_no_kind(void)
{
    rs_txn *txn = start_writing(digest_store);
    struct change_sink *journal = &txn->journal.sink;
    struct change change = {.key = 4, .parent = RS_HKLM, .path = "HKEY_LOCAL_MACHINE\\A"};
    change.path_len = strlen(change.path);
    change.after = (struct change_side){.present = true, .name = "A", .name_len = 1};
    SUCCEEDS(journal->change(journal, &change));
    return end_writing(txn);
}

/* The same for one whose record is whole, and says nothing that anybody knows. */
static void a_change_of_no_kind_is_always_read(void)
{
    digest_begin();
    fill_to(100);
    tell_change_of_no_kind();
    fill_to(JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    GIVES(RS_EDAMAGED, search("HKLM\\A"));
    GIVES(RS_OK, search("HKLM\\Nothing\\Like It"));
    rs_close(digest_store);
}

/* Only so much is read for a digest; the rest is left to those who search. */
static void long_revisions_are_found(void)
{
    digest_begin();
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        size_t size = i == 0 ? sizeof large : 800000;
        rs_txn *txn = start_writing(digest_store);
        snprintf(path, sizeof path, "HKLM\\Large %u", i);
        set_number(txn, RS_HKU, "First", i);
        rs_key key = add_key(txn, path);
        set_number(txn, RS_HKU, "Value", i);
        SUCCEEDS(rs_set_binary(txn, RS_HKU, "Large", large, size));
        set_number(txn, key, "Value", i);
        end_writing(txn);
    }
    fill_to(JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    EQUAL_TEXT(found_of("HKLM\\Large 0"), "1");
    EQUAL_TEXT(found_of("HKLM\\Large 1"), "2");
    EQUAL_TEXT(found_of("HKLM\\Large 3"), "4");
    EQUAL_TEXT(found_of("HKU"), "4 3 2 1");
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 9"), "9 5");
    EQUAL_TEXT(found_of("HKLM\\Nothing"), "");
    must_be_whole(digest_store);
    rs_close(digest_store);
}

/* What comes after a value of the same key, in the same revision, is not taken for another one. */
static void a_key_is_set_and_moved_at_once(void)
{
    digest_begin();
    set_in("HKLM\\Old\\Deep", 1);
    fill_to(JOURNAL_BLOCK - 1);
    for (unsigned i = 0; i < 2; i++) {
        rs_txn *txn = start_writing(digest_store);
        rs_key key = find_key(txn, i == 0 ? "HKLM\\Old" : "HKLM\\New");
        set_number(txn, key, "Value", 1);
        if (i == 0) {
            SUCCEEDS(rs_key_rename(txn, key, "New"));
        } else {
            SUCCEEDS(rs_key_delete(txn, key, RS_RECURSIVE));
        }
        end_writing(txn);
        fill_to((i + 2) * JOURNAL_BLOCK - 1);
    }
    EQUAL_TEXT(found_of("HKLM\\Old\\Deep"), "256 1");
    EQUAL_TEXT(found_of("HKLM\\New\\Deep"), "512 256");
    rs_close(digest_store);
}

/* ---- Coming and going ---- */

/* The change that a digest is begun with has no key above it. */
static void a_block_may_end_with_a_root(void)
{
    digest_begin();
    fill_to(JOURNAL_BLOCK - 2);
    set_in("HKU", 1);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    EQUAL_TEXT(found_of("HKU"), "255");
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 9"), "9 1");
    must_be_whole(digest_store);
    rs_close(digest_store);
}

static void a_digest_comes_with_the_last_of_its_block(void)
{
    digest_begin();
    fill_to(JOURNAL_BLOCK - 2);
    CU_ASSERT_EQUAL(digest_count(digest_store), 0);
    fill_to(JOURNAL_BLOCK - 1);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    fill_to(2 * JOURNAL_BLOCK - 2);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    must_be_whole(digest_store);
    rs_close(digest_store);
}

/* Where there is no room for more than needed a block stays without. */
static void a_brief_revision_makes_none(void)
{
    digest_begin();
    fill_to(JOURNAL_BLOCK - 2);
    rs_txn *txn = start_writing(digest_store);
    txn->journal.brief = true;
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKLM\\Fill\\Key 9"), 0));
    CU_ASSERT_EQUAL(end_writing(txn), JOURNAL_BLOCK - 1);
    fill_to(JOURNAL_BLOCK + 5);
    CU_ASSERT_EQUAL(digest_count(digest_store), 0);
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 9"), "255 9 1");
    must_be_whole(digest_store);
    rs_close(digest_store);
}

static void trim_to(uint64_t first)
{
    rs_stat stat;
    do {
        trim_history(digest_store, digest_latest(digest_store) + 1 - first);
        rs_txn *txn = start_reading(digest_store);
        stat = stat_of(txn);
        rs_abort(txn);
    } while (stat.first_revision != 0 && stat.first_revision < first);
    must_be_whole(digest_store);
}

static void a_digest_goes_with_the_last_of_its_block(void)
{
    digest_begin();
    fill_to(2 * JOURNAL_BLOCK + 10);
    CU_ASSERT_EQUAL(digest_count(digest_store), 2);
    trim_to(JOURNAL_BLOCK - 1);
    CU_ASSERT_EQUAL(digest_count(digest_store), 2);
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 255"), "255");
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 9"), "");
    trim_to(JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    trim_to(2 * JOURNAL_BLOCK + 11);
    CU_ASSERT_EQUAL(digest_count(digest_store), 0);
    fill_to(3 * JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 600"), "600");
    must_be_whole(digest_store);
    rs_close(digest_store);
}

/* The number of a block has 32 bits: the revisions that are beyond are read. */
static void revisions_beyond_all_blocks_are_found(void)
{
    const uint64_t beyond = (UINT64_C(1) << 32) * JOURNAL_BLOCK;
    struct store_state state;
    struct env_txn txn;
    char expected[100];
    uint64_t removed = 0;
    digest_begin();
    SUCCEEDS(env_begin(digest_store->env, true, &txn, NULL));
    SUCCEEDS(store_state_read(&txn, &state));
    state.revision = beyond - JOURNAL_BLOCK - 1;
    SUCCEEDS(store_state_write(&txn, &state));
    SUCCEEDS(env_commit(&txn, NULL));
    set_in("HKLM\\Mine", 1);
    fill_to(beyond + 20);
    set_in("HKLM\\Mine", 2);
    fill_to(beyond + 2 * JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    snprintf(expected, sizeof expected, "%" PRIu64 " %" PRIu64, beyond + 21,
             beyond - JOURNAL_BLOCK);
    EQUAL_TEXT(found_of("HKLM\\Mine"), expected);
    must_be_whole(digest_store);
    SUCCEEDS(env_begin(digest_store->env, true, &txn, NULL));
    SUCCEEDS(
        journal_digest_cut(&txn, beyond + 10, &removed)); /* none tells of what is after that */
    CU_ASSERT_EQUAL(removed, 0);
    env_abort(&txn);
    trim_to(beyond + 2 * JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 0);
    rs_close(digest_store);
}

/* The past has those digests only that tell of it. */
static void the_past_has_those_of_its_own(void)
{
    static const struct {
        uint64_t revision;
        unsigned digests;
    } rows[] = {{2 * JOURNAL_BLOCK - 1, 2}, {2 * JOURNAL_BLOCK - 2, 1}, {JOURNAL_BLOCK, 1},
                {JOURNAL_BLOCK - 1, 1},     {JOURNAL_BLOCK - 2, 0},     {0, 0}};
    rs_store *past = NULL;
    digest_begin();
    fill_to(2 * JOURNAL_BLOCK + 10);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        SUCCEEDS(rs_open_past(digest_store, rows[i].revision, &past, NULL));
        CU_ASSERT_EQUAL(digest_count(past), rows[i].digests);
        must_be_whole(past);
        rs_close(past);
    }
    rs_close(digest_store);
}

static void a_restored_store_begins_without(void)
{
    digest_begin();
    fill_to(JOURNAL_BLOCK);
    SUCCEEDS(rs_backup(digest_store, scratch_path("backup"), NULL, NULL, NULL));
    SUCCEEDS(rs_restore(scratch_path("store"), scratch_path("backup"), NULL, NULL, NULL));
    rs_close(digest_store);
    digest_store = open_store();
    CU_ASSERT_EQUAL(digest_count(digest_store), 0);
    env_forget_disk(digest_store->env);
    fill_to(2 * JOURNAL_BLOCK);
    CU_ASSERT_EQUAL(digest_count(digest_store), 1);
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 9"), "");
    EQUAL_TEXT(found_of("HKLM\\Fill\\Key 400"), "400");
    must_be_whole(digest_store);
    rs_close(digest_store);
}

/* ---- Damage of digests ---- */

static int note_damage(void *context, const rs_damage *damage)
{
    char *text = context;
    snprintf(text, RS_ERROR_TEXT_MAX, "%s", damage->text);
    return 0;
}

/* The only one that is found. */
static const char *damage_of(void)
{
    static char text[RS_ERROR_TEXT_MAX];
    rs_check_options options = {.damage = note_damage, .context = text};
    rs_check_report report;
    rs_txn *txn = start_reading(digest_store);
    text[0] = '\0';
    SUCCEEDS(rs_check(txn, &options, &report));
    CU_ASSERT_EQUAL(report.damages, 1);
    rs_abort(txn);
    return text;
}

static void what_is_missing_in_a_digest_is_told(void)
{
    digest_begin();
    fill_to(JOURNAL_BLOCK + 10);
    spoil(0, 0, 0, 30);
    CU_ASSERT_PTR_NOT_NULL(strstr(damage_of(), "is missing in the digest of its block"));
    rs_close(digest_store);
}

static void put_digest(uint64_t block, size_t size)
{
    static const unsigned char all[3000];
    struct env_txn txn;
    struct store_state state;
    unsigned char key[JOURNAL_KEY_SIZE];
    SUCCEEDS(env_begin(digest_store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_JOURNAL, record_key(key, 0, block), (struct slice){all, size}));
    SUCCEEDS(store_state_read(&txn, &state));
    state.journal_bytes += JOURNAL_KEY_SIZE + size;
    SUCCEEDS(store_state_write(&txn, &state));
    SUCCEEDS(env_commit(&txn, NULL));
}

static void what_is_no_digest_is_told_and_not_used(void)
{
    static const size_t sizes[] = {1, 32, 32 + 32, 32 + 65, 32 + 2048 + 1, 2900};
    digest_begin();
    fill_to(JOURNAL_BLOCK + 10);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        digest_remove_all();
        put_digest(0, sizes[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(damage_of(), "the digest of block 0 is none"));
        EQUAL_TEXT(found_of("HKLM\\Fill\\Key 9"), "9 1");
    }
    rs_close(digest_store);
}

/* One that came too early would hide what comes after it. */
static void a_digest_of_no_whole_block_is_told(void)
{
    digest_begin();
    fill_to(JOURNAL_BLOCK + 10);
    put_digest(1, 32 + 64);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(damage_of(), "the digest of block 1 is without its last revision"));
    rs_close(digest_store);
}

static const struct test_case cases[] = {
    {"other blocks are ruled out", other_blocks_are_ruled_out},
    {"a block that is ruled out is not read", a_block_that_is_ruled_out_is_not_read},
    {"a damaged revision is always read", a_damaged_revision_is_always_read},
    {"a change of no kind is always read", a_change_of_no_kind_is_always_read},
    {"long revisions are found", long_revisions_are_found},
    {"a key is set and moved at once", a_key_is_set_and_moved_at_once},
    {"a block may end with a root", a_block_may_end_with_a_root},
    {"a digest comes with the last of its block", a_digest_comes_with_the_last_of_its_block},
    {"a brief revision makes none", a_brief_revision_makes_none},
    {"a digest goes with the last of its block", a_digest_goes_with_the_last_of_its_block},
    {"revisions beyond all blocks are found", revisions_beyond_all_blocks_are_found},
    {"the past has those of its own", the_past_has_those_of_its_own},
    {"a restored store begins without", a_restored_store_begins_without},
    {"what is missing in a digest is told", what_is_missing_in_a_digest_is_told},
    {"what is no digest is told and not used", what_is_no_digest_is_told_and_not_used},
    {"a digest of no whole block is told", a_digest_of_no_whole_block_is_told},
    {NULL, NULL},
};
const struct test_suite suite_digest = {"digest", cases};
