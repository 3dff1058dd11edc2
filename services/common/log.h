/*
 * log - a service's lines on standard error.
 *
 * systemd's journal stamps time, process and program on every line itself and reads the priority
 * from a prefix "<6>" (sd-daemon(3)); a terminal or a file wants the program's name instead. Which
 * of the two standard error is, systemd tells in $JOURNAL_STREAM. Needs nothing; one write(2) per
 * line, so that lines of several processes do not mix.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include <stdbool.h>

/* syslog(3)'s numbers, which the prefix carries. */
enum log_priority { LOG_LINE_ERROR = 3, LOG_LINE_WARNING = 4, LOG_LINE_INFO = 6 };

struct log {
    const char *program;
    int fd;
    bool journal;
};

/* journal_stream is the value of $JOURNAL_STREAM or NULL. program must outlive the log. */
void log_open(struct log *log, const char *program, int fd, const char *journal_stream);
/* Writes one line; format makes its text, without a line end. */
void log_line(const struct log *log, enum log_priority priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
