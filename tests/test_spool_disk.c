/*
 * test_spool_disk - a disk that is full, or has lost what it was given: jobs are refused, and what
 * is there stays.
 */
#include "spool_rig.h"
#include "stage.h"
#include "stores.h"

#include "../services/lpdsvc/spool_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- A full disk ----------------------------------------------------------------------------- */

#define DISK (4 * 1024 * 1024)

static bool mount_disk(const char *path)
{
    char options[64];
    snprintf(options, sizeof(options), "size=%d,nr_inodes=200,mode=0700", DISK);
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
    return mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

/* Where it is, and the file that fills it. */
static const char *disk_path(void)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/disk", scratch_dir());
    return path;
}

static const char *filler_path(void)
{
    static char path[4200];
    snprintf(path, sizeof(path), "%s/disk/filler", scratch_dir());
    return path;
}

/* A spool on a disk of its own; false: there is no such disk. */
static bool open_on_disk(struct spool_rig *rig)
{
    if (geteuid() != 0 || !mount_disk(disk_path())) {
        test_skip("a small disk needs root");
        return false;
    }
    spool_rig_open_at(rig, disk_path());
    return true;
}

/* Fills all but so many bytes with a file; gives how much there was. */
static void fill(const char *path, uint64_t left)
{
    static char block[4096];
    struct statvfs disk;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(fstatvfs(fd, &disk), 0);
    for (uint64_t free = disk.f_bavail * disk.f_frsize; free > left; free -= sizeof(block)) {
        CU_ASSERT_EQUAL_FATAL(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
    }
    close(fd);
}

static uint64_t free_bytes(const char *path)
{
    struct statvfs disk;
    CU_ASSERT_EQUAL_FATAL(statvfs(path, &disk), 0);
    return disk.f_bavail * disk.f_frsize;
}

/* Writes until it is refused, and looks at what is left. */
static void write_until_full(struct spool_rig *rig)
{
    static char piece[65536];
    struct spool_incoming *incoming;
    CU_ASSERT_EQUAL_FATAL(spool_begin(rig->spool, &incoming), 0);
    CU_ASSERT_EQUAL_FATAL(spool_next_document(incoming), 0);
    int problem;
    do {
        problem = spool_write(incoming, piece, sizeof(piece));
    } while (problem == 0);
    CU_ASSERT_EQUAL(problem, ENOSPC);
    CU_ASSERT(free_bytes(rig->path) >= SPOOL_RESERVE / 2);
    spool_discard(incoming);
    spool_rig_reopen(rig); /* which waits for the removal */
}

static void full_disks_refuse(void)
{
    struct spool_rig rig;
    struct spool_incoming *incoming;
    if (!open_on_disk(&rig)) {
        return;
    }
    spool_rig_add(&rig, "before");
    uint64_t before = free_bytes(disk_path());
    write_until_full(&rig);
    CU_ASSERT_EQUAL(free_bytes(disk_path()), before);
    fill(filler_path(), SPOOL_RESERVE / 2);
    CU_ASSERT_EQUAL(spool_begin(rig.spool, &incoming), ENOSPC);
    /* One that is there is removed nevertheless, and its state is written. */
    int job = spool_open_job(rig.spool, "00000001");
    struct line problem = LINE_INIT;
    struct job_state state;
    CU_ASSERT_EQUAL(job_read_state(job, "00000001", &state, &problem), JOB_READ);
    state.sending = true;
    CU_ASSERT_TRUE(job_write_state(job, "00000001", &state, &problem));
    close(job);
    CU_ASSERT_EQUAL(spool_remove(rig.spool, "00000001"), 0);
    CU_ASSERT_EQUAL(unlink(filler_path()), 0);
    spool_rig_add(&rig, "after");
    spool_rig_reopen(&rig);
    EQUAL_TEXT(spool_rig_jobs(&rig), "after");
    spool_rig_close(&rig);
    CU_ASSERT_EQUAL(umount(disk_path()), 0);
}

/* The same, with ten spares of 60,000 bytes. */
static bool open_with_spares(struct spool_rig *rig)
{
    static char large[60001];
    const char *const documents[] = {large, NULL};
    memset(large, 'x', sizeof(large) - 1);
    if (!open_on_disk(rig)) {
        return false;
    }
    for (unsigned i = 0; i < 10; i++) {
        struct job_facts facts = spool_rig_facts("t", 1);
        spool_commit(spool_rig_receive(rig, documents), &facts, (const unsigned[]){0},
                     spool_rig_committed, rig);
        spool_rig_await(rig, 1);
        CU_ASSERT_EQUAL_FATAL(rig->problem, 0);
    }
    spool_rig_jobs(rig);
    for (size_t i = 0; i < rig->count; i++) {
        spool_rig_finish(rig, rig->names[i]);
    }
    return true;
}

static void spares_give_way_on_full_disks(void)
{
    struct spool_rig rig;
    struct spool_incoming *incoming = NULL;
    if (!open_with_spares(&rig)) {
        return;
    }
    fill(filler_path(), SPOOL_RESERVE / 2);
    CU_ASSERT_EQUAL(spool_begin(rig.spool, &incoming), 0);
    spool_discard(incoming);
    spool_rig_close(&rig);
    CU_ASSERT_EQUAL(umount(disk_path()), 0);
}

/* Where there is room for its beginning, and not for all of it. */
static void spares_give_way_to_large_jobs(void)
{
    static char piece[65536];
    struct spool_rig rig;
    struct spool_incoming *incoming = NULL;
    if (!open_with_spares(&rig)) {
        return;
    }
    fill(filler_path(), SPOOL_RESERVE + 300 * 1024);
    CU_ASSERT_EQUAL_FATAL(spool_begin(rig.spool, &incoming), 0);
    CU_ASSERT_EQUAL_FATAL(spool_next_document(incoming), 0);
    for (unsigned i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(spool_write(incoming, piece, sizeof(piece)), 0);
    }
    spool_discard(incoming);
    spool_rig_close(&rig);
    CU_ASSERT_EQUAL(umount(disk_path()), 0);
}

/* The disk, or its table of files, is full when the job is committed: it is refused, and leaves
 * nothing behind. */
static void full_disks_refuse_commits(void)
{
    static const char *const documents[] = {"one", "two", NULL};
    struct spool_rig rig;
    if (!open_on_disk(&rig)) {
        return;
    }
    spool_rig_add(&rig, "before");
    struct job_facts facts = spool_rig_facts("t", 2);
    struct spool_incoming *incoming = spool_rig_receive(&rig, documents);
    fill(filler_path(), 0);
    spool_commit(incoming, &facts, (const unsigned[]){1, 0}, spool_rig_committed, &rig);
    spool_rig_await(&rig, 1);
    CU_ASSERT_EQUAL(rig.problem, ENOSPC);
    CU_ASSERT_EQUAL(unlink(filler_path()), 0);
    spool_rig_add(&rig, "after");
    spool_rig_reopen(&rig);
    EQUAL_TEXT(spool_rig_jobs(&rig), "before,after");
    spool_rig_close(&rig);
    CU_ASSERT_EQUAL(umount(disk_path()), 0);
}

/* From now on sync_file_range(2) fails here and in threads to come, and so does renameat2(2) from
 * a directory; -1: from none. */
static bool deny_early_writing(unsigned error, int directory)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sync_file_range, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)directory, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof(steps) / sizeof(steps[0]), steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static unsigned denied_error;

