#include "stage.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 120 /* a child that nobody ends lives no longer */

static bool in_child;

void stage_must(bool holds, const char *condition, const char *file, unsigned line)
{
    if (in_child && !holds) {
        fprintf(stderr, "  child: %s:%u: %s\n", file, line, condition);
        _exit(1);
    }
    if (!in_child) {
        CU_assertImplementation(holds, line, condition, file, "", CU_TRUE);
    }
}

/* ---- Store and edits ---- */

rs_store *stage_store(void)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(scratch_path("store"), RS_CREATE, &store, &error);
    if (status != RS_OK) {
        printf("  %s\n", error.text);
    }
    MUST(status == RS_OK);
    return store;
}

rs_txn *stage_begin(rs_store *store, unsigned mode)
{
    rs_txn *txn = NULL;
    MUST(rs_begin(store, mode, &txn) == RS_OK);
    return txn;
}

uint64_t stage_commit(rs_txn *txn)
{
    uint64_t revision = 0;
    MUST(rs_commit(txn, &revision) == RS_OK);
    return revision;
}

void stage_put(rs_txn *txn, const char *path, const char *name, uint32_t number)
{
    rs_key key;
    MUST(rs_key_create(txn, RS_NO_KEY, path, &key) == RS_OK);
    MUST(rs_set_dword(txn, key, name, number) == RS_OK);
}

rs_key stage_key(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    MUST(rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key) == RS_OK);
    return key;
}

uint64_t stage_set(rs_store *store, const char *path, const char *name, uint32_t number)
{
    rs_txn *txn = stage_begin(store, RS_WRITE);
    stage_put(txn, path, name, number);
    return stage_commit(txn);
}

uint64_t stage_create(rs_store *store, const char *path)
{
    rs_txn *txn = stage_begin(store, RS_WRITE);
    rs_key key;
    MUST(rs_key_create(txn, RS_NO_KEY, path, &key) == RS_OK);
    return stage_commit(txn);
}

uint64_t stage_delete(rs_store *store, const char *path)
{
    rs_txn *txn = stage_begin(store, RS_WRITE);
    MUST(rs_key_delete(txn, stage_key(txn, path), RS_RECURSIVE) == RS_OK);
    return stage_commit(txn);
}

uint64_t stage_rename(rs_store *store, const char *path, const char *name)
{
    rs_txn *txn = stage_begin(store, RS_WRITE);
    MUST(rs_key_rename(txn, stage_key(txn, path), name) == RS_OK);
    return stage_commit(txn);
}

uint64_t stage_link(rs_store *store, const char *path, const char *target)
{
    rs_txn *txn = stage_begin(store, RS_WRITE);
    rs_key key;
    MUST(rs_link_create(txn, RS_NO_KEY, path, target, 0, &key) == RS_OK);
    return stage_commit(txn);
}

uint32_t stage_get(rs_store *store, const char *path, const char *name)
{
    uint32_t number = UINT32_MAX;
    rs_key key;
    rs_txn *txn = stage_begin(store, RS_READ);
    int status = rs_key_open(txn, RS_NO_KEY, path, &key);
    if (status == RS_OK) {
        status = rs_get_dword(txn, key, name, &number);
    }
    rs_abort(txn);
    MUST(status == RS_OK || status == RS_ENOTFOUND);
    return number;
}

/* ---- Watches ---- */

rs_watch *stage_watch(rs_store *store, const char *path, unsigned flags, uint64_t since)
{
    rs_watch *watch = NULL;
    rs_error error = RS_ERROR_INIT;
    int status = rs_watch_open(store, path, flags, since, &watch, &error);
    if (status != RS_OK) {
        printf("  %s\n", error.text);
    }
    MUST(status == RS_OK);
    return watch;
}

/* Text that grows in a fixed place; what does not fit is left out. */
struct line {
    char text[8192];
    size_t size;
};

static void RS_PRINTF(2, 3) add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t left = sizeof line->text - line->size;
    int len = vsnprintf(line->text + line->size, left, format, arguments);
    va_end(arguments);
    line->size += len < 0 ? 0 : (size_t)len < left ? (size_t)len : left - 1;
}

static void add_name(struct line *line, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        add(line, "%c", name[i] != '\0' ? name[i] : '%');
    }
}

static void add_value(struct line *line, const rs_value *value)
{
    uint32_t number;
    if (value == NULL) {
        add(line, "-");
    } else if (value->type == REG_DWORD && value->size == sizeof number) {
        memcpy(&number, value->data, sizeof number);
        add(line, "%u", number);
    } else {
        add(line, "#%zu", value->size);
    }
}

