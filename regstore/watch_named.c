#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "watch.h"

#define SUFFIX ".pos" /* which no entry of watch_register.c has */
/* Where a file is made before it gets its name. */
#define HIDDEN_PREFIX ".new-"
#define FILE_SIZE (2 * (size_t)WATCH_SLOT)
/* A file that is being written is read again. */
#define MOST_LOOKS 5
/* Somebody else is opening a named watch: waited for, so many times so many nanoseconds. */
#define MOST_WAITS 1000
#define WAIT_NS 1000000L
/* How long nothing is heard of a process that lives and has nothing to say. */
#define TOUCH_SECONDS 60

struct file_name {
    char text[WATCH_MAX_NAME + sizeof HIDDEN_PREFIX + sizeof SUFFIX];
};

static struct file_name file_name(const char *prefix, const char *name)
{
    struct file_name file;
    size_t head = strlen(prefix);
    size_t len = strnlen(name, WATCH_MAX_NAME);
    memcpy(file.text, prefix, head);
    memcpy(file.text + head, name, len);
    memcpy(file.text + head + len, SUFFIX, sizeof SUFFIX);
    return file;
}

bool watch_name_is_good(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strspn(name, allowed);
    return len > 0 && len <= WATCH_MAX_NAME && name[len] == '\0' && name[0] != '.';
}

/* ---- Reading a file ---- */

/* RS_EDAMAGED where nothing can be read: a file gets its name only when it is whole. */
static int read_record(int fd, struct watch_record *record)
{
    char *file = malloc(FILE_SIZE);
    int status = file != NULL ? RS_EDAMAGED : RS_ENOMEM;
    for (int looks = 0; status == RS_EDAMAGED && looks < MOST_LOOKS; looks++) {
        ssize_t got = pread(fd, file, FILE_SIZE, 0);
        status = got > 0 ? watch_record_get(file, (size_t)got, record) : RS_EDAMAGED;
    }
    free(file);
    return status;
}

static bool is_alive(int fd, const struct watch_record *record)
{
    pid_t pid = (pid_t)record->pid;
    return watch_marked_by(fd) == pid ||
           (watch_is_locked(fd) && watch_process_alive(pid, record->started));
}

/* -1: there is no file that could be read. */
static int open_to_look(int dir_fd, const char *name)
{
    struct stat st;
    int fd =
        openat(dir_fd, file_name("", name).text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Of a process that was alive a moment ago: what /proc tells takes longer than all else. */
static bool still_lives(int fd, const struct watch_record *record)
{
    pid_t pid = (pid_t)record->pid;
    return watch_marked_by(fd) == pid ||
           (watch_is_locked(fd) && (kill(pid, 0) == 0 || errno == EPERM));
}

/* The lock is all that tells of a process whose name cannot be read. */
static void look_at_damaged(int fd, struct watch_seen *seen)
{
    seen->record = (struct watch_record){.pid = (uint32_t)watch_marked_by(fd)};
    seen->alive = seen->record.pid != 0 || watch_is_locked(fd);
}

int watch_named_look(int dir_fd, const char *name, struct watch_process known,
                     struct watch_seen *seen)
{
    struct stat st;
    size_t len = strnlen(name, WATCH_MAX_NAME);
    int fd = open_to_look(dir_fd, name);
    if (fd < 0) {
        return RS_ENOTFOUND;
    }
    memcpy(seen->name, name, len);
    seen->name[len] = '\0';
    seen->heard = fstat(fd, &st) == 0 ? store_filetime(st.st_mtim) : 0;
    int status = read_record(fd, &seen->record);
    seen->damaged = status == RS_EDAMAGED;
    if (status == RS_OK) {
        bool same = known.pid != 0 && known.pid == seen->record.pid &&
                    known.started == seen->record.started;
        seen->alive = same ? still_lives(fd, &seen->record) : is_alive(fd, &seen->record);
    } else if (seen->damaged) {
        look_at_damaged(fd, seen);
        status = RS_OK;
    }
    close(fd);
    return status;
}

/* ---- Opening ---- */

/* One process at a time opens a named watch: between looking at a file and putting another in its
 * place nobody else may do the same. The lock is given back by name, so that a child that was
 * forked meanwhile does not keep it. */
static int take_directory(const char *dir, int *fd, rs_error *error)
{
    const struct timespec pause = {.tv_nsec = WAIT_NS};
    *fd = watch_open_dir(dir, O_RDONLY);
    if (*fd < 0) {
        return fail_errno(error, "%s/%s", dir, STORE_WATCHES_DIR);
    }
    for (int waits = 0; flock(*fd, LOCK_EX | LOCK_NB) != 0; waits++) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waits == MOST_WAITS) {
            int status = errno == EWOULDBLOCK
                             ? fail(error, RS_EBUSY, "%s/%s: in use", dir, STORE_WATCHES_DIR)
                             : fail_errno(error, "%s/%s", dir, STORE_WATCHES_DIR);
            close(*fd);
            return status;
        }
        nanosleep(&pause, NULL);
    }
    return RS_OK;
}

