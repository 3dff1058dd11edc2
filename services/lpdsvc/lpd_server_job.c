/* lpd_server_job - a job that a client sends, from its first file to the spool. */
#include "lpd_server_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Its end --------------------------------------------------------------------------------- */

static void forget_file(struct lpd_client *client)
{
    free(client->control);
    client->control = NULL;
    client->control_size = 0;
    client->file = LPD_NO_FILE;
}

static void forget_job(struct lpd_client *client)
{
    forget_file(client);
    if (client->job != NULL) {
        spool_discard(client->job->incoming);
        free(client->job);
        client->job = NULL;
    }
}

void lpd_job_drop(struct lpd_client *client)
{
    bool is_committing = client->list == &client->server->committing;
    if (client->job != NULL && client->refused == LPD_YES && !is_committing) {
        lpd_server_trouble(client->server, LPD_TROUBLE_LEFT, client->address,
                           "left before its job was complete; it is dropped");
    }
    forget_job(client);
}

/* The file that is being received is read to its end, but nothing of it is kept. */
void lpd_job_refuse(struct lpd_client *client, char byte, const char *why)
{
    struct line queue = LINE_INIT;
    line_add_quoted(&queue, client->queue);
    lpd_server_trouble(client->server, LPD_TROUBLE_JOB, client->address,
                       "sends a job for %s that is refused: %s", queue.text, why);
    forget_job(client);
    client->refused = byte;
}

static void refuse_for(struct lpd_client *client, int problem)
{
    bool no_room = problem == ENOSPC || problem == EDQUOT;
    lpd_job_refuse(client, no_room ? LPD_NO_ROOM : LPD_NO, strerror(problem));
}

void lpd_job_abort(struct lpd_client *client)
{
    forget_job(client);
    client->refused = LPD_YES;
    lpd_client_acknowledge(client, LPD_YES);
}

/* ---- Its begin ------------------------------------------------------------------------------- */

static bool find_queue(struct lpd_client *client, const char *name, struct line *problem)
{
    const struct lpd_server *server = client->server;
    if (server->spool == NULL) {
        line_add(problem, "no jobs are taken");
        return false;
    }
    return server->options.calls->find(server->options.owner, name, client->queue, problem);
}

void lpd_job_receive(struct lpd_client *client, const char *queue)
{
    struct line problem = LINE_INIT;
    lpd_job_drop(client);
    client->refused = LPD_YES;
    if (!find_queue(client, queue, &problem)) {
        snprintf(client->queue, sizeof(client->queue), "%s", queue);
        lpd_job_refuse(client, LPD_NO, problem.text);
        lpd_client_leave(client);
    }
    lpd_client_acknowledge(client, client->refused);
}

/* Refuses what was announced; the client does not send it then. */
static void answer_file(struct lpd_client *client, const char *problem)
{
    if (problem != NULL) {
        lpd_job_refuse(client, LPD_NO, problem);
    }
    if (client->refused != LPD_YES) {
        lpd_request_refuse(&client->request);
    }
    lpd_client_acknowledge(client, client->refused);
}

