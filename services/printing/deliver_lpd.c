/*
 * deliver_lpd - a document to the queue of another line printer daemon, as RFC 1179 has it.
 *
 * A job of one document: the control file, then the data file, each acknowledged. A daemon may only
 * print a job that it has whole, and what is not acknowledged it has to drop; but those inside
 * printers do print what comes in, so from the first byte of data on nobody knows, unless it says
 * no.
 *
 * Some daemons let a file take the place of one of the same name that still waits, so a document
 * has a number of its own, and not its client's. Only the number tells documents apart: the letter
 * of a control file is A by RFC 1179, and a priority to some. Needs deliver.
 */
#include "deliver.h"

#include "../common/character.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LPD_ANSWER_MS 60000  /* for an acknowledgement of a command, */
#define LPD_PRINT_MS 3600000 /* and of the data, which a printer prints as it comes */

#define NUMBERS 1000 /* that a name of RFC 1179 tells apart */
/* From a document to the next one of its job. So far apart, 13 of a job have numbers that none of
 * the 33 jobs before and after it comes near, and the same number is there again after 500. */
#define NUMBER_STEP 382
#define FILE_NAME 48 /* bytes of "A042" and the host, the end included */

struct lpd {
    struct delivery *delivery;
    int fd;
    enum outcome left;    /* what an end in this moment would leave */
    char host[32];        /* ours: 31 bytes */
    char file[FILE_NAME]; /* what the names of both files have behind "cf" and "df" */
};

/* ---- What both sides say --------------------------------------------------------------------- */

/* Each is a line, so what ends one, or is no text at all, stands nowhere in it; and it is not cut
 * within a character. The daemon shows it to people. */
static void add_field(struct line *control, char letter, const char *text, size_t most)
{
    size_t length = character_cut(text, most);
    if (length == 0) {
        return;
    }
    line_add(control, "%c", letter);
    line_add_clean(control, text, length);
    line_add(control, "\n");
}

static bool take_answer(struct lpd *lpd, int patience, struct line *why)
{
    struct pollfd wait = {.fd = lpd->fd, .events = POLLIN};
    unsigned char answer;
    int ready;
    do {
        ready = poll(&wait, 1, patience);
    } while (ready < 0 && errno == EINTR);
    ssize_t got = ready > 0 ? recv(lpd->fd, &answer, 1, 0) : -1;
    if (got == 1 && answer == 0) {
        return true;
    }
    if (got == 1) {
        lpd->left = DELIVER_REFUSED;
        line_add(why, "the daemon refuses it, with %u", answer);
    } else if (got == 0) {
        line_add(why, "the daemon has closed the connection");
    } else {
        deliver_add_error(why, ready == 0 ? ETIMEDOUT : errno);
    }
    return false;
}

static bool say(struct lpd *lpd, const struct line *text, struct line *why)
{
    return deliver_write_all(lpd->fd, text->text, text->length, why) &&
           take_answer(lpd, LPD_ANSWER_MS, why);
}

/* ---- The job --------------------------------------------------------------------------------- */

static void make_control(const struct lpd *lpd, struct line *control)
{
    const struct delivery *delivery = lpd->delivery;
    const struct target *target = delivery->target;
    char file[FILE_NAME + 2];
    (void)snprintf(file, sizeof(file), "df%s", lpd->file);
    add_field(control, 'H', delivery->host[0] != '\0' ? delivery->host : lpd->host, 31);
    add_field(control, 'P', delivery->user[0] != '\0' ? delivery->user : "nobody", 31);
    add_field(control, 'J', delivery->title[0] != '\0' ? delivery->title : delivery->name, 99);
    add_field(control, target->format != '\0' ? target->format : 'l', file, 63);
    add_field(control, 'U', file, 63);
    add_field(control, 'N', delivery->name, 131);
}

