#include <stdlib.h>
#include <string.h>

#include "env_lmdb.h"

/* LMDB's own two tables. The first one's records are lists of free pages: a count, then so many
 * page numbers, descending. */
#define FREE_TABLE 0u
#define MAIN_TABLE 1u
#define FIRST_PAGE 2u /* behind the meta pages */

struct free_pages {
    uint64_t end;        /* behind the last page */
    uint64_t count;      /* free ones so far */
    unsigned char *seen; /* a bit for each page */
};

static int add_free_page(struct free_pages *pages, size_t page, rs_error *why)
{
    if (page < FIRST_PAGE || page >= pages->end) {
        return fail(why, RS_EDAMAGED, "page %zu is listed as free, the last one is %llu", page,
                    (unsigned long long)pages->end - 1);
    }
    unsigned char bit = (unsigned char)(1u << (page & 7u));
    if (pages->seen[page / 8] & bit) {
        return fail(why, RS_EDAMAGED, "page %zu is listed as free twice", page);
    }
    pages->seen[page / 8] |= bit;
    pages->count++;
    return RS_OK;
}

static int add_free_list(struct free_pages *pages, MDB_val list, rs_error *why)
{
    size_t count = 0;
    size_t page;
    if (list.mv_size >= sizeof count) {
        memcpy(&count, list.mv_data, sizeof count);
    }
    if (list.mv_size < sizeof count || count > list.mv_size / sizeof page - 1) {
        return fail(why, RS_EDAMAGED, "a list of free pages ends too early");
    }
    int status = RS_OK;
    for (size_t i = 1; status == RS_OK && i <= count; i++) {
        memcpy(&page, (const char *)list.mv_data + i * sizeof page, sizeof page);
        status = add_free_page(pages, page, why);
    }
    return status;
}

static int read_free_lists(struct env_txn *txn, struct free_pages *pages, rs_error *why)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val list;
    int rc = mdb_cursor_open(txn->mdb, FREE_TABLE, &cursor);
    if (rc != 0) {
        return env_status(rc);
    }
    int status = RS_OK;
    size_t before = 0;
    while (status == RS_OK && (rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        size_t number = 0;
        if (key.mv_size == sizeof number) {
            memcpy(&number, key.mv_data, sizeof number);
        }
        status = number > before
                     ? add_free_list(pages, list, why)
                     : fail(why, RS_EDAMAGED, "the lists of free pages are in disorder");
        before = number;
    }
    mdb_cursor_close(cursor);
    if (status == RS_OK && rc != MDB_NOTFOUND) {
        return fail(why, RS_EDAMAGED, "the lists of free pages: %s", mdb_strerror(rc));
    }
    return status;
}

static int count_used_pages(struct env_txn *txn, uint64_t *used)
{
    MDB_dbi tables[TABLE_COUNT + 2] = {FREE_TABLE, MAIN_TABLE};
    memcpy(tables + 2, txn->env->tables, sizeof txn->env->tables);
    *used = FIRST_PAGE;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        MDB_stat stat;
        int rc = mdb_stat(txn->mdb, tables[i], &stat);
        if (rc != 0) {
            return env_status(rc);
        }
        *used += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    }
    return RS_OK;
}

int env_check_pages(struct env_txn *txn, rs_error *why)
{
    uint64_t used;
    struct free_pages pages = {.end = env_page_count(txn->env)};
    int status = count_used_pages(txn, &used);
    if (status != RS_OK) {
        return status;
    }
    pages.seen = calloc(pages.end / 8 + 1, 1);
    if (pages.seen == NULL) {
        return RS_ENOMEM;
    }
    status = read_free_lists(txn, &pages, why);
    free(pages.seen);
    /* Later commits may have added pages, so there may be more than the snapshot knows of. */
    if (status == RS_OK && used + pages.count > pages.end) {
        return fail(why, RS_EDAMAGED, "%llu pages are in use and %llu free, of %llu",
                    (unsigned long long)used, (unsigned long long)pages.count,
                    (unsigned long long)pages.end);
    }
    return status;
}

int env_entries(struct env_txn *txn, enum env_table table, uint64_t *count)
{
    MDB_stat stat;
    int rc = mdb_stat(txn->mdb, txn->env->tables[table], &stat);
    if (rc != 0) {
        return env_status(rc);
    }
    *count = stat.ms_entries;
    return RS_OK;
}
