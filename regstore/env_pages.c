/*
 * env_pages.c - which pages of the data file are free.
 *
 * LMDB's table of free pages has a list for each transaction that gave some back: a count, then so
 * many page numbers, descending. Needs LMDB. A part of env.
 */
#include <stdlib.h>
#include <string.h>

#include "env_lmdb.h"

#define FIRST_PAGE 2u /* behind the meta pages */

static int add_free_page(struct env_pages *pages, size_t page, rs_error *why)
{
    if (page < FIRST_PAGE || page >= pages->end) {
        return fail(why, RS_EDAMAGED, "page %zu is listed as free, the last one is %llu", page,
                    (unsigned long long)pages->end - 1);
    }
    unsigned char bit = (unsigned char)(1u << (page & 7u));
    if (pages->free[page / 8] & bit) {
        return fail(why, RS_EDAMAGED, "page %zu is listed as free twice", page);
    }
    pages->free[page / 8] |= bit;
    pages->count++;
    return RS_OK;
}

static int add_free_list(struct env_pages *pages, MDB_val list, rs_error *why)
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

static int read_free_lists(struct env_txn *txn, uint64_t before, struct env_pages *pages,
                           rs_error *why)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val list;
    int rc = mdb_cursor_open(txn->mdb, ENV_FREE_TABLE, &cursor);
    if (rc != 0) {
        return env_status(rc);
    }
    int status = RS_OK;
    size_t last = 0;
    while (status == RS_OK && (rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        size_t number = 0;
        if (key.mv_size == sizeof number) {
            memcpy(&number, key.mv_data, sizeof number);
        }
        if (number <= last) {
            status = fail(why, RS_EDAMAGED, "the lists of free pages are in disorder");
        } else if (number < before) {
            status = add_free_list(pages, list, why);
        }
        last = number;
    }
    mdb_cursor_close(cursor);
    if (status == RS_OK && rc != MDB_NOTFOUND) {
        return fail(why, RS_EDAMAGED, "the lists of free pages: %s", mdb_strerror(rc));
    }
    return status;
}

int env_pages_read(struct env_txn *txn, uint64_t before, struct env_pages *pages, rs_error *why)
{
    *pages = (struct env_pages){.end = env_page_count(txn->env)};
    pages->free = calloc(pages->end / 8 + 1, 1);
    return pages->free != NULL ? read_free_lists(txn, before, pages, why) : RS_ENOMEM;
}

void env_pages_free(struct env_pages *pages)
{
    free(pages->free);
}

uint64_t env_pages_in_runs(const struct env_pages *pages, uint64_t run)
{
    uint64_t found = 0;
    uint64_t length = 0;
    for (uint64_t page = 0; page <= pages->end; page++) {
        if (page < pages->end && (pages->free[page / 8] & 1u << (page & 7u))) {
            length++;
            continue;
        }
        found += length - length % run;
        length = 0;
    }
    return found;
}

static int count_used_pages(struct env_txn *txn, uint64_t *used)
{
    MDB_dbi tables[TABLE_COUNT + 2] = {ENV_FREE_TABLE, ENV_MAIN_TABLE};
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
    struct env_pages pages = {0};
    int status = count_used_pages(txn, &used);
    if (status == RS_OK) {
        status = env_pages_read(txn, UINT64_MAX, &pages, why);
    }
    env_pages_free(&pages);
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
