/*
 * test_journal.c - revisions: written and read back, in pieces, for every kind of change; trimmed.
 */
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- The journal by itself ---- */

static int make_nothing(struct env_txn *txn)
{
    (void)txn;
    return RS_OK;
}

static struct env *open_journal(void)
{
    struct env *env = NULL;
    SUCCEEDS(env_open(scratch_path("store"), RS_CREATE, make_nothing, &env, NULL));
    return env;
}

static const struct journal_head sample_head = {
    .time = 12345, .uid = 7, .pid = 99, .program = "program", .message = "why"};

/* A revision of that many changes, each with data of that size. */
static void write_revision(struct env *env, uint64_t revision, size_t changes, size_t size)
{
    struct journal journal;
    struct env_txn txn;
    unsigned char *data = malloc(size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    SUCCEEDS(env_begin(env, true, &txn, NULL));
    journal_begin(&journal, &txn, revision);
    for (size_t i = 0; i < changes; i++) {
        memset(data, (int)(i + revision), size);
        struct change change = {.kind = RS_VALUE_SET, .key = i, .path = "P", .path_len = 1};
        change.after = (struct change_side){true, "n", 1, 0, REG_BINARY, data, size};
        SUCCEEDS(journal.sink.change(&journal.sink, &change));
    }
    CU_ASSERT_EQUAL(journal.changes, changes);
    SUCCEEDS(journal_finish(&journal, &sample_head));
    journal_free(&journal);
    SUCCEEDS(env_commit(&txn, NULL));
    free(data);
}

/* Counts a revision's changes and looks at each. */
static size_t read_revision(struct env *env, uint64_t revision, size_t size)
{
    struct journal_reader reader = {0};
    struct journal_head head;
    struct env_txn txn;
    struct change change;
    size_t count = 0;
    int status;
    SUCCEEDS(env_begin(env, false, &txn, NULL));
    SUCCEEDS(journal_open(&reader, &txn, revision, &head));
    while ((status = journal_next(&reader, &change)) == RS_OK) {
        CU_ASSERT_EQUAL(change.key, count);
        CU_ASSERT_EQUAL_FATAL(change.after.size, size);
        const unsigned char *data = change.after.data;
        unsigned char wanted = (unsigned char)(count + revision);
        CU_ASSERT(size == 0 || (data[0] == wanted && data[size - 1] == wanted));
        CU_ASSERT_FALSE(change.before.present);
        count++;
    }
    CU_ASSERT_EQUAL(status, RS_END);
    GIVES(RS_END, journal_next(&reader, &change));
    CU_ASSERT_EQUAL(head.time, 12345);
    EQUAL_TEXT(head.message, "why");
    journal_close(&reader);
    env_abort(&txn);
    return count;
}

static void streams_of_any_length_are_read_back(void)
{
    static const struct {
        size_t changes;
        size_t size;
    } rows[] = {{0, 0},     {1, 0},     {1, 12000}, {1, 16300},  {1, 16368},
                {1, 65600}, {3, 70000}, {500, 500}, {2, 2000000}};
    struct env *env = open_journal();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_revision(env, i + 1, rows[i].changes, rows[i].size);
        CU_ASSERT_EQUAL(read_revision(env, i + 1, rows[i].size), rows[i].changes);
    }
    env_close(env);
}

/* At each size about the border of a chunk. */
static void borders_of_chunks_do_not_matter(void)
{
    struct env *env = open_journal();
    for (size_t size = JOURNAL_CHUNK - 130; size < JOURNAL_CHUNK + 4; size += 1) {
        write_revision(env, size, 2, size);
        CU_ASSERT_EQUAL(read_revision(env, size, size), 2);
    }
    env_close(env);
}

