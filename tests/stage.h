/*
 * stage.h - what the suites of bells, watches, threads and processes share.
 *
 * A store in the scratch directory, edits that are one commit each, watches whose batches become
 * text that tests compare, and child processes. All of it may be used in a child, too, where CUnit
 * cannot tell: a failure there ends the child with status 1. Needs harness and the public header.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../regstore/regstore.h"
#include "harness.h"

/* Nothing that is waited for takes that long; in milliseconds. */
#define STAGE_PATIENCE 60000

/* Ends the test, or the child, unless the condition holds. */
#define MUST(condition) stage_must((condition), #condition, __FILE__, __LINE__)
void stage_must(bool holds, const char *condition, const char *file, unsigned line);

/* ---- Store and edits ---- */

/* Opens the store in the scratch directory, which is made if it is not there. */
rs_store *stage_store(void);

rs_txn *stage_begin(rs_store *store, unsigned mode);
uint64_t stage_commit(rs_txn *txn); /* the revision */
/* In a transaction: sets a REG_DWORD of a key that is made if it is not there. */
void stage_put(rs_txn *txn, const char *path, const char *name, uint32_t number);
rs_key stage_key(rs_txn *txn, const char *path); /* opened, links at the end not followed */

/* Each one revision, whose number is returned. */
uint64_t stage_set(rs_store *store, const char *path, const char *name, uint32_t number);
uint64_t stage_create(rs_store *store, const char *path);
uint64_t stage_delete(rs_store *store, const char *path);
uint64_t stage_rename(rs_store *store, const char *path, const char *name);
uint64_t stage_link(rs_store *store, const char *path, const char *target);

/* The number that a value of a key has now; UINT32_MAX if there is none. */
uint32_t stage_get(rs_store *store, const char *path, const char *name);

/* ---- Watches ---- */

rs_watch *stage_watch(rs_store *store, const char *path, unsigned flags, uint64_t since);

/*
 * The next batch as text, entries joined by "; ":
 *
 *     set Sub\Key:Name 1>2      value Name of the key Sub\Key below the watched one
 *     unset .:Name 2>-          "." is the watched key itself or one above it, "-" no value
 *     renamed Old:New, created Sub, deleted ., class ., relinked .
 *
 * A value that is no REG_DWORD is "#" and its size; NUL is "%". "end" and "behind" are RS_END and
 * RS_EBEHIND, other statuses are their names. Lives until the next call.
 */
const char *stage_next(rs_watch *watch);
#define EXPECT(watch, text) stage_expect((watch), (text), __FILE__, __LINE__)
void stage_expect(rs_watch *watch, const char *text, const char *file, unsigned line);

/* Polls a descriptor; true if it became readable. */
bool stage_readable(int fd, int milliseconds);
/* The next batch as text, waited for. */
const char *stage_await(rs_watch *watch);

/* ---- Processes ---- */

/* A child has a pipe each way. It is killed when this process dies, and dies by itself if the test
 * forgets it. Start it before the store is opened here, or let it open its own. */
struct child {
    pid_t pid;
    int to;
    int from;
};
struct child child_start(void (*run)(int from_parent, int to_parent));
/* One byte through a pipe, and waiting for just that byte. */
void stage_tell(int fd, char byte);
void stage_hear(int fd, char byte);
/* Waits until a thread of a process, which has the process's number if it is the first, is asleep.
 */
void stage_wait_asleep(pid_t pid, pid_t thread);
/* Waits for the child's end; true if it ended by itself with status 0. */
bool child_end(struct child *child);
void child_kill(struct child *child); /* SIGKILL, waited for */
/* For a child that is to be killed: leaves another process behind that has all it holds, says 'w',
 * and waits for its end. The parent kills it with heir_left(), and ends the other with heir_end(),
 * which is sure that it was there all the time. */
_Noreturn void stage_leave_heir(int from_parent, int to_parent);
void heir_left(struct child *child);
void heir_end(struct child *child);
/* Waits for a child that kills itself; true if SIGKILL was its end. */
bool child_was_killed(struct child *child);

#endif
