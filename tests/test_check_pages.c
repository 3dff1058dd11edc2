/*
 * test_check_pages.c - LMDB's own lists of free pages, damaged in the file: rs_check() tells.
 *
 * The lists are found by LMDB 0.9's layout on a 64-bit machine: a meta page names the root of the
 * table of free pages, which in a small store is a leaf. Its records are a count and page numbers.
 */
#include "stores.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE = 4096, FREE_ROOT = 80, LAST_PAGE = 136, TXN_NUMBER = 144 };
enum { LOWER = 12, FIRST_ENTRY = 16, NODE_FLAGS = 4, NODE_KEY = 8 };

static uint64_t number_at(int fd, off_t at, size_t size)
{
    uint64_t number = 0;
    CU_ASSERT_EQUAL_FATAL(pread(fd, &number, size, at), (ssize_t)size);
    return number;
}

static void write_at(int fd, off_t at, uint64_t number)
{
    CU_ASSERT_EQUAL_FATAL(pwrite(fd, &number, sizeof number, at), (ssize_t)sizeof number);
}

/* Where the meta page of the latest transaction is. */
static off_t latest_meta(int fd)
{
    return number_at(fd, TXN_NUMBER, 8) > number_at(fd, PAGE + TXN_NUMBER, 8) ? 0 : PAGE;
}

/* Where a list of at least two pages begins, and its key, the number of a transaction. */
static off_t find_list(int fd, off_t *key)
{
    off_t page = (off_t)number_at(fd, latest_meta(fd) + FREE_ROOT, 8) * PAGE;
    off_t end = page + (off_t)number_at(fd, page + LOWER, 2);
    for (off_t entry = page + FIRST_ENTRY; entry < end; entry += 2) {
        off_t node = page + (off_t)number_at(fd, entry, 2);
        *key = node + NODE_KEY;
        if (number_at(fd, node + NODE_FLAGS, 2) == 0 && number_at(fd, *key + 8, 8) >= 2) {
            return *key + 8;
        }
    }
    CU_FAIL_FATAL("no list of two free pages");
    return 0;
}

static int on_damage(void *context, const rs_damage *damage)
{
    snprintf(context, RS_ERROR_TEXT_MAX, "%s", damage->text);
    return 1;
}

/* The first damage that is found, "" if there is none. */
static void expect_first(const char *text)
{
    char found[RS_ERROR_TEXT_MAX] = "";
    rs_check_options options = {.damage = on_damage, .context = found};
    rs_check_report report;
    rs_store *store = open_store();
    rs_txn *txn = start_reading(store);
    GIVES(*text != '\0' ? RS_ECANCELLED : RS_OK, rs_check(txn, &options, &report));
    rs_abort(txn);
    rs_close(store);
    if (*text == '\0' ? *found != '\0' : strstr(found, text) == NULL) {
        fprintf(stderr, "found \"%s\", expected \"%s\"\n", found, text);
        CU_FAIL("another damage");
    }
}

static void make_free_pages(void)
{
    rs_store *store = open_store();
    for (uint32_t i = 0; i < 10; i++) {
        rs_txn *txn = start_writing(store);
        set_number(txn, add_key(txn, "HKLM\\A"), "n", i);
        end_writing(txn);
    }
    rs_close(store);
}

static void test_lists_of_free_pages(void)
{
    off_t key = 0;
    make_free_pages();
    int fd = open(scratch_path("store/data.mdb"), O_RDWR | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    off_t list = find_list(fd, &key);
    const struct {
        off_t at;
        uint64_t number;
        const char *text;
    } damages[] = {
        {list + 8, number_at(fd, list + 16, 8), "is listed as free twice"},
        {list + 8, 1, "page 1 is listed as free, the last one is"},
        {list + 8, UINT64_C(1) << 40, "page 1099511627776 is listed as free, the last one is"},
        {list, UINT64_C(1) << 40, "a list of free pages ends too early"},
        {key, 0, "the lists of free pages are in disorder"},
    };
    expect_first("");
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        uint64_t before = number_at(fd, damages[i].at, 8);
        write_at(fd, damages[i].at, damages[i].number);
        expect_first(damages[i].text);
        write_at(fd, damages[i].at, before);
    }
    expect_first("");
    close(fd);
}

/* ---- A file cut short, and lists that say anything ---- */

static int status_of_opening(void)
{
    rs_store *store = NULL;
    int status = rs_open(scratch_path("store"), 0, &store, NULL);
    rs_close(store);
    return status;
}

/* A file that ends before the last page of which the lists tell is believed only if they are in
 * order; whatever byte of the lists' page is another, it is looked at and found good or damaged. */
static void test_wrong_lists_of_a_short_file(void)
{
    static const unsigned char flips[] = {0x01, 0x10, 0x80, 0xff};
    unsigned damaged = 0;
    off_t key = 0;
    make_free_pages();
    int fd = open(scratch_path("store/data.mdb"), O_RDWR | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    off_t list = find_list(fd, &key);
    off_t page = list / PAGE * PAGE;
    off_t last = (off_t)number_at(fd, latest_meta(fd) + LAST_PAGE, 8);
    CU_ASSERT_EQUAL_FATAL(ftruncate(fd, last * PAGE), 0);
    for (off_t at = page; at < list + 32; at += at == page + 63 ? list - page - 128 : 1) {
        for (size_t i = 0; i < sizeof flips; i++) {
            unsigned char byte = (unsigned char)number_at(fd, at, 1);
            unsigned char other = byte ^ flips[i];
            CU_ASSERT_EQUAL_FATAL(pwrite(fd, &other, 1, at), 1);
            int status = status_of_opening();
            CU_ASSERT(status == RS_OK || status == RS_EDAMAGED);
            damaged += status == RS_EDAMAGED;
            CU_ASSERT_EQUAL_FATAL(pwrite(fd, &byte, 1, at), 1);
        }
    }
    CU_ASSERT(damaged > 0);
    close(fd);
}

static const struct test_case cases[] = {
    {"lists of free pages", test_lists_of_free_pages},
    {"wrong lists of a short file", test_wrong_lists_of_a_short_file},
    {NULL, NULL},
};
const struct test_suite suite_check_pages = {"check_pages", cases};
