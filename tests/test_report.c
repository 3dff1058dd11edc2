/*
 * test_report - a queue's state in words: what a client shows to a person, to the letter.
 */
#include "harness.h"

#include "../services/lpdsvc/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct said {
    char text[8192];
};

static void tell(void *owner, const char *line)
{
    struct said *said = owner;
    CU_ASSERT_TRUE_FATAL(strlen(said->text) + strlen(line) + 2 < sizeof(said->text));
    strcat(said->text, line);
    strcat(said->text, "\n");
}

static void expect(const struct queue *queue, const char *const *items, bool is_long,
                   const char *wanted)
{
    struct said said = {""};
    report_queue(queue, items, is_long, tell, &said);
    CU_ASSERT_STRING_EQUAL(said.text, wanted);
    if (strcmp(said.text, wanted) != 0) {
        printf("\n%s", said.text);
    }
}

static const char *const all[] = {NULL};

static void add(struct queues *queues, const char *user, unsigned number, const char *file,
                unsigned copies)
{
    struct job_facts facts = {.queue = "Laser", .number = number, .count = 2};
    snprintf(facts.user, sizeof(facts.user), "%s", user);
    snprintf(facts.host, sizeof(facts.host), "ws1");
    snprintf(facts.documents[0].name, sizeof(facts.documents[0].name), "%s", file);
    facts.documents[0].size = 1000;
    facts.documents[0].copies = copies;
    facts.documents[1].size = 24;
    facts.documents[1].copies = 1;
    CU_ASSERT_PTR_NOT_NULL_FATAL(queues_add_job(queues, "00000001", &facts));
}

/* A queue without jobs, with a target, that nobody prints. */
static struct queue *open_queue(struct queues *queues)
{
    add(queues, "bob", 1, "a", 1);
    struct queue *queue = queues_by_key(queues, "Laser");
    CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
    queue_drop_job(queue, queue->jobs);
    queue->shape = calloc(1, sizeof(*queue->shape));
    CU_ASSERT_PTR_NOT_NULL_FATAL(queue->shape);
    queue->shape->leads = true;
    snprintf(queue->shape->target.text, TARGET_TEXT, "\\\\SERVER2\\Printer");
    return queue;
}

static void a_queue_says_how_it_is(void)
{
    struct queues queues = {0};
    struct queue *queue = open_queue(&queues);
    expect(queue, all, false, "Laser is ready\nno entries\n");
    queue->shape->paused = true;
    expect(queue, all, true, "Laser is paused\nno entries\n");
    queue->resumed = true;
    expect(queue, all, true, "Laser is ready\nno entries\n");
    free(queue->shape);
    queue->shape = NULL;
    expect(queue, all, false, "Laser is gone; its jobs wait until it is back\nno entries\n");
    queues_free(&queues);
}

#define HEAD "Rank   Owner      Job  Files                                 Total Size\n"

static void jobs_are_rows(void)
{
    struct queues queues = {0};
    struct queue *queue = open_queue(&queues);
    add(&queues, "bob", 17, "report.ps", 1);
    add(&queues, "someone-with-a-long-name", 999, "a name that is longer than the column is", 2);
    queue->activity = QUEUE_SENDING;
    expect(queue, all, false,
           "Laser is ready and printing\n" HEAD
           "active bob        17   report.ps, (standard input)           1024 bytes\n"
           "1st    someone-wi 999  a name that is longer than the colum  2024 bytes\n");
    queue->activity = QUEUE_CONNECTING;
    expect(queue, all, false,
           "Laser is ready and connecting to \\\\SERVER2\\Printer\n" HEAD
           "1st    bob        17   report.ps, (standard input)           1024 bytes\n"
           "2nd    someone-wi 999  a name that is longer than the colum  2024 bytes\n");
    queue->activity = QUEUE_WAITING;
    snprintf(queue->reason, sizeof(queue->reason), "access denied");
    expect(queue, all, false,
           "waiting for \\\\SERVER2\\Printer: access denied\n" HEAD
           "1st    bob        17   report.ps, (standard input)           1024 bytes\n"
           "2nd    someone-wi 999  a name that is longer than the colum  2024 bytes\n");
    queue->shape->leads = false;
    snprintf(queue->reason, sizeof(queue->reason), "LPT1: is not rerouted");
    const char *const nobody[] = {"nobody", NULL};
    expect(queue, nobody, false, "waiting: LPT1: is not rerouted\nno entries\n");
    queues_free(&queues);
}

