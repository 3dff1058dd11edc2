/*
 * stores.c - the benchmark's stores and directories.
 *
 * regstore's store is made through its public interface, with keys in the order of an import. Raw
 * LMDB gets a copy of the file. Needs bench and SQLite's contender.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite.h"

#define KEYS_A_COMMIT 50000u /* so that what LMDB holds in memory stays bounded */

/* ---- Directories ---- */

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void remove_tree(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *bench_path(const struct bench *bench, const char *name)
{
    static char paths[16][4096];
    static unsigned next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", bench->dir, name);
    return path;
}

static void copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t copied;
    if (in < 0 || out < 0) {
        die("%s: %s", in < 0 ? from : to, strerror(errno));
    }
    while ((copied = sendfile(out, in, NULL, (size_t)1 << 30)) > 0) {
        ;
    }
    if (copied < 0 || fsync(out) != 0) {
        die("%s: cannot be copied: %s", from, strerror(errno));
    }
    close(in);
    close(out);
}

void store_copy(const char *from, const char *to)
{
    char source[4200];
    char target[4200];
    if (mkdir(to, 0750) != 0) {
        die("%s: %s", to, strerror(errno));
    }
    snprintf(source, sizeof source, "%s/data.mdb", from);
    snprintf(target, sizeof target, "%s/data.mdb", to);
    copy_file(source, target);
}

/* ---- regstore's store ---- */

struct making {
    rs_store *store;
    rs_txn *txn;
    struct dataset *data;
    unsigned in_commit;
};

static void make_key(struct making *making, uint32_t index)
{
    struct data_key *key = &making->data->keys[index];
    need(rs_key_create_n(making->txn, making->data->keys[key->parent].id, key->name, RS_NTS, 0,
                         &key->id, NULL),
         key->name);
    for (uint32_t i = 0; i < key->values; i++) {
        const struct data_value *value = &making->data->values[key->first_value + i];
        need(rs_value_set(making->txn, key->id, value->name, value->type, value->data, value->size),
             value->name);
    }
}

static void commit_some(struct making *making)
{
    if (++making->in_commit == KEYS_A_COMMIT) {
        making->in_commit = 0;
        need(rs_commit(making->txn, NULL), "commit");
        need(rs_begin(making->store, RS_WRITE, &making->txn), "begin");
    }
}

static void check_counts(rs_store *store, const struct dataset *data)
{
    rs_txn *txn;
    rs_stat stat;
    need(rs_begin(store, RS_READ, &txn), "begin");
    need(rs_stat_get(txn, &stat), "stat");
    rs_abort(txn);
    if (stat.keys != data->key_count - 1 || stat.values != data->value_count) {
        die("the store has %llu keys and %llu values, the data %zu and %zu",
            (unsigned long long)stat.keys, (unsigned long long)stat.values, data->key_count - 1,
            data->value_count);
    }
}

void store_make(const char *dir, struct dataset *data)
{
    struct making making = {.data = data};
    rs_error error = RS_ERROR_INIT;
    if (rs_open(dir, RS_CREATE, &making.store, &error) != RS_OK) {
        die("%s", error.text);
    }
    need(rs_begin(making.store, RS_WRITE, &making.txn), "begin");
    data->keys[0].id = RS_HKLM;
    for (uint32_t key = data_next(data, 0); key != 0; key = data_next(data, key)) {
        make_key(&making, key);
        commit_some(&making);
    }
    need(rs_commit(making.txn, NULL), "commit");
    check_counts(making.store, data);
    rs_close(making.store);
}

/* ---- The rules that ship ---- */

static void import_all(rs_txn *txn, const glob_t *files)
{
    rs_import_report report;
    rs_error error = RS_ERROR_INIT;
    for (size_t i = 0; i < files->gl_pathc; i++) {
        if (rs_import(txn, files->gl_pathv[i], NULL, &report, &error) != RS_OK) {
            die("%s", error.text);
        }
    }
}

bool store_import_rules(const char *dir)
{
    glob_t files;
    rs_txn *txn;
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    if (glob(SHIPPED_RULES, 0, NULL, &files) != 0) {
        return false;
    }
    if (rs_open(dir, 0, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    need(rs_begin(store, RS_WRITE, &txn), "begin");
    import_all(txn, &files);
    need(rs_commit(txn, NULL), "commit");
    rs_close(store);
    globfree(&files);
    return true;
}

/* ---- The run's own ---- */

const struct dataset *bench_data(struct bench *bench)
{
    if (bench->data == NULL) {
        bench->data = data_make(bench->options.keys);
    }
    return bench->data;
}

static void make_stores(struct bench *bench)
{
    if (!bench->store_made) {
        bench_data(bench);
        store_make(bench_path(bench, "store"), bench->data);
        store_copy(bench_path(bench, "store"), bench_path(bench, "raw"));
        bench->store_made = true;
    }
}

const char *bench_store(struct bench *bench)
{
    make_stores(bench);
    return bench_path(bench, "store");
}

const char *bench_raw(struct bench *bench)
{
    make_stores(bench);
    return bench_path(bench, "raw");
}

const char *bench_copy(const struct bench *bench, const char *from, const char *name)
{
    rs_store *store;
    rs_error error = RS_ERROR_INIT;
    const char *dir = bench_path(bench, name);
    remove_tree(dir);
    store_copy(from, dir);
    /* Opening with RS_CREATE makes what belongs to a store beside the file. */
    if (rs_open(dir, RS_CREATE, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    rs_close(store);
    return dir;
}

const char *bench_sqlite(struct bench *bench)
{
    const char *file = bench_path(bench, "sqlite.db");
    if (!bench->sqlite_made) {
        struct sql sql;
        sql_open(&sql, file);
        sql_load(&sql, bench_data(bench));
        sql_close(&sql);
        bench->sqlite_made = true;
    }
    return file;
}
