/*
 * test_store_limits.c - many readers, a store that is full, a disk that is, readers listed.
 */
#include "stores.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_READERS 1024u

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* ---- Readers ---- */

/* Each of 200 snapshots sees the revision that was the latest when it began. */
static void two_hundred_snapshots_stand_side_by_side(void)
{
    rs_txn *readers[200];
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    end_writing(txn);
    for (uint32_t i = 0; i < 200; i++) {
        txn = start_writing(store);
        set_number(txn, key, "Number", i);
        end_writing(txn);
        readers[i] = start_reading(store);
    }
    for (uint32_t i = 0; i < 200; i++) {
        CU_ASSERT_EQUAL(number_of(readers[i], key, "Number"), i);
        CU_ASSERT_EQUAL(rs_revision(readers[i]), i + 2);
    }
    for (uint32_t i = 0; i < 200; i++) {
        rs_abort(readers[i]);
    }
    rs_close(store);
}

static void more_than_1024_readers_are_refused(void)
{
    rs_txn *readers[MOST_READERS + 1];
    size_t count = 0;
    int status = RS_OK;
    rs_store *store = open_store();
    while (count < MOST_READERS + 1 && status == RS_OK) {
        status = rs_begin(store, RS_READ, &readers[count]);
        count += status == RS_OK;
    }
    CU_ASSERT_EQUAL(status, RS_EREADERS);
    CU_ASSERT_EQUAL(count, MOST_READERS);
    rs_abort(readers[--count]);
    SUCCEEDS(rs_begin(store, RS_READ, &readers[count++]));
    while (count > 0) {
        rs_abort(readers[--count]);
    }
    rs_close(store);
}

struct seen {
    unsigned count;
    rs_reader last;
};

static int see_reader(void *context, const rs_reader *reader)
{
    struct seen *seen = context;
    seen->count++;
    seen->last = *reader;
    return 0;
}

static int stop_at_once(void *context, const rs_reader *reader)
{
    (void)reader;
    ++*(unsigned *)context;
    return 42;
}

static struct seen readers_seen_by(rs_txn *txn)
{
    struct seen seen = {0};
    GIVES(0, rs_readers(txn, see_reader, &seen));
    return seen;
}

static void write_once(rs_store *store)
{
    static uint32_t number;
    rs_txn *txn = start_writing(store);
    set_number(txn, RS_HKLM, "Number", ++number);
    end_writing(txn);
}

static void readers_are_listed(void)
{
    rs_store *store = open_store();
    write_once(store);
    rs_txn *old = start_reading(store);
    CU_ASSERT_EQUAL(readers_seen_by(old).count, 0);
    write_once(store);
    write_once(store);
    rs_txn *new = start_reading(store);
    struct seen seen = readers_seen_by(new);
    CU_ASSERT_EQUAL(seen.count, 1);
    CU_ASSERT(seen.last.pid == (uint32_t)getpid() && seen.last.revision == 1);
    CU_ASSERT(seen.last.behind == 2 && seen.last.age > 0 && seen.last.held > 0);
    seen = readers_seen_by(old);
    CU_ASSERT(seen.count == 1 && seen.last.revision == 3 && seen.last.behind == 0);
    CU_ASSERT_EQUAL(seen.last.held, 0);
    rs_abort(old);
    CU_ASSERT_EQUAL(readers_seen_by(new).count, 0);
    GIVES(RS_EINVAL, rs_readers(new, NULL, NULL));
    rs_abort(new);
    rs_close(store);
}

/* As a shortened journal does it. */
static void commit_without_revision(rs_store *store)
{
    struct env_txn txn;
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_META, (struct slice){"other", 5}, (struct slice){"", 1}));
    SUCCEEDS(env_commit(&txn, NULL));
}

static void not_every_commit_is_a_revision(void)
{
    rs_store *store = open_store();
    write_once(store);
    rs_txn *old = start_reading(store);
    commit_without_revision(store);
    rs_txn *new = start_reading(store);
    CU_ASSERT_EQUAL(readers_seen_by(new).count, 1);
    CU_ASSERT_EQUAL(readers_seen_by(new).last.revision, 1);
    rs_abort(old);
    CU_ASSERT_EQUAL(readers_seen_by(new).count, 0);
    rs_txn *same = start_reading(store);
    CU_ASSERT_EQUAL(readers_seen_by(new).last.revision, 1);
    CU_ASSERT_EQUAL(readers_seen_by(new).last.behind, 0);
    rs_abort(same);
    rs_abort(new);
    rs_close(store);
}

