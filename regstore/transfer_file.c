/*
 * transfer_file.c - the files that dumps are read from and written to.
 *
 * A file that is written appears complete or not at all: it is made in the same directory, without
 * a name or under another one, made durable, and renamed. A target that is no regular file (a
 * device, a pipe) cannot be replaced and is written as it is. Needs format and text.
 */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STANDARD_INPUT "standard input"
#define STANDARD_OUTPUT "standard output"

/* ---- Progress ---- */

#define TELL_BYTES ((uint64_t)1 << 20)
#define TELL_TIME 50 /* ms */

int transfer_tell(struct transfer_progress *progress, uint64_t bytes, rs_error *error)
{
    struct timespec time;

    progress->now.bytes += bytes;
    if (!progress->call) {
        return RS_OK;
    }
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t now = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
    if (progress->now.bytes - progress->told_bytes < TELL_BYTES &&
        now - progress->told_time < TELL_TIME) {
        return RS_OK;
    }
    progress->told_bytes = progress->now.bytes;
    progress->told_time = now;
    if (progress->call(progress->context, &progress->now) != 0) {
        return fail(error, RS_ECANCELLED, "%s", rs_strerror(RS_ECANCELLED));
    }
    return RS_OK;
}

/* ---- Input ---- */

ssize_t transfer_read(int descriptor, void *buffer, size_t size)
{
    for (;;) {
        ssize_t got = read(descriptor, buffer, size);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN)) {
            return got;
        }
        if (errno == EAGAIN) {
            struct pollfd waits = {.fd = descriptor, .events = POLLIN};
            poll(&waits, 1, -1);
        }
    }
}

static int read_input(struct format_input *base, void *buffer, size_t size, size_t *got)
{
    struct transfer_input *input = (struct transfer_input *)base;
    size_t rest = input->head_size - input->head_used;

    if (rest > 0) {
        *got = rest < size ? rest : size;
        memcpy(buffer, input->head + input->head_used, *got);
        input->head_used += *got;
    } else {
        ssize_t count = transfer_read(input->input.descriptor, buffer, size);
        if (count < 0) {
            return fail_errno(input->error, "cannot read %s", base->name);
        }
        *got = (size_t)count;
    }
    return transfer_tell(input->progress, *got, input->error);
}

static int read_head(struct transfer_input *input)
{
    while (input->head_size < TRANSFER_HEAD) {
        ssize_t count = transfer_read(input->input.descriptor, input->head + input->head_size,
                                      TRANSFER_HEAD - input->head_size);
        if (count < 0) {
            return fail_errno(input->error, "cannot read %s", input->input.name);
        }
        if (count == 0) {
            break;
        }
        input->head_size += (size_t)count;
    }
    return RS_OK;
}

const char *transfer_input_name(const char *file)
{
    return strcmp(file, "-") == 0 ? STANDARD_INPUT : file;
}

int transfer_source_open(const char *file, int *descriptor, rs_error *error)
{
    *descriptor =
        strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *descriptor >= 0 ? RS_OK : fail_errno(error, "cannot open %s", file);
}

/* Each import of a spool begins where the spool does. */
static int open_source(struct transfer_input *input, const char *file, const struct rs_spool *spool)
{
    if (spool == NULL) {
        int status = transfer_source_open(file, &input->input.descriptor, input->error);
        input->owned = input->input.descriptor != STDIN_FILENO;
        return status;
    }
    input->input.descriptor = spool->descriptor;
    return lseek(spool->descriptor, spool->start, SEEK_SET) >= 0
               ? RS_OK
               : fail_errno(input->error, "cannot read %s", input->input.name);
}

int transfer_input_open(struct transfer_input *input, const char *file,
                        const struct rs_spool *spool, struct transfer_progress *progress,
                        rs_error *error)
{
    struct stat about;

    *input = (struct transfer_input){
        .input = {.read = read_input, .name = transfer_input_name(file), .descriptor = -1},
        .progress = progress,
        .error = error,
    };
    int status = open_source(input, file, spool);
    if (status == RS_OK && fstat(input->input.descriptor, &about) == 0 && S_ISREG(about.st_mode)) {
        progress->now.total = (uint64_t)about.st_size;
    }
    if (status == RS_OK) {
        status = read_head(input);
    }
    if (status != RS_OK) {
        transfer_input_close(input);
    }
    return status;
}

