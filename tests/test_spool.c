/*
 * test_spool - the spool of the LPD service: jobs are there whole or not at all, in their order,
 * with numbers that never come again.
 */
#include "spool_rig.h"
#include "stage.h"
#include "stores.h"

#include "../services/lpdsvc/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A document of a job as text, "-" if there is none. */
static const char *document_of(struct spool_rig *rig, const char *name, size_t i)
{
    static char text[256];
    struct line problem = LINE_INIT;
    struct job_facts facts;
    int directory = spool_open_job(rig->spool, name);
    CU_ASSERT_FATAL(directory >= 0);
    CU_ASSERT_EQUAL_FATAL(job_read_facts(directory, name, &facts, &problem), JOB_READ);
    int fd = -1;
    if (i < facts.count) {
        CU_ASSERT_EQUAL(job_check_document(directory, &facts, i, &problem), JOB_READ);
        CU_ASSERT_EQUAL(job_open_document(directory, &facts, i, &fd, &problem), JOB_READ);
    }
    ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    close(directory);
    if (length < 0) {
        return "-";
    }
    text[length] = '\0';
    return text;
}

static void jobs_come_back_in_order(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    EQUAL_TEXT(spool_rig_jobs(&rig), "");
    EQUAL_TEXT(spool_rig_add(&rig, "one"), "00000001");
    spool_rig_add(&rig, "two");
    /* What was begun first is behind what was complete first. */
    const char *const late[] = {"late", NULL};
    struct spool_incoming *incoming = spool_rig_receive(&rig, late);
    spool_rig_add(&rig, "three");
    struct job_facts facts = spool_rig_facts("late", 1);
    spool_commit(incoming, &facts, (const unsigned[]){0}, spool_rig_committed, &rig);
    spool_rig_await(&rig, 1);
    EQUAL_TEXT(spool_rig_jobs(&rig), "one,two,three,late");
    spool_rig_reopen(&rig);
    EQUAL_TEXT(spool_rig_jobs(&rig), "one,two,three,late");
    EQUAL_TEXT(document_of(&rig, rig.names[3], 0), "late");
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_close(&rig);
}

static void documents_have_their_order(void)
{
    static const char *const documents[] = {"a", "", "ccc", "d", NULL};
    static const unsigned order[] = {2, 0, 2, 1};
    struct spool_rig rig;
    spool_rig_open(&rig);
    struct job_facts facts = spool_rig_facts("t", 4);
    spool_commit(spool_rig_receive(&rig, documents), &facts, order, spool_rig_committed, &rig);
    spool_rig_await(&rig, 1);
    CU_ASSERT_EQUAL(rig.problem, 0);
    EQUAL_TEXT(document_of(&rig, rig.name, 0), "ccc");
    EQUAL_TEXT(document_of(&rig, rig.name, 1), "a");
    EQUAL_TEXT(document_of(&rig, rig.name, 2), "ccc");
    EQUAL_TEXT(document_of(&rig, rig.name, 3), "");
    CU_ASSERT_EQUAL(spool_rig_count("jobs/00000001"), 6); /* those, facts and state */
    facts = spool_rig_facts("none", 0);
    spool_commit(spool_rig_receive(&rig, documents + 4), &facts, order, spool_rig_committed, &rig);
    spool_rig_await(&rig, 1);
    CU_ASSERT_EQUAL(rig.problem, 0);
    EQUAL_TEXT(spool_rig_jobs(&rig), "t,none");
    spool_rig_close(&rig);
}

static void many_commits_at_once(void)
{
    static const char *const documents[] = {"x", "y", NULL};
    static const unsigned order[] = {1, 0};
    struct spool_rig rig;
    spool_rig_open(&rig);
    for (unsigned i = 0; i < 50; i++) {
        char title[8];
        snprintf(title, sizeof(title), "%u", i);
        struct job_facts facts = spool_rig_facts(title, 2);
        spool_commit(spool_rig_receive(&rig, documents), &facts, order, spool_rig_committed, &rig);
    }
    spool_rig_await(&rig, 50);
    CU_ASSERT_EQUAL(rig.problem, 0);
    spool_rig_jobs(&rig);
    CU_ASSERT_EQUAL(rig.count, 50);
    EQUAL_TEXT(rig.titles[17], "17");
    spool_rig_close(&rig);
}