static size_t check_chunks(struct env *env)
{
    struct env_cursor cursor = {NULL};
    struct env_txn txn;
    struct slice key;
    struct slice value;
    size_t chunks = 0;
    SUCCEEDS(env_begin(env, false, &txn, NULL));
    SUCCEEDS(env_cursor_open(&txn, TABLE_JOURNAL, &cursor));
    for (int status = env_cursor_first(&cursor, &key, &value); status == RS_OK;
         status = env_cursor_next(&cursor, &key, &value)) {
        CU_ASSERT(value.size <= JOURNAL_CHUNK);
        chunks++;
    }
    env_cursor_close(&cursor);
    env_abort(&txn);
    return chunks;
}

static void chunks_have_at_most_their_size(void)
{
    struct env *env = open_journal();
    write_revision(env, 1, 3, 300000);
    write_revision(env, 2, 1, JOURNAL_CHUNK - 200);
    write_revision(env, 3, 2000, 150);
    CU_ASSERT(check_chunks(env) > 14);
    env_close(env);
}

/* ---- Retention ---- */

static uint64_t first_of(struct env *env)
{
    uint64_t first = 77;
    struct env_txn txn;
    SUCCEEDS(env_begin(env, false, &txn, NULL));
    SUCCEEDS(journal_first(&txn, &first));
    env_abort(&txn);
    return first;
}

static void trim(struct env *env, uint64_t latest, uint64_t keep, unsigned limit)
{
    struct env_txn txn;
    SUCCEEDS(env_begin(env, true, &txn, NULL));
    SUCCEEDS(journal_trim(&txn, latest, &(struct journal_limits){.revisions = keep, .steps = limit},
                          NULL));
    SUCCEEDS(env_commit(&txn, NULL));
}

static void old_revisions_go_in_steps(void)
{
    struct env *env = open_journal();
    CU_ASSERT_EQUAL(first_of(env), 0);
    trim(env, 0, 3, 2);
    for (uint64_t revision = 1; revision <= 10; revision++) {
        write_revision(env, revision, 1, 10);
    }
    CU_ASSERT_EQUAL(first_of(env), 1);
    trim(env, 10, 10, 4);
    CU_ASSERT_EQUAL(first_of(env), 1);
    trim(env, 10, 3, 2);
    CU_ASSERT_EQUAL(first_of(env), 3);
    trim(env, 10, 3, 100);
    CU_ASSERT_EQUAL(first_of(env), 8);
    CU_ASSERT_EQUAL(read_revision(env, 8, 10), 1);
    trim(env, 10, 1, 100);
    CU_ASSERT_EQUAL(first_of(env), 10);
    CU_ASSERT_EQUAL(check_chunks(env), 1);
    env_close(env);
}

/* The limit of bytes is what may be there, not one less. */
static void as_many_bytes_stay_as_may(void)
{
    struct env_txn txn;
    struct env *env = open_journal();
    for (uint64_t revision = 1; revision <= 3; revision++) {
        write_revision(env, revision, 1, 10);
    }
    for (uint64_t over = 0; over < 2; over++) {
        uint64_t bytes = 5000 + over;
        struct journal_limits limits = {.revisions = 100, .bytes = 5000, .steps = 1};
        SUCCEEDS(env_begin(env, true, &txn, NULL));
        SUCCEEDS(journal_trim(&txn, 3, &limits, &bytes));
        SUCCEEDS(env_commit(&txn, NULL));
        CU_ASSERT_EQUAL(first_of(env), 1 + over);
        CU_ASSERT_EQUAL(bytes < 5000, over == 1);
    }
    env_close(env);
}

/* A revision of hundreds of chunks takes several steps; half removed it is not found any more. */
static void a_large_revision_goes_in_steps(void)
{
    const uint64_t last = JOURNAL_LOOK;
    struct journal_reader reader = {0};
    struct journal_head head;
    struct env_txn txn;
    struct env *env = open_journal();
    write_revision(env, last - 1, 1, 250 * JOURNAL_CHUNK);
    write_revision(env, last, 1, 10);
    size_t before = check_chunks(env);
    trim(env, last, 1, 4);
    size_t after = check_chunks(env);
    CU_ASSERT(after < before && after > 2);
    CU_ASSERT_EQUAL(first_of(env), last);
    SUCCEEDS(env_begin(env, false, &txn, NULL));
    GIVES(RS_ENOTFOUND, journal_open(&reader, &txn, last - 1, &head));
    env_abort(&txn);
    journal_close(&reader);
    for (int i = 0; i < 3; i++) {
        trim(env, last, last, 4);
    }
    CU_ASSERT_EQUAL(check_chunks(env), 1);
    CU_ASSERT_EQUAL(read_revision(env, last, 10), 1);
    env_close(env);
}

