/*
 * env_turn.c - the turn to write: a lock of the data file, taken before LMDB's.
 *
 * LMDB's lock is in the lock file, and one who was killed in the middle of replacing the files
 * leaves the old and the new data file with the same one. LMDB hands its lock on when a writer
 * dies, and whoever gets it then takes the latest commit of its own data file for that of all. If
 * that were one who had waited with the old file, the new file's latest commits would be lost. So
 * nobody waits for LMDB's lock with a file that may be replaced meanwhile: a writer waits for the
 * turn at its data file, looks whether the file still has a name, and takes LMDB's lock then.
 *
 * The lock is the process's, as a child that its parent leaves behind must not keep it. Should it
 * be lost because the program closes the data file by itself, or not to be had on some file system,
 * LMDB's lock still keeps writers apart. Needs LMDB. A part of env.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <time.h>

#include "env_lmdb.h"

/* An address of its own in each thread. */
static _Thread_local char mark;

bool env_writing_here(const struct env *env)
{
    return atomic_load(&env->writer) == &mark;
}

/* The kernel knows processes here, not their threads. Two that write to two stores each seem to
 * wait for each other then, and the lock is refused to one of them: it asks again and again. */
static bool ask_again(int number)
{
    static const struct timespec pause = {.tv_nsec = 1000000};

    if (number == EDEADLK) {
        nanosleep(&pause, NULL);
    }
    return number == EDEADLK || number == EINTR;
}

void env_turn_take(struct env *env)
{
    struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int result;

    pthread_mutex_lock(&env->turn); /* the file's lock does not keep threads apart */
    do {
        result = fcntl(env_data_fd(env), F_SETLKW, &first);
    } while (result != 0 && ask_again(errno));
    atomic_store(&env->writer, &mark);
}

void env_turn_give(struct env *env)
{
    struct flock first = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 1};

    atomic_store(&env->writer, NULL);
    (void)fcntl(env_data_fd(env), F_SETLK, &first);
    pthread_mutex_unlock(&env->turn);
}
