/*
 * test_env_length.c - a data file that ends early: cut short, or only not written to its end?
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stores.h"
#include "../regstore/env_check.h"
#include "../regstore/env_layout.h"
#include "../regstore/env_lmdb.h"

#define BIG ((size_t)1 << 20)
#define PAGE 4096
#define RESERVE ((off_t)1 << 20) /* at least; at most a quarter more */

static off_t data_size(void)
{
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(scratch_path("store/data.mdb"), &st), 0);
    return st.st_size;
}

static void cut(off_t size)
{
    CU_ASSERT_EQUAL_FATAL(truncate(scratch_path("store/data.mdb"), size), 0);
}

static void set_big(rs_txn *txn, rs_key key, const char *name)
{
    static char data[BIG];
    SUCCEEDS(rs_value_set(txn, key, name, REG_BINARY, data, sizeof data));
}

/* A store with a few keys. In its last transaction a big value came and went: pages at the end of
 * the file are free and need not have been written. The small ones before it leave free pages at
 * the beginning, where the last transaction finds room for all else. */
static void make_store_with_free_tail(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    for (uint32_t i = 0; i < 20; i++) {
        set_number(txn, key, "n", 26 - i);
        end_writing(txn);
        txn = start_writing(store);
    }
    rs_key passing = add_key(txn, "HKLM\\B"); /* the journal does not keep what is in a new key */
    set_number(txn, key, "m", 8);
    set_big(txn, passing, "big");
    SUCCEEDS(rs_value_delete(txn, passing, "big"));
    end_writing(txn);
    rs_close(store);
}

/* Opens the store, reads all of it and writes; gives the status of opening. */
static int use_store(void)
{
    rs_store *store;
    int status = rs_open(scratch_path("store"), 0, &store, NULL);
    if (status != RS_OK) {
        return status;
    }
    rs_txn *txn = start_writing(store);
    rs_key key = find_key(txn, "HKLM\\A");
    CU_ASSERT_EQUAL(number_of(txn, key, "n"), 7);
    CU_ASSERT_EQUAL(number_of(txn, key, "m"), 8);
    set_big(txn, key, "big");
    end_writing(txn);
    rs_close(store);
    return RS_OK;
}

static int use_in_child(void *context)
{
    (void)context;
    rs_store *store;
    rs_txn *txn;
    rs_key key;
    uint32_t number;
    if (rs_open(scratch_path("store"), 0, &store, NULL) != RS_OK) {
        return 1;
    }
    bool read = rs_begin(store, RS_READ, &txn) == RS_OK &&
                rs_key_open(txn, RS_HKLM, "A", &key) == RS_OK &&
                rs_get_dword(txn, key, "n", &number) == RS_OK && number == 7 &&
                rs_get_dword(txn, key, "m", &number) == RS_OK && number == 8;
    return read ? 0 : 2;
}

/* From all pages to none: first what is missing is free, then it is not. Never is it read. */
static void every_cut_is_whole_or_damaged(void)
{
    make_store_with_free_tail();
    bool damaged = false;
    int whole = 0;
    for (off_t size = data_size() / PAGE * PAGE; size >= 3 * PAGE; size -= PAGE) {
        cut(size);
        int result = in_child(use_in_child, NULL);
        CU_ASSERT(result == (damaged ? 1 : 0) || (!damaged && result == 1));
        damaged = result != 0;
        whole += !damaged;
        if (damaged) {
            CU_ASSERT_EQUAL(data_size(), size); /* it has not been made to look whole */
        }
    }
    CU_ASSERT(whole > 1);
    CU_ASSERT(damaged);
}

/* A store whose lists of free pages fill some pages of their own: a reader kept everything for a
 * while. The last transactions find room at the beginning for all that they write, the root of
 * those pages too. */
