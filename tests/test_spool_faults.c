/*
 * test_spool_faults - what others do to a spool: nothing that was planted, damaged or too much for
 * the process costs more than itself.
 */
#include "spool_rig.h"
#include "stores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_there(const char *name)
{
    struct stat found;
    return lstat(spool_rig_path(name), &found) == 0;
}

/* ---- What others left ------------------------------------------------------------------------ */

static const char *open_problem(struct spool_rig *rig)
{
    static struct line problem;
    problem = (struct line)LINE_INIT;
    struct spool *spool = NULL;
    bool opened = spool_open(rig->path, &rig->loop, &rig->log, &spool, &problem);
    spool_close(spool);
    const char *told = strstr(problem.text, "spool");
    return opened ? "opened" : told != NULL ? told : problem.text;
}

static void one_has_the_spool(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    EQUAL_TEXT(open_problem(&rig), "spool: another process has it");
    spool_close(rig.spool);
    rig.spool = NULL;
    EQUAL_TEXT(open_problem(&rig), "opened");
    spool_rig_close(&rig);
}

static void modes_are_narrow(void)
{
    static const char *const directories[] = {".", "incoming", "jobs", "jobs/00000001", "held"};
    static const char *const files[] = {"lock", "last", "jobs/00000001/1", "jobs/00000001/facts",
                                        "jobs/00000001/state"};
    static const mode_t masks[] = {0, 0777};
    struct spool_rig rig;
    struct stat found;
    for (size_t mask = 0; mask < 2; mask++) {
        mode_t before = umask(masks[mask]);
        spool_rig_open(&rig);
        spool_rig_add(&rig, "one");
        (void)umask(before);
        for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
            CU_ASSERT_EQUAL(stat(spool_rig_path(directories[i]), &found), 0);
            CU_ASSERT_EQUAL(found.st_mode & 07777, 0700);
        }
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
            CU_ASSERT_EQUAL(stat(spool_rig_path(files[i]), &found), 0);
            CU_ASSERT_EQUAL(found.st_mode & 07777, 0600);
        }
        spool_rig_close(&rig);
        spool_rig_remove(&rig);
    }
}

/* Each directory of the spool as a link to a right one; the spool itself with a slash, too. */
static void links_are_refused(void)
{
    static const char *const names[] = {"incoming", "jobs", "done", "held"};
    struct spool_rig rig;
    char told[128];
    spool_rig_open(&rig);
    spool_close(rig.spool);
    rig.spool = NULL;
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("elsewhere"), 0700), 0);
    spool_rig_put(scratch_path("elsewhere/treasure"), "x");
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(rmdir(spool_rig_path(names[i])), 0);
        CU_ASSERT_EQUAL(symlink(scratch_path("elsewhere"), spool_rig_path(names[i])), 0);
        snprintf(told, sizeof(told), "spool/%s: is no directory, or a link", names[i]);
        EQUAL_TEXT(open_problem(&rig), told);
        CU_ASSERT_EQUAL(unlink(spool_rig_path(names[i])), 0);
        CU_ASSERT_EQUAL(mkdir(spool_rig_path(names[i]), 0700), 0);
        CU_ASSERT_EQUAL(chmod(spool_rig_path(names[i]), 0770), 0);
        snprintf(told, sizeof(told), "spool/%s: is another's, or others can write there", names[i]);
        EQUAL_TEXT(open_problem(&rig), told);
        CU_ASSERT_EQUAL(chmod(spool_rig_path(names[i]), 0700), 0);
    }
    CU_ASSERT_EQUAL(unlink(spool_rig_path("lock")), 0);
    CU_ASSERT_EQUAL(symlink(scratch_path("elsewhere/new"), spool_rig_path("lock")), 0);
    EQUAL_TEXT(open_problem(&rig), "spool/lock: is no directory, or a link");
    CU_ASSERT_EQUAL(unlink(spool_rig_path("lock")), 0);
    CU_ASSERT_EQUAL(chmod(spool_rig_path("."), 0702), 0);
    EQUAL_TEXT(open_problem(&rig), "spool: is another's, or others can write there");
    CU_ASSERT_EQUAL(chmod(spool_rig_path("."), 0700), 0);
    EQUAL_TEXT(open_problem(&rig), "opened");
    CU_ASSERT_EQUAL(symlink("spool", scratch_path("spool-link")), 0);
    rig.path = scratch_path("spool-link/");
    EQUAL_TEXT(open_problem(&rig), "spool-link: is no directory, or a link");
    CU_ASSERT_EQUAL(access(scratch_path("elsewhere/treasure"), F_OK), 0);
    CU_ASSERT_EQUAL(access(scratch_path("elsewhere/new"), F_OK), -1);
    spool_rig_close(&rig);
}

