#include <string.h>

#include "sqlite.h"

/* It may map its file, too, and keep as much of it as it wants to. */
static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA mmap_size=1073741824;"
    "PRAGMA cache_size=-65536;"
    "CREATE TABLE IF NOT EXISTS keys(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL,"
    "  name TEXT NOT NULL COLLATE NOCASE, written INTEGER NOT NULL, UNIQUE(parent, name));"
    "CREATE TABLE IF NOT EXISTS vals(key INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE,"
    "  position INTEGER NOT NULL, type INTEGER NOT NULL, data BLOB NOT NULL,"
    "  PRIMARY KEY(key, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS journal(revision INTEGER PRIMARY KEY, change BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS state(one INTEGER PRIMARY KEY, revision INTEGER NOT NULL);"
    "INSERT OR IGNORE INTO state VALUES(1, 0);";

static const char *const texts[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_CHILD] = "SELECT id FROM keys WHERE parent=? AND name=?",
    [SQL_VALUE] = "SELECT data FROM vals WHERE key=? AND name=?",
    [SQL_SET] = "UPDATE vals SET data=? WHERE key=? AND name=?",
    [SQL_TOUCH] = "UPDATE keys SET written=? WHERE id=?",
    [SQL_JOURNAL] = "INSERT INTO journal(change) VALUES(zeroblob(?))",
    [SQL_STATE] = "UPDATE state SET revision=revision+1",
    [SQL_LIST] = "SELECT name, type, data FROM vals WHERE key=? ORDER BY position",
};

static void sql_need(struct sql *sql, bool holds, const char *what)
{
    if (!holds) {
        die("SQLite: %s: %s", what, sqlite3_errmsg(sql->db));
    }
}