static void make_store_with_many_free_lists(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    set_number(txn, key, "m", 8);
    end_writing(txn);
    rs_txn *reader = start_reading(store);
    for (uint32_t i = 0; i < 220; i++) {
        txn = start_writing(store);
        set_number(txn, key, "n", 226 - i);
        end_writing(txn);
        if (i == 215) {
            rs_abort(reader);
        }
    }
    rs_close(store);
}

static off_t written_size(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_reading(store);
    off_t size = (off_t)(env_page_count(store->env) * PAGE);
    rs_abort(txn);
    rs_close(store);
    return size;
}

/* Whoever only reads changes nothing, least of all the length that tells of the damage. */
static void lists_of_free_pages_can_be_cut_off(void)
{
    make_store_with_many_free_lists();
    for (off_t size = written_size() - PAGE; size >= 3 * PAGE; size -= 9 * PAGE) {
        cut(size);
        int result = in_child(use_in_child, NULL);
        CU_ASSERT(result == 0 || result == 1);
        CU_ASSERT_EQUAL(data_size(), size);
    }
}

/* ---- Lists of free pages that are damaged ---- */

/* A whole file that lacks free pages at its end, and the table that tells so. */
struct lists {
    int fd;
    uint64_t snapshot;
    size_t root;
    size_t leaf; /* the first one below the root */
    size_t node; /* where its first node is, and the data of that */
    size_t data;
};

static void read_at(const struct lists *lists, size_t at, void *bytes, size_t size)
{
    CU_ASSERT_EQUAL_FATAL(pread(lists->fd, bytes, size, (off_t)at), (ssize_t)size);
}

static void write_at(const struct lists *lists, size_t at, const void *bytes, size_t size)
{
    CU_ASSERT_EQUAL_FATAL(pwrite(lists->fd, bytes, size, (off_t)at), (ssize_t)size);
}

static size_t first_node(const struct lists *lists, size_t page, struct lmdb_node *node)
{
    uint16_t offset;
    read_at(lists, page * PAGE + sizeof(struct lmdb_page), &offset, sizeof offset);
    read_at(lists, page * PAGE + offset, node, sizeof *node);
    return page * PAGE + offset;
}

/* One page more belongs to the file, and the first list says that it is free. */
static void add_free_page(const struct lists *lists, struct lmdb_meta_page meta)
{
    meta.last_page++;
    write_at(lists, (lists->snapshot & 1) * PAGE, &meta, sizeof meta);
    write_at(lists, lists->data + sizeof(size_t), &meta.last_page, sizeof meta.last_page);
    CU_ASSERT_EQUAL_FATAL(ftruncate(lists->fd, (off_t)(meta.last_page * PAGE)), 0);
}

static struct lists open_lists(void)
{
    struct lists lists = {.fd = open(scratch_path("store/data.mdb"), O_RDWR)};
    struct lmdb_meta_page metas[2];
    struct lmdb_page head;
    struct lmdb_node node;
    read_at(&lists, 0, &metas[0], sizeof metas[0]);
    read_at(&lists, PAGE, &metas[1], sizeof metas[1]);
    const struct lmdb_meta_page *meta = &metas[metas[1].txn_number > metas[0].txn_number];
    lists.snapshot = meta->txn_number;
    lists.root = meta->dbs[0].root;
    read_at(&lists, lists.root * PAGE, &head, sizeof head);
    CU_ASSERT_EQUAL_FATAL(head.flags, LMDB_BRANCH);
    first_node(&lists, lists.root, &node);
    lists.leaf = node.low;
    lists.node = first_node(&lists, lists.leaf, &node);
    lists.data = lists.node + sizeof node + node.key_size;
    CU_ASSERT_EQUAL_FATAL(node.flags, 0);
    add_free_page(&lists, *meta);
    return lists;
}

/* Bytes at a place are others for a moment: nobody can tell then, and nobody crashes. */
static void expect_damage(const struct lists *lists, size_t at, const void *bytes, size_t size)
{
    char before[64];
    read_at(lists, at, before, size);
    write_at(lists, at, bytes, size);
    CU_ASSERT_EQUAL(env_check_tail(lists->fd, PAGE, lists->snapshot), RS_EDAMAGED);
    write_at(lists, at, before, size);
}

