#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env.h"
#include "env_check.h"

#define MAP_SIZE_WANTED ((size_t)1 << 40)
#define MAP_SIZE_LEAST ((size_t)1 << 26)
#define MAX_READERS 1024u
#define READER_CHECK_EVERY 16u /* write transactions */

struct env {
    struct env *next;
    unsigned users;
    unsigned generation; /* forks since the program started, when it was opened */
    dev_t device;
    ino_t inode;
    bool readonly;
    unsigned writes; /* transactions begun; counted under LMDB's write lock */
    MDB_env *mdb;
    MDB_dbi tables[TABLE_COUNT];
    char dir[];
};

static const char *const table_names[TABLE_COUNT] = {"meta", "tree", "journal"};

/* LMDB allows an environment to be opened once in a process, so the open ones are listed here. */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct env *list;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static unsigned fork_generation;

/* The parent's environments are not the child's: it begins with none, and with a lock that nobody
 * holds. Nothing is locked around a fork, so a fork waits for no other thread. */
static void in_child(void)
{
    fork_generation++;
    list = NULL;
    pthread_mutex_init(&list_lock, NULL);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

bool env_forked(const struct env *env)
{
    return env->generation != fork_generation;
}

static int status_of_mdb(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return RS_OK;
    case MDB_NOTFOUND:
        return RS_ENOTFOUND;
    case MDB_MAP_FULL:
    case MDB_MAP_RESIZED:
        return RS_EFULL;
    case MDB_READERS_FULL:
        return RS_EREADERS;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return RS_EDAMAGED;
    case MDB_VERSION_MISMATCH:
        return RS_EVERSION;
    default:
        return rc > 0 ? status_of_errno(rc) : RS_EIO;
    }
}

static int fail_mdb(const struct env *env, int rc, const char *what, rs_error *error)
{
    return fail(error, status_of_mdb(rc), "%s: %s: %s", env->dir, what, mdb_strerror(rc));
}

/* ---- Opening ---- */

static int data_fd(const struct env *env)
{
    mdb_filehandle_t fd = -1;
    mdb_env_get_fd(env->mdb, &fd);
    return fd;
}

static int open_mdb(struct env *env, rs_error *error)
{
    unsigned flags = MDB_NOTLS | (env->readonly ? MDB_RDONLY : 0u);
    /* A process with a small address space limit still gets a store, with a smaller map. */
    for (size_t map = MAP_SIZE_WANTED;; map /= 4) {
        int rc = mdb_env_create(&env->mdb);
        if (rc != 0) {
            return fail_mdb(env, rc, "cannot be opened", error);
        }
        mdb_env_set_maxdbs(env->mdb, TABLE_COUNT);
        mdb_env_set_maxreaders(env->mdb, MAX_READERS);
        rc = mdb_env_set_mapsize(env->mdb, map);
        if (rc == 0) {
            rc = mdb_env_open(env->mdb, env->dir, flags, 0660);
        }
        if (rc == 0) {
            /* LMDB leaves this one open to programs that are started. */
            fcntl(data_fd(env), F_SETFD, FD_CLOEXEC);
            return RS_OK;
        }
        mdb_env_close(env->mdb);
        env->mdb = NULL;
        if (rc != ENOMEM || map <= MAP_SIZE_LEAST) {
            return fail_mdb(env, rc, "cannot be opened", error);
        }
    }
}

static uint64_t page_size(const struct env *env)
{
    MDB_stat stat;
    mdb_env_stat(env->mdb, &stat);
    return stat.ms_psize;
}

static uint64_t page_count(const struct env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return (uint64_t)info.me_last_pgno + 1;
}

static int open_tables(struct env *env, struct env_txn *txn, unsigned flags)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        int rc = mdb_dbi_open(txn->mdb, table_names[i], flags, &env->tables[i]);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static const struct slice format_key = {"format", 6};

static int put_format(struct env_txn *txn)
{
    uint32_t record[2] = {htole32(ENV_FORMAT), htole32(text_fold_version)};
    return env_put(txn, TABLE_META, format_key, (struct slice){record, sizeof record});
}

