/*
 * test_job - a job's directory, where the LPD service and who prints for it meet: what is known of
 * the job, who has it; and that nothing planted there is taken for a part of it.
 */
#include "stage.h"
#include "stores.h"

#include "../services/printing/job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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

#define NAME "00000042"
#define SUM_12345 0xcbf53a1c /* of the bytes "12345" */

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
    facts.documents[0] = (struct job_document){"a b  c ", 5, 3, 'l', true, SUM_12345};
    facts.documents[1] = (struct job_document){"", INT64_MAX, 1, 'f', false, 0};
    return facts;
}

static bool same_document(const struct job_document *a, const struct job_document *b)
{
    return strcmp(a->name, b->name) == 0 && a->size == b->size && a->copies == b->copies &&
           a->format == b->format && a->summed == b->summed && a->sum == b->sum;
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

/* Writes them over those before, and reads them again. */
static bool come_back(int directory, const struct job_facts *facts)
{
    struct line problem = LINE_INIT;
    struct job_facts read;
    CU_ASSERT_TRUE(job_write_facts(directory, NAME, facts, &problem));
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &read, &problem), JOB_READ);
    EQUAL_TEXT(problem.text, "");
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
        facts.documents[i].summed = true;
        facts.documents[i].sum = UINT32_MAX;
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
        CU_ASSERT_FALSE(job_write_facts(directory, NAME, &facts, &problem));
        EQUAL_TEXT(problem.text, "facts: the title is not allowed");
        facts = some_facts();
        strcpy(facts.documents[1].name, wrong[i]);
        CU_ASSERT_FALSE(job_write_facts(directory, NAME, &facts, &problem));
    }
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    facts.documents[0].copies = JOB_COPIES + 1;
    CU_ASSERT_FALSE(job_write_facts(directory, NAME, &facts, &problem));
    facts = some_facts();
    memset(facts.user, 'u', JOB_TEXT);
    CU_ASSERT_FALSE(job_write_facts(directory, NAME, &facts, &problem));
    facts = some_facts();
    CU_ASSERT_FALSE(job_write_facts(directory, "../facts", &facts, &problem));
    CU_ASSERT_EQUAL(errno, EINVAL);
    CU_ASSERT_EQUAL(faccessat(directory, "facts", F_OK, 0), -1);
    close(directory);
}

/* ---- Facts that are not right ---------------------------------------------------------------- */

/* With the sum that makes them whole. */
static void put_facts(const char *text)
{
    char facts[2048];
    int length = snprintf(facts, sizeof(facts), "%send %08" PRIx32 "\n", text,
                          job_sum(0, text, strlen(text)));
    CU_ASSERT_FATAL(length > 0 && (size_t)length < sizeof(facts));
    put_file(scratch_path("facts"), facts);
}

#define JOB "regstore job 2\njob " NAME "\n"
#define TEXTS JOB "queue q\naddress a\nhost h\nuser u\ntitle t\n"

static void are_damaged(int directory)
{
    struct line problem = LINE_INIT;
    struct job_facts facts;
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_DAMAGED);
    EQUAL_TEXT(problem.text, "facts: is damaged");
}

static void wrong_facts_are_told(void)
{
    static const char *const wrong[] = {
        "",
        "regstore job 2\n",
        "regstore job 1\njob " NAME
        "\nqueue q\naddress a\nhost h\nuser u\ntitle t\nnumber 1\ntime 1\n",
        "regstore job 2\njob x\nqueue q\naddress a\nhost h\nuser u\ntitle t\nnumber 1\ntime 1\n",
        TEXTS "number 1\n",
        TEXTS "number 1\ntime 1",
        TEXTS "number 1\ntime 1\nend\n",
        TEXTS "number 1\ntime 1\nmore\n",
        TEXTS "number 1000\ntime 1\n",
        TEXTS "number -1\ntime 1\n",
        TEXTS "number 1\ntime 99999999999999999999\n",
        TEXTS "number 1\ntime 1 \n",
        TEXTS "number 1\ntime 1\ndocument f 1 1\n",
        TEXTS "number 1\ntime 1\ndocument f 1 1 -\n",
        TEXTS "number 1\ntime 1\ndocument f 1 1 n\n",
        TEXTS "number 1\ntime 1\ndocument f 1 1 1234567 n\n",
        TEXTS "number 1\ntime 1\ndocument f 1 1 123456789 n\n",
        TEXTS "number 1\ntime 1\ndocument f 1 1 0x123456 n\n",
        TEXTS "number 1\ntime 1\ndocument f 1 1 -1234567 n\n",
        TEXTS "number 1\ntime 1\ndocument f 0 1 - n\n",
        TEXTS "number 1\ntime 1\ndocument f 101 1 - n\n",
        TEXTS "number 1\ntime 1\ndocument f 1 9223372036854775808 - n\n",
        TEXTS "number 1\ntime 1\ndocument  1 1 - n\n",
        TEXTS "number 1\ntime 1\ndocument \n",
        TEXTS "time 1\nnumber 1\n",
        JOB "queue \naddress a\nhost h\nuser u\ntitle t\nnumber 1\ntime 1\n",
        JOB "queue \x1b\naddress a\nhost h\nuser u\ntitle t\nnumber 1\ntime 1\n",
    };
    struct line problem = LINE_INIT;
    struct job_facts facts;
    int directory = open_directory(scratch_dir());
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        put_facts(wrong[i]);
        are_damaged(directory);
    }
    put_file(scratch_path("facts"), "");
    are_damaged(directory);
    put_facts(TEXTS "number 1\ntime 1\ndocument f 1 1 0000000a n\ndocument f 1 1 -  n\n");
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_READ);
    CU_ASSERT_TRUE(facts.documents[0].summed && facts.documents[0].sum == 10);
    EQUAL_TEXT(facts.documents[1].name, " n");
    close(directory);
}