/* ---- Damage ---- */

/* Reads a revision whose chunk was replaced; any end but a crash or a success is right. */
static void check_damaged(struct env *env, uint32_t chunk, struct slice value)
{
    unsigned char key[12] = {0};
    struct journal_reader reader = {0};
    struct journal_head head;
    struct change change;
    struct env_txn txn;
    key[7] = 1;
    key[11] = (unsigned char)chunk;
    struct slice name = {key, sizeof key};
    SUCCEEDS(env_begin(env, true, &txn, NULL));
    if (value.data != NULL) {
        SUCCEEDS(env_put(&txn, TABLE_JOURNAL, name, value));
    } else {
        SUCCEEDS(env_delete(&txn, TABLE_JOURNAL, name));
    }
    int status = journal_open(&reader, &txn, 1, &head);
    while (status == RS_OK) {
        status = journal_next(&reader, &change);
    }
    CU_ASSERT_EQUAL(status, RS_EDAMAGED);
    journal_close(&reader);
    env_abort(&txn);
}

static void damage_is_told(void)
{
    static char junk[JOURNAL_CHUNK];
    struct env *env = open_journal();
    write_revision(env, 1, 2, JOURNAL_CHUNK);
    memset(junk, 0xff, sizeof junk);
    check_damaged(env, 0, (struct slice){junk, 10});
    check_damaged(env, 0, (struct slice){junk, 1000});
    check_damaged(env, 1, (struct slice){junk, sizeof junk});
    check_damaged(env, 2, (struct slice){NULL, 0});
    memset(junk, 0, sizeof junk);
    check_damaged(env, 1, (struct slice){junk, sizeof junk});
    env_close(env);
}

/* ---- What the tree tells ---- */

/* The one change that a call makes in a key with the value "Size". */
static struct history change_by(rs_store *store, int (*call)(rs_txn *txn, rs_key key))
{
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Parent\\Key");
    set_number(txn, key, "Size", 3);
    SUCCEEDS(tree_set_written(&txn->tree, key, 1));
    SUCCEEDS(tree_set_written(&txn->tree, info_of(txn, key).parent, 2));
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(call(txn, key));
    struct history history = history_of(store, end_writing(txn));
    CU_ASSERT_EQUAL_FATAL(history.count, 1);
    CU_ASSERT_FALSE(history.changes[0].inner);
    return history;
}

static int set_value(rs_txn *txn, rs_key key)
{
    return rs_set_string(txn, key, "SIZE", "x");
}

static void a_value_set_has_both_sides(void)
{
    rs_store *store = open_store();
    struct history history = change_by(store, set_value);
    const struct change *change = history.changes;
    CU_ASSERT_EQUAL(change->kind, RS_VALUE_SET);
    EQUAL_TEXT(change->path, "HKEY_LOCAL_MACHINE\\Parent\\Key");
    EQUAL_TEXT(change->before.name, "Size");
    EQUAL_TEXT(change->after.name, "Size");
    CU_ASSERT(change->before.type == REG_DWORD && change->after.type == REG_SZ);
    CU_ASSERT(change->before.size == 4 && change->after.size == 4);
    CU_ASSERT_EQUAL(memcmp(change->before.data, "\3\0\0", 4), 0);
    CU_ASSERT_EQUAL(memcmp(change->after.data, "x\0\0", 4), 0);
    CU_ASSERT(change->before.position == 0 && change->after.position == 0);
    CU_ASSERT(change->written_before == 1 && change->written_after > 2);
    CU_ASSERT(change->parent_before == 2 && change->parent_after == 2);
    history_free(&history);
    rs_close(store);
}