static void execute(struct sql *sql, const char *text)
{
    sql_need(sql, sqlite3_exec(sql->db, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

/* SQLite goes on without what it cannot do. */
static void sql_must_have(struct sql *sql, const char *pragma, const char *wanted)
{
    sqlite3_stmt *statement;
    sql_need(sql, sqlite3_prepare_v2(sql->db, pragma, -1, &statement, NULL) == SQLITE_OK, pragma);
    sql_need(sql, sqlite3_step(statement) == SQLITE_ROW, pragma);
    const char *found = (const char *)sqlite3_column_text(statement, 0);
    if (found == NULL || strcmp(found, wanted) != 0) {
        die("SQLite: %s gives %s, not %s", pragma, found != NULL ? found : "nothing", wanted);
    }
    sqlite3_finalize(statement);
}

void sql_open(struct sql *sql, const char *file)
{
    sql_need(sql, sqlite3_open(file, &sql->db) == SQLITE_OK, file);
    execute(sql, schema);
    sql_must_have(sql, "PRAGMA journal_mode", "wal");
    sql_must_have(sql, "PRAGMA synchronous", "2");
    for (int i = 0; i < SQL_STATEMENTS; i++) {
        sql_need(sql,
                 sqlite3_prepare_v3(sql->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &sql->statements[i], NULL) == SQLITE_OK,
                 texts[i]);
    }
}

void sql_close(struct sql *sql)
{
    for (int i = 0; i < SQL_STATEMENTS; i++) {
        sqlite3_finalize(sql->statements[i]);
    }
    sql_need(sql, sqlite3_close(sql->db) == SQLITE_OK, "cannot be closed");
}

/* Runs a statement that gives nothing. */
static void run(struct sql *sql, sqlite3_stmt *statement)
{
    sql_need(sql, sqlite3_step(statement) == SQLITE_DONE, sqlite3_sql(statement));
    sqlite3_reset(statement);
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* ---- Loading ---- */

static void load_key(struct sql *sql, const struct dataset *data, uint32_t index,
                     sqlite3_stmt *key_in, sqlite3_stmt *value_in)
{
    const struct data_key *key = &data->keys[index];
    sqlite3_bind_int64(key_in, 1, index);
    sqlite3_bind_int64(key_in, 2, key->parent);
    bind_text(key_in, 3, key->name);
    run(sql, key_in);
    for (uint32_t i = 0; i < key->values; i++) {
        const struct data_value *value = &data->values[key->first_value + i];
        sqlite3_bind_int64(value_in, 1, index);
        bind_text(value_in, 2, value->name);
        sqlite3_bind_int64(value_in, 3, i);
        sqlite3_bind_int64(value_in, 4, value->type);
        sqlite3_bind_blob(value_in, 5, value->data, (int)value->size, SQLITE_STATIC);
        run(sql, value_in);
    }
}

void sql_load(struct sql *sql, const struct dataset *data)
{
    sqlite3_stmt *key_in;
    sqlite3_stmt *value_in;
    sql_need(sql,
             sqlite3_prepare_v2(sql->db, "INSERT INTO keys VALUES(?,?,?,0)", -1, &key_in, NULL) ==
                     SQLITE_OK &&
                 sqlite3_prepare_v2(sql->db, "INSERT INTO vals VALUES(?,?,?,?,?)", -1, &value_in,
                                    NULL) == SQLITE_OK,
             "cannot load");
    execute(sql, "BEGIN");
    for (uint32_t key = data_next(data, 0); key != 0; key = data_next(data, key)) {
        load_key(sql, data, key, key_in, value_in);
    }
    execute(sql, "COMMIT");
    sqlite3_finalize(key_in);
    sqlite3_finalize(value_in);
}

/* ---- Reading ---- */

static int64_t child(struct sql *sql, int64_t parent, const char *name)
{
    sqlite3_stmt *statement = sql->statements[SQL_CHILD];
    sqlite3_bind_int64(statement, 1, parent);
    bind_text(statement, 2, name);
    sql_need(sql, sqlite3_step(statement) == SQLITE_ROW, "no such key");
    int64_t id = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return id;
}

uint32_t sql_number(struct sql *sql, const struct probe *probe)
{
    sqlite3_stmt *statement = sql->statements[SQL_VALUE];
    int64_t id = 0;
    uint32_t number = 0;
    run(sql, sql->statements[SQL_BEGIN]);
    for (unsigned i = 0; i < probe->depth; i++) {
        id = child(sql, id, probe->parts[i]);
    }
    sqlite3_bind_int64(statement, 1, id);
    bind_text(statement, 2, probe->name);
    sql_need(sql, sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == 4,
             "no such number");
    memcpy(&number, sqlite3_column_blob(statement, 0), sizeof number);
    sqlite3_reset(statement);
    run(sql, sql->statements[SQL_COMMIT]);
    return number;
}

size_t sql_list(struct sql *sql, uint32_t key, size_t *bytes)
{
    sqlite3_stmt *statement = sql->statements[SQL_LIST];
    size_t count = 0;
    sqlite3_bind_int64(statement, 1, key);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        sqlite3_column_text(statement, 0);
        sqlite3_column_int64(statement, 1);
        sqlite3_column_blob(statement, 2);
        *bytes += (size_t)sqlite3_column_bytes(statement, 0);
        *bytes += (size_t)sqlite3_column_bytes(statement, 2);
        count++;
    }
    sqlite3_reset(statement);
    return count;
}

size_t sql_count(struct sql *sql)
{
    sqlite3_stmt *statement;
    sql_need(sql,
             sqlite3_prepare_v2(sql->db, "SELECT count(*) FROM vals", -1, &statement, NULL) ==
                     SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW,
             "cannot count");
    size_t count = (size_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

/* ---- Changing ---- */

void sql_set(struct sql *sql, const struct probe *probes, size_t count, uint32_t number)
{
    sqlite3_stmt *const *statements = sql->statements;
    run(sql, statements[SQL_BEGIN]);
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_blob(statements[SQL_SET], 1, &number, sizeof number, SQLITE_STATIC);
        sqlite3_bind_int64(statements[SQL_SET], 2, probes[i].key);
        bind_text(statements[SQL_SET], 3, probes[i].name);
        run(sql, statements[SQL_SET]);
        sqlite3_bind_int64(statements[SQL_TOUCH], 1, number);
        sqlite3_bind_int64(statements[SQL_TOUCH], 2, probes[i].key);
        run(sql, statements[SQL_TOUCH]);
    }
    sqlite3_bind_int64(statements[SQL_JOURNAL], 1, (sqlite3_int64)(100 + 150 * count));
    run(sql, statements[SQL_JOURNAL]);
    run(sql, statements[SQL_STATE]);
    run(sql, statements[SQL_COMMIT]);
}