static void the_long_form_has_the_documents(void)
{
    struct queues queues = {0};
    struct queue *queue = open_queue(&queues);
    add(&queues, "bob", 7, "report.ps", 1);
    add(&queues, "eve", 8, "x", 3);
    queue->activity = QUEUE_SENDING;
    expect(queue, all, true,
           "Laser is ready and printing\n"
           "\n"
           "bob: active                              [job 007ws1]\n"
           "        report.ps                        1000 bytes\n"
           "        (standard input)                 24 bytes\n"
           "\n"
           "eve: 1st                                 [job 008ws1]\n"
           "        3 copies of x                    1000 bytes\n"
           "        (standard input)                 24 bytes\n");
    queues_free(&queues);
}

static void ranks_are_english(void)
{
    static const char *const wanted[] = {"active", "1st",  "2nd",  "3rd",  "4th",  "5th",
                                         "6th",    "7th",  "8th",  "9th",  "10th", "11th",
                                         "12th",   "13th", "14th", "15th", "16th", "17th",
                                         "18th",   "19th", "20th", "21st", "22nd", "23rd"};
    struct queues queues = {0};
    struct queue *queue = open_queue(&queues);
    struct said said = {""};
    for (unsigned i = 0; i < 24; i++) {
        add(&queues, "u", i, "f", 1);
    }
    queue->activity = QUEUE_SENDING;
    report_queue(queue, all, false, tell, &said);
    const char *at = strchr(strchr(said.text, '\n') + 1, '\n');
    for (size_t i = 0; i < 24; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        CU_ASSERT_EQUAL(strncmp(at + 1, wanted[i], strlen(wanted[i])), 0);
        CU_ASSERT_EQUAL(at[1 + strlen(wanted[i])], ' ');
        at = strchr(at + 1, '\n');
    }
    queues_free(&queues);
}

static void only_those_asked_for_are_told(void)
{
    struct queues queues = {0};
    struct queue *queue = open_queue(&queues);
    const char *const items[] = {"eve", "007", NULL};
    const char *const wrong[] = {"ev", "70", "7x", "", NULL};
    add(&queues, "bob", 7, "x", 1);
    add(&queues, "bob", 8, "x", 1);
    add(&queues, "eve", 9, "x", 1);
    CU_ASSERT_TRUE(report_names_job(queue->jobs, items));
    CU_ASSERT_FALSE(report_names_job(queue->jobs->next, items));
    CU_ASSERT_TRUE(report_names_job(queue->jobs->next->next, items));
    CU_ASSERT_FALSE(report_names_job(queue->jobs, wrong));
    queue->activity = QUEUE_SENDING;
    expect(queue, items, false,
           "Laser is ready and printing\n" HEAD
           "active bob        7    x, (standard input)                   1024 bytes\n"
           "2nd    eve        9    x, (standard input)                   1024 bytes\n");
    queues_free(&queues);
}

/* What is cut is cut between characters. */
static void names_are_cut_between_characters(void)
{
    struct queues queues = {0};
    struct queue *queue = open_queue(&queues);
    add(&queues, "123456789\xc3\xbc", 7, "x", 1);
    expect(queue, all, false,
           "Laser is ready\n" HEAD
           "1st    123456789  7    x, (standard input)                   1024 bytes\n");
    queues_free(&queues);
}

static const struct test_case cases[] = {
    {"a queue says how it is", a_queue_says_how_it_is},
    {"jobs are rows", jobs_are_rows},
    {"the long form has the documents", the_long_form_has_the_documents},
    {"ranks are English", ranks_are_english},
    {"only those asked for are told", only_those_asked_for_are_told},
    {"names are cut between characters", names_are_cut_between_characters},
    {NULL, NULL},
};

const struct test_suite suite_report = {"report", cases};