static void expect_damage16(const struct lists *lists, size_t at, uint16_t number)
{
    expect_damage(lists, at, &number, sizeof number);
}

/* The first list says that it is on pages of its own, from this one on. */
static void expect_damage_of_big(const struct lists *lists, size_t page)
{
    uint16_t flags = LMDB_BIG;
    uint16_t none = 0;
    size_t at = lists->node + offsetof(struct lmdb_node, flags);
    write_at(lists, at, &flags, sizeof flags);
    expect_damage(lists, lists->data, &page, sizeof page);
    write_at(lists, at, &none, sizeof none);
}

static void damaged_lists_tell_nothing(void)
{
    static const uint16_t lowers[] = {0, 15, PAGE + 1, 0xffff};
    static const uint16_t offsets[] = {0, 15, PAGE - 7, 0xffff};
    make_store_with_many_free_lists();
    struct lists lists = open_lists();
    const size_t pages[] = {lists.root * PAGE, lists.leaf * PAGE};
    CU_ASSERT_EQUAL(env_check_tail(lists.fd, PAGE, lists.snapshot), RS_OK);
    CU_ASSERT_EQUAL(env_check_tail(lists.fd, PAGE, lists.snapshot - 2), RS_EBUSY);
    for (size_t i = 0; i < 8; i++) {
        size_t page = pages[i / 4];
        expect_damage16(&lists, page + offsetof(struct lmdb_page, lower), lowers[i % 4]);
        expect_damage16(&lists, page + sizeof(struct lmdb_page), offsets[i % 4]);
        expect_damage16(&lists, page + offsetof(struct lmdb_page, flags), (uint16_t)(i % 4 + 3));
        expect_damage16(&lists, page, 1); /* its number */
    }
    size_t root_node = first_node(&lists, lists.root, &(struct lmdb_node){0});
    expect_damage16(&lists, root_node, (uint16_t)lists.root); /* a circle */
    expect_damage16(&lists, root_node, 1);
    expect_damage16(&lists, root_node, 0xffff);
    expect_damage16(&lists, lists.node, 7);      /* the list's size */
    expect_damage16(&lists, lists.node, 0xffff); /* goes beyond the page */
    expect_damage16(&lists, lists.node + offsetof(struct lmdb_node, key_size), 0xffff);
    expect_damage(&lists, lists.data, &(uint64_t){1000}, 8); /* its count */
    expect_damage_of_big(&lists, lists.leaf);
    expect_damage_of_big(&lists, 1);
    expect_damage_of_big(&lists, (size_t)1 << 50);
    close(lists.fd);
}

static void free_tail_can_be_missing(void)
{
    make_store_with_free_tail();
    cut((off_t)(BIG / 2));
    CU_ASSERT_EQUAL(use_store(), RS_OK);
    CU_ASSERT_EQUAL(use_store(), RS_OK);
}

static void used_tail_is_damage(void)
{
    make_store_with_free_tail();
    CU_ASSERT_EQUAL(use_store(), RS_OK); /* the big value is there now */
    cut((off_t)(BIG / 2));
    CU_ASSERT_EQUAL(use_store(), RS_EDAMAGED);
    CU_ASSERT_EQUAL(use_store(), RS_EDAMAGED);
}

