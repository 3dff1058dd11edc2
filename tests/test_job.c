/*
 * test_job - a job's directory, where the LPD service and who prints for it meet: what is known of
 * the job, how far it is, who has it; and that nothing planted there is taken for a part of it.
 */
#include "stage.h"
#include "stores.h"

#include "../services/printing/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_directory(const char *path)
{
    int fd = open(path, O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static void put_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static struct job_facts some_facts(void)
{
    struct job_facts facts = {.queue = "HP \\ LaserJet",
                              .address = "127.0.0.1",
                              .host = "client1",
                              .user = "j\xc3\xb6rg",
                              .title = "",
                              .number = 999,
                              .time = 1785000000,
                              .count = 2};
    facts.documents[0] = (struct job_document){"a b  c ", 5, 3, 'l'};
    facts.documents[1] = (struct job_document){"", INT64_MAX, 1, 'f'};
    return facts;
}

static bool same_document(const struct job_document *a, const struct job_document *b)
{
    return strcmp(a->name, b->name) == 0 && a->size == b->size && a->copies == b->copies &&
           a->format == b->format;
}

static bool same_facts(const struct job_facts *a, const struct job_facts *b)
{
    bool same = strcmp(a->queue, b->queue) == 0 && strcmp(a->address, b->address) == 0 &&
                strcmp(a->host, b->host) == 0 && strcmp(a->user, b->user) == 0 &&
                strcmp(a->title, b->title) == 0 && a->number == b->number && a->time == b->time &&
                a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = same_document(&a->documents[i], &b->documents[i]);
    }
    return same;
}

/* Writes and reads them again. */
static bool come_back(int directory, const struct job_facts *facts)
{
    struct line problem = LINE_INIT;
    struct job_facts read;
    CU_ASSERT_TRUE(job_write_facts(directory, facts, &problem));
    CU_ASSERT_TRUE(job_read_facts(directory, &read, &problem));
    EQUAL_TEXT(problem.text, "");
    CU_ASSERT_EQUAL(unlinkat(directory, "facts", 0), 0);
    return same_facts(facts, &read);
}

static void facts_come_back(void)
{
    int directory = open_directory(scratch_dir());
    struct job_facts facts = some_facts();
    CU_ASSERT_TRUE(come_back(directory, &facts));
    CU_ASSERT_EQUAL(job_total(&facts), 4);
    facts.count = JOB_DOCUMENTS;
    for (size_t i = 0; i < facts.count; i++) {
        memset(facts.documents[i].name, 'n', JOB_TEXT - 1);
        facts.documents[i].name[JOB_TEXT - 1] = '\0';
        facts.documents[i].size = INT64_MAX;
        facts.documents[i].copies = JOB_COPIES;
        facts.documents[i].format = 'f';
    }
    memcpy(facts.queue, facts.documents[0].name, JOB_TEXT);
    memcpy(facts.title, facts.documents[0].name, JOB_TEXT);
    CU_ASSERT_TRUE(come_back(directory, &facts));
    CU_ASSERT_EQUAL(job_total(&facts), JOB_DOCUMENTS * JOB_COPIES);
    facts.count = 0;
    CU_ASSERT_TRUE(come_back(directory, &facts));
    CU_ASSERT_EQUAL(job_total(&facts), 0);
    close(directory);
}

static void wrong_facts_are_not_written(void)
{
    static const char *const wrong[] = {"line\nend",
                                        "tab\t",
                                        "escape\x1b[m",
                                        "del\x7f",
                                        "\xc2\x85",
                                        "\xc3",
                                        "\xc0\xaf",
                                        "\x80",
                                        "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xf8\x88\x80\x80\x80"};
    int directory = open_directory(scratch_dir());
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct line problem = LINE_INIT;
        struct job_facts facts = some_facts();
        strcpy(facts.title, wrong[i]);
        CU_ASSERT_FALSE(job_write_facts(directory, &facts, &problem));
        EQUAL_TEXT(problem.text, "facts: the title is not allowed");
        facts = some_facts();
        strcpy(facts.documents[1].name, wrong[i]);
        CU_ASSERT_FALSE(job_write_facts(directory, &facts, &problem));
    }
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    facts.documents[0].copies = JOB_COPIES + 1;
    CU_ASSERT_FALSE(job_write_facts(directory, &facts, &problem));
    facts = some_facts();
    memset(facts.user, 'u', JOB_TEXT);
    CU_ASSERT_FALSE(job_write_facts(directory, &facts, &problem));
    CU_ASSERT_EQUAL(faccessat(directory, "facts", F_OK, 0), -1);
    facts = some_facts();
    CU_ASSERT_TRUE(job_write_facts(directory, &facts, &problem));
    CU_ASSERT_FALSE(job_write_facts(directory, &facts, &problem)); /* they are written once */
    close(directory);
}