/* Those of a service that ends while it waits for the disk. */
static void closing_waits_for_commits(void)
{
    static const char *const documents[] = {"x", NULL};
    struct spool_rig rig;
    spool_rig_open(&rig);
    struct job_facts facts = spool_rig_facts("t", 1);
    struct job_facts wrong = spool_rig_facts("wrong", 2);
    for (unsigned i = 0; i < 40; i++) {
        spool_commit(spool_rig_receive(&rig, documents), i == 7 ? &wrong : &facts,
                     (const unsigned[]){0, 1}, spool_rig_committed, &rig);
    }
    spool_rig_reopen(&rig);
    CU_ASSERT_EQUAL(rig.done, 40);
    spool_rig_jobs(&rig);
    CU_ASSERT_EQUAL(rig.count, 39);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_close(&rig);
}

static void wrong_commits_leave_nothing(void)
{
    static const char *const documents[] = {"x", NULL};
    struct spool_rig rig;
    spool_rig_open(&rig);
    struct job_facts facts = spool_rig_facts("t", 2);
    spool_commit(spool_rig_receive(&rig, documents), &facts, (const unsigned[]){0, 1},
                 spool_rig_committed, &rig);
    CU_ASSERT_EQUAL(rig.done, 0);
    spool_rig_await(&rig, 1);
    CU_ASSERT_EQUAL(rig.problem, EINVAL);
    facts = spool_rig_facts("line\nend", 1);
    spool_commit(spool_rig_receive(&rig, documents), &facts, (const unsigned[]){0},
                 spool_rig_committed, &rig);
    spool_rig_await(&rig, 1);
    CU_ASSERT_EQUAL(rig.problem, EINVAL);
    struct spool_incoming *incoming = spool_rig_receive(&rig, documents);
    for (unsigned i = 1; i < JOB_DOCUMENTS; i++) {
        CU_ASSERT_EQUAL(spool_next_document(incoming), 0);
    }
    CU_ASSERT_EQUAL(spool_next_document(incoming), EMFILE);
    spool_discard(incoming);
    CU_ASSERT_EQUAL_FATAL(spool_begin(rig.spool, &incoming), 0);
    CU_ASSERT_EQUAL(spool_write(incoming, "x", 1), EBADF);
    spool_discard(incoming);
    spool_discard(NULL);
    spool_close(rig.spool);
    rig.spool = NULL;
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    CU_ASSERT_EQUAL(spool_rig_count("jobs"), 0);
    spool_rig_close(&rig);
}

/* done is not called for it, and it is not there. */
static void commits_may_be_discarded(void)
{
    static const char *const documents[] = {"x", NULL};
    struct spool_rig rig;
    spool_rig_open(&rig);
    struct job_facts facts = spool_rig_facts("t", 1);
    struct spool_incoming *incoming = spool_rig_receive(&rig, documents);
    spool_commit(incoming, &facts, (const unsigned[]){0}, spool_rig_committed, &rig);
    spool_discard(incoming);
    incoming = spool_rig_receive(&rig, documents);
    spool_commit(incoming, &facts, (const unsigned[]){9}, spool_rig_committed, &rig);
    spool_discard(incoming);
    spool_rig_add(&rig, "u");
    spool_rig_reopen(&rig);
    CU_ASSERT_EQUAL(rig.done, 1);
    EQUAL_TEXT(spool_rig_jobs(&rig), "u");
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_close(&rig);
}