static int set_new_value(rs_txn *txn, rs_key key)
{
    return rs_value_set(txn, key, "New", 0xfffffff0, NULL, 0);
}

static int delete_value(rs_txn *txn, rs_key key)
{
    return rs_value_delete(txn, key, "SIZE");
}

static void a_value_made_or_deleted_has_one_side(void)
{
    rs_store *store = open_store();
    struct history history = change_by(store, set_new_value);
    const struct change *change = history.changes;
    CU_ASSERT(change->kind == RS_VALUE_SET && !change->before.present);
    CU_ASSERT(change->after.type == 0xfffffff0 && change->after.position == 1);
    CU_ASSERT_EQUAL(change->after.size, 0);
    history_free(&history);
    history = change_by(store, delete_value);
    change = history.changes;
    CU_ASSERT(change->kind == RS_VALUE_DELETED && !change->after.present);
    EQUAL_TEXT(change->before.name, "Size");
    CU_ASSERT(change->before.size == 4 && change->before.type == REG_DWORD);
    CU_ASSERT(change->written_before == 1 && change->written_after > 2);
    history_free(&history);
    rs_close(store);
}

static int make_subkey(rs_txn *txn, rs_key key)
{
    rs_key deeper;
    int status = rs_key_create(txn, key, "New\\Deeper", &deeper);
    status = status == RS_OK ? rs_set_dword(txn, deeper, "Inside", 1) : status;
    status = status == RS_OK ? rs_key_set_class(txn, deeper, "Inside") : status;
    return status == RS_OK ? rs_key_rename(txn, deeper, "Inside") : status;
}

/* What happens in the new key is not told one by one. */
static void a_key_created_stands_for_all_in_it(void)
{
    rs_store *store = open_store();
    struct history history = change_by(store, make_subkey);
    const struct change *change = history.changes;
    CU_ASSERT_EQUAL(change->kind, RS_KEY_CREATED);
    EQUAL_TEXT(change->path, "HKEY_LOCAL_MACHINE\\Parent\\Key\\New");
    CU_ASSERT(!change->before.present && change->after.present);
    EQUAL_TEXT(change->after.name, "New");
    CU_ASSERT(change->written_before == 0 && change->written_after > 2);
    CU_ASSERT(change->parent_before == 1 && change->parent_after == change->written_after);
    CU_ASSERT(change->key > change->parent);
    history_free(&history);
    rs_close(store);
}

static int rename_key(rs_txn *txn, rs_key key)
{
    return rs_key_rename(txn, key, "KEY");
}

static int class_key(rs_txn *txn, rs_key key)
{
    return rs_key_set_class(txn, key, "Classy");
}

static void a_rename_and_a_class_have_both_sides(void)
{
    rs_store *store = open_store();
    struct history history = change_by(store, class_key);
    const struct change *change = history.changes;
    CU_ASSERT_EQUAL(change->kind, RS_KEY_CLASS);
    CU_ASSERT_EQUAL(change->before.size, 0);
    EQUAL_TEXT((const char *)change->after.data, "Classy");
    CU_ASSERT(change->written_before == 1 && change->parent_after == 2);
    history_free(&history);
    history = change_by(store, rename_key);
    change = history.changes;
    CU_ASSERT_EQUAL(change->kind, RS_KEY_RENAMED);
    EQUAL_TEXT(change->path, "HKEY_LOCAL_MACHINE\\Parent\\Key");
    EQUAL_TEXT(change->before.name, "Key");
    EQUAL_TEXT(change->after.name, "KEY");
    CU_ASSERT(change->written_before == 1 && change->written_after > 2);
    CU_ASSERT(change->parent_before == 2 && change->parent_after == change->written_after);
    history_free(&history);
    rs_close(store);
}

static int link_key(rs_txn *txn, rs_key key)
{
    return rs_value_set(txn, key, "SymbolicLinkValue", REG_LINK, "H\0K\0U", 6);
}