/* Whatever a kill or a stranger left where jobs are received goes, and nothing that it leads to. */
static void leftovers_are_cleared(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    spool_close(rig.spool);
    rig.spool = NULL;
    spool_rig_put(scratch_path("treasure"), "x");
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("incoming/00000001"), 0700), 0);
    spool_rig_put(spool_rig_path("incoming/00000001/r0"), "half");
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("incoming/00000001/sub"), 0700), 0);
    spool_rig_put(spool_rig_path("incoming/file"), "x");
    CU_ASSERT_EQUAL(symlink("../../treasure", spool_rig_path("incoming/link")), 0);
    CU_ASSERT_EQUAL(symlink("../..", spool_rig_path("incoming/up")), 0);
    CU_ASSERT_EQUAL(symlink("../../../treasure", spool_rig_path("incoming/00000001/facts")), 0);
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("incoming/deep"), 0700), 0);
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("incoming/deep/er"), 0700), 0);
    spool_rig_put(spool_rig_path("incoming/deep/er/file"), "x");
    spool_rig_put(spool_rig_path("last"), "1\n");
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("done/00000007"), 0700), 0);
    spool_rig_put(spool_rig_path("done/00000007/1"), "x");
    spool_rig_reopen(&rig);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    CU_ASSERT_EQUAL(spool_rig_count("done"), 0);
    CU_ASSERT_TRUE(is_there("held/deep/er/file"));
    CU_ASSERT_EQUAL(access(scratch_path("treasure"), F_OK), 0);
    EQUAL_TEXT(spool_rig_add(&rig, "one"), "00000008");
    spool_rig_close(&rig);
}

static void spoil(struct spool_rig *rig, const char *what)
{
    char command[8192];
    snprintf(command, sizeof(command), "cd %s/jobs && %s", spool_path(rig->spool), what);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
}

/* One job that is damaged is held, with a word in the log, and the others are as they were. */
static void damaged_jobs_are_held(void)
{
    static const struct {
        const char *spoil;
        const char *told;
    } damages[] = {
        {"rm 00000002/facts", "facts: No such file"},
        {"echo x >00000002/facts", "facts: is damaged"},
        {"ln -sf /etc/passwd 00000002/facts", "facts: Too many"},
        {"rm 00000002/1", "document 1: No such file"},
        {"echo x >>00000002/1", "document 1: is not of 3 bytes"},
        {"ln -sf /etc/passwd 00000002/1", "document 1: Too many"},
        {"printf two! >00000002/1", "document 1: is not of 3 bytes"},
        {"printf tow >00000002/1", "document 1: is damaged"},
        {"truncate -s 20 00000002/facts", "facts: is damaged"},
        {"ln -sf /etc/passwd 00000002/state", "state: Too many"},
        {"echo >00000002/state", "state: is damaged"},
        {"rm 00000002/state", "state: No such file"},
        {"mv 00000002 x && ln -s x 00000002", "Not a directory"},
        {"rm -r 00000002 && mkfifo 00000002", "Not a directory"},
        {"chmod 777 00000002", "not permitted"},
        {"mv 00000002 0000000000002", "is no job"},
        {"mv 00000002 'a\033b'", "\\x1bb\" was moved to held: is no job"},
    };
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct spool_rig rig;
        spool_rig_open(&rig);
        spool_rig_add(&rig, "one");
        spool_rig_add(&rig, "two");
        spool_rig_add(&rig, "six");
        spoil(&rig, damages[i].spoil);
        EQUAL_TEXT(spool_rig_jobs(&rig), "one,six");
        CU_ASSERT_TRUE(spool_rig_logged(&rig, damages[i].told));
        CU_ASSERT_TRUE(spool_rig_logged(&rig, "was moved to held"));
        CU_ASSERT(spool_rig_count("held") >= 1);
        CU_ASSERT_EQUAL(spool_rig_count("jobs"), 2);
        EQUAL_TEXT(spool_rig_jobs(&rig), "one,six");
        spool_hold(rig.spool, "00000001", "the printer says so");
        EQUAL_TEXT(spool_rig_jobs(&rig), "six");
        spool_rig_close(&rig);
        spool_rig_remove(&rig);
    }
}