static bool send_control(struct lpd *lpd, struct line *why)
{
    struct line command = LINE_INIT;
    struct line control = LINE_INIT;
    make_control(lpd, &control);
    line_add(&command, "\002%zu cf%s\n", control.length, lpd->file);
    control.length++; /* the zero at its end is the protocol's */
    return say(lpd, &command, why) && say(lpd, &control, why);
}

static bool ask(struct lpd *lpd, struct line *why)
{
    struct line command = LINE_INIT;
    line_add(&command, "\002%s\n", lpd->delivery->target->name);
    if (!say(lpd, &command, why) || !send_control(lpd, why)) {
        return false;
    }
    command = (struct line)LINE_INIT;
    line_add(&command, "\003%" PRIu64 " df%s\n", lpd->delivery->size, lpd->file);
    return say(lpd, &command, why);
}

static enum outcome end_early(void *state)
{
    struct lpd *lpd = state;
    enum outcome left = lpd->left;
    close(lpd->fd);
    free(lpd);
    return left;
}

/* By the number of the job in the spool and that of the document: "00000042.1" is 42. What is of no
 * spool has a number of its process. */
static unsigned number_of(const struct delivery *delivery)
{
    char *end;
    unsigned long job = strtoul(delivery->job, &end, 10);
    unsigned long document = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    if (document == 0) {
        return delivery->number % NUMBERS;
    }
    return (unsigned)((job + (document - 1) * NUMBER_STEP) % NUMBERS);
}

/* Over 31 bytes of a host's name are more than daemons take in a file's. */
static void name_files(struct lpd *lpd)
{
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    deliver_plain_name(host, lpd->host, sizeof(lpd->host));
    (void)snprintf(lpd->file, sizeof(lpd->file), "A%03u%s", number_of(lpd->delivery), lpd->host);
}

static enum outcome begin(struct delivery *delivery, void **state, struct line *why)
{
    struct lpd *lpd = calloc(1, sizeof(*lpd));
    if (lpd == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    const struct target *target = delivery->target;
    unsigned port = target->port != 0 ? target->port : TARGET_LPD_PORT;
    enum outcome outcome = deliver_connect(target->host, port, true, &lpd->fd, why);
    if (outcome != DELIVER_DONE) {
        free(lpd);
        return outcome;
    }
    lpd->delivery = delivery;
    lpd->left = DELIVER_AWAY;
    name_files(lpd);
    if (!ask(lpd, why)) {
        return end_early(lpd);
    }
    *state = lpd;
    return DELIVER_DONE;
}

/* One that refuses it in the middle says so before it closes the connection. */
static bool write_part(void *state, const char *bytes, size_t size, struct line *why)
{
    struct lpd *lpd = state;
    struct line problem = LINE_INIT;
    if (!deliver_sending(lpd->delivery, why)) {
        return false;
    }
    lpd->left = DELIVER_UNKNOWN;
    if (deliver_write_all(lpd->fd, bytes, size, &problem)) {
        return true;
    }
    struct line answer = LINE_INIT;
    if (!take_answer(lpd, 0, &answer) && lpd->left == DELIVER_REFUSED) {
        problem = answer;
    }
    line_add(why, "%s", problem.text);
    return false;
}

/* To some daemons no size means all until the connection ends: so this direction ends. */
static bool send_end(const struct lpd *lpd, struct line *why)
{
    if (!deliver_write_all(lpd->fd, "", 1, why)) {
        return false;
    }
    if (lpd->delivery->size == 0) {
        (void)shutdown(lpd->fd, SHUT_WR);
    }
    return true;
}

static enum outcome end(void *state, struct line *why)
{
    struct lpd *lpd = state;
    lpd->left = DELIVER_UNKNOWN;
    bool good = send_end(lpd, why) && take_answer(lpd, LPD_PRINT_MS, why);
    enum outcome left = end_early(lpd);
    return good ? DELIVER_DONE : left;
}

const struct transport deliver_lpd = {true, begin, write_part, end, end_early};