/* What is there of them: the bytes, and how many. */
static size_t facts_bytes(char *bytes, size_t size)
{
    int fd = open(scratch_path("facts"), O_RDONLY);
    ssize_t length = read(fd, bytes, size);
    close(fd);
    CU_ASSERT_FATAL(length > 0 && (size_t)length < size);
    return (size_t)length;
}

static void put_bytes(const char *path, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_EQUAL_FATAL(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

/* Cut anywhere, or with any byte another one, they are not facts. */
static void torn_facts_are_told(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    char bytes[2048];
    int directory = open_directory(scratch_dir());
    CU_ASSERT_TRUE_FATAL(job_write_facts(directory, NAME, &facts, &problem));
    size_t length = facts_bytes(bytes, sizeof(bytes) - 1);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 1;
        put_bytes(scratch_path("facts"), bytes, length);
        CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_DAMAGED);
        bytes[i] ^= 1;
        put_bytes(scratch_path("facts"), bytes, i);
        CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_DAMAGED);
        problem = (struct line)LINE_INIT;
    }
    bytes[length] = '\0';
    put_bytes(scratch_path("facts"), bytes, length + 1);
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_DAMAGED);
    put_bytes(scratch_path("facts"), bytes, length);
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_READ);
    close(directory);
}

/* New ones over old ones, as far as a loss of power let them come: the old, the new, or none. */
static void facts_over_others(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    char old[2048];
    char mixed[2048];
    int directory = open_directory(scratch_dir());
    CU_ASSERT_TRUE_FATAL(job_write_facts(directory, "00000041", &facts, &problem));
    size_t length = facts_bytes(old, sizeof(old));
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_ANOTHER);
    EQUAL_TEXT(problem.text, "facts: is of job 00000041");
    strcpy(facts.user, "jane"); /* which is shorter */
    CU_ASSERT_TRUE_FATAL(job_write_facts(directory, NAME, &facts, &problem));
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_READ);
    size_t fresh = facts_bytes(mixed, sizeof(mixed));
    CU_ASSERT_FATAL(fresh < length);
    memcpy(mixed + fresh, old + fresh, length - fresh);
    for (size_t i = fresh; i > 0; i--) {
        put_bytes(scratch_path("facts"), mixed, length);
        CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem),
                        memcmp(mixed, old, length) == 0 ? JOB_ANOTHER : JOB_DAMAGED);
        mixed[i - 1] = old[i - 1];
        problem = (struct line)LINE_INIT;
    }
    close(directory);
}

/* ---- Who has it ------------------------------------------------------------------------------ */

/* A directory of a job that nobody has yet. */
static int open_unclaimed(void)
{
    struct line problem = LINE_INIT;
    int directory = open_directory(scratch_dir());
    CU_ASSERT_TRUE_FATAL(job_begin_state(directory, NAME, 1, &problem));
    return directory;
}

