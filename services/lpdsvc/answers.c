/* answers - what clients are told of the queues, and what they may do with them; see answers.h. */
#include "answers.h"

#include "report.h"

#include <stdio.h>
#include <string.h>

/* ---- Jobs that come -------------------------------------------------------------------------- */

/* One whose printer is gone has queue and jobs, but takes no more of them. */
static bool find(void *owner, const char *name, char *queue, struct line *problem)
{
    const struct answers *answers = owner;
    const struct queue *found = queues_find(answers->queues, name);
    if (found == NULL || found->shape == NULL) {
        line_add(problem, "there is no printer ");
        line_add_quoted(problem, name);
        return false;
    }
    (void)snprintf(queue, JOB_TEXT, "%s", found->key);
    return true;
}

static size_t name_size(void *owner, const char *operand)
{
    const struct answers *answers = owner;
    return queues_name_size(answers->queues, operand);
}

static void received(void *owner, const char *name, const struct job_facts *facts)
{
    const struct answers *answers = owner;
    struct queue *queue = queues_add_job(answers->queues, name, facts);
    if (queue == NULL) {
        log_line(answers->log, LOG_LINE_ERROR,
                 "out of memory: job %s stays in the spool until the next start", name);
        return;
    }
    dispatch_look_at(answers->dispatch, queue);
}

/* ---- 01: print waiting jobs ------------------------------------------------------------------ */

static bool resume(void *owner, const struct lpd_question *question)
{
    const struct answers *answers = owner;
    struct queue *queue = queues_find(answers->queues, question->queue);
    if (queue == NULL || (queue_is_paused(queue) && !answers->may_resume)) {
        return false;
    }
    if (queue_is_paused(queue)) {
        struct line line = LINE_INIT;
        line_add(&line, "printer ");
        line_add_quoted(&line, queue->key);
        line_add(&line, " is resumed by a client at %s", question->address);
        log_line(answers->log, LOG_LINE_INFO, "%s", line.text);
        queue->resumed = true;
    }
    dispatch_hurry(answers->dispatch, queue);
    return true;
}

/* ---- 03, 04: the state ----------------------------------------------------------------------- */

static void tell(void *owner, const char *line)
{
    lpd_answer_add(owner, "%s\n", line);
}

static bool has_queue(const struct queue *queue, const struct lpd_question *question,
                      struct lpd_answer *answer)
{
    struct line line = LINE_INIT;
    if (queue == NULL) {
        line_add_quoted(&line, question->queue);
        lpd_answer_add(answer, "unknown printer: %s\n", line.text);
    }
    return queue != NULL;
}

static void state(void *owner, const struct lpd_question *question, struct lpd_answer *answer)
{
    const struct answers *answers = owner;
    const struct queue *queue = queues_find(answers->queues, question->queue);
    if (has_queue(queue, question, answer)) {
        report_queue(queue, question->items, question->is_long, tell, answer);
    }
}

/* ---- 05: remove jobs ------------------------------------------------------------------------- */

/* RFC 1179: root may remove all jobs, others their own; here, those of the same client. "-all" is
 * what BSD's lprm says for root's "lprm -". */
static bool may_remove(const struct lpd_question *question, const struct queue_job *job)
{
    return strcmp(job->address, question->address) == 0 &&
           (strcmp(question->agent, job->user) == 0 || strcmp(question->agent, "root") == 0 ||
            strcmp(question->agent, "-all") == 0);
}

/* Without a list it is the job that is printed now. */
static bool is_meant(const struct lpd_question *question, const struct queue_job *job,
                     bool is_first)
{
    if (question->items[0] == NULL && strcmp(question->agent, "-all") != 0) {
        return is_first;
    }
    return report_names_job(job, question->items);
}

static bool remove_one(const struct answers *answers, struct queue *queue, struct queue_job *job,
                       struct lpd_answer *answer)
{
    unsigned number = job->number;
    enum dispatch_removal removal = dispatch_remove(answers->dispatch, queue, job);
    static const char *const said[] = {
        [DISPATCH_REMOVED] = "dequeued",
        [DISPATCH_REMOVING] = "is being dequeued",
        [DISPATCH_BEING_PRINTED] = "is being printed",
        [DISPATCH_FAILED] = "cannot be removed from the spool",
    };
    lpd_answer_add(answer, "job %u %s\n", number, said[removal]);
    return removal == DISPATCH_REMOVED || removal == DISPATCH_REMOVING;
}

static bool remove_all(const struct answers *answers, struct queue *queue,
                       const struct lpd_question *question, struct lpd_answer *answer)
{
    bool any = false;
    bool good = true;
    bool first = true;
    struct queue_job *next;
    for (struct queue_job *job = queue->jobs; job != NULL; job = next, first = false) {
        bool meant = is_meant(question, job, first);
        next = job->next;
        if (meant && may_remove(question, job)) {
            any = true;
            good = remove_one(answers, queue, job, answer) && good;
        } else if (meant && question->items[0] != NULL) {
            lpd_answer_add(answer, "job %u is not yours\n", job->number);
            any = true;
            good = false;
        }
    }
    if (!any) {
        lpd_answer_add(answer, "no job of yours is meant\n");
    }
    return any && good;
}

static bool remove_jobs(void *owner, const struct lpd_question *question, struct lpd_answer *answer)
{
    const struct answers *answers = owner;
    struct queue *queue = queues_find(answers->queues, question->queue);
    if (!has_queue(queue, question, answer)) {
        return false;
    }
    if (!answers->may_remove) {
        lpd_answer_add(answer, "jobs cannot be removed here\n");
        return false;
    }
    bool good = remove_all(answers, queue, question, answer);
    dispatch_look(answers->dispatch);
    return good;
}

const struct lpd_owner answers_calls = {find, name_size, received, resume, state, remove_jobs};