static bool begin_job(struct lpd_client *client)
{
    if (client->server->spool == NULL && client->refused == LPD_YES) {
        lpd_job_refuse(client, LPD_NO, "the spool is closed");
    }
    if (client->job == NULL && client->refused == LPD_YES) {
        client->job = calloc(1, sizeof(*client->job));
        if (client->job == NULL) {
            refuse_for(client, ENOMEM);
        }
    }
    return client->job != NULL;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static const char *begin_control(struct lpd_client *client, const struct lpd_event *event)
{
    struct lpd_job *job = client->job;
    if (job->has_control) {
        return "it has a second control file before the files of the first one";
    }
    if (event->size > LPD_CONTROL_MAX) {
        return "its control file is too large";
    }
    client->control = malloc(event->size > 0 ? (size_t)event->size : 1);
    if (client->control == NULL) {
        return strerror(ENOMEM);
    }
    client->file = LPD_CONTROL;
    job->number = lpd_name_number(event->name);
    return NULL;
}

void lpd_job_control_file(struct lpd_client *client, const struct lpd_event *event)
{
    answer_file(client, begin_job(client) ? begin_control(client, event) : NULL);
}

static int find_document(const struct lpd_job *job, const char *name)
{
    for (size_t i = 0; i < job->count; i++) {
        if (strcmp(job->documents[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const char *begin_data(struct lpd_client *client, const struct lpd_event *event)
{
    struct lpd_job *job = client->job;
    if (job->count == JOB_DOCUMENTS) {
        return "it has too many files";
    }
    if (find_document(job, event->name) >= 0) {
        return "it has two files of one name";
    }
    if (job->has_control && control_file_find(&job->control, event->name) < 0) {
        return "it has a file that its control file does not name";
    }
    int problem = job->incoming == NULL ? spool_begin(client->server->spool, &job->incoming) : 0;
    if (problem == 0) {
        problem = spool_next_document(job->incoming);
    }
    if (problem != 0) {
        refuse_for(client, problem);
        return NULL;
    }
    client->file = LPD_DATA;
    snprintf(job->documents[job->count++].name, LPD_FILE_NAME, "%s", event->name);
    return NULL;
}

void lpd_job_data_file(struct lpd_client *client, const struct lpd_event *event)
{
    answer_file(client, begin_job(client) ? begin_data(client, event) : NULL);
}

void lpd_job_bytes(struct lpd_client *client, const uint8_t *bytes, size_t count)
{
    struct lpd_job *job = client->job;
    if (client->file == LPD_CONTROL) { /* its size was announced, and room made for it */
        memcpy(client->control + client->control_size, bytes, count);
        client->control_size += count;
    } else if (client->file == LPD_DATA) {
        int problem = spool_write(job->incoming, bytes, count);
        job->documents[job->count - 1].size += count;
        if (problem != 0) {
            refuse_for(client, problem);
        }
    }
}

/* ---- The whole job --------------------------------------------------------------------------- */

static bool is_complete(const struct lpd_job *job)
{
    return job->has_control && job->count == job->control.count;
}

static void copy_text(char to[JOB_TEXT], const char *from)
{
    snprintf(to, JOB_TEXT, "%s", from);
}

static void fill_facts(const struct lpd_client *client, struct lpd_job *job)
{
    const struct control_file *control = &job->control;
    struct job_facts *facts = &job->facts;
    copy_text(facts->queue, client->queue);
    copy_text(facts->address, client->address);
    copy_text(facts->host, control->host[0] != '\0' ? control->host : client->address);
    copy_text(facts->user, control->user);
    copy_text(facts->title, control->title);
    facts->number = job->number;
    facts->time = (uint64_t)time(NULL);
    facts->count = control->count;
    for (size_t i = 0; i < control->count; i++) {
        const struct control_print *print = &control->prints[i];
        struct job_document *document = &facts->documents[i];
        int place = find_document(job, print->file);
        copy_text(document->name, print->title);
        document->size = job->documents[place].size;
        document->copies = print->copies;
        document->format = print->format;
        job->order[i] = (unsigned)place;
    }
}

static void committed(void *owner, int problem, const char *name)
{
    struct lpd_client *client = owner;
    const struct lpd_server_options *options = &client->server->options;
    client->job->incoming = NULL;
    lpd_client_move(client, &client->server->served);
    if (problem != 0) {
        refuse_for(client, problem);
    } else {
        options->calls->received(options->owner, name, &client->job->facts);
        forget_job(client);
        lpd_client_begins_anew(client);
    }
    lpd_client_acknowledge(client, client->refused);
    if (!client->source.watched) {
        lpd_client_close(client);
        return;
    }
    if (!client->server->silence.set) {
        lpd_server_look_at_silent(client->server);
    }
    lpd_client_go_on(client);
}

/* The acknowledgement comes when it is on the disk. */
static void commit(struct lpd_client *client)
{
    struct lpd_job *job = client->job;
    fill_facts(client, job);
    lpd_client_move(client, &client->server->committing);
    spool_commit(job->incoming, &job->facts, job->order, committed, client);
}

static bool names_all(const struct lpd_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        if (control_file_find(&job->control, job->documents[i].name) < 0) {
            return false;
        }
    }
    return true;
}

static void end_control(struct lpd_client *client)
{
    struct lpd_job *job = client->job;
    struct line problem = LINE_INIT;
    bool good = control_file_read(client->control, client->control_size, &job->control, &problem);
    if (good && !names_all(job)) {
        good = false;
        line_add(&problem, "it does not name all files that were sent");
    }
    job->has_control = good;
    if (!good) {
        struct line why = LINE_INIT;
        line_add(&why, "its control file is wrong: %s", problem.text);
        lpd_job_refuse(client, LPD_NO, why.text);
    }
}

void lpd_job_file_end(struct lpd_client *client)
{
    if (client->file == LPD_CONTROL) {
        end_control(client);
    }
    forget_file(client);
    if (client->job != NULL && is_complete(client->job)) {
        commit(client);
    } else {
        lpd_client_acknowledge(client, client->refused);
    }
}