#define TEXTS "regstore job 1\nqueue q\naddress a\nhost h\nuser u\ntitle t\n"

static void damaged_facts_are_told(void)
{
    static const char *const damaged[] = {
        "",
        "regstore job 1\n",
        "regstore job 2\nqueue q\naddress a\nhost h\nuser u\ntitle t\nnumber 1\ntime 1\nend\n",
        TEXTS "number 1\ntime 1\n",
        TEXTS "number 1\ntime 1\nend",
        TEXTS "number 1\ntime 1\nend\nmore\n",
        TEXTS "number 1000\ntime 1\nend\n",
        TEXTS "number -1\ntime 1\nend\n",
        TEXTS "number 1\ntime 99999999999999999999\nend\n",
        TEXTS "number 1\ntime 1\ndocument f 1 1\nend\n",
        TEXTS "number 1\ntime 1\ndocument f 0 1 n\nend\n",
        TEXTS "number 1\ntime 1\ndocument f 101 1 n\nend\n",
        TEXTS "number 1\ntime 1\ndocument f 1 9223372036854775808 n\nend\n",
        TEXTS "number 1\ntime 1\ndocument  1 1 n\nend\n",
        TEXTS "number 1\ntime 1\ndocument \nend\n",
        TEXTS "time 1\nnumber 1\nend\n",
        "regstore job 1\nqueue \naddress a\nhost h\nuser u\ntitle t\nnumber 1\ntime 1\nend\n",
        "regstore job 1\nqueue \x1b\naddress a\nhost h\nuser u\ntitle t\nnumber 1\ntime 1\nend\n",
    };
    struct job_facts facts;
    int directory = open_directory(scratch_dir());
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        struct line problem = LINE_INIT;
        put_file(scratch_path("facts"), damaged[i]);
        CU_ASSERT_FALSE(job_read_facts(directory, &facts, &problem));
        EQUAL_TEXT(problem.text, "facts: is damaged");
    }
    put_file(scratch_path("facts"), TEXTS "number 1\ntime 1\nend\n");
    struct line problem = LINE_INIT;
    CU_ASSERT_TRUE(job_read_facts(directory, &facts, &problem));
    close(directory);
}

/* Cut anywhere, they are not facts. */
static void cut_facts_are_told(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    struct stat whole;
    int directory = open_directory(scratch_dir());
    CU_ASSERT_TRUE_FATAL(job_write_facts(directory, &facts, &problem));
    CU_ASSERT_EQUAL_FATAL(stat(scratch_path("facts"), &whole), 0);
    for (off_t size = whole.st_size - 1; size >= 0; size--) {
        CU_ASSERT_EQUAL_FATAL(truncate(scratch_path("facts"), size), 0);
        CU_ASSERT_FALSE(job_read_facts(directory, &facts, &problem));
        problem.length = 0;
    }
    close(directory);
}

static void states_come_back(void)
{
    static const struct job_state states[] = {{0, true}, {1, false}, {1, true}, {5200, false}};
    struct line problem = LINE_INIT;
    struct job_state read = {7, true};
    int directory = open_directory(scratch_dir());
    CU_ASSERT_TRUE(job_read_state(directory, &read, &problem));
    CU_ASSERT_TRUE(read.printed == 0 && !read.sending);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        put_file(scratch_path("state.new"), "what a kill left behind");
        CU_ASSERT_TRUE(job_write_state(directory, &states[i], &problem));
        CU_ASSERT_TRUE(job_read_state(directory, &read, &problem));
        CU_ASSERT_EQUAL(read.printed, states[i].printed);
        CU_ASSERT_EQUAL(read.sending, states[i].sending);
        CU_ASSERT_EQUAL(access(scratch_path("state.new"), F_OK), -1);
    }
    EQUAL_TEXT(problem.text, "");
    close(directory);
}