void transfer_input_close(struct transfer_input *input)
{
    if (input->owned && input->input.descriptor >= 0) {
        close(input->input.descriptor);
    }
    input->input.descriptor = -1;
}

/* ---- Output ---- */

static int write_output(struct format_output *base, const void *data, size_t size)
{
    struct transfer_output *output = (struct transfer_output *)base;

    for (size_t done = 0; done < size;) {
        ssize_t count = write(output->descriptor, (const char *)data + done, size - done);
        if (count >= 0) {
            done += (size_t)count;
        } else if (errno == EAGAIN) {
            struct pollfd waits = {.fd = output->descriptor, .events = POLLOUT};
            poll(&waits, 1, -1);
        } else if (errno != EINTR) {
            return fail_errno(output->error, "cannot write %s", output->name);
        }
    }
    return transfer_tell(output->progress, size, output->error);
}

/* The file that is meant: what a symbolic link points to is replaced, not the link. */
static int find_target(struct transfer_output *output, const struct stat *about)
{
    char *real = NULL;

    if (S_ISLNK(about->st_mode) && !(real = realpath(output->name, NULL))) {
        return fail_errno(output->error, "cannot write %s", output->name);
    }
    int status = buffer_append_text(&output->target, real ? real : output->name);
    if (status == RS_OK) {
        status = buffer_terminate(&output->target);
    }
    free(real);
    return status == RS_OK ? RS_OK : fail(output->error, status, "%s", rs_strerror(status));
}

#define LONGEST_LINK 40 /* bytes of a path to an open descriptor */

static void print_link(char link[LONGEST_LINK], int descriptor)
{
    snprintf(link, LONGEST_LINK, "/proc/self/fd/%d", descriptor);
}

/* A file without a name vanishes with a process that is killed. Not every file system can make one,
 * and it is named through /proc. */
