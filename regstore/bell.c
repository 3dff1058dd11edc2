#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bell.h"

#define BELL_FILE "bell"
#define SECONDS_BETWEEN_LOOKS 1
#define SECOND_NS INT64_C(1000000000)

static int bell_path(const char *dir, char *path, size_t size)
{
    int len = snprintf(path, size, "%s/%s", dir, BELL_FILE);
    return len > 0 && (size_t)len < size ? RS_OK : RS_EINVAL;
}

int bell_create(const char *dir, rs_error *error)
{
    char path[4096];
    if (bell_path(dir, path, sizeof path) != RS_OK) {
        return fail(error, RS_EINVAL, "%s: the path is too long", dir);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST ? RS_OK : fail_errno(error, "%s: cannot be made", path);
    }
    /* The directory's group waits for it, whoever makes it, and whatever the umask. */
    struct stat st;
    int status = RS_OK;
    if (stat(dir, &st) == 0 && fchown(fd, (uid_t)-1, st.st_gid) != 0 && errno != EPERM) {
        status = fail_errno(error, "%s", path);
    }
    if (status == RS_OK && fchmod(fd, 0660) != 0) {
        status = fail_errno(error, "%s", path);
    }
    close(fd);
    return status;
}

/* ---- Ringing ---- */

static int open_bell(const char *path)
{
    return open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* inotify tells that a file was closed by somebody who could have written it. Nothing is written:
 * that would change the file's times, and a file system without a journal may store them, in the
 * block that data.mdb's are in, with the next fdatasync of data.mdb. Opening by name finds the
 * file that waiters find, whatever happened to another one. */
void bell_ring(const char *dir)
{
    char path[4096];
    if (bell_path(dir, path, sizeof path) != RS_OK) {
        return;
    }
    int fd = open_bell(path);
    if (fd < 0 && errno == ENOENT && bell_create(dir, NULL) == RS_OK) {
        fd = open_bell(path);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* ---- Waiting ---- */

/* Watches the file that has the bell's name now: the same again, another one, or none. */
static void watch_file(struct bell_wait *wait, const char *dir)
{
    char path[4096];
    int before = wait->watch;
    if (wait->inotify < 0 || bell_path(dir, path, sizeof path) != RS_OK) {
        return;
    }
    wait->watch = inotify_add_watch(wait->inotify, path,
                                    IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB |
                                        IN_DONT_FOLLOW);
    if (before >= 0 && before != wait->watch) {
        inotify_rm_watch(wait->inotify, before);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* The timer's clock is looked at, which costs no system call, so as to ask the timer only when it
 * has something to tell. It is started after the look, and never early. */
static bool take_tick(struct bell_wait *wait)
{
    uint64_t ticks;
    if (now_ns() < wait->next_tick ||
        read(wait->timer, &ticks, sizeof ticks) != (ssize_t)sizeof ticks) {
        return false;
    }
    wait->next_tick += (int64_t)ticks * SECONDS_BETWEEN_LOOKS * SECOND_NS;
    return true;
}

static int start_timer(struct bell_wait *wait)
{
    struct itimerspec every = {
        .it_interval = {.tv_sec = SECONDS_BETWEEN_LOOKS},
        .it_value = {.tv_sec = SECONDS_BETWEEN_LOOKS},
    };
    wait->next_tick = now_ns() + SECONDS_BETWEEN_LOOKS * SECOND_NS;
    wait->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return wait->timer >= 0 ? timerfd_settime(wait->timer, 0, &every, NULL) : -1;
}

static int add_to_poll(const struct bell_wait *wait, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(wait->fd, EPOLL_CTL_ADD, fd, &event);
}

/* inotify's instances are few for all of a user's processes; while there is none the timer has to
 * do. */
static void start_inotify(struct bell_wait *wait, const char *dir)
{
    wait->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (wait->inotify >= 0 && add_to_poll(wait, wait->inotify) != 0) {
        close(wait->inotify);
        wait->inotify = -1;
    }
    watch_file(wait, dir);
}

int bell_wait_open(struct bell_wait *wait, const char *dir, rs_error *error)
{
    *wait = (struct bell_wait){-1, -1, -1, -1, 0};
    wait->fd = epoll_create1(EPOLL_CLOEXEC);
    if (wait->fd < 0 || start_timer(wait) != 0 || add_to_poll(wait, wait->timer) != 0) {
        int status = fail_errno(error, "%s: cannot wait for changes", dir);
        bell_wait_close(wait);
        return status;
    }
    start_inotify(wait, dir);
    return RS_OK;
}

#define LARGEST_EVENT (sizeof(struct inotify_event) + NAME_MAX + 1)

/* True if the file may have been removed or replaced. Where one more event would have had room,
 * there was none. */
static bool drain(int inotify)
{
    bool lost = false;
    _Alignas(struct inotify_event) char events[4096];
    ssize_t size = (ssize_t)sizeof events;
    while (sizeof events - (size_t)size < LARGEST_EVENT &&
           (size = read(inotify, events, sizeof events)) > 0) {
        for (char *at = events; at < events + size;) {
            const struct inotify_event *event = (const struct inotify_event *)at;
            lost = lost ||
                   (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)) != 0;
            at += sizeof *event + event->len;
        }
    }
    return lost;
}

bool bell_wait_clear(struct bell_wait *wait, const char *dir)
{
    bool second = take_tick(wait);
    if (wait->inotify >= 0) {
        if (drain(wait->inotify) || wait->watch < 0) {
            watch_file(wait, dir);
        }
    } else if (second) {
        start_inotify(wait, dir);
    }
    return second;
}

void bell_wait_close(struct bell_wait *wait)
{
    const int fds[] = {wait->fd, wait->inotify, wait->timer};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    *wait = (struct bell_wait){-1, -1, -1, -1, 0};
}
