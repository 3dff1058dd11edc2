#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env_check.h"
#include "env_lmdb.h"

#define MAP_SIZE_WANTED ((size_t)1 << 40)
#define MAP_SIZE_LEAST ((size_t)1 << 26)
#define MAX_READERS 1024u

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

/* ---- Opening ---- */

/* Not fstat(), for the reason that env_file_size() has. */
static void note_data_file(struct env *env)
{
    struct statx found;
    if (statx(env_data_fd(env), "", AT_EMPTY_PATH, STATX_INO, &found) == 0) {
        env->data_inode = found.stx_ino;
    }
}

int env_open_mdb(struct env *env, rs_error *error)
{
    unsigned flags = MDB_NOTLS | (env->readonly ? MDB_RDONLY : 0u);
    /* A process with a small address space limit still gets a store, with a smaller map. */
    for (size_t map = MAP_SIZE_WANTED;; map /= 4) {
        int rc = mdb_env_create(&env->mdb);
        if (rc != 0) {
            return env_fail(env, rc, "cannot be opened", error);
        }
        mdb_env_set_maxdbs(env->mdb, TABLE_COUNT);
        mdb_env_set_maxreaders(env->mdb, MAX_READERS);
        rc = mdb_env_set_mapsize(env->mdb, map);
        if (rc == 0) {
            rc = mdb_env_open(env->mdb, env->path, flags, 0660);
        }
        if (rc == 0) {
            /* LMDB leaves this one open to programs that are started. */
            fcntl(env_data_fd(env), F_SETFD, FD_CLOEXEC);
            note_data_file(env);
            return RS_OK;
        }
        mdb_env_close(env->mdb);
        env->mdb = NULL;
        if (rc != ENOMEM || map <= MAP_SIZE_LEAST) {
            return env_fail(env, rc, "cannot be opened", error);
        }
    }
}

/* LMDB's own order, which is that of the bytes. The keys of the tree begin with a number of eight
 * bytes, which tells nearly all of those apart that a search meets: two words are compared in a
 * fraction of the time that LMDB's comparison and the memcmp() that it calls take. */
