/*
 * env.h - the environment: LMDB, and the only user of lmdb.h.
 *
 * Opens and creates a store's files, shares one environment per directory and process, checks that
 * what it opens is safe, whole and of a version it knows, pools reader transactions, and offers
 * tables and cursors of bytes. Knows nothing of keys and values. Needs text (and status).
 *
 * Files of a store: data.mdb (0640) and lock.mdb (0660) are LMDB's; the directory is 0750 when it
 * is made here.
 */
#ifndef REGSTORE_ENV_H
#define REGSTORE_ENV_H

#include "text.h"

struct env;
struct MDB_txn;
struct MDB_cursor;

enum env_table { TABLE_META, TABLE_TREE, TABLE_JOURNAL, TABLE_COUNT };

struct slice {
    const void *data;
    size_t size;
};

/* Where a write transaction keeps cursors in each table: see env_put(). */
enum env_place { ENV_ANYWHERE, ENV_AT_END, ENV_PLACES };

/* A transaction, embedded in its owner. */
struct env_txn {
    struct env *env;
    struct MDB_txn *mdb; /* NULL when it has ended */
    bool write;
    uint64_t pages;   /* in use when a write transaction began */
    uint64_t changes; /* made by it */
    size_t largest;   /* bytes of a value that was put */
    struct MDB_cursor *kept[TABLE_COUNT][ENV_PLACES];
};

/* The version of the format that this library writes, and the only one it reads. */
#define ENV_FORMAT 2u

/* Makes the first records of a new environment, in the transaction that makes its tables. */
typedef int (*env_init)(struct env_txn *txn);

/* Opens the environment in dir; flags are rs_open()'s. With RS_CREATE an environment that is not
 * there is made: tables, the format's record and what init makes appear in one transaction. */
int env_open(const char *dir, unsigned flags, env_init init, struct env **env, rs_error *error);
/* Gives back one env_open(); the last one closes the files. */
void env_close(struct env *env);
const char *env_dir(const struct env *env);
/* True if the files cannot be written by this process. */
bool env_readonly(const struct env *env);
/* True in a child of the process that opened it. */
bool env_forked(const struct env *env);

/* Whoever keeps idle transactions is a guest of the environment. After a failed write LMDB has to
 * be closed and opened again, which waits for all transactions to end: let_go, called from any
 * thread, ends the guest's idle ones. A guest may be moved or freed once it has left. */
struct env_guest {
    struct env_guest *next;
    void (*let_go)(struct env_guest *guest);
};
void env_guest_join(struct env *env, struct env_guest *guest);
void env_guest_leave(struct env *env, struct env_guest *guest);

/* After a failed write the first transaction opens LMDB anew; RS_EREOPEN while others are open.
 * RS_EREPLACED: the data file has no name any more, and takes no writing. */
int env_begin(struct env *env, bool write, struct env_txn *txn, rs_error *error);
/* True if the calling thread has a write transaction open. */
bool env_writing_here(const struct env *env);
/* A read transaction that was reset gives up its snapshot but not its place; renewing it takes the
 * latest snapshot, which is cheaper than a new transaction. */
void env_reset(struct env_txn *txn);
int env_renew(struct env_txn *txn, rs_error *error);
/* Before the commit of a transaction that adds: a part of the disk and of the map is kept for those
 * that delete. RS_EDISK or RS_EFULL if it would not be. */
int env_keep_reserve(struct env_txn *txn, rs_error *error);
/* The same for one that may use more of that part, as it takes back what another did; or for one
 * after which as many changes, that put so many bytes, are to have room there. */
int env_keep_last(struct env_txn *txn, rs_error *error);
int env_keep_last_after(struct env_txn *txn, uint64_t bytes, rs_error *error);
/* True if there is less room than that, on the disk or in the map. */
bool env_has_no_room(struct env_txn *txn);
/* Ends the transaction in any case. After RS_EIO and RS_EDISK it is known only once the store is
 * read again whether the transaction took place; it did as a whole or not at all. */
int env_commit(struct env_txn *txn, rs_error *error);
void env_abort(struct env_txn *txn);
/* LMDB's number of the snapshot; of a write transaction its own. */
uint64_t env_txn_number(const struct env_txn *txn);

/* Slices that come out point into the map: in a read transaction they live until it ends, in a
 * write transaction until the next change. */
int env_get(struct env_txn *txn, enum env_table table, struct slice key, struct slice *value);
/* A write transaction keeps a cursor in each table where it last read or wrote: what lies on the
 * same page is found without a search from the root. */