/* A writer holds no snapshot, so none of those listed is its own. */
static void a_writer_sees_every_reader(void)
{
    unsigned calls = 0;
    rs_store *store = open_store();
    rs_txn *one = start_reading(store);
    rs_txn *two = start_reading(store);
    rs_txn *txn = start_writing(store);
    CU_ASSERT_EQUAL(readers_seen_by(txn).count, 2);
    CU_ASSERT_EQUAL(readers_seen_by(one).count, 1);
    GIVES(42, rs_readers(txn, stop_at_once, &calls));
    CU_ASSERT_EQUAL(calls, 1);
    rs_abort(txn);
    rs_abort(one);
    rs_abort(two);
    rs_close(store);
}

/* ---- No more room ---- */

#define PIECE ((size_t)4 << 20)

/* Sets a value; gives the status of what failed first, and RS_EINVAL if the commit tells another.
 */
static int set_piece(rs_store *store, rs_key key, unsigned number, const char *data)
{
    rs_txn *txn = NULL;
    char name[16];
    snprintf(name, sizeof name, "%u", number);
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = rs_set_binary(txn, key, name, data, PIECE);
    if (status == RS_OK) {
        return rs_commit(txn, NULL);
    }
    int again = rs_set_dword(txn, key, "Small", 1);
    return again == status && rs_commit(txn, NULL) == status ? status : RS_EINVAL;
}

/* Sets values, a revision each, until one fails; gives its status and how many are set. */
static int fill(rs_store *store, rs_key key, uint32_t *values)
{
    int status = RS_OK;
    char *data = calloc(1, PIECE);
    *values = 0;
    while (data != NULL && status == RS_OK && *values < 1000) {
        status = set_piece(store, key, *values, data);
        *values += status == RS_OK;
    }
    free(data);
    return status;
}

static int still_works(rs_store *store, rs_key key, uint32_t values)
{
    rs_txn *txn = NULL;
    rs_key_info info;
    if (rs_begin(store, RS_WRITE, &txn) != RS_OK || rs_key_info_get(txn, key, &info) != RS_OK ||
        info.values != values || rs_set_dword(txn, key, "After", 1) != RS_OK) {
        return 0;
    }
    return rs_commit(txn, NULL) == RS_OK;
}

/* With little address space the map is small, and full soon. */
static int fill_the_map(void *context)
{
    struct rlimit all;
    rs_store *store = NULL;
    rs_txn *txn = NULL;
    rs_key key;
    uint32_t values;
    if (getrlimit(RLIMIT_AS, &all) != 0) {
        return 1;
    }
    struct rlimit little = {(rlim_t)400 << 20, all.rlim_max};
    if (setrlimit(RLIMIT_AS, &little) != 0 || rs_open(context, RS_CREATE, &store, NULL) != RS_OK ||
        setrlimit(RLIMIT_AS, &all) != 0 || rs_begin(store, RS_WRITE, &txn) != RS_OK ||
        rs_key_create(txn, RS_HKLM, "A", &key) != RS_OK || rs_commit(txn, NULL) != RS_OK) {
        return 1;
    }
    if (fill(store, key, &values) != RS_EFULL || values == 0) {
        return 2;
    }
    return still_works(store, key, values) ? 0 : 3;
}

/* Not even the smallest map can be had. */
static int open_without_room(void *context)
{
    struct rlimit none;
    rs_store *store = NULL;
    if (getrlimit(RLIMIT_AS, &none) != 0) {
        return 1;
    }
    none.rlim_cur = (rlim_t)1 << 20;
    if (setrlimit(RLIMIT_AS, &none) != 0) {
        return 2;
    }
    return rs_open(context, 0, &store, NULL) == RS_ENOMEM ? 0 : 3;
}

