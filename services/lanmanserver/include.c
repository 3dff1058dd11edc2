/* include - the file that smb.conf includes, and the files beside it; see include.h. */
#include "include.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX_SIZE 16

static bool fail(struct include *include, const char *what, const char *suffix, const char *why)
{
    (void)snprintf(include->reason, sizeof(include->reason), "cannot %s %s%s: %s", what,
                   include->path, suffix, why);
    return false;
}

/* The name in the directory of the file with that suffix. */
struct name {
    char text[NAME_MAX + SUFFIX_SIZE];
};

static struct name name_of(const struct include *include, const char *suffix)
{
    struct name name;
    (void)snprintf(name.text, sizeof(name.text), "%s%s", include->name, suffix);
    return name;
}

/* ---- The directory --------------------------------------------------------------------------- */

static bool check_directory(struct include *include, const char *path)
{
    struct stat info;
    if (fstat(include->directory, &info) != 0) {
        return fail(include, "look at the directory of", "", strerror(errno));
    }
    if ((info.st_mode & S_IWOTH) != 0) {
        (void)snprintf(include->reason, sizeof(include->reason),
                       "the directory of %s can be written to by everybody", path);
        return false;
    }
    return true;
}

/* Two that write the same FILE.new would have testparm judge one text and smbd read the other. Not
 * every file system has locks, and where no file can be made the change fails soon anyway. The lock
 * is a file of its own that only its owner can open, as whoever can read a thing can lock it. */
static bool lock(struct include *include)
{
    struct name name = name_of(include, ".lock");
    include->lock = openat(include->directory, name.text,
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (include->lock >= 0 && flock(include->lock, LOCK_EX | LOCK_NB) != 0 &&
        errno == EWOULDBLOCK) {
        return fail(include, "change", "", "another process is changing it");
    }
    return true;
}

bool include_open(struct include *include, const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];
    *include = (struct include){.directory = -1, .lock = -1};
    if (slash == NULL || strlen(path) >= sizeof(include->path) - SUFFIX_SIZE ||
        strlen(slash + 1) > NAME_MAX - SUFFIX_SIZE || slash[1] == '\0') {
        (void)snprintf(include->reason, sizeof(include->reason), "%s names no file", path);
        return false;
    }
    (void)strcpy(include->path, path);
    (void)strcpy(include->name, slash + 1);
    (void)snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path), path);
    include->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (include->directory < 0) {
        return fail(include, "open the directory of", "", strerror(errno));
    }
    if (!check_directory(include, path) || !lock(include)) {
        include_close(include);
        return false;
    }
    return true;
}

void include_close(struct include *include)
{
    if (include->directory >= 0) {
        close(include->directory);
    }
    if (include->lock >= 0) {
        close(include->lock);
    }
    include->directory = -1;
    include->lock = -1;
}

/* ---- Reading and writing --------------------------------------------------------------------- */

/* Gives what is in the file, or NULL with errno. */
static char *read_all(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || info.st_size > INCLUDE_MAX_SIZE) {
        errno = S_ISREG(info.st_mode) ? EFBIG : EINVAL;
        return NULL;
    }
    size_t size = (size_t)info.st_size;
    char *text = malloc(size + 1);
    ssize_t got = text != NULL ? read(fd, text, size) : -1;
    if (got < 0) {
        free(text);
        return NULL;
    }
    text[got] = '\0';
    return text;
}

bool include_read(struct include *include, const char *suffix, char **text)
{
    struct name name = name_of(include, suffix);
    int fd = openat(include->directory, name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *text = NULL;
        return true;
    }
    char *given = fd >= 0 ? read_all(fd) : NULL;
    int problem = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (given == NULL) {
        return fail(include, "read", suffix,
                    problem == ELOOP || problem == EINVAL ? "it is no file" : strerror(problem));
    }
    *text = given;
    return true;
}

static bool write_all(int fd, mode_t mode, const char *text)
{
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        size_t step = written > 0 ? (size_t)written : 0;
        text += step;
        size -= step;
    }
    return fchmod(fd, mode) == 0 && fsync(fd) == 0;
}

bool include_write(struct include *include, const char *suffix, mode_t mode, const char *text)
{
    struct name name = name_of(include, suffix);
    include_remove(include, suffix);
    int fd = openat(include->directory, name.text,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(include, "make", suffix, strerror(errno));
    }
    bool written = write_all(fd, mode, text);
    int problem = errno;
    close(fd);
    if (!written) {
        include_remove(include, suffix);
        return fail(include, "write", suffix, strerror(problem));
    }
    return true;
}

/* ---- One for the other ----------------------------------------------------------------------- */

bool include_exists(const struct include *include, const char *suffix)
{
    struct name name = name_of(include, suffix);
    return faccessat(include->directory, name.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void include_remove(const struct include *include, const char *suffix)
{
    struct name name = name_of(include, suffix);
    (void)unlinkat(include->directory, name.text, 0);
}

static bool move(struct include *include, const char *suffix, const char *to)
{
    struct name from = name_of(include, suffix);
    struct name place = name_of(include, to);
    if (renameat(include->directory, from.text, include->directory, place.text) != 0) {
        return fail(include, "replace", to, strerror(errno));
    }
    return true;
}

static bool keep_names(struct include *include)
{
    return fsync(include->directory) == 0 ||
           fail(include, "store the names beside", "", strerror(errno));
}

bool include_rename(struct include *include, const char *suffix, const char *to)
{
    return move(include, suffix, to) && keep_names(include);
}

bool include_replace(struct include *include, const char *suffix, mode_t mode, const char *text)
{
    if (!include_write(include, ".step", mode, text)) {
        return false;
    }
    bool renamed = include_rename(include, ".step", suffix);
    include_remove(include, ".step");
    return renamed;
}

/* Another name for a file, put in the place of what was there. rename(2) does nothing when both
 * names are of one file already, and leaves the first. */
static bool copy_link(struct include *include, const char *suffix, const char *to)
{
    struct name from = name_of(include, suffix);
    struct name step = name_of(include, ".old");
    include_remove(include, ".old");
    if (linkat(include->directory, from.text, include->directory, step.text, 0) != 0) {
        return fail(include, "keep", suffix, strerror(errno));
    }
    bool renamed = include_rename(include, ".old", to);
    include_remove(include, ".old");
    return renamed;
}

bool include_install(struct include *include)
{
    if (include_exists(include, "") && !copy_link(include, "", ".last")) {
        return false;
    }
    include->installed = move(include, ".new", "");
    return include->installed && keep_names(include);
}

bool include_restore(struct include *include, bool was_there)
{
    if (!was_there) {
        include_remove(include, "");
        return true;
    }
    return copy_link(include, ".last", "");
}