static void one_has_the_claim(void)
{
    int directory = open_unclaimed();
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
    int directory = open_unclaimed();
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

/* A child that runs another program, and what is written and read meanwhile. */
static void others_leave_the_claim_alone(void)
{
    struct line problem = LINE_INIT;
    struct job_state state;
    int directory = open_unclaimed();
    int claim = job_claim(directory);
    CU_ASSERT_FATAL(claim >= 0);
    CU_ASSERT_EQUAL(system("exit 3"), 3 << 8);
    CU_ASSERT_EQUAL(job_claimed_by(directory), getpid());
    /* Another descriptor of the file that is closed takes no lock with it, as POSIX's would. */
    CU_ASSERT_EQUAL(job_read_state(directory, NAME, &state, &problem), JOB_READ);
    CU_ASSERT_TRUE(job_write_state(directory, NAME, &state, &problem));
    CU_ASSERT_TRUE(job_begin_state(directory, NAME, 1, &problem));
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
    struct job_state state = {0};
    int fd = -1;
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("true"), 0700), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("job"), 0700), 0);
    int truth = open_directory(scratch_path("true"));
    int job = open_directory(scratch_path("job"));
    CU_ASSERT_TRUE(job_write_facts(truth, NAME, &facts, &problem));
    CU_ASSERT_TRUE(job_begin_state(truth, NAME, 4, &problem));
    put_file(scratch_path("true/1"), "12345");
    CU_ASSERT_EQUAL(symlinkat("../true/facts", job, "facts"), 0);
    CU_ASSERT_EQUAL(symlinkat("../true/state", job, "state"), 0);
    CU_ASSERT_EQUAL(symlinkat("../true/1", job, "1"), 0);
    CU_ASSERT_EQUAL(job_read_facts(job, NAME, &facts, &problem), JOB_DAMAGED);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, strerror(ELOOP)));
    CU_ASSERT_FALSE(job_write_facts(job, "00000043", &facts, &problem));
    CU_ASSERT_EQUAL(errno, ELOOP);
    CU_ASSERT_EQUAL(job_read_state(job, NAME, &state, &problem), JOB_DAMAGED);
    CU_ASSERT_FALSE(job_begin_state(job, NAME, 4, &problem));
    CU_ASSERT_FALSE(job_write_state(job, NAME, &state, &problem));
    CU_ASSERT_EQUAL(errno, ELOOP);
    CU_ASSERT_EQUAL(state.written, 0);
    facts = some_facts();
    CU_ASSERT_EQUAL(job_open_document(job, &facts, 0, &fd, &problem), JOB_DAMAGED);
    CU_ASSERT_EQUAL(fd, -1);
    CU_ASSERT_EQUAL(job_claim(job), -1);
    CU_ASSERT_EQUAL(errno, ELOOP);
    CU_ASSERT_EQUAL(job_claimed_by(job), 0);
    CU_ASSERT_EQUAL(job_read_facts(truth, NAME, &facts, &problem), JOB_READ);
    CU_ASSERT_EQUAL(job_read_state(truth, NAME, &state, &problem), JOB_READ);
    close(truth);
    close(job);
}

static void other_things_are_no_files(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    struct job_state state = {0};
    int fd;
    int directory = open_directory(scratch_dir());
    CU_ASSERT_EQUAL(job_claim(directory), -1);
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_EQUAL(mkfifo(scratch_path("facts"), 0600), 0);
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_DAMAGED);
    CU_ASSERT_EQUAL(mkdir(scratch_path("state"), 0700), 0);
    CU_ASSERT_EQUAL(job_read_state(directory, NAME, &state, &problem), JOB_DAMAGED);
    CU_ASSERT_FALSE(job_begin_state(directory, NAME, 1, &problem));
    CU_ASSERT_FALSE(job_write_state(directory, NAME, &state, &problem));
    CU_ASSERT_EQUAL(job_claim(directory), -1);
    CU_ASSERT_EQUAL(rmdir(scratch_path("state")), 0);
    CU_ASSERT_EQUAL(mkfifo(scratch_path("state"), 0600), 0);
    CU_ASSERT_EQUAL(job_claim(directory), -1);
    CU_ASSERT_EQUAL(job_read_state(directory, NAME, &state, &problem), JOB_DAMAGED);
    facts = some_facts();
    put_file(scratch_path("1"), "12345");
    CU_ASSERT_EQUAL(chmod(scratch_path("1"), 0666), 0);
    CU_ASSERT_EQUAL(job_open_document(directory, &facts, 0, &fd, &problem), JOB_DAMAGED);
    close(directory);
}

/* The descriptor that would be the next one is one too many. */
static struct rlimit limit_descriptors(void)
{
    struct rlimit before;
    int next = dup(STDIN_FILENO);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    close(next);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    return before;
}

