#include "rig.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_SECONDS 570 /* a child that nobody ends lives no longer than a step of tests/run */

static struct {
    const char *program;
    pid_t pid;
    uint64_t seed;
    unsigned count;
    unsigned passed;
    unsigned skipped;
    const char *scratch;
    struct path *paths; /* all that rig_path() gave */
} rig;

struct path {
    struct path *next;
    char text[];
};

/* ---- Options and the scratch directory ---- */

static void read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            rig.seed = strtoull(argv[i + 1], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--count") == 0) {
            rig.count = (unsigned)strtoul(argv[i + 1], NULL, 10);
        } else {
            fprintf(stderr, "usage: %s [--seed N] [--count N]\n", rig.program);
            exit(2);
        }
    }
}

void rig_start(int argc, char **argv, unsigned amount)
{
    const char *tmp = getenv("TMPDIR");
    char *scratch;
    rig.program = argv[0];
    rig.pid = getpid();
    rig.seed = 20261121;
    rig.count = amount;
    read_options(argc, argv);
    if (asprintf(&scratch, "%s/torture.XXXXXX", tmp != NULL ? tmp : "/tmp") < 0 ||
        mkdtemp(scratch) == NULL) {
        perror("scratch directory");
        exit(2);
    }
    rig.scratch = scratch;
    setvbuf(stdout, NULL, _IOLBF, 0);
}

uint64_t rig_seed(void)
{
    return rig.seed;
}

unsigned rig_count(void)
{
    return rig.count;
}

const char *rig_path(const char *format, ...)
{
    char name[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    size_t size = strlen(rig.scratch) + strlen(name) + 2;
    struct path *path = malloc(sizeof *path + size);
    RIG_MUST(path != NULL);
    snprintf(path->text, size, "%s/%s", rig.scratch, name);
    path->next = rig.paths;
    rig.paths = path;
    return path->text;
}

const char *rig_store_dir(void)
{
    static const char *dir;
    if (dir == NULL) {
        dir = rig_path("store");
    }
    return dir;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

/* ---- Checks ---- */

/* What is left of the parent is its report; a child tells by its status. */
static _Noreturn void give_up(void)
{
    if (getpid() != rig.pid) {
        _exit(1);
    }
    fprintf(stderr, "again: %s --seed %llu --count %u; what is left: %s\n", rig.program,
            (unsigned long long)rig.seed, rig.count, rig.scratch);
    printf("%u passed, 1 failed, %u skipped\n", rig.passed, rig.skipped);
    fflush(stdout);
    _exit(1);
}

void rig_must(bool holds, const char *condition, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "FAILED: %s:%d: pid %ld: %s\n", file, line, (long)getpid(), condition);
        give_up();
    }
}

void rig_gives(int status, int wanted, const char *call, const char *file, int line)
{
    if (status != wanted) {
        fprintf(stderr, "FAILED: %s:%d: pid %ld: %s gives %s\n", file, line, (long)getpid(), call,
                rs_status_name(status));
        give_up();
    }
}

void rig_pass(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("ok: ");
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    rig.passed++;
}

void rig_skip(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("skipped: ");
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    rig.skipped++;
}

int rig_finish(void)
{
    nftw(rig.scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    printf("%u passed, 0 failed, %u skipped\n", rig.passed, rig.skipped);
    return rig.passed > 0 ? 0 : 1;
}

/* ---- Random numbers: splitmix64, which needs no more than a number to go on from ---- */

uint64_t rig_next(struct rig_random *random)
{
    uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

struct rig_random rig_random(uint64_t seed, uint64_t stream)
{
    struct rig_random first = {seed};
    struct rig_random second = {rig_next(&first) + stream};
    return (struct rig_random){rig_next(&second)};
}

uint32_t rig_below(struct rig_random *random, uint32_t limit)
{
    return (uint32_t)(rig_next(random) >> 32) % limit;
}

/* ---- Processes and time ---- */

void *rig_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    RIG_MUST(memory != MAP_FAILED);
    return memory;
}

pid_t rig_fork(void (*body)(void *context, int pipe), void *context, int *fd)
{
    int ends[2] = {-1, -1};
    RIG_MUST(fd == NULL || pipe(ends) == 0);
    fflush(NULL);
    pid_t pid = fork();
    RIG_MUST(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(CHILD_SECONDS);
        if (fd != NULL) {
            close(ends[0]);
        }
        body(context, ends[1]);
        _exit(0);
    }
    if (fd != NULL) {
        close(ends[1]);
        *fd = ends[0];
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;
    pid_t ended;
    do {
        ended = waitpid(pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    RIG_MUST(ended == pid);
    return status;
}

void rig_kill(pid_t pid)
{
    RIG_MUST(kill(pid, SIGKILL) == 0);
    int status = wait_for(pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
        printf("process %d had ended by itself, with status %#x\n", (int)pid, (unsigned)status);
    }
    RIG_MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

bool rig_ended_well(pid_t pid)
{
    int status = wait_for(pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool rig_is_running(pid_t pid)
{
    int status;
    return waitpid(pid, &status, WNOHANG) == 0;
}

int rig_poll(pid_t pid)
{
    int status;
    pid_t ended = waitpid(pid, &status, WNOHANG);
    RIG_MUST(ended >= 0);
    return ended == 0 ? -1 : !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void rig_sleep_us(unsigned microseconds)
{
    struct timespec left = {microseconds / 1000000, (long)(microseconds % 1000000) * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

uint64_t rig_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- The store ---- */

rs_store *rig_open(unsigned flags)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(rig_store_dir(), flags, &store, &error);
    if (status != RS_OK) {
        fprintf(stderr, "%s\n", error.text);
    }
    RIG_OK(status);
    return store;
}

rs_txn *rig_begin(rs_store *store, unsigned mode)
{
    rs_txn *txn = NULL;
    RIG_OK(rs_begin(store, mode, &txn));
    return txn;
}

rs_key rig_only_subkey(rs_txn *txn, rs_key key, char name[RIG_NAME])
{
    rs_cursor *cursor;
    rs_key_info info;
    RIG_OK(rs_subkeys(txn, key, &cursor));
    RIG_OK(rs_next_key(cursor, &info));
    rs_key found = info.key;
    snprintf(name, RIG_NAME, "%s", info.name);
    RIG_GIVES(RS_END, rs_next_key(cursor, &info));
    rs_cursor_close(cursor);
    return found;
}