static int compare_tree_keys(const MDB_val *a, const MDB_val *b)
{
    size_t shorter = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
    if (shorter >= sizeof(uint64_t)) {
        uint64_t first = env_get_be64(a->mv_data);
        uint64_t second = env_get_be64(b->mv_data);
        if (first != second) {
            return first < second ? -1 : 1;
        }
    }
    int order = memcmp(a->mv_data, b->mv_data, shorter);
    return order != 0 ? order : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

int env_open_tables(struct env_txn *txn, unsigned flags)
{
    int rc = 0;
    for (int i = 0; i < TABLE_COUNT && rc == 0; i++) {
        rc = mdb_dbi_open(txn->mdb, table_names[i], flags, &txn->env->tables[i]);
    }
    return rc == 0 ? mdb_set_compare(txn->mdb, txn->env->tables[TABLE_TREE], compare_tree_keys)
                   : rc;
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
    if (format == 0) {
        return fail(error, RS_EDAMAGED, "%s: the record of the store's format is damaged", dir);
    }
    if (format != ENV_FORMAT) {
        return fail(error, RS_EVERSION,
                    "%s: made by %s regstore (format %u, this one has %u): export it with that one "
                    "and import the file here into a new store",
                    dir, format > ENV_FORMAT ? "a newer" : "an older", format, ENV_FORMAT);
    }
    /* With another table names that were stored would not be found, or be found twice. */
    if (folding != text_fold_version) {
        return fail(error, RS_EVERSION, "%s: made with another table of upper and lower case", dir);
    }
    return RS_OK;
}

static int make_tables(struct env *env, struct env_txn *txn, env_init init, rs_error *error)
{
    int rc = env_open_tables(txn, MDB_CREATE);
    if (rc != 0) {
        return env_fail(env, rc, "cannot be made", error);
    }
    int status = put_format(txn);
    if (status == RS_OK) {
        status = init(txn);
    }
    return status == RS_OK
               ? RS_OK
               : fail(error, status, "%s: cannot be made: %s", env->dir, rs_strerror(status));
}

/* All tables are made in one transaction: where there is one there are all, or it is damaged, and
 * must not be made anew. */
static bool is_empty(const struct env_txn *txn)
{
    MDB_stat stat;
    return mdb_stat(txn->mdb, ENV_MAIN_TABLE, &stat) == 0 && stat.ms_entries == 0;
}

static int fail_table(const struct env *env, rs_error *error)
{
    return fail(error, RS_EDAMAGED, "%s: one of its tables cannot be found", env->dir);
}

static int fail_exists(const struct env *env, rs_error *error)
{
    return fail(error, RS_EEXIST, "%s: a store exists", env->dir);
}

/* Two processes may both have found no store; the write lock lets one make it and the other find
 * it. */
static int create_tables(struct env *env, unsigned flags, env_init init, rs_error *error)
{
    struct env_txn txn;
    int status = env_begin(env, true, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    int rc = env_open_tables(&txn, 0);
    if (rc == 0) {
        status = (flags & RS_NEW) != 0 ? fail_exists(env, error) : check_format(&txn, error);
    } else if (rc == MDB_NOTFOUND) {
        status = is_empty(&txn) ? make_tables(env, &txn, init, error) : fail_table(env, error);
    } else {
        status = env_fail(env, rc, "cannot be opened", error);
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
    int rc = env_open_tables(&txn, 0);
    if (rc == MDB_NOTFOUND) {
        status =
            is_empty(&txn)
                ? fail(error, RS_ENOSTORE,
                       "%s: no store there, or one that was not finished (init makes it)", env->dir)
                : fail_table(env, error);
    } else if (rc != 0) {
        status = env_fail(env, rc, "cannot be opened", error);
    } else {
        status = check_format(&txn, error);
    }
    if (status != RS_OK) {
        env_abort(&txn);
        return status;
    }
    /* Handles opened in a read transaction outlive it only if it is committed. */
    rc = mdb_txn_commit(txn.mdb);
    env_leave(env);
    return rc == 0 ? RS_OK : env_fail(env, rc, "cannot be opened", error);
}

/* A store that is there is not kept waiting by its writer. */
static int find_or_create_tables(struct env *env, unsigned flags, env_init init, rs_error *error)
{
    if (find_tables(env, NULL) == RS_OK) {
        return (flags & RS_NEW) != 0 ? fail_exists(env, error) : RS_OK;
    }
    return create_tables(env, flags, init, error);
}

static int open_existing(struct env *env, int dir_fd, rs_error *error)
{
    int status = RS_OK;
    env->readonly = faccessat(dir_fd, ENV_DATA_FILE, R_OK | W_OK, AT_EACCESS) != 0;
    if (!env->readonly) {
        status = env_make_lock_file(dir_fd, env->dir, error);
    }
    return status == RS_OK ? env_open_mdb(env, error) : status;
}

/* One process at a time, so that what a failed one has begun can be taken away. */
static int make_and_open(struct env *env, int dir_fd, rs_error *error)
{
    bool exists = false;
    int status = env_lock_alone(dir_fd, env->dir, error);
    if (status == RS_OK) {
        status = env_check_files(dir_fd, env->dir, &exists, error);
    }
    if (status == RS_OK && !exists) {
        status = env_make_files(dir_fd, env->dir, error);
    }
    if (status == RS_OK) {
        status = open_existing(env, dir_fd, error);
        if (status != RS_OK && !exists) {
            env_empty_data_file(dir_fd);
        }
    }
    return status;
}

static int open_locked(struct env *env, int dir_fd, bool create, rs_error *error)
{
    bool exists = false;
    int status = env_lock_opening(dir_fd, env->dir, error);
    if (status == RS_OK) {
        status = env_check_files(dir_fd, env->dir, &exists, error);
    }
    if (status == RS_OK && exists) {
        status = open_existing(env, dir_fd, error);
    } else if (status == RS_OK) {
        status = create ? make_and_open(env, dir_fd, error)
                        : fail(error, RS_ENOSTORE, "%s: no store there", env->dir);
    }
    env_unlock(dir_fd);
    return status;
}

static int open_files(struct env *env, int dir_fd, unsigned flags, env_init init, rs_error *error)
{
    bool create = (flags & RS_CREATE) != 0;
    int status = open_locked(env, dir_fd, create, error);
    if (status != RS_OK) {
        return status;
    }
    status = env_length_check(env, error);
    if (status == RS_OK) {
        int dead;
        mdb_reader_check(env->mdb, &dead);
        status = create && !env->readonly ? find_or_create_tables(env, flags, init, error)
                                          : find_tables(env, error);
    }
    if (status != RS_OK && env->mdb != NULL) {
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

/* Without the files, which are closed or never were open. */
static void free_env(struct env *env)
{
    pthread_mutex_destroy(&env->gate);
    pthread_mutex_destroy(&env->turn);
    pthread_mutex_destroy(&env->guests_lock);
    free(env->path);
    free(env);
}

/* Takes dir_fd over if it succeeds. */
static int open_new(const char *dir, int dir_fd, const struct stat *st, unsigned flags,
                    env_init init, struct env **out, rs_error *error)
{
    size_t len = strlen(dir);
    struct env *env = calloc(1, sizeof *env + len + 1);
    if (env == NULL) {
        return fail(error, RS_ENOMEM, "%s: out of memory", dir);
    }
    memcpy(env->dir, dir, len + 1);
    env->dir_fd = dir_fd;
    env->device = st->st_dev;
    env->inode = st->st_ino;
    env->generation = fork_generation;
    env->users = 1;
    env->path = realpath(dir, NULL);
    pthread_mutex_init(&env->gate, NULL);
    pthread_mutex_init(&env->turn, NULL);
    pthread_mutex_init(&env->guests_lock, NULL);
    int status = env->path != NULL ? open_files(env, dir_fd, flags, init, error)
                                   : fail_errno(error, "%s", dir);
    if (status != RS_OK) {
        free_env(env);
        return status;
    }
    env->next = list;
    list = env;
    *out = env;
    return RS_OK;
}

/* Its data file was replaced. Another one is not opened beside it: one who was killed in the middle
 * of replacing leaves them one lock file, and closing either would give up the locks of both. */
static bool is_lost(struct env *env)
{
    pthread_mutex_lock(&env->gate);
    bool lost = env->mdb != NULL && env_removed(env);
    pthread_mutex_unlock(&env->gate);
    return lost;
}

/* Shares the environment of a directory that is open, or opens it. */
static int share_or_open(const char *dir, int dir_fd, unsigned flags, env_init init,
                         struct env **out, rs_error *error)
{
    struct stat st;
    if (fstat(dir_fd, &st) != 0) {
        return fail_errno(error, "%s", dir);
    }
    struct env *env = find_open(&st);
    if (env == NULL) {
        return open_new(dir, dir_fd, &st, flags, init, out, error);
    }
    if (is_lost(env)) {
        return fail(error, RS_EREPLACED, "%s: %s; close it everywhere in this process first", dir,
                    rs_strerror(RS_EREPLACED));
    }
    if ((flags & RS_NEW) != 0) {
        return fail_exists(env, error);
    }
    env->users++;
    close(dir_fd);
    *out = env;
    return RS_OK;
}

bool env_is_open(int dir_fd)
{
    struct stat st;
    pthread_mutex_lock(&list_lock);
    bool found = fstat(dir_fd, &st) == 0 && find_open(&st) != NULL;
    pthread_mutex_unlock(&list_lock);
    return found;
}

int env_open(const char *dir, unsigned flags, env_init init, struct env **out, rs_error *error)
{
    pthread_once(&fork_once, watch_forks);
    int dir_fd;
    int status = env_check_directory(dir, (flags & RS_CREATE) != 0, &dir_fd, error);
    if (status != RS_OK) {
        return status;
    }
    pthread_mutex_lock(&list_lock);
    status = share_or_open(dir, dir_fd, flags, init, out, error);
    pthread_mutex_unlock(&list_lock);
    if (status != RS_OK) {
        close(dir_fd);
    }
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
        if (env->mdb != NULL) {
            mdb_env_close(env->mdb);
        }
        close(env->dir_fd);
        free_env(env);
    }
    pthread_mutex_unlock(&list_lock);
}

const char *env_dir(const struct env *env)
{
    return env->dir;
}

uint64_t env_data_inode(const struct env *env)
{
    return env->data_inode;
}

bool env_readonly(const struct env *env)
{
    return env->readonly;
}