/* A long document is written in many pieces. */
static void long_documents_are_whole(void)
{
    static char piece[65536];
    struct spool_rig rig;
    struct spool_incoming *incoming;
    struct stat found;
    spool_rig_open(&rig);
    CU_ASSERT_EQUAL_FATAL(spool_begin(rig.spool, &incoming), 0);
    CU_ASSERT_EQUAL_FATAL(spool_next_document(incoming), 0);
    for (unsigned i = 0; i < 400; i++) {
        memset(piece, (int)('a' + i % 26), sizeof(piece));
        CU_ASSERT_EQUAL_FATAL(spool_write(incoming, piece, sizeof(piece)), 0);
    }
    struct job_facts facts = spool_rig_facts("t", 1);
    spool_commit(incoming, &facts, (const unsigned[]){0}, spool_rig_committed, &rig);
    spool_rig_await(&rig, 1);
    CU_ASSERT_EQUAL(rig.problem, 0);
    CU_ASSERT_EQUAL_FATAL(stat(spool_rig_path("jobs/00000001/1"), &found), 0);
    CU_ASSERT_EQUAL(found.st_size, 400 * 65536);
    int fd = open(spool_rig_path("jobs/00000001/1"), O_RDONLY);
    CU_ASSERT_EQUAL(pread(fd, piece, 1, 399 * 65536), 1);
    CU_ASSERT_EQUAL(piece[0], 'a' + 399 % 26);
    close(fd);
    spool_rig_close(&rig);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void numbers_do_not_come_again(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    spool_rig_add(&rig, "one");
    spool_rig_add(&rig, "two");
    CU_ASSERT_EQUAL(spool_remove(rig.spool, "00000002"), 0);
    CU_ASSERT_EQUAL(job_finish(spool_descriptor(rig.spool), "00000001"), 0);
    spool_rig_reopen(&rig);
    CU_ASSERT_FALSE(access(spool_rig_path("done/00000001"), F_OK) == 0);
    EQUAL_TEXT(spool_rig_add(&rig, "three"), "00000003");
    /* A service that was killed wrote down less than it gave away; never more came. */
    spool_rig_put(spool_rig_path("last"), "4000\n");
    spool_close(rig.spool);
    spool_rig_put(spool_rig_path("last"), "5000\n");
    rig.spool = NULL;
    spool_rig_reopen(&rig);
    EQUAL_TEXT(spool_rig_add(&rig, "four"), "00005001");
    /* Where that is damaged, they begin well above what is there. */
    spool_close(rig.spool);
    rig.spool = NULL;
    spool_rig_put(spool_rig_path("last"), "many\n");
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("held/00006000"), 0700), 0);
    spool_rig_reopen(&rig);
    CU_ASSERT_TRUE(spool_rig_logged(&rig, "spool/last: is damaged"));
    EQUAL_TEXT(spool_rig_add(&rig, "five"), "01006001");
    spool_close(rig.spool);
    rig.spool = NULL;
    CU_ASSERT_EQUAL(unlink(spool_rig_path("last")), 0);
    spool_rig_reopen(&rig);
    CU_ASSERT_TRUE(spool_rig_logged(&rig, "spool/last: No such file"));
    EQUAL_TEXT(spool_rig_add(&rig, "six"), "02006002");
    EQUAL_TEXT(spool_rig_jobs(&rig), "three,four,five,six");
    spool_rig_close(&rig);
}

static void give_and_be_killed(int from_parent, int to_parent)
{
    struct spool_rig *rig = calloc(1, sizeof(*rig));
    (void)from_parent;
    spool_rig_open(rig);
    for (unsigned i = 0; i < 3; i++) {
        spool_rig_add(rig, "x");
        MUST(job_finish(spool_descriptor(rig->spool), rig->name) == 0);
    }
    stage_tell(to_parent, 'g');
    pause();
}

static void numbers_outlive_a_kill(void)
{
    struct spool_rig rig;
    struct child child = child_start(give_and_be_killed);
    stage_hear(child.from, 'g');
    child_kill(&child);
    spool_rig_open(&rig);
    CU_ASSERT_EQUAL(spool_rig_count("done"), 0);
    CU_ASSERT(strcmp(spool_rig_add(&rig, "y"), "00000003") > 0);
    spool_rig_close(&rig);
}

/* ---- Removing -------------------------------------------------------------------------------- */