static void add_change(struct line *line, const rs_change *change)
{
    static const char *const kinds[] = {"?",     "created",  "deleted", "renamed",
                                        "class", "relinked", "set",     "unset"};
    bool of_value = change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED;
    add(line, "%s ", kinds[change->kind]);
    if (change->relative_len == 0) {
        add(line, ".");
    }
    add_name(line, change->relative, change->relative_len);
    if (of_value || change->kind == RS_KEY_RENAMED) {
        add(line, ":");
        add_name(line, change->name, change->name_len);
    }
    if (of_value) {
        add(line, " ");
        add_value(line, change->old_value);
        add(line, ">");
        add_value(line, change->new_value);
    }
}

static const char *text_of(int status, const rs_watch *watch, const rs_batch *batch)
{
    static struct line line;
    line.size = 0;
    if (status != RS_OK) {
        return status == RS_END ? "end" : status == RS_EBEHIND ? "behind" : rs_status_name(status);
    }
    MUST(batch->revision == rs_watch_position(watch));
    MUST(batch->count > 0);
    for (size_t i = 0; i < batch->count; i++) {
        add(&line, "%s", i > 0 ? "; " : "");
        add_change(&line, &batch->changes[i]);
    }
    return line.text;
}

const char *stage_next(rs_watch *watch)
{
    const rs_batch *batch = NULL;
    int status = rs_watch_next(watch, &batch);
    return text_of(status, watch, batch);
}

void stage_expect(rs_watch *watch, const char *text, const char *file, unsigned line)
{
    const char *found = stage_next(watch);
    bool same = strcmp(found, text) == 0;
    if (!same) {
        printf("  %s:%u: \"%s\" instead of \"%s\"\n", file, line, found, text);
    }
    if (in_child) {
        stage_must(same, text, file, line);
    } else {
        CU_assertImplementation(same, line, text, file, "", CU_FALSE);
    }
}

bool stage_readable(int fd, int milliseconds)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int ready;
    do {
        ready = poll(&poll_fd, 1, milliseconds);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

const char *stage_await(rs_watch *watch)
{
    const rs_batch *batch = NULL;
    int status;
    while ((status = rs_watch_next(watch, &batch)) == RS_END) {
        MUST(stage_readable(rs_watch_fd(watch), STAGE_PATIENCE));
    }
    return text_of(status, watch, batch);
}

/* ---- Processes ---- */

struct child child_start(void (*run)(int from_parent, int to_parent))
{
    int down[2];
    int up[2];
    /* The test's directory is chosen here, so that both sides mean the same one. */
    (void)scratch_dir();
    MUST(pipe(down) == 0 && pipe(up) == 0);
    struct child child = {.pid = fork(), .to = down[1], .from = up[0]};
    MUST(child.pid >= 0);
    if (child.pid == 0) {
        in_child = true;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(CHILD_SECONDS);
        close(down[1]);
        close(up[0]);
        run(down[0], up[1]);
        _exit(0);
    }
    close(down[0]);
    close(up[1]);
    return child;
}

void stage_tell(int fd, char byte)
{
    MUST(write(fd, &byte, 1) == 1);
}

void stage_hear(int fd, char byte)
{
    char heard = '\0';
    MUST(stage_readable(fd, STAGE_PATIENCE));
    MUST(read(fd, &heard, 1) == 1);
    MUST(heard == byte);
}

static int reap(const struct child *child)
{
    int status = -1;
    pid_t ended;
    do {
        ended = waitpid(child->pid, &status, 0);
    } while (ended < 0 && errno == EINTR);
    MUST(ended == child->pid);
    return status;
}

static int wait_for(struct child *child)
{
    int status = reap(child);
    close(child->to);
    close(child->from);
    return status;
}

void stage_wait_asleep(pid_t pid, pid_t thread)
{
    char path[64];
    char state = '?';
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/stat", (long)pid, (long)thread);
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        MUST(file != NULL && fscanf(file, "%*d (%*[^)]) %c", &state) == 1 && state != 'Z');
        fclose(file);
        sched_yield();
    }
}

bool child_end(struct child *child)
{
    int status = wait_for(child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void child_kill(struct child *child)
{
    MUST(kill(child->pid, SIGKILL) == 0);
    wait_for(child);
}

bool child_was_killed(struct child *child)
{
    int status = wait_for(child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

void stage_leave_heir(int from_parent, int to_parent)
{
    pid_t heir = fork();
    MUST(heir >= 0);
    if (heir == 0) {
        alarm(CHILD_SECONDS);
        stage_hear(from_parent, 'd');
        stage_tell(to_parent, 'd');
        _exit(0);
    }
    stage_tell(to_parent, 'w');
    while (true) {
        pause();
    }
}

void heir_left(struct child *child)
{
    MUST(kill(child->pid, SIGKILL) == 0);
    reap(child);
}

void heir_end(struct child *child)
{
    stage_tell(child->to, 'd');
    stage_hear(child->from, 'd');
    close(child->to);
    close(child->from);
}