static void damaged_states_are_told(void)
{
    static const char *const damaged[] = {"",
                                          "printed 1",
                                          "printed\n",
                                          "printed -1\n",
                                          "printed 01\n",
                                          "printed 1\nsend",
                                          "printed 1\nsending",
                                          "printed 1\nsending\nsending\n",
                                          "printed 99999999999\n",
                                          "sending\n",
                                          "printed 1\n\n"};
    struct job_state state;
    int directory = open_directory(scratch_dir());
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        struct line problem = LINE_INIT;
        put_file(scratch_path("state"), damaged[i]);
        CU_ASSERT_FALSE(job_read_state(directory, &state, &problem));
        EQUAL_TEXT(problem.text, "state: is damaged");
    }
    close(directory);
}

/* ---- Who has it ------------------------------------------------------------------------------ */

static void one_has_the_claim(void)
{
    int directory = open_directory(scratch_dir());
    CU_ASSERT_EQUAL(job_claimed_by(directory), 0);
    int claim = job_claim(directory);
    CU_ASSERT_FATAL(claim >= 0);
    CU_ASSERT_EQUAL(job_claimed_by(directory), getpid());
    CU_ASSERT_EQUAL(job_claim(directory), -1);
    CU_ASSERT_EQUAL(errno, EAGAIN);
    CU_ASSERT_EQUAL(job_claimed_by(directory), getpid());
    close(claim);
    CU_ASSERT_EQUAL(job_claimed_by(directory), 0);
    claim = job_claim(directory);
    CU_ASSERT(claim >= 0);
    close(claim);
    close(directory);
}

/* Has the claim, and runs a program that says 'c' and lives until nobody can write to it. */
static void claim_and_run(int from_parent, int to_parent)
{
    int directory = open(scratch_dir(), O_DIRECTORY | O_CLOEXEC);
    MUST(job_claim(directory) >= 0);
    pid_t program = fork();
    MUST(program >= 0);
    if (program == 0) {
        dup2(from_parent, STDIN_FILENO);
        dup2(to_parent, STDOUT_FILENO);
        execlp("sh", "sh", "-c", "printf c; read line", (char *)NULL);
        _exit(1);
    }
    pause();
}

/* Those whom it started do not keep the claim of one who was killed. */
static void the_claim_ends_with_its_process(void)
{
    int directory = open_directory(scratch_dir());
    struct child child = child_start(claim_and_run);
    stage_hear(child.from, 'c');
    CU_ASSERT_EQUAL(job_claimed_by(directory), child.pid);
    CU_ASSERT_EQUAL(job_claim(directory), -1);
    child_kill(&child);
    CU_ASSERT_EQUAL(job_claimed_by(directory), 0);
    int claim = job_claim(directory);
    CU_ASSERT(claim >= 0);
    close(claim);
    close(directory);
}

/* A child that runs another program, while the claim is had. */
static void others_leave_the_claim_alone(void)
{
    int directory = open_directory(scratch_dir());
    int claim = job_claim(directory);
    CU_ASSERT_FATAL(claim >= 0);
    CU_ASSERT_EQUAL(system("exit 3"), 3 << 8);
    CU_ASSERT_EQUAL(job_claimed_by(directory), getpid());
    /* Another descriptor of the file that is closed takes no lock with it, as POSIX's would. */
    int other = openat(directory, "claim", O_RDWR | O_CLOEXEC);
    close(other);
    CU_ASSERT_EQUAL(job_claimed_by(directory), getpid());
    close(claim);
    close(directory);
}

/* ---- Planted --------------------------------------------------------------------------------- */

/* Each name of a job, as a link to what would be right. */
static void links_are_not_followed(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    struct job_state state = {1, true};
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("true"), 0700), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("job"), 0700), 0);
    int truth = open_directory(scratch_path("true"));
    int job = open_directory(scratch_path("job"));
    CU_ASSERT_TRUE(job_write_facts(truth, &facts, &problem));
    CU_ASSERT_TRUE(job_write_state(truth, &state, &problem));
    put_file(scratch_path("true/1"), "12345");
    CU_ASSERT_EQUAL(symlinkat("../true/facts", job, "facts"), 0);
    CU_ASSERT_EQUAL(symlinkat("../true/state", job, "state"), 0);
    CU_ASSERT_EQUAL(symlinkat("../true/victim", job, "state.new"), 0);
    CU_ASSERT_EQUAL(symlinkat("../true/victim", job, "claim"), 0);
    CU_ASSERT_EQUAL(symlinkat("../true/1", job, "1"), 0);
    CU_ASSERT_FALSE(job_read_facts(job, &facts, &problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, strerror(ELOOP)));
    CU_ASSERT_FALSE(job_write_facts(job, &facts, &problem));
    CU_ASSERT_FALSE(job_read_state(job, &state, &problem));
    CU_ASSERT_EQUAL(job_open_document(job, &facts, 0, &problem), -1);
    CU_ASSERT_EQUAL(job_claim(job), -1);
    CU_ASSERT_EQUAL(errno, ELOOP);
    CU_ASSERT_EQUAL(job_claimed_by(job), 0);
    /* A state replaces what stands there. */
    CU_ASSERT_TRUE(job_write_state(job, &state, &problem));
    CU_ASSERT_TRUE(job_read_state(job, &state, &problem));
    CU_ASSERT_EQUAL(faccessat(truth, "victim", F_OK, 0), -1);
    CU_ASSERT_TRUE(job_read_facts(truth, &facts, &problem));
    close(truth);
    close(job);
}