static void jobs_are_removed(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    spool_rig_add(&rig, "one");
    spool_rig_add(&rig, "two");
    int directory = spool_open_job(rig.spool, "00000001");
    int claim = job_claim(directory);
    CU_ASSERT_FATAL(claim >= 0);
    CU_ASSERT_EQUAL(spool_remove(rig.spool, "00000001"), EBUSY);
    close(claim);
    CU_ASSERT_EQUAL(spool_remove(rig.spool, "00000001"), 0);
    CU_ASSERT_EQUAL(spool_remove(rig.spool, "00000001"), ENOENT);
    CU_ASSERT_EQUAL(spool_remove(rig.spool, "../jobs/00000002"), EINVAL);
    EQUAL_TEXT(spool_rig_jobs(&rig), "two");
    CU_ASSERT_EQUAL(spool_open_job(rig.spool, "00000001"), -1);
    close(directory);
    CU_ASSERT_EQUAL(job_finish(spool_descriptor(rig.spool), "00000002"), 0);
    CU_ASSERT_TRUE(spool_is_done(rig.spool, "00000002"));
    CU_ASSERT_FALSE(spool_is_done(rig.spool, "00000001"));
    CU_ASSERT_FALSE(spool_is_done(rig.spool, ".."));
    spool_clear_done(rig.spool, "00000002");
    spool_clear_done(rig.spool, "../../x");
    spool_rig_reopen(&rig);
    CU_ASSERT_EQUAL(spool_rig_count("done"), 0);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_close(&rig);
}

/* ---- Spares ---------------------------------------------------------------------------------- */

static ino_t inode_of(const char *name)
{
    struct stat found = {.st_ino = 0};
    CU_ASSERT_EQUAL(stat(spool_rig_path(name), &found), 0);
    return found.st_ino;
}

static ino_t inode_in(const char *job, const char *file)
{
    char name[64];
    snprintf(name, sizeof(name), "jobs/%s/%s", job, file);
    return inode_of(name);
}

static void add_documents(struct spool_rig *rig, const char *const *documents, const char *title,
                          const unsigned *order, size_t count)
{
    struct job_facts facts = spool_rig_facts(title, count);
    spool_commit(spool_rig_receive(rig, documents), &facts, order, spool_rig_committed, rig);
    spool_rig_await(rig, 1);
    CU_ASSERT_EQUAL_FATAL(rig->problem, 0);
}

static void check_fresh_state(struct spool_rig *rig, const char *name, unsigned total)
{
    struct job_state state;
    struct line problem = LINE_INIT;
    int directory = spool_open_job(rig->spool, name);
    CU_ASSERT_FATAL(directory >= 0);
    CU_ASSERT_EQUAL(job_read_state(directory, name, &state, &problem), JOB_READ);
    CU_ASSERT_EQUAL(state.printed, 0);
    CU_ASSERT_EQUAL(state.total, total);
    CU_ASSERT_FALSE(state.sending);
    close(directory);
}

/* The next job takes the place of one that is done, and nothing of that is seen in it. */
static void done_jobs_are_used_again(void)
{
    static const char *const titles[] = {"a job", "one with a much longer title and document", "x"};
    static const char *const files[] = {".", "1", "facts", "state"};
    struct spool_rig rig;
    ino_t inodes[4];
    spool_rig_open(&rig);
    spool_rig_add(&rig, "the first job");
    for (size_t i = 0; i < 4; i++) {
        inodes[i] = inode_in(rig.name, files[i]);
    }
    for (size_t round = 0; round < 6; round++) {
        const char *title = titles[round % 3];
        spool_rig_finish(&rig, rig.name);
        CU_ASSERT_EQUAL(spool_rig_count("done"), 0);
        spool_rig_add(&rig, title);
        for (size_t i = 0; i < 4; i++) {
            CU_ASSERT_EQUAL(inode_in(rig.name, files[i]), inodes[i]);
        }
        EQUAL_TEXT(document_of(&rig, rig.name, 0), title);
        EQUAL_TEXT(spool_rig_jobs(&rig), title);
        check_fresh_state(&rig, rig.name, 1);
    }
    /* One that is removed, too; and what a client left half is no job's. */
    CU_ASSERT_EQUAL(spool_remove(rig.spool, rig.name), 0);
    spool_rig_settle(&rig);
    static const char *const half[] = {"half of a long document of a client that goes", NULL};
    spool_discard(spool_rig_receive(&rig, half));
    spool_rig_add(&rig, "whole");
    CU_ASSERT_EQUAL(inode_in(rig.name, "1"), inodes[1]);
    EQUAL_TEXT(document_of(&rig, rig.name, 0), "whole");
    spool_rig_reopen(&rig);
    EQUAL_TEXT(spool_rig_jobs(&rig), "whole");
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_close(&rig);
}