static int check_format(struct env_txn *txn, rs_error *error)
{
    const char *dir = txn->env->dir;
    struct slice found = {NULL, 0};
    uint32_t record[2];
    if (env_get(txn, TABLE_META, format_key, &found) != RS_OK || found.size < sizeof record) {
        return fail(error, RS_EDAMAGED, "%s: the record of the store's format is missing", dir);
    }
    memcpy(record, found.data, sizeof record);
    uint32_t format = le32toh(record[0]);
    uint32_t folding = le32toh(record[1]);
    if (format > ENV_FORMAT) {
        return fail(error, RS_EVERSION, "%s: made by a newer version (format %u, known is %u)", dir,
                    format, ENV_FORMAT);
    }
    if (format != ENV_FORMAT) {
        return fail(error, RS_EDAMAGED, "%s: unknown format %u", dir, format);
    }
    /* With another table names that were stored would not be found, or be found twice. */
    if (folding != text_fold_version) {
        return fail(error, RS_EVERSION, "%s: made with another table of upper and lower case", dir);
    }
    return RS_OK;
}

static int make_tables(struct env *env, struct env_txn *txn, env_init init, rs_error *error)
{
    int rc = open_tables(env, txn, MDB_CREATE);
    if (rc != 0) {
        return fail_mdb(env, rc, "cannot be made", error);
    }
    int status = put_format(txn);
    if (status == RS_OK) {
        status = init(txn);
    }
    return status == RS_OK
               ? RS_OK
               : fail(error, status, "%s: cannot be made: %s", env->dir, rs_strerror(status));
}

/* Two processes may both have found no store; the write lock lets one make it and the other find
 * it. */