static void set_state(struct spool_rig *rig, const char *name, const char *owner, unsigned total,
                      unsigned printed)
{
    struct line problem = LINE_INIT;
    struct job_state state = {.total = total, .printed = printed};
    int directory = spool_open_job(rig->spool, name);
    CU_ASSERT_FATAL(directory >= 0);
    CU_ASSERT_TRUE(job_begin_state(directory, owner, total, &problem));
    if (printed > 0) {
        CU_ASSERT_TRUE(job_write_state(directory, owner, &state, &problem));
    }
    close(directory);
}

/* What a loss of power brings back under its old name is no job. */
static void remnants_are_removed(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    for (unsigned i = 1; i <= 7; i++) {
        char title[2] = {(char)('0' + i), '\0'};
        spool_rig_add(&rig, title);
    }
    set_state(&rig, "00000002", "00000002", 1, 1);
    spoil(&rig, "echo >00000002/facts");
    spoil(&rig, "cp 00000001/facts 00000003/facts && rm 00000003/1");
    set_state(&rig, "00000004", "00000001", 1, 0);
    spoil(&rig, "rm 00000005/*");
    set_state(&rig, "00000006", "00000006", 2, 0);
    spoil(&rig, "mv 00000007 00000008");
    EQUAL_TEXT(spool_rig_jobs(&rig), "1");
    spool_rig_settle(&rig);
    CU_ASSERT_EQUAL(spool_rig_count("jobs"), 1);
    CU_ASSERT_EQUAL(spool_rig_count("held"), 1);
    CU_ASSERT_TRUE(is_there("held/00000006"));
    CU_ASSERT_TRUE(spool_rig_logged(&rig, "00000006\" was moved to held: state: is another job's"));
    CU_ASSERT_FALSE(spool_rig_logged(&rig, "00000002"));
    CU_ASSERT_TRUE(spool_rig_logged(
        &rig, "jobs/00000003: is no job, and was removed: facts: is of job 00000001\n"));
    CU_ASSERT_TRUE(spool_rig_logged(
        &rig, "jobs/00000004: is no job, and was removed: state: is of job 00000001\n"));
    CU_ASSERT_TRUE(spool_rig_logged(
        &rig, "jobs/00000008: is no job, and was removed: state: is of job 00000007\n"));
    CU_ASSERT_FALSE(spool_rig_logged(&rig, "00000005"));
    spool_rig_close(&rig);
}