/* Who opens only to read leaves the file as it is. */
static void a_reader_finds_the_same_damage(void)
{
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    make_store_with_free_tail();
    CU_ASSERT_EQUAL(use_store(), RS_OK);
    cut((off_t)(BIG / 2));
    GIVES(RS_EDAMAGED, rs_open(scratch_path("store"), RS_READONLY, &store, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cut short"));
    CU_ASSERT_EQUAL(data_size(), (off_t)(BIG / 2));
}

/* Pages that a transaction took and gave back are counted, but not written. */
static void a_commit_keeps_the_file_as_long_as_its_pages(void)
{
    static char data[BIG];
    const struct slice small = {"small", 5};
    const struct slice big = {"big", 3};
    struct env_txn txn;
    make_store_with_free_tail();
    rs_store *store = open_store();
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_META, small, small));
    SUCCEEDS(env_put(&txn, TABLE_META, big, (struct slice){data, sizeof data}));
    SUCCEEDS(env_delete(&txn, TABLE_META, big));
    cut((off_t)(BIG / 2));
    SUCCEEDS(env_commit(&txn, NULL));
    CU_ASSERT(data_size() >= (off_t)BIG);
    rs_close(store);
    CU_ASSERT_EQUAL(use_store(), RS_OK);
}

/* ---- Free pages on a full disk ---- */

#define DELETED ((size_t)4 << 20)
#define ADDED ((size_t)400000)

static int set_in(rs_store *store, rs_key key, const char *name, size_t size)
{
    static char data[DELETED];
    rs_txn *txn;
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = size > 0 ? rs_value_set(txn, key, name, REG_BINARY, data, size)
                      : rs_value_delete(txn, key, name);
    if (status != RS_OK) {
        rs_abort(txn);
        return status;
    }
    return rs_commit(txn, NULL);
}

/* The file may not grow from here on, as on a full disk. */
static bool stop_growth(void)
{
    struct stat st;
    bool found = stat(scratch_path("store/data.mdb"), &st) == 0;
    struct rlimit limit = {(rlim_t)st.st_size, (rlim_t)st.st_size};
    return found && signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

static int add_beside_reader(void *context)
{
    rs_store *store;
    rs_txn *reader;
    rs_key key;
    (void)context;
    if (rs_open(scratch_path("store"), 0, &store, NULL) != RS_OK ||
        rs_begin(store, RS_READ, &reader) != RS_OK ||
        rs_key_open(reader, RS_HKLM, "A", &key) != RS_OK ||
        set_in(store, key, "deleted", 0) != RS_OK || set_in(store, key, "small", 1) != RS_OK ||
        !stop_growth()) { /* what the latest commit freed is not used by the next */
        return 1;
    }
    if (set_in(store, key, "added", ADDED) == RS_OK) {
        return 2;
    }
    rs_abort(reader);
    return set_in(store, key, "added", ADDED) == RS_OK ? 0 : 3;
}

/* What a reader still sees is no room for what is added. */
static void pages_that_a_reader_sees_are_not_free(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    end_writing(txn);
    SUCCEEDS(set_in(store, key, "deleted", DELETED));
    rs_close(store);
    GIVES(0, in_child(add_beside_reader, NULL));
    store = open_store();
    txn = start_reading(store);
    EQUAL_TEXT(values_of(txn, key), "small,added");
    rs_abort(txn);
    rs_close(store);
}

static void file_is_longer_than_needed(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_stat stat = stat_of(txn);
    CU_ASSERT(stat.file_size >= stat.used_size + (uint64_t)RESERVE);
    rs_abort(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"every cut is whole or damaged", every_cut_is_whole_or_damaged},
    {"lists of free pages can be cut off", lists_of_free_pages_can_be_cut_off},
    {"damaged lists tell nothing", damaged_lists_tell_nothing},
    {"a free tail can be missing", free_tail_can_be_missing},
    {"a used tail is damage", used_tail_is_damage},
    {"a reader finds the same damage", a_reader_finds_the_same_damage},
    {"a commit keeps the file as long as its pages", a_commit_keeps_the_file_as_long_as_its_pages},
    {"pages that a reader sees are not free", pages_that_a_reader_sees_are_not_free},
    {"the file is longer than needed", file_is_longer_than_needed},
    {NULL, NULL},
};
const struct test_suite suite_env_length = {"env_length", cases};
