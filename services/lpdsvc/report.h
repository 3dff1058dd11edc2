/*
 * report - a queue's state in words, as lpq(1) has them.
 *
 * RFC 1179 leaves the text of the answer to the server; clients show it to people as it is, and
 * some read it. So it is laid out as that of BSD's lpd: a line about the queue, then a row for each
 * job in its order, or "no entries". Pure. Needs queues and line.
 */
#ifndef LPDSVC_REPORT_H
#define LPDSVC_REPORT_H

#include "queues.h"

/* A list of users and numbers of jobs, which ends with NULL; an empty one names all. */
bool report_names_job(const struct queue_job *job, const char *const *items);
/* Tells line by line, without line ends. */
void report_queue(const struct queue *queue, const char *const *items, bool is_long,
                  void (*tell)(void *owner, const char *line), void *owner);

#endif