/* Somebody who has outlived the service before has printed it, and is about to say so. */
static void remnants_that_are_had_stay(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    spool_rig_add(&rig, "printed");
    spool_rig_add(&rig, "another's");
    set_state(&rig, "00000001", "00000001", 1, 1);
    set_state(&rig, "00000002", "00000001", 1, 0);
    int first = spool_open_job(rig.spool, "00000001");
    int second = spool_open_job(rig.spool, "00000002");
    int claims[] = {job_claim(first), job_claim(second)};
    EQUAL_TEXT(spool_rig_jobs(&rig), "printed");
    CU_ASSERT_EQUAL(spool_rig_count("jobs"), 2);
    close(claims[0]);
    close(claims[1]);
    close(first);
    close(second);
    EQUAL_TEXT(spool_rig_jobs(&rig), "");
    spool_rig_close(&rig);
}

/* For want of descriptors no job is damaged. */
static void unreadable_jobs_are_left(void)
{
    struct spool_rig rig;
    struct rlimit before;
    spool_rig_open(&rig);
    spool_rig_add(&rig, "one");
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    int first = dup(STDERR_FILENO);
    close(first);
    struct rlimit few = {.rlim_cur = (rlim_t)(first + 1), .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    EQUAL_TEXT(spool_rig_jobs(&rig), "");
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_TRUE(
        spool_rig_logged(&rig, "jobs/00000001 is left until the next start: state: Too"));
    EQUAL_TEXT(spool_rig_jobs(&rig), "one");
    spool_rig_close(&rig);
}

/* For want of descriptors no spare is lost. */
static void unreadable_spares_are_kept(void)
{
    struct spool_rig rig;
    struct rlimit before;
    struct spool_incoming *incoming = NULL;
    spool_rig_open(&rig);
    spool_rig_add(&rig, "one");
    spool_rig_finish(&rig, "00000001");
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    CU_ASSERT_EQUAL(spool_begin(rig.spool, &incoming), EMFILE);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_EQUAL_FATAL(spool_begin(rig.spool, &incoming), 0);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 1);
    spool_discard(incoming);
    spool_rig_close(&rig);
}

/* What stands in a spare in the place of its files is not written to. */
static void spares_are_looked_at(void)
{
    static const char *const plants[] = {"ln -sf ../../../treasure 1",
                                         "ln -f ../../../treasure 1",
                                         "rm 1; mkfifo 1",
                                         "chmod 666 1",
                                         "rm 1",
                                         "rm -r ../*"};
    static const char *const documents[] = {"one", NULL};
    struct spool_rig rig;
    char command[256];
    struct stat found;
    spool_rig_open(&rig);
    spool_rig_put(scratch_path("treasure"), "a longer text than that of any job");
    for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
        spool_rig_finish(&rig, spool_rig_add(&rig, "before"));
        CU_ASSERT_EQUAL(spool_rig_count("incoming"), 1);
        snprintf(command, sizeof(command), "cd ../incoming/* && %s", plants[i]);
        spoil(&rig, command);
        spool_rig_add(&rig, "one");
        EQUAL_TEXT(spool_rig_jobs(&rig), "one");
        spool_rig_finish(&rig, rig.name);
    }
    /* Facts that are a link cost the job, and nobody else. */
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 1);
    spoil(&rig, "ln -sf ../../../treasure ../incoming/*/facts");
    struct job_facts facts = spool_rig_facts("t", 1);
    spool_commit(spool_rig_receive(&rig, documents), &facts, (const unsigned[]){0},
                 spool_rig_committed, &rig);
    spool_rig_await(&rig, 1);
    CU_ASSERT_EQUAL(rig.problem, ELOOP);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    /* Nor does what is done become one with them. */
    spool_rig_add(&rig, "linked");
    spoil(&rig, "ln */1 ../../other");
    spool_rig_finish(&rig, rig.name);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_add(&rig, "more");
    spoil(&rig, "echo >$(echo *)/2");
    spool_rig_finish(&rig, rig.name);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    CU_ASSERT_EQUAL(stat(scratch_path("treasure"), &found), 0);
    CU_ASSERT_EQUAL(found.st_size, 34);
    spool_rig_close(&rig);
}