static int open_nameless(struct transfer_output *output, int directory)
{
    char link[LONGEST_LINK];
    char *name = output->temporary.data;
    char kept = name[directory];

    name[directory] = '\0';
    int descriptor = open(directory > 0 ? name : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    name[directory] = kept;
    if (descriptor < 0) {
        return -1;
    }
    print_link(link, descriptor);
    if (access(link, F_OK) != 0) {
        close(descriptor);
        return -1;
    }
    output->nameless = true;
    return descriptor;
}

/* Makes the file that will become the target: beside it, under a name that nobody has. */
static int make_temporary(struct transfer_output *output, mode_t mode)
{
    const char *target = output->target.data;
    const char *slash = strrchr(target, '/');
    int directory = slash ? (int)(slash - target) + 1 : 0;

    for (int tries = 0; tries < 100; tries++) {
        uint32_t number;
        output->temporary.size = 0;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
            break;
        }
        int status = buffer_printf(&output->temporary, "%.*s.regstore-%08x", directory, target,
                                   (unsigned)number);
        if (status == RS_OK) {
            status = buffer_terminate(&output->temporary);
        }
        if (status != RS_OK) {
            return fail(output->error, status, "%s", rs_strerror(status));
        }
        output->descriptor = open_nameless(output, directory);
        if (output->descriptor < 0) {
            output->descriptor = open(output->temporary.data,
                                      O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        }
        if (output->descriptor >= 0 || errno != EEXIST) {
            break;
        }
    }
    if (output->descriptor < 0) {
        output->temporary.size = 0;
        return fail_errno(output->error, "cannot write %s", output->name);
    }
    /* What was kept from others stays so. */
    if (mode != 0 && fchmod(output->descriptor, mode & 0777) != 0) {
        return fail_errno(output->error, "cannot write %s", output->name);
    }
    return RS_OK;
}

static int open_file(struct transfer_output *output)
{
    struct stat about;
    bool exists = stat(output->name, &about) == 0;

    if (exists && !S_ISREG(about.st_mode)) {
        output->descriptor = open(output->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return output->descriptor >= 0 ? RS_OK
                                       : fail_errno(output->error, "cannot write %s", output->name);
    }
    mode_t mode = exists ? about.st_mode : 0;
    bool named = lstat(output->name, &about) == 0;
    if (named && !output->overwrite) {
        return fail(output->error, RS_EEXIST, "%s: the file exists", output->name);
    }
    if (!named) {
        about.st_mode = 0;
    }
    int status = find_target(output, &about);
    return status == RS_OK ? make_temporary(output, mode) : status;
}

int transfer_output_open(struct transfer_output *output, const char *file, bool overwrite,
                         struct transfer_progress *progress, rs_error *error)
{
    bool standard = strcmp(file, "-") == 0;

    *output = (struct transfer_output){
        .output = {.write = write_output, .error = error},
        .descriptor = standard ? STDOUT_FILENO : -1,
        .owned = !standard,
        .overwrite = overwrite,
        .name = standard ? STANDARD_OUTPUT : file,
        .progress = progress,
        .error = error,
    };
    int status = standard ? RS_OK : open_file(output);
    if (status != RS_OK) {
        transfer_output_close(output, false);
    }
    return status;
}

/* The directory's entry is durable once the directory is. */
static void sync_directory(struct transfer_output *output)
{
    char *slash = strrchr(output->target.data, '/');

    if (slash) {
        slash[slash == output->target.data] = '\0';
    }
    int directory = open(slash ? output->target.data : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        (void)fsync(directory); /* the file is there; some file systems cannot do this */
        close(directory);
    }
}

/* Gives the file its name. Without overwriting, a file that has come there since is not touched. */
static int give_name(struct transfer_output *output)
{
    const char *from = output->temporary.data;
    const char *to = output->target.data;
    int result;

    if (output->overwrite) {
        result = rename(from, to);
    } else {
        result = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
        if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {
            result = link(from, to);
            if (result == 0) {
                unlink(from);
            }
        }
    }
    if (result != 0 && errno == EEXIST) {
        return fail(output->error, RS_EEXIST, "%s: the file exists", output->name);
    }
    if (result != 0) {
        return fail_errno(output->error, "cannot write %s", output->name);
    }
    output->temporary.size = 0;
    sync_directory(output);
    return RS_OK;
}

static int link_nameless(const struct transfer_output *output, const char *name)
{
    char link[LONGEST_LINK];

    print_link(link, output->descriptor);
    return linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/* A file without a name can take a name that nobody has, but no other's: that takes a name between,
 * under which a signal must not leave it. */
static int replace_by_nameless(struct transfer_output *output)
{
    sigset_t all;
    sigset_t before;
    int status;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (link_nameless(output, output->temporary.data) == 0) {
        output->nameless = false;
        status = give_name(output);
    } else {
        status = fail_errno(output->error, "cannot write %s", output->name);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static int name_nameless(struct transfer_output *output)
{
    if (link_nameless(output, output->target.data) == 0) {
        output->nameless = false;
        output->temporary.size = 0;
        sync_directory(output);
        return RS_OK;
    }
    if (errno != EEXIST) {
        return fail_errno(output->error, "cannot write %s", output->name);
    }
    return output->overwrite ? replace_by_nameless(output)
                             : fail(output->error, RS_EEXIST, "%s: the file exists", output->name);
}

int transfer_output_close(struct transfer_output *output, bool keep)
{
    bool temporary = output->temporary.size > 0;
    int status = RS_OK;

    if (keep && temporary && fsync(output->descriptor) != 0) {
        status = fail_errno(output->error, "cannot write %s", output->name);
    }
    if (keep && output->nameless && status == RS_OK) {
        status = name_nameless(output);
    }
    if (output->owned && output->descriptor >= 0 && close(output->descriptor) != 0 && keep &&
        status == RS_OK) {
        status = fail_errno(output->error, "cannot write %s", output->name);
    }
    if (keep && output->temporary.size > 0 && status == RS_OK) {
        status = give_name(output);
    }
    if (output->temporary.size > 0 && !output->nameless) {
        unlink(output->temporary.data);
    }
    output->descriptor = -1;
    buffer_free(&output->target);
    buffer_free(&output->temporary);
    return status;
}