/* '-': there are no filters here, 'y': the job was taken, 'n': it was refused for that. */
static void add_where_denied(int from_parent, int to_parent)
{
    static const char *const documents[] = {"one", NULL};
    struct spool_rig *rig = calloc(1, sizeof(*rig));
    struct job_facts facts = spool_rig_facts("t", 1);
    (void)from_parent;
    if (!deny_early_writing(denied_error, -1)) {
        stage_tell(to_parent, '-');
        pause();
    }
    spool_rig_open(rig);
    spool_commit(spool_rig_receive(rig, documents), &facts, (const unsigned[]){0},
                 spool_rig_committed, rig);
    spool_rig_await(rig, 1);
    MUST(rig->problem == 0 || (unsigned)rig->problem == denied_error);
    stage_tell(to_parent, rig->problem == 0 ? 'y' : 'n');
    pause();
}

/* Bytes that the disk has lost are told of once, by the call that waits for them. */
static void lost_bytes_are_a_refusal(void)
{
    static const struct {
        unsigned error;
        char told;
    } rows[] = {{EIO, 'n'},    {ENODATA, 'n'}, {EREMOTEIO, 'n'}, {ENOSPC, 'n'},
                {ENOSYS, 'y'}, {EPERM, 'y'},   {EINVAL, 'y'}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char told = '?';
        denied_error = rows[i].error;
        struct child child = child_start(add_where_denied);
        CU_ASSERT_EQUAL(read(child.from, &told, 1), 1);
        child_kill(&child);
        CU_ASSERT_TRUE(told == rows[i].told || told == '-');
    }
}

static void fail_and_be_killed(int from_parent, int to_parent)
{
    static const char *const documents[] = {"one", NULL};
    struct spool_rig *rig = calloc(1, sizeof(*rig));
    struct job_facts facts = spool_rig_facts("t", 1);
    (void)from_parent;
    spool_rig_open(rig);
    bool denied = deny_early_writing(EIO, rig->spool->places[SPOOL_JOBS]);
    if (denied) {
        spool_commit(spool_rig_receive(rig, documents), &facts, (const unsigned[]){0},
                     spool_rig_committed, rig);
        spool_rig_await(rig, 1);
        MUST(rig->problem == EIO);
    }
    stage_tell(to_parent, denied ? 'n' : '-');
    pause();
}

/* Also one that cannot be moved back: its client sends it again. */
static void refused_jobs_are_not_printed(void)
{
    struct spool_rig rig;
    char told = '?';
    struct child child = child_start(fail_and_be_killed);
    CU_ASSERT_EQUAL(read(child.from, &told, 1), 1);
    child_kill(&child);
    if (told == '-') {
        test_skip("filters of system calls are needed");
        return;
    }
    spool_rig_open(&rig);
    CU_ASSERT_EQUAL(spool_rig_count("jobs"), 1);
    EQUAL_TEXT(spool_rig_jobs(&rig), "");
    CU_ASSERT_TRUE(spool_rig_logged(&rig, "jobs/00000001: is no job, and was removed"));
    spool_rig_close(&rig);
}

static const struct test_case cases[] = {
    {"full disks refuse", full_disks_refuse},
    {"spares give way on full disks", spares_give_way_on_full_disks},
    {"spares give way to large jobs", spares_give_way_to_large_jobs},
    {"full disks refuse commits", full_disks_refuse_commits},
    {"lost bytes are a refusal", lost_bytes_are_a_refusal},
    {"refused jobs are not printed", refused_jobs_are_not_printed},
    {NULL, NULL},
};

const struct test_suite suite_spool_disk = {"spool_disk", cases};