static void give_directory(int fd)
{
    (void)flock(fd, LOCK_UN);
    close(fd);
}

/* RS_EBUSY if the watch is open. */
static int must_be_closed(const struct watch_seen *seen, rs_error *error)
{
    if (!seen->alive) {
        return RS_OK;
    }
    return seen->record.pid != 0 ? fail(error, RS_EBUSY, "the watch %s is open in process %lu",
                                        seen->name, (unsigned long)seen->record.pid)
                                 : fail(error, RS_EBUSY, "the watch %s is open", seen->name);
}

/* What the name's file has kept. RS_ENOTFOUND, RS_EDAMAGED, or RS_EBUSY. */
static int read_kept(int dir_fd, const char *name, struct watch_record *kept, rs_error *error)
{
    const struct watch_process nobody = {0};
    struct watch_seen *seen = malloc(sizeof *seen);
    int status = seen != NULL ? watch_named_look(dir_fd, name, nobody, seen) : RS_ENOMEM;
    if (status == RS_ENOTFOUND && errno != ENOENT) {
        status = RS_EDAMAGED; /* it is there, and may not be read */
    } else if (status == RS_OK) {
        *kept = seen->record;
        status = must_be_closed(seen, error);
        status = status == RS_OK && seen->damaged ? RS_EDAMAGED : status;
    }
    free(seen);
    return status;
}

/* Both slots at once, so that no later write has to find room. */
static int write_first(struct watch_named *named)
{
    int status = watch_named_save(named);
    if (status != RS_OK) {
        return status;
    }
    int failed = posix_fallocate(named->fd, 0, (off_t)FILE_SIZE);
    return failed == 0 ? RS_OK : status_of_errno(failed);
}

