/*
 * test_env_length.c - a data file that ends early: cut short, or only not written to its end?
 */
#include <sys/stat.h>
#include <unistd.h>

#include "stores.h"
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
    {"a free tail can be missing", free_tail_can_be_missing},
    {"a used tail is damage", used_tail_is_damage},
    {"the file is longer than needed", file_is_longer_than_needed},
    {NULL, NULL},
};
const struct test_suite suite_env_length = {"env_length", cases};