static int create_tables(struct env *env, env_init init, rs_error *error)
{
    struct env_txn txn;
    int status = env_begin(env, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    int rc = open_tables(env, &txn, 0);
    if (rc == 0) {
        status = check_format(&txn, error);
    } else if (rc == MDB_NOTFOUND) {
        status = make_tables(env, &txn, init, error);
    } else {
        status = fail_mdb(env, rc, "cannot be opened", error);
    }
    if (status != RS_OK) {
        env_abort(&txn);
        return status;
    }
    return env_commit(&txn, error);
}

static int find_tables(struct env *env, rs_error *error)
{
    struct env_txn txn;
    int status = env_begin(env, false, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    int rc = open_tables(env, &txn, 0);
    if (rc == MDB_NOTFOUND) {
        status = fail(error, RS_ENOSTORE,
                      "%s: no store there, or one that was not finished (init makes it)", env->dir);
    } else if (rc != 0) {
        status = fail_mdb(env, rc, "cannot be opened", error);
    } else {
        status = check_format(&txn, error);
    }
    if (status != RS_OK) {
        env_abort(&txn);
        return status;
    }
    /* Handles opened in a read transaction outlive it only if it is committed. */
    rc = mdb_txn_commit(txn.mdb);
    return rc == 0 ? RS_OK : fail_mdb(env, rc, "cannot be opened", error);
}

/* A store that is there is not kept waiting by its writer. */
static int find_or_create_tables(struct env *env, env_init init, rs_error *error)
{
    return find_tables(env, NULL) == RS_OK ? RS_OK : create_tables(env, init, error);
}

static int open_files(struct env *env, int dir_fd, unsigned flags, env_init init, rs_error *error)
{
    bool create = (flags & RS_CREATE) != 0;
    bool exists = false;
    int status = env_check_files(dir_fd, env->dir, &exists, error);
    if (status == RS_OK && !exists) {
        status = create ? env_make_files(dir_fd, env->dir, error)
                        : fail(error, RS_ENOSTORE, "%s: no store there", env->dir);
    }
    if (status != RS_OK) {
        return status;
    }
    env->readonly = faccessat(dir_fd, ENV_DATA_FILE, R_OK | W_OK, AT_EACCESS) != 0;
    status = open_mdb(env, error);
    if (status != RS_OK) {
        return status;
    }
    status = env_check_length(data_fd(env), page_count(env), page_size(env), env->dir, error);
    if (status == RS_OK) {
        int dead;
        mdb_reader_check(env->mdb, &dead);
        status = create && !env->readonly ? find_or_create_tables(env, init, error)
                                          : find_tables(env, error);
    }
    if (status != RS_OK) {
        mdb_env_close(env->mdb);
    }
    return status;
}

static struct env *find_open(const struct stat *st)
{
    for (struct env *env = list; env != NULL; env = env->next) {
        if (env->device == st->st_dev && env->inode == st->st_ino) {
            return env;
        }
    }
    return NULL;
}

static int open_new(const char *dir, int dir_fd, const struct stat *st, unsigned flags,
                    env_init init, struct env **out, rs_error *error)
{
    size_t len = strlen(dir);
    struct env *env = calloc(1, sizeof *env + len + 1);
    if (env == NULL) {
        return fail(error, RS_ENOMEM, "%s: out of memory", dir);
    }
    memcpy(env->dir, dir, len + 1);
    env->device = st->st_dev;
    env->inode = st->st_ino;
    env->generation = fork_generation;
    env->users = 1;
    int status = open_files(env, dir_fd, flags, init, error);
    if (status != RS_OK) {
        free(env);
        return status;
    }
    env->next = list;
    list = env;
    *out = env;
    return RS_OK;
}

int env_open(const char *dir, unsigned flags, env_init init, struct env **out, rs_error *error)
{
    pthread_once(&fork_once, watch_forks);
    int dir_fd;
    int status = env_check_directory(dir, (flags & RS_CREATE) != 0, &dir_fd, error);
    if (status != RS_OK) {
        return status;
    }
    struct stat st;
    pthread_mutex_lock(&list_lock);
    if (fstat(dir_fd, &st) != 0) {
        status = fail_errno(error, "%s", dir);
    } else {
        struct env *env = find_open(&st);
        if (env != NULL) {
            env->users++;
            *out = env;
        } else {
            status = open_new(dir, dir_fd, &st, flags, init, out, error);
        }
    }
    pthread_mutex_unlock(&list_lock);
    close(dir_fd);
    return status;
}

void env_close(struct env *env)
{
    if (env_forked(env)) {
        return; /* the map, the locks and the list are the parent's business */
    }
    pthread_mutex_lock(&list_lock);
    if (--env->users == 0) {
        struct env **link = &list;
        while (*link != env) {
            link = &(*link)->next;
        }
        *link = env->next;
        mdb_env_close(env->mdb);
        free(env);
    }
    pthread_mutex_unlock(&list_lock);
}

const char *env_dir(const struct env *env)
{
    return env->dir;
}

bool env_readonly(const struct env *env)
{
    return env->readonly;
}

/* ---- Transactions ---- */

static int fail_begin(const struct env *env, int rc, rs_error *error)
{
    return fail_mdb(env, rc, "cannot begin a transaction", error);
}

int env_begin(struct env *env, bool write, struct env_txn *txn, rs_error *error)
{
    unsigned flags = write ? 0 : MDB_RDONLY;
    MDB_txn *mdb;
    int rc = mdb_txn_begin(env->mdb, NULL, flags, &mdb);
    if (rc == MDB_READERS_FULL) {
        int dead;
        mdb_reader_check(env->mdb, &dead);
        rc = mdb_txn_begin(env->mdb, NULL, flags, &mdb);
    }
    if (rc != 0) {
        return fail_begin(env, rc, error);
    }
    if (write && ++env->writes % READER_CHECK_EVERY == 0) {
        /* A reader that was killed keeps all pages freed since, and the file would grow and grow.
         */
        int dead;
        mdb_reader_check(env->mdb, &dead);
    }
    *txn = (struct env_txn){env, mdb, write};
    return RS_OK;
}

void env_reset(struct env_txn *txn)
{
    mdb_txn_reset(txn->mdb);
}

int env_renew(struct env_txn *txn, rs_error *error)
{
    int rc = mdb_txn_renew(txn->mdb);
    return rc == 0 ? RS_OK : fail_begin(txn->env, rc, error);
}

int env_commit(struct env_txn *txn, rs_error *error)
{
    struct env *env = txn->env;
    int rc = mdb_txn_commit(txn->mdb);
    txn->mdb = NULL;
    if (rc != 0) {
        return fail_mdb(env, rc, "cannot commit", error);
    }
    env_keep_length(data_fd(env), page_count(env), page_size(env));
    return RS_OK;
}

void env_abort(struct env_txn *txn)
{
    if (txn->mdb != NULL && !env_forked(txn->env)) {
        mdb_txn_abort(txn->mdb);
    }
    txn->mdb = NULL;
}

uint64_t env_txn_number(const struct env_txn *txn)
{
    return mdb_txn_id(txn->mdb);
}

/* ---- Tables ---- */

/* LMDB's arguments are not const, though it does not change them. */
static MDB_val val_of(struct slice slice)
{
    return (MDB_val){slice.size, (void *)(uintptr_t)slice.data};
}

static struct slice slice_of(MDB_val val)
{
    return (struct slice){val.mv_data, val.mv_size};
}

int env_get(struct env_txn *txn, enum env_table table, struct slice key, struct slice *value)
{
    MDB_val k = val_of(key);
    MDB_val v;
    int rc = mdb_get(txn->mdb, txn->env->tables[table], &k, &v);
    if (rc != 0) {
        return status_of_mdb(rc);
    }
    *value = slice_of(v);
    return RS_OK;
}

int env_put(struct env_txn *txn, enum env_table table, struct slice key, struct slice value)
{
    MDB_val k = val_of(key);
    MDB_val v = val_of(value);
    return status_of_mdb(mdb_put(txn->mdb, txn->env->tables[table], &k, &v, 0));
}

int env_delete(struct env_txn *txn, enum env_table table, struct slice key)
{
    MDB_val k = val_of(key);
    return status_of_mdb(mdb_del(txn->mdb, txn->env->tables[table], &k, NULL));
}

int env_cursor_open(struct env_txn *txn, enum env_table table, struct env_cursor *cursor)
{
    MDB_cursor *mdb;
    int rc = mdb_cursor_open(txn->mdb, txn->env->tables[table], &mdb);
    if (rc != 0) {
        return status_of_mdb(rc);
    }
    cursor->mdb = mdb;
    return RS_OK;
}

static int move(struct env_cursor *cursor, MDB_val *k, MDB_cursor_op op, struct slice *key,
                struct slice *value)
{
    MDB_val v;
    int rc = mdb_cursor_get(cursor->mdb, k, &v, op);
    if (rc != 0) {
        return rc == MDB_NOTFOUND ? RS_END : status_of_mdb(rc);
    }
    *key = slice_of(*k);
    *value = slice_of(v);
    return RS_OK;
}

int env_cursor_seek(struct env_cursor *cursor, struct slice key, struct slice *found,
                    struct slice *value)
{
    MDB_val k = val_of(key);
    return move(cursor, &k, MDB_SET_RANGE, found, value);
}

int env_cursor_next(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    MDB_val k;
    return move(cursor, &k, MDB_NEXT, key, value);
}

int env_cursor_first(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    MDB_val k;
    return move(cursor, &k, MDB_FIRST, key, value);
}

int env_cursor_last(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    MDB_val k;
    return move(cursor, &k, MDB_LAST, key, value);
}

int env_cursor_delete(struct env_cursor *cursor)
{
    return status_of_mdb(mdb_cursor_del(cursor->mdb, 0));
}

void env_cursor_close(struct env_cursor *cursor)
{
    if (cursor->mdb != NULL) {
        mdb_cursor_close(cursor->mdb);
        cursor->mdb = NULL;
    }
}

/* ---- State ---- */

int env_size(struct env_txn *txn, struct env_size *size)
{
    MDB_envinfo info;
    struct stat st;
    if (fstat(data_fd(txn->env), &st) != 0) {
        return status_of_errno(errno);
    }
    mdb_env_info(txn->env->mdb, &info);
    uint64_t pages = 2; /* the meta pages */
    MDB_stat stat;
    for (int i = 0; i < TABLE_COUNT; i++) {
        int rc = mdb_stat(txn->mdb, txn->env->tables[i], &stat);
        if (rc != 0) {
            return status_of_mdb(rc);
        }
        pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    }
    *size = (struct env_size){(uint64_t)st.st_size, pages * page_size(txn->env), info.me_mapsize,
                              info.me_maxreaders};
    return RS_OK;
}

struct reader_walk {
    int (*each)(void *context, uint32_t pid, uint64_t txn_number);
    void *context;
    int result;
};

/* LMDB tells its readers in lines "pid thread txn", the last "-" for a slot without a snapshot; a
 * heading comes first. */
static int reader_line(const char *line, void *context)
{
    struct reader_walk *walk = context;
    unsigned pid;
    unsigned long long number;
    if (walk->result == 0 && sscanf(line, "%u %*s %llu", &pid, &number) == 2) {
        walk->result = walk->each(walk->context, pid, number);
    }
    return 0;
}

int env_readers(struct env *env, int (*each)(void *context, uint32_t pid, uint64_t txn_number),
                void *context)
{
    struct reader_walk walk = {each, context, 0};
    mdb_reader_list(env->mdb, reader_line, &walk);
    return walk.result;
}

void env_put_be64(unsigned char *at, uint64_t number)
{
    number = htobe64(number);
    memcpy(at, &number, sizeof number);
}

uint64_t env_get_be64(const unsigned char *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return be64toh(number);
}