int env_put(struct env_txn *txn, enum env_table table, struct slice key, struct slice value);
/* The same for what most likely becomes the table's last record, with a cursor of its own there: an
 * import adds at the end and somewhere in the middle by turns. */
int env_put_last(struct env_txn *txn, enum env_table table, struct slice key, struct slice value);
/* The same for a value that is in pieces, which need not be put together first. None of them may be
 * what this transaction has read. */
int env_put_parts(struct env_txn *txn, enum env_table table, struct slice key,
                  const struct slice *parts, size_t count);
int env_delete(struct env_txn *txn, enum env_table table, struct slice key);

struct env_cursor {
    struct MDB_cursor *mdb; /* NULL when closed */
};
int env_cursor_open(struct env_txn *txn, enum env_table table, struct env_cursor *cursor);
/* Moves a cursor of a read transaction to the snapshot that its transaction has now. */
int env_cursor_renew(struct env_txn *txn, struct env_cursor *cursor);
/* The first entry whose key is not below key. RS_END if there is none. */
int env_cursor_seek(struct env_cursor *cursor, struct slice key, struct slice *found,
                    struct slice *value);
int env_cursor_next(struct env_cursor *cursor, struct slice *key, struct slice *value);
int env_cursor_prev(struct env_cursor *cursor, struct slice *key, struct slice *value);
int env_cursor_first(struct env_cursor *cursor, struct slice *key, struct slice *value);
int env_cursor_last(struct env_cursor *cursor, struct slice *key, struct slice *value);
int env_cursor_delete(struct env_cursor *cursor);
void env_cursor_close(struct env_cursor *cursor);

struct env_size {
    uint64_t file; /* bytes */
    uint64_t used;
    uint64_t map;
    uint32_t max_readers;
};
int env_size(struct env_txn *txn, struct env_size *size);
/* From here on commits do not wait for the disk: for files that end with this process. */
void env_forget_disk(struct env *env);
/* True if the data file in dir, where the environment was opened, is another one now, or none. For
 * a time when a transaction is open. */
bool env_replaced(const struct env *env, const char *dir);
/* The data file's number: another one, another store, of all that were in the directory while
 * somebody had this one open. */
uint64_t env_data_inode(const struct env *env);
/* True if the data file has no name any more, so that what is written to it is lost. */
bool env_removed(const struct env *env);
/* True if a path leads to one of the environment's files. */
bool env_has_file(const struct env *env, const char *path);
/* The records of a table, as LMDB has counted them. */
int env_entries(struct env_txn *txn, enum env_table table, uint64_t *count);
/* Looks, in a read transaction, whether each page is free once at most and can be, and whether all
 * fit into the file. RS_EDAMAGED with what is wrong in *why. */
int env_check_pages(struct env_txn *txn, rs_error *why);
/* Writes the latest commit to fd, a regular file that is empty, compacted: an environment's data
 * file. Nobody waits for it; in a write transaction, too. */
int env_copy(struct env *env, int fd, rs_error *error);
/* In a write transaction, which can only be aborted then: the file becomes the data file, durably
 * and at once, with its owner and mode. It is a compacted copy, and nobody has it open. Who has the
 * old one open reads on, and begins no writing any more: RS_EREPLACED. from_fd is a directory of
 * the same file system, where a lock file is made, too. */
int env_take_place(struct env_txn *txn, int from_fd, const char *name, rs_error *error);
/* The same without opening what is there, which may be damaged. RS_EBUSY if anybody has. */
int env_take_place_unread(const char *dir, int from_fd, const char *name, rs_error *error);
/* True if this process has the environment of a directory open. */
bool env_is_open(int dir_fd);
/* Calls each for every reader slot in use that holds a snapshot. */
int env_readers(struct env *env, int (*each)(void *context, uint32_t pid, uint64_t txn_number),
                void *context);
/* Bytes of the pages that were freed since a snapshot, and cannot be used again as long as it is
 * held. Of a read transaction; LMDB does not tell a writer. */
int env_held(struct env_txn *txn, uint64_t txn_number, uint64_t *bytes);

/* Big-endian numbers in keys, so that they sort; little-endian ones in records. */
static inline void env_put_be64(unsigned char *at, uint64_t number)
{
    number = htobe64(number);
    memcpy(at, &number, sizeof number);
}

static inline uint64_t env_get_be64(const unsigned char *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return be64toh(number);
}

#endif