/* A file of its own, whole and locked before it gets the name. */
static int make_file(int dir_fd, const char *name, struct watch_named *named, rs_error *error)
{
    struct file_name hidden = file_name(HIDDEN_PREFIX, name);
    unlinkat(dir_fd, hidden.text, 0);
    named->fd =
        openat(dir_fd, hidden.text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (named->fd < 0) {
        return fail_errno(error, "the watch %s cannot be made", name);
    }
    int status = RS_OK;
    if (fchmod(named->fd, 0644) != 0 || watch_lock(named->fd) != 0) {
        status = fail_errno(error, "the watch %s cannot be made", name);
    }
    if (status == RS_OK) {
        watch_mark(named->fd);
        status = write_first(named);
    }
    if (status == RS_OK && renameat(dir_fd, hidden.text, dir_fd, file_name("", name).text) != 0) {
        status = fail_errno(error, "the watch %s cannot be made", name);
    }
    if (status != RS_OK) {
        unlinkat(dir_fd, hidden.text, 0);
        return fail(error, status, "the watch %s cannot be made: %s", name, rs_strerror(status));
    }
    return RS_OK;
}

/* Takes the position over. A process answers for itself alone, so answers are not. */
static int open_in(int dir_fd, const char *name, struct watch_named *named, rs_error *error)
{
    struct watch_record kept = {0};
    int status = read_kept(dir_fd, name, &kept, error);
    if (status == RS_OK) {
        bool same = kept.store == named->record.store;
        named->record.position = same ? kept.position : WATCH_LOST;
        named->record.counter = kept.counter;
    } else if (status == RS_EDAMAGED) {
        named->record.position = WATCH_LOST;
    } else if (status != RS_ENOTFOUND) {
        return status;
    }
    return make_file(dir_fd, name, named, error);
}

int watch_named_open(const char *dir, const char *name, const struct watch_record *fresh,
                     struct watch_named **out, rs_error *error)
{
    int dir_fd;
    struct watch_named *named = calloc(1, sizeof *named);
    if (named == NULL) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    named->fd = -1;
    named->record = *fresh;
    named->record.pid = (uint32_t)getpid();
    named->record.started = watch_process_started(getpid());
    snprintf(named->record.program, sizeof named->record.program, "%s",
             program_invocation_short_name);
    int status = take_directory(dir, &dir_fd, error);
    if (status == RS_OK) {
        status = open_in(dir_fd, name, named, error);
        give_directory(dir_fd);
    }
    if (status != RS_OK) {
        watch_named_close(named, true);
        return status;
    }
    *out = named;
    return RS_OK;
}

/* ---- Writing ---- */

int watch_named_save(struct watch_named *named)
{
    named->record.counter++;
    off_t at = named->record.counter % 2 == 0 ? 0 : (off_t)WATCH_SLOT;
    int status = watch_record_put(&named->slot, &named->record);
    if (status != RS_OK) {
        return status;
    }
    ssize_t wrote = pwrite(named->fd, named->slot.data, named->slot.size, at);
    if (wrote == (ssize_t)named->slot.size) {
        return RS_OK;
    }
    return wrote < 0 ? status_of_errno(errno) : RS_EDISK;
}

void watch_named_reach(struct watch_named *named, uint64_t position)
{
    /* An answer may have gone further. */
    if (position > named->record.position || named->record.position == WATCH_LOST) {
        named->record.position = position;
        (void)watch_named_save(named);
    }
}

void watch_named_touch(const struct watch_named *named)
{
    struct stat st;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (fstat(named->fd, &st) == 0 && (now.tv_sec - st.st_mtim.tv_sec >= TOUCH_SECONDS ||
                                       st.st_mtim.tv_sec - now.tv_sec >= TOUCH_SECONDS)) {
        (void)futimens(named->fd, NULL);
    }
}

/* ---- Forgetting ---- */

static int forget_in(int dir_fd, const char *name, rs_error *error)
{
    const struct watch_process nobody = {0};
    struct watch_seen *seen = malloc(sizeof *seen);
    int status = seen != NULL ? watch_named_look(dir_fd, name, nobody, seen) : RS_ENOMEM;
    if (status == RS_OK) {
        status = must_be_closed(seen, error);
    }
    if (status == RS_OK && unlinkat(dir_fd, file_name("", name).text, 0) != 0) {
        status = fail_errno(error, "the watch %s cannot be forgotten", name);
    }
    free(seen);
    return status == RS_ENOTFOUND ? fail(error, status, "no watch is named %s", name) : status;
}

int watch_named_forget(const char *dir, const char *name, rs_error *error)
{
    int dir_fd;
    if (!watch_name_is_good(name)) {
        return fail(error, RS_ENAME, "\"%s\" cannot be the name of a watch", name);
    }
    int status = take_directory(dir, &dir_fd, error);
    if (status == RS_OK) {
        status = forget_in(dir_fd, name, error);
        give_directory(dir_fd);
    }
    return status;
}

void watch_named_close(struct watch_named *named, bool forked)
{
    if (named == NULL) {
        return;
    }
    if (!forked) {
        named->record.ended = true;
        (void)watch_named_save(named);
    }
    if (named->fd >= 0) {
        close(named->fd);
    }
    buffer_free(&named->slot);
    free(named);
}

/* ---- Listing ---- */

static int is_file(const struct dirent *entry)
{
    char name[WATCH_MAX_NAME + 1];
    size_t len = strlen(entry->d_name);
    size_t suffix = sizeof SUFFIX - 1;
    if (len <= suffix || len - suffix > WATCH_MAX_NAME ||
        strcmp(entry->d_name + len - suffix, SUFFIX) != 0) {
        return 0;
    }
    snprintf(name, sizeof name, "%.*s", (int)(len - suffix), entry->d_name);
    return watch_name_is_good(name);
}

static int tell_files(int dir_fd, struct dirent *const *files, int count,
                      int (*each)(void *context, const struct watch_seen *seen), void *context)
{
    const struct watch_process nobody = {0};
    struct watch_seen *seen = malloc(sizeof *seen);
    int result = seen != NULL ? 0 : RS_ENOMEM;
    for (int i = 0; result == 0 && i < count; i++) {
        char *suffix = files[i]->d_name + strlen(files[i]->d_name) - (sizeof SUFFIX - 1);
        *suffix = '\0';
        int status = watch_named_look(dir_fd, files[i]->d_name, nobody, seen);
        if (status == RS_OK) {
            result = each(context, seen);
        } else if (status == RS_ENOMEM) {
            result = status;
        }
    }
    free(seen);
    return result;
}

/* By bytes, whatever the program's locale is. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int watch_named_list(const char *dir, int (*each)(void *context, const struct watch_seen *seen),
                     void *context)
{
    struct dirent **files;
    int dir_fd = watch_open_dir(dir, O_RDONLY);
    if (dir_fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
        return RS_EUNSAFE;
    }
    if (dir_fd < 0) {
        return errno == ENOENT ? RS_OK : status_of_errno(errno);
    }
    int count = scandirat(dir_fd, ".", &files, is_file, by_name);
    if (count < 0) {
        int status = status_of_errno(errno);
        close(dir_fd);
        return status;
    }
    int result = tell_files(dir_fd, files, count, each, context);
    for (int i = 0; i < count; i++) {
        free(files[i]);
    }
    free(files);
    close(dir_fd);
    return result;
}
