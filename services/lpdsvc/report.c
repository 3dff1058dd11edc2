/* report - a queue's state in words, as lpq(1) has them; see report.h. */
#include "report.h"

#include "../common/character.h"
#include "../common/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_WIDTH 36 /* of lpq's column Files, cut where there is more */
#define NAME_WIDTH 32  /* of a document's name in the long form */
#define NO_NAME "(standard input)"

struct report {
    const struct queue *queue;
    const char *const *items;
    bool is_long;
    void (*tell)(void *owner, const char *line);
    void *owner;
};

/* ---- Which jobs ------------------------------------------------------------------------------ */

static bool is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

bool report_names_job(const struct queue_job *job, const char *const *items)
{
    bool found = items[0] == NULL;
    for (; *items != NULL && !found; items++) {
        found = strcmp(*items, job->user) == 0 ||
                (is_number(*items) && strtoul(*items, NULL, 10) == job->number);
    }
    return found;
}

/* ---- The queue ------------------------------------------------------------------------------- */

static void tell_line(const struct report *report, const struct line *line)
{
    report->tell(report->owner, line->text);
}

static void tell_waiting(const struct report *report)
{
    struct line line = LINE_INIT;
    const struct queue_shape *shape = report->queue->shape;
    if (shape->leads) {
        line_add(&line, "waiting for %s: %s", shape->target.text, report->queue->reason);
    } else {
        line_add(&line, "waiting: %s", report->queue->reason);
    }
    tell_line(report, &line);
}

static void tell_ready(const struct queue *queue, struct line *line)
{
    line_add(line, "%s is ready", queue->key);
    if (queue->jobs != NULL && queue->activity == QUEUE_SENDING) {
        line_add(line, " and printing");
    } else if (queue->jobs != NULL && queue->activity == QUEUE_CONNECTING) {
        line_add(line, " and connecting to %s", queue->shape->target.text);
    }
}

/* What became of the printer comes first: a document that is on its way goes on in any case, and
 * its job's rank says so. */
static void tell_queue(const struct report *report)
{
    const struct queue *queue = report->queue;
    struct line line = LINE_INIT;
    if (queue->shape == NULL) {
        line_add(&line, "%s is gone; its jobs wait until it is back", queue->key);
    } else if (queue_is_paused(queue)) {
        line_add(&line, "%s is paused", queue->key);
    } else if (queue->jobs != NULL && queue->activity == QUEUE_WAITING) {
        tell_waiting(report);
        return;
    } else {
        tell_ready(queue, &line);
    }
    tell_line(report, &line);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

static const char *end_of(unsigned rank)
{
    static const char *const ends[] = {"th", "st", "nd", "rd"};
    unsigned last = rank % 10;
    return rank % 100 / 10 == 1 || last > 3 ? ends[0] : ends[last];
}

static void set_rank(const struct report *report, unsigned place, char *rank, size_t size)
{
    bool printing = report->queue->activity == QUEUE_SENDING;
    unsigned number = printing ? place : place + 1;
    if (number == 0) {
        (void)snprintf(rank, size, "active");
    } else {
        (void)snprintf(rank, size, "%u%s", number, end_of(number));
    }
}

static const char *name_of(const struct queue_document *document)
{
    return document->name[0] != '\0' ? document->name : NO_NAME;
}

/* The rest of a name that does not fit is left out, whole characters of UTF-8 at a time. */
static void add_cut(struct line *line, const char *text, size_t width)
{
    line_add(line, "%.*s", (int)character_cut(text, width), text);
}

static void add_padding(struct line *line, size_t column)
{
    if (line->length < column) {
        line_add(line, "%*s", (int)(column - line->length), "");
    }
}

static void tell_short(const struct report *report, const struct queue_job *job, const char *rank)
{
    struct line files = LINE_INIT;
    struct line line = LINE_INIT;
    for (size_t i = 0; i < job->count; i++) {
        line_separate(&files, 0, ", ");
        line_add(&files, "%s", name_of(&job->documents[i]));
    }
    line_add(&line, "%-7s", rank);
    add_cut(&line, job->user, 10);
    add_padding(&line, 18);
    line_add(&line, "%-5u", job->number);
    add_cut(&line, files.text, FILES_WIDTH);
    add_padding(&line, 61);
    line_add(&line, "%" PRIu64 " bytes", job->size);
    tell_line(report, &line);
}

static void tell_document(const struct report *report, const struct queue_document *document)
{
    struct line name = LINE_INIT;
    struct line line = LINE_INIT;
    if (document->copies > 1) {
        line_add(&name, "%u copies of ", document->copies);
    }
    line_add(&name, "%s", name_of(document));
    line_add(&line, "        ");
    add_cut(&line, name.text, NAME_WIDTH);
    add_padding(&line, 8 + NAME_WIDTH + 1);
    line_add(&line, "%" PRIu64 " bytes", document->size);
    tell_line(report, &line);
}

static void tell_long(const struct report *report, const struct queue_job *job, const char *rank)
{
    struct line line = LINE_INIT;
    report->tell(report->owner, "");
    line_add(&line, "%s: %s", job->user, rank);
    add_padding(&line, 40);
    line_add(&line, " [job %03u%s]", job->number, job->host);
    tell_line(report, &line);
    for (size_t i = 0; i < job->count; i++) {
        tell_document(report, &job->documents[i]);
    }
}

void report_queue(const struct queue *queue, const char *const *items, bool is_long,
                  void (*tell)(void *owner, const char *line), void *owner)
{
    const struct report report = {queue, items, is_long, tell, owner};
    bool any = false;
    unsigned place = 0;
    char rank[16];
    tell_queue(&report);
    for (const struct queue_job *job = queue->jobs; job != NULL; job = job->next, place++) {
        if (!report_names_job(job, items)) {
            continue;
        }
        if (!any && !is_long) {
            tell(owner, "Rank   Owner      Job  Files                                 Total Size");
        }
        any = true;
        set_rank(&report, place, rank, sizeof(rank));
        (is_long ? tell_long : tell_short)(&report, job, rank);
    }
    if (!any) {
        tell(owner, "no entries");
    }
}