static int unlink_key(rs_txn *txn, rs_key key)
{
    int status = link_key(txn, key);
    uint64_t changes = txn->journal.changes;
    status = status == RS_OK ? rs_value_delete(txn, key, "SymbolicLinkValue") : status;
    return status == RS_OK && txn->journal.changes == changes + 1 ? RS_OK : RS_EINVAL;
}

static void a_link_made_is_a_relinked_key(void)
{
    rs_store *store = open_store();
    struct history history = change_by(store, link_key);
    CU_ASSERT_EQUAL(history.changes[0].kind, RS_KEY_RELINKED);
    CU_ASSERT_FALSE(history.changes[0].before.present);
    EQUAL_TEXT(history.changes[0].after.name, "SymbolicLinkValue");
    CU_ASSERT_EQUAL(history.changes[0].after.type, REG_LINK);
    history_free(&history);
    rs_txn *txn = start_writing(store);
    SUCCEEDS(unlink_key(txn, find_link(txn, "HKLM\\Parent\\Key")));
    history = history_of(store, end_writing(txn));
    CU_ASSERT_EQUAL_FATAL(history.count, 1); /* the link was there already */
    CU_ASSERT_EQUAL(history.changes[0].kind, RS_KEY_RELINKED);
    CU_ASSERT_FALSE(history.changes[0].after.present);
    history_free(&history);
    rs_close(store);
}

/* ---- Whose revision it is ---- */

static void a_revision_says_who_and_why(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    add_key(txn, "HKLM\\A");
    SUCCEEDS(rs_txn_message(txn, "first message"));
    SUCCEEDS(rs_txn_message(txn, "because"));
    SUCCEEDS(rs_txn_program(txn, "named"));
    uint64_t now = store_now();
    struct history history = history_of(store, end_writing(txn));
    EQUAL_TEXT(history.head.message, "because");
    EQUAL_TEXT(history.head.program, "named");
    CU_ASSERT_EQUAL(history.head.uid, getuid());
    CU_ASSERT_EQUAL(history.head.pid, (uint32_t)getpid());
    CU_ASSERT(history.head.time >= now && history.head.time <= store_now());
    history_free(&history);
    txn = start_writing(store);
    add_key(txn, "HKLM\\B");
    history = history_of(store, end_writing(txn));
    EQUAL_TEXT(history.head.message, "");
    EQUAL_TEXT(history.head.program, "unit");
    history_free(&history);
    rs_close(store);
}

static void notes_have_a_limit(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    GIVES(RS_ETOOLONG, rs_txn_message(txn, repeated("m", 4097)));
    GIVES(RS_ETEXT, rs_txn_program(txn, "\xff"));
    GIVES(RS_EINVAL, rs_txn_program(txn, NULL));
    SUCCEEDS(rs_txn_message(txn, repeated("m", 4096)));
    SUCCEEDS(rs_txn_program(txn, repeated("p", 4096)));
    end_writing(txn);
    txn = start_writing(store);
    SUCCEEDS(rs_txn_message(txn, repeated("m", 4096)));
    SUCCEEDS(rs_set_binary(txn, key, "Large", repeated("d", 60000), 60000));
    struct history history = history_of(store, end_writing(txn));
    CU_ASSERT_EQUAL(strlen(history.head.message), 4096);
    CU_ASSERT_EQUAL(history.changes[0].after.size, 60000);
    history_free(&history);
    rs_close(store);
}

/* A value and a key with one in it, deleted. */
static void tell_deletions(struct journal *journal)
{
    struct change value = {.kind = RS_VALUE_DELETED, .key = 5, .path = "P", .path_len = 1};
    value.before =
        (struct change_side){true, "name", 4, 0, REG_BINARY, repeated("d", 50000), 50000};
    struct change key = {.kind = RS_KEY_DELETED, .key = 6, .path = "P\\K", .path_len = 3};
    key.before = (struct change_side){true, "K", 1, 0, 0, "", 0};
    struct change inner = value;
    inner.inner = true;
    SUCCEEDS(journal->sink.change(&journal->sink, &value));
    SUCCEEDS(journal->sink.change(&journal->sink, &key));
    SUCCEEDS(journal->sink.change(&journal->sink, &inner));
}