/* Two things of one name that are held have two. */
static void held_names_do_not_collide(void)
{
    struct spool_rig rig;
    spool_rig_open(&rig);
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("held/junk"), 0700), 0);
    CU_ASSERT_EQUAL(mkdir(spool_rig_path("jobs/junk"), 0700), 0);
    EQUAL_TEXT(spool_rig_jobs(&rig), "");
    CU_ASSERT_TRUE(is_there("held/junk.1"));
    spool_rig_close(&rig);
}

/* No descriptors are left: jobs are refused, and go on afterwards. */
static void no_descriptors_are_a_refusal(void)
{
    struct spool_rig rig;
    struct rlimit before;
    struct spool_incoming *incoming;
    spool_rig_open(&rig);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    int first = dup(STDERR_FILENO);
    close(first);
    for (int more = 0; more < 3; more++) {
        const struct rlimit none = {.rlim_cur = (rlim_t)first, .rlim_max = before.rlim_max};
        struct rlimit few = {.rlim_cur = (rlim_t)(first + more), .rlim_max = before.rlim_max};
        CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
        int problem = spool_begin(rig.spool, &incoming);
        if (problem == 0) {
            problem = spool_next_document(incoming);
            if (problem == 0) {
                const unsigned order[] = {0};
                struct job_facts facts = spool_rig_facts("t", 1);
                CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
                spool_commit(incoming, &facts, order, spool_rig_committed, &rig);
                spool_rig_await(&rig, 1);
                problem = rig.problem;
            } else {
                spool_discard(incoming);
            }
        }
        CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
        CU_ASSERT_EQUAL(problem, EMFILE);
    }
    int after = dup(STDERR_FILENO);
    CU_ASSERT_EQUAL(after, first);
    close(after);
    spool_rig_add(&rig, "after");
    spool_rig_reopen(&rig);
    EQUAL_TEXT(spool_rig_jobs(&rig), "after");
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_close(&rig);
}

/* More jobs are removed at once than there are descriptors: all go, and nothing of them stays. */
static void removals_take_few_descriptors(void)
{
    enum { JOBS = 60, FEW = 40 };
    struct spool_rig rig;
    struct rlimit before;
    spool_rig_open(&rig);
    for (unsigned i = 0; i < JOBS; i++) {
        spool_rig_add(&rig, "t");
    }
    spool_rig_jobs(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.count, JOBS);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    int first = dup(STDERR_FILENO);
    close(first);
    struct rlimit few = {.rlim_cur = (rlim_t)(first + FEW), .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    unsigned kept = 0;
    for (size_t i = 0; i < rig.count; i++) {
        kept += spool_remove(rig.spool, rig.names[i]) != 0;
    }
    spool_close(rig.spool);
    rig.spool = NULL;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_EQUAL(kept, 0);
    CU_ASSERT_EQUAL(spool_rig_count("jobs"), 0);
    CU_ASSERT_EQUAL(spool_rig_count("incoming"), 0);
    spool_rig_reopen(&rig);
    spool_rig_close(&rig);
}

static const struct test_case cases[] = {
    {"one has the spool", one_has_the_spool},
    {"modes are narrow", modes_are_narrow},
    {"links are refused", links_are_refused},
    {"leftovers are cleared", leftovers_are_cleared},
    {"damaged jobs are held", damaged_jobs_are_held},
    {"remnants are removed", remnants_are_removed},
    {"remnants that are had stay", remnants_that_are_had_stay},
    {"unreadable jobs are left", unreadable_jobs_are_left},
    {"unreadable spares are kept", unreadable_spares_are_kept},
    {"spares are looked at", spares_are_looked_at},
    {"held names do not collide", held_names_do_not_collide},
    {"no descriptors are a refusal", no_descriptors_are_a_refusal},
    {"removals take few descriptors", removals_take_few_descriptors},
    {NULL, NULL},
};

const struct test_suite suite_spool_faults = {"spool_faults", cases};