static void spares_take_any_job(void)
{
    static const char *const three[] = {"first", "second", "third", NULL};
    static const char *const none[] = {NULL};
    struct spool_rig rig;
    spool_rig_open(&rig);
    spool_rig_finish(&rig, spool_rig_add(&rig, "a long document that was there before"));
    add_documents(&rig, three, "in order", (const unsigned[]){0, 1, 2}, 3);
    EQUAL_TEXT(document_of(&rig, rig.name, 0), "first");
    EQUAL_TEXT(document_of(&rig, rig.name, 2), "third");
    spool_rig_finish(&rig, rig.name);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0); /* of many documents is none */
    spool_rig_finish(&rig, spool_rig_add(&rig, "a long document that was there before"));
    add_documents(&rig, three, "mixed", (const unsigned[]){2, 0, 2}, 3);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    EQUAL_TEXT(document_of(&rig, rig.name, 0), "third");
    EQUAL_TEXT(document_of(&rig, rig.name, 1), "first");
    EQUAL_TEXT(document_of(&rig, rig.name, 2), "third");
    check_fresh_state(&rig, rig.name, 3);
    spool_rig_finish(&rig, rig.name);
    spool_rig_finish(&rig, spool_rig_add(&rig, "before"));
    add_documents(&rig, none, "none", NULL, 0);
    EQUAL_TEXT(document_of(&rig, rig.name, 0), "-");
    EQUAL_TEXT(spool_rig_jobs(&rig), "none");
    spool_rig_close(&rig);
}

/* Neither one whose names are perhaps not on the disk, nor a large one, nor one too many. */
static void others_are_no_spares(void)
{
    static char large[64 * 1024 + 2];
    struct spool_rig rig;
    memset(large, 'x', sizeof(large) - 1);
    const char *const documents[] = {large, NULL};
    spool_rig_open(&rig);
    spool_rig_add(&rig, "of the service before");
    spool_rig_reopen(&rig);
    spool_rig_finish(&rig, rig.name);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    add_documents(&rig, documents, "large", (const unsigned[]){0}, 1);
    spool_rig_finish(&rig, rig.name);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    large[64 * 1024] = '\0';
    add_documents(&rig, documents, "small", (const unsigned[]){0}, 1);
    spool_rig_finish(&rig, rig.name);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 1);
    large[64 * 1024] = 'x';
    spool_discard(spool_rig_receive(&rig, documents));
    spool_rig_settle(&rig);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    char names[4][JOB_NAME];
    for (size_t i = 0; i < 4; i++) {
        strcpy(names[i], spool_rig_add(&rig, "many"));
    }
    for (unsigned i = 0; i < SPOOL_SPARES - 2; i++) {
        CU_ASSERT_TRUE(spool_keep_spare(rig.spool, "none"));
    }
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(spool_remove(rig.spool, names[i]), 0);
    }
    spool_rig_settle(&rig);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 2);
    CU_ASSERT_FALSE(spool_keep_spare(rig.spool, "none"));
    spool_close(rig.spool);
    rig.spool = NULL;
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_close(&rig);
}

static const struct test_case cases[] = {
    {"jobs come back in order", jobs_come_back_in_order},
    {"documents have their order", documents_have_their_order},
    {"many commits at once", many_commits_at_once},
    {"closing waits for commits", closing_waits_for_commits},
    {"wrong commits leave nothing", wrong_commits_leave_nothing},
    {"commits may be discarded", commits_may_be_discarded},
    {"long documents are whole", long_documents_are_whole},
    {"numbers do not come again", numbers_do_not_come_again},
    {"numbers outlive a kill", numbers_outlive_a_kill},
    {"jobs are removed", jobs_are_removed},
    {"done jobs are used again", done_jobs_are_used_again},
    {"spares take any job", spares_take_any_job},
    {"others are no spares", others_are_no_spares},
    {NULL, NULL},
};

const struct test_suite suite_spool = {"spool", cases};
