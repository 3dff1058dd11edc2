/*
 * rig.h - what the programs that torture a store share: options, random numbers, checks that end
 * the program, children, memory that processes share, and a scratch directory.
 *
 * A program takes --seed N and --count N, says "ok: ..." for each thing that it proved, and ends
 * with the line that tests/run counts. A check that fails prints the command that makes the run
 * again. Children end with status 1 when a check fails in them, and die with their parent. Needs
 * regstore.h.
 */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <regstore.h>

/* Reads the options; amount is the number that --count replaces. Makes the scratch directory. */
void rig_start(int argc, char **argv, unsigned amount);
uint64_t rig_seed(void);
unsigned rig_count(void);
/* Below the scratch directory; lives as long as the program. */
const char *rig_path(const char *format, ...) RS_PRINTF(1, 2);
const char *rig_store_dir(void);

/* ---- Checks ---- */

/* Ends the program, or the child, unless the condition holds. */
#define RIG_MUST(condition) rig_must((condition), #condition, __FILE__, __LINE__)
void rig_must(bool holds, const char *condition, const char *file, int line);
/* The same for a call that has to give a status. */
#define RIG_GIVES(wanted, call) rig_gives((call), (wanted), #call, __FILE__, __LINE__)
#define RIG_OK(call) RIG_GIVES(RS_OK, call)
void rig_gives(int status, int wanted, const char *call, const char *file, int line);

void rig_pass(const char *format, ...) RS_PRINTF(1, 2);
void rig_skip(const char *format, ...) RS_PRINTF(1, 2);
/* Removes the scratch directory and prints the counts; gives the exit status. */
int rig_finish(void);

/* The memory that a process takes is then the sanitizer's business. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define RIG_SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RIG_SANITIZED true
#endif
#endif
#ifndef RIG_SANITIZED
#define RIG_SANITIZED false
#endif

/* ---- Random numbers ---- */

struct rig_random {
    uint64_t state;
};
/* A row of its own for each stream of a seed. */
struct rig_random rig_random(uint64_t seed, uint64_t stream);
uint64_t rig_next(struct rig_random *random);
uint32_t rig_below(struct rig_random *random, uint32_t limit); /* limit is not 0 */

/* ---- Processes and time ---- */

/* Zeroed memory that children share. */
void *rig_shared(size_t size);

/* Forks a child that runs body and exits. *fd reads what the child writes to its pipe; NULL for no
 * pipe. Fork while no store is open. */
pid_t rig_fork(void (*body)(void *context, int pipe), void *context, int *fd);
void rig_kill(pid_t pid);       /* SIGKILL, waited for */
bool rig_ended_well(pid_t pid); /* waits; true if it exited with status 0 */
bool rig_is_running(pid_t pid); /* false also reaps it */

/* -1 while it runs; else reaps it and gives 0 if it ended well, 1 if not. */
int rig_poll(pid_t pid);

void rig_sleep_us(unsigned microseconds);
uint64_t rig_now_ms(void);

/* ---- The store ---- */

rs_store *rig_open(unsigned flags);
rs_txn *rig_begin(rs_store *store, unsigned mode);

/* The one subkey of a key that has one, and its name, cut to its place. */
#define RIG_NAME 32
rs_key rig_only_subkey(rs_txn *txn, rs_key key, char name[RIG_NAME]);

#endif