static void a_store_without_room_for_its_map_is_refused(void)
{
    char dir[4096];
    if (SANITIZED) {
        test_skip("sanitizers need all the address space");
        return;
    }
    rs_close(open_store());
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    GIVES(0, in_child(open_without_room, dir));
}

static void a_full_store_says_so(void)
{
    char dir[4096];
    if (SANITIZED) {
        test_skip("sanitizers need all the address space");
        return;
    }
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    GIVES(0, in_child(fill_the_map, dir));
}

/* A file that may not grow stands for a disk that is full. */
static int fill_the_disk(void *context)
{
    struct rlimit limit = {(rlim_t)8 << 20, (rlim_t)8 << 20};
    rs_store *store = NULL;
    rs_txn *txn = NULL;
    rs_key key;
    signal(SIGXFSZ, SIG_IGN);
    if (rs_open(context, RS_CREATE, &store, NULL) != RS_OK ||
        rs_begin(store, RS_WRITE, &txn) != RS_OK ||
        rs_key_create(txn, RS_HKLM, "A", &key) != RS_OK || rs_commit(txn, NULL) != RS_OK ||
        setrlimit(RLIMIT_FSIZE, &limit) != 0 || rs_begin(store, RS_WRITE, &txn) != RS_OK) {
        return 1;
    }
    for (unsigned i = 0; i < 10; i++) {
        char name[16];
        char data[65536] = {0};
        snprintf(name, sizeof name, "%u", i);
        int status = rs_set_binary(txn, key, name, data, sizeof data);
        for (unsigned j = 0; status == RS_OK && j < 20; j++) {
            data[0]++;
            status = rs_set_binary(txn, key, name, data, sizeof data);
        }
        if (status != RS_OK) {
            return 2;
        }
    }
    int status = rs_commit(txn, NULL);
    if (status != RS_EDISK && status != RS_EIO) {
        return 3;
    }
    return still_works(store, key, 0) ? 0 : 4;
}

static void a_full_disk_leaves_the_last_revision(void)
{
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    GIVES(0, in_child(fill_the_disk, dir));
    rs_store *store = open_store();
    rs_txn *txn = start_reading(store);
    EQUAL_TEXT(values_of(txn, find_key(txn, "HKLM\\A")), "After");
    rs_abort(txn);
    rs_close(store);
}

static int note_lag(void *context, const rs_reader *reader)
{
    rs_reader *oldest = context;
    if (reader->behind >= oldest->behind) {
        *oldest = *reader;
    }
    return 0;
}

/* LMDB counts its transactions, of which some are no revision. */
static void no_reader_is_behind_by_more_than_there_is(void)
{
    rs_reader oldest = {0};
    struct env_txn other;
    rs_store *store = open_store();
    rs_txn *reader = start_reading(store);
    for (unsigned i = 0; i < 5; i++) {
        SUCCEEDS(env_begin(store->env, true, &other, NULL));
        SUCCEEDS(env_put(&other, TABLE_META, (struct slice){"other", 5}, (struct slice){"x", 1}));
        SUCCEEDS(env_commit(&other, NULL));
    }
    rs_txn *txn = start_writing(store);
    add_key(txn, "HKLM\\A");
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    txn = start_reading(store);
    SUCCEEDS(rs_readers(txn, note_lag, &oldest));
    CU_ASSERT(oldest.behind == 1 && oldest.revision == 0);
    rs_abort(txn);
    rs_abort(reader);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"two hundred snapshots stand side by side", two_hundred_snapshots_stand_side_by_side},
    {"more than 1024 readers are refused", more_than_1024_readers_are_refused},
    {"readers are listed", readers_are_listed},
    {"not every commit is a revision", not_every_commit_is_a_revision},
    {"a writer sees every reader", a_writer_sees_every_reader},
    {"a store without room for its map is refused", a_store_without_room_for_its_map_is_refused},
    {"a full store says so", a_full_store_says_so},
    {"a full disk leaves the last revision", a_full_disk_leaves_the_last_revision},
    {"no reader is behind by more than there is", no_reader_is_behind_by_more_than_there_is},
    {NULL, NULL},
};
const struct test_suite suite_store_limits = {"store_limits", cases};