/* Nothing is wrong with the job then. */
static void want_is_no_damage(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    struct job_state state;
    int fd = -1;
    int directory = open_directory(scratch_dir());
    CU_ASSERT_TRUE(job_write_facts(directory, NAME, &facts, &problem));
    CU_ASSERT_TRUE(job_begin_state(directory, NAME, 4, &problem));
    put_file(scratch_path("1"), "12345");
    struct rlimit before = limit_descriptors();
    CU_ASSERT_EQUAL(job_open_document(directory, &facts, 0, &fd, &problem), JOB_UNREADABLE);
    CU_ASSERT_EQUAL(job_check_document(directory, &facts, 0, &problem), JOB_UNREADABLE);
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_UNREADABLE);
    CU_ASSERT_EQUAL(job_read_state(directory, NAME, &state, &problem), JOB_UNREADABLE);
    CU_ASSERT_EQUAL(job_claim(directory), -1);
    CU_ASSERT_EQUAL(errno, EMFILE);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_EQUAL(job_read_facts(directory, NAME, &facts, &problem), JOB_READ);
    close(directory);
}

/* ---- Documents ------------------------------------------------------------------------------- */

static void documents_have_their_size(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    char text[8] = "";
    int fd = -1;
    int directory = open_directory(scratch_dir());
    CU_ASSERT_EQUAL(job_open_document(directory, &facts, 0, &fd, &problem), JOB_DAMAGED);
    put_file(scratch_path("1"), "12345");
    CU_ASSERT_EQUAL_FATAL(job_open_document(directory, &facts, 0, &fd, &problem), JOB_READ);
    CU_ASSERT_EQUAL(read(fd, text, sizeof(text)), 5);
    close(fd);
    problem = (struct line)LINE_INIT;
    put_file(scratch_path("1"), "1234");
    CU_ASSERT_EQUAL(job_open_document(directory, &facts, 0, &fd, &problem), JOB_DAMAGED);
    EQUAL_TEXT(problem.text, "document 1: is not of 5 bytes");
    close(directory);
}

static void documents_have_their_sum(void)
{
    struct line problem = LINE_INIT;
    struct job_facts facts = some_facts();
    int directory = open_directory(scratch_dir());
    CU_ASSERT_EQUAL(job_sum(job_sum(0, "12", 2), "345", 3), SUM_12345);
    CU_ASSERT_EQUAL(job_sum(7, "", 0), 7);
    put_file(scratch_path("1"), "12345");
    CU_ASSERT_EQUAL(job_check_document(directory, &facts, 0, &problem), JOB_READ);
    put_file(scratch_path("1"), "12346");
    CU_ASSERT_EQUAL(job_check_document(directory, &facts, 0, &problem), JOB_DAMAGED);
    EQUAL_TEXT(problem.text, "document 1: is damaged");
    facts.documents[0].summed = false;
    CU_ASSERT_EQUAL(job_check_document(directory, &facts, 0, &problem), JOB_READ);
    /* One of none, and one that is read in several pieces, with a hole of zeros. */
    facts.documents[1] = (struct job_document){"", 0, 1, 'f', true, 0};
    put_file(scratch_path("2"), "");
    CU_ASSERT_EQUAL(job_check_document(directory, &facts, 1, &problem), JOB_READ);
    static const char zeros[100000];
    CU_ASSERT_EQUAL(truncate(scratch_path("2"), sizeof(zeros)), 0);
    facts.documents[1].size = sizeof(zeros);
    CU_ASSERT_EQUAL(job_check_document(directory, &facts, 1, &problem), JOB_DAMAGED);
    facts.documents[1].sum = job_sum(0, zeros, sizeof(zeros));
    CU_ASSERT_EQUAL(job_check_document(directory, &facts, 1, &problem), JOB_READ);
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
    {"wrong facts are told", wrong_facts_are_told},
    {"torn facts are told", torn_facts_are_told},
    {"facts over others", facts_over_others},
    {"one has the claim", one_has_the_claim},
    {"the claim ends with its process", the_claim_ends_with_its_process},
    {"others leave the claim alone", others_leave_the_claim_alone},
    {"links are not followed", links_are_not_followed},
    {"other things are no files", other_things_are_no_files},
    {"want is no damage", want_is_no_damage},
    {"documents have their size", documents_have_their_size},
    {"documents have their sum", documents_have_their_sum},
    {"printed jobs move", printed_jobs_move},
    {NULL, NULL},
};

const struct test_suite suite_job = {"job", cases};