static void other_things_are_no_files(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    struct job_state state;
    int directory = open_directory(scratch_dir());
    CU_ASSERT_EQUAL(mkfifo(scratch_path("facts"), 0600), 0);
    CU_ASSERT_FALSE(job_read_facts(directory, &facts, &problem));
    CU_ASSERT_EQUAL(mkdir(scratch_path("state"), 0700), 0);
    CU_ASSERT_FALSE(job_read_state(directory, &state, &problem));
    CU_ASSERT_FALSE(job_write_state(directory, &(struct job_state){1, true}, &problem));
    CU_ASSERT_EQUAL(access(scratch_path("state.new"), F_OK), -1);
    CU_ASSERT_EQUAL(mkfifo(scratch_path("claim"), 0600), 0);
    CU_ASSERT_EQUAL(job_claim(directory), -1);
    put_file(scratch_path("1"), "12345");
    CU_ASSERT_EQUAL(chmod(scratch_path("1"), 0666), 0);
    CU_ASSERT_EQUAL(job_open_document(directory, &facts, 0, &problem), -1);
    close(directory);
}

static void documents_have_their_size(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    char text[8] = "";
    int directory = open_directory(scratch_dir());
    CU_ASSERT_EQUAL(job_open_document(directory, &facts, 0, &problem), -1);
    put_file(scratch_path("1"), "12345");
    int fd = job_open_document(directory, &facts, 0, &problem);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(read(fd, text, sizeof(text)), 5);
    close(fd);
    problem = (struct line)LINE_INIT;
    put_file(scratch_path("1"), "1234");
    CU_ASSERT_EQUAL(job_open_document(directory, &facts, 0, &problem), -1);
    EQUAL_TEXT(problem.text, "document 1: is not of 5 bytes");
    close(directory);
}

static void printed_jobs_move(void)
{
    int spool = open_directory(scratch_dir());
    CU_ASSERT_EQUAL(mkdir(scratch_path("jobs"), 0700), 0);
    CU_ASSERT_EQUAL(mkdir(scratch_path("done"), 0700), 0);
    CU_ASSERT_EQUAL(mkdir(scratch_path("jobs/00000042"), 0700), 0);
    CU_ASSERT_EQUAL(job_finish(spool, "00000042"), 0);
    CU_ASSERT_EQUAL(access(scratch_path("done/00000042"), F_OK), 0);
    CU_ASSERT_EQUAL(job_finish(spool, "00000042"), ENOENT);
    CU_ASSERT_EQUAL(mkdir(scratch_path("jobs/00000042"), 0700), 0);
    CU_ASSERT_EQUAL(job_finish(spool, "00000042"), EEXIST);
    CU_ASSERT_EQUAL(job_finish(spool, ".."), EINVAL);
    CU_ASSERT_EQUAL(job_finish(spool, "a/b"), EINVAL);
    close(spool);
}

static const struct test_case cases[] = {
    {"facts come back", facts_come_back},
    {"wrong facts are not written", wrong_facts_are_not_written},
    {"damaged facts are told", damaged_facts_are_told},
    {"cut facts are told", cut_facts_are_told},
    {"states come back", states_come_back},
    {"damaged states are told", damaged_states_are_told},
    {"one has the claim", one_has_the_claim},
    {"the claim ends with its process", the_claim_ends_with_its_process},
    {"others leave the claim alone", others_leave_the_claim_alone},
    {"links are not followed", links_are_not_followed},
    {"other things are no files", other_things_are_no_files},
    {"documents have their size", documents_have_their_size},
    {"printed jobs move", printed_jobs_move},
    {NULL, NULL},
};

const struct test_suite suite_job = {"job", cases};
