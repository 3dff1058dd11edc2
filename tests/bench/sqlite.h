/*
 * sqlite.h - SQLite as a contender: WAL, synchronous=FULL, prepared statements.
 *
 * Keys and values are a table each, found by (parent, name) and (key, name) without regard to case;
 * a change also writes a line of a journal and the state. Needs SQLite and bench.
 */
#ifndef BENCH_SQLITE_H
#define BENCH_SQLITE_H

#include <sqlite3.h>

#include "bench.h"

enum sql_statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_CHILD,
    SQL_VALUE,
    SQL_SET,
    SQL_TOUCH,
    SQL_JOURNAL,
    SQL_STATE,
    SQL_LIST,
    SQL_STATEMENTS
};

struct sql {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
};

void sql_open(struct sql *sql, const char *file);
void sql_close(struct sql *sql);
/* Puts all data into a new file, in one transaction. */
void sql_load(struct sql *sql, const struct dataset *data);
/* A snapshot of its own: each name of the path, then the value. */
uint32_t sql_number(struct sql *sql, const struct probe *probe);
/* In one transaction: count of the probes' values from the first on, all set to a number. */
void sql_set(struct sql *sql, const struct probe *probes, size_t count, uint32_t number);
/* Reads the values of a key, in the order in which they were made; how many. */
size_t sql_list(struct sql *sql, uint32_t key, size_t *bytes);
/* Values in all. */
size_t sql_count(struct sql *sql);

#endif
