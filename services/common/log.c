/* log - a service's lines on standard error; see log.h. */
#include "log.h"

#include "line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* systemd.exec(5): $JOURNAL_STREAM holds "device:inode" of the stream to the journal. A service
 * whose standard error was redirected since inherits the variable all the same. */
static bool is_journal(int fd, const char *journal_stream)
{
    uintmax_t device;
    uintmax_t inode;
    struct stat status;
    if (journal_stream == NULL || fstat(fd, &status) != 0 ||
        sscanf(journal_stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) != 2) {
        return false;
    }
    return device == status.st_dev && inode == status.st_ino;
}

void log_open(struct log *log, const char *program, int fd, const char *journal_stream)
{
    log->program = program;
    log->fd = fd;
    log->journal = is_journal(fd, journal_stream);
}

/* A log that cannot be written has nobody to complain to; the service goes on. */
static void write_line(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return;
        }
        text += written;
        length -= (size_t)written;
    }
}

void log_line(const struct log *log, enum log_priority priority, const char *format, ...)
{
    struct line line = LINE_INIT;
    va_list arguments;
    if (log->journal) {
        line_add(&line, "<%d>", (int)priority);
    } else {
        line_add(&line, "%s: ", log->program);
    }
    va_start(arguments, format);
    line_add_list(&line, format, arguments);
    va_end(arguments);
    /* The line's terminator gives its place to the line end. */
    line.text[line.length] = '\n';
    write_line(log->fd, line.text, line.length + 1);
}