/* What is told is kept until the end; what is recorded says only which value and which key. */
static void a_brief_revision_keeps_names_only(void)
{
    struct env *env = open_journal();
    struct journal journal;
    struct journal told;
    struct env_txn txn;
    struct change change;
    size_t at = 0;
    SUCCEEDS(env_begin(env, true, &txn, NULL));
    journal_begin(&told, &txn, 1);
    journal_begin(&journal, &txn, 1);
    journal.brief = true;
    tell_deletions(&told);
    tell_deletions(&journal);
    CU_ASSERT_FALSE(told.adds);
    for (int i = 0; i < 3; i++) {
        SUCCEEDS(journal_told(&told, &at, &change));
        CU_ASSERT_EQUAL(change.inner, i == 2);
        CU_ASSERT_EQUAL(change.before.size, i == 1 ? 0 : 50000);
        CU_ASSERT_FALSE(change.lost);
    }
    GIVES(RS_END, journal_told(&told, &at, &change));
    SUCCEEDS(journal_finish(&journal, &sample_head));
    journal_free(&told);
    journal_free(&journal);
    SUCCEEDS(env_commit(&txn, NULL));

    struct journal_reader reader = {0};
    struct journal_head head;
    SUCCEEDS(env_begin(env, false, &txn, NULL));
    SUCCEEDS(journal_open(&reader, &txn, 1, &head));
    for (rs_key key = 5; key <= 6; key++) {
        SUCCEEDS(journal_next(&reader, &change));
        CU_ASSERT_EQUAL(change.key, key);
        CU_ASSERT_TRUE(change.lost);
        CU_ASSERT_TRUE(change.before.present);
        CU_ASSERT_EQUAL(change.before.size, 0);
        CU_ASSERT_EQUAL(change.before.name_len, key == 5 ? 4 : 1);
    }
    GIVES(RS_END, journal_next(&reader, &change));
    journal_close(&reader);
    env_abort(&txn);
    env_close(env);
}

/* What is no chunk of a revision is not taken away unseen. */
static void a_strange_first_record_stops_commits(void)
{
    struct env_txn txn;
    static const unsigned char strange[] = {0, 0, 0, 0, 0, 0, 0, 1, 1};
    rs_store *store = open_store();
    rs_txn *change = start_writing(store);
    add_key(change, "HKLM\\A");
    end_writing(change);
    trim_history(store, 0);
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_JOURNAL, (struct slice){strange, sizeof strange},
                     (struct slice){"?", 1}));
    SUCCEEDS(env_commit(&txn, NULL));
    change = start_writing(store);
    set_number(change, add_key(change, "HKRS\\Settings\\Journal"), "MaxRevisions", 1);
    GIVES(RS_EDAMAGED, rs_commit(change, NULL));
    rs_close(store);
}

static const struct test_case cases[] = {
    {"streams of any length are read back", streams_of_any_length_are_read_back},
    {"borders of chunks do not matter", borders_of_chunks_do_not_matter},
    {"chunks have at most their size", chunks_have_at_most_their_size},
    {"old revisions go in steps", old_revisions_go_in_steps},
    {"as many bytes stay as may", as_many_bytes_stay_as_may},
    {"a large revision goes in steps", a_large_revision_goes_in_steps},
    {"damage is told", damage_is_told},
    {"a brief revision keeps names only", a_brief_revision_keeps_names_only},
    {"a value set has both sides", a_value_set_has_both_sides},
    {"a value made or deleted has one side", a_value_made_or_deleted_has_one_side},
    {"a key created stands for all in it", a_key_created_stands_for_all_in_it},
    {"a rename and a class have both sides", a_rename_and_a_class_have_both_sides},
    {"a link made is a relinked key", a_link_made_is_a_relinked_key},
    {"a revision says who and why", a_revision_says_who_and_why},
    {"notes have a limit", notes_have_a_limit},
    {"a strange first record stops commits", a_strange_first_record_stops_commits},
    {NULL, NULL},
};
const struct test_suite suite_journal = {"journal", cases};
