/*
 * full_disk.c - a store where there is no room left: reads go on, deletions succeed.
 *
 *     full_disk disk DIRECTORY     on a file system of a few dozen megabytes, nearly empty
 *     full_disk map DIRECTORY      anywhere: the store's map is made small instead
 *
 * Fills a store and what is left beside it, until nothing can be added. Then everything is read, by
 * this process and by one that opens the store anew. Deletions that nobody confirms are taken back,
 * though who does that is killed, or refused. Then values and keys are deleted one by one.
 * Then subtrees are deleted, each from a store that has been filled again: one whose record does
 * not fit, one whose records are all over the file, a large value, everything else. When there is
 * room again the store takes new values. Ends with "N passed, N failed, 0 skipped". Needs
 * regstore.h.
 */
#include <regstore.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 400u /* small ones, with VALUES values each */
#define VALUES 4u
#define BULK 100u /* values of BULK_SIZE in one key: much more than the reserve */
#define BULK_SIZE 40000u
#define PAIRS 1000u /* of a small key and a neighbour that fills the rest of its page */
#define PAIR_SIZE 500u
#define NEIGHBOUR_SIZE 1500u
#define HUGE_SIZE (3u << 20) /* of one value */
#define PAGE_FULL 4000u
#define STEPS 100000u /* until a disk must have been full */
#define TRIES 20u     /* of a deletion where the map ends: it can fail before it could make room */
#define SMALL_SPACE ((rlim_t)220 << 20)

static unsigned passed, failed;
static int full; /* the status that tells that there is no room: RS_EDISK or RS_EFULL */

static bool expect(bool holds, const char *what, int status)
{
    if (!holds) {
        printf("FAILED: %s: %s\n", what, rs_strerror(status));
    }
    passed += holds;
    failed += !holds;
    return holds;
}

static void must(int status, const char *what)
{
    if (status != RS_OK) {
        printf("FAILED: %s: %s\n%u passed, %u failed, 0 skipped\n", what, rs_strerror(status),
               passed, failed + 1);
        exit(1);
    }
}

/* ---- One transaction each ---- */

static int end(rs_txn *txn, int status)
{
    if (status == RS_OK) {
        return rs_commit(txn, NULL);
    }
    rs_abort(txn);
    return status;
}

static int set_value(rs_store *store, const char *path, const char *name, size_t size)
{
    static const char data[HUGE_SIZE];
    rs_txn *txn;
    rs_key key;
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = rs_key_create(txn, RS_HKLM, path, &key);
    if (status == RS_OK) {
        status = rs_value_set(txn, key, name, REG_BINARY, data, size);
    }
    return end(txn, status);
}

/* A value, or with name NULL the key with all below it. */
static int delete_at(rs_store *store, const char *path, const char *name)
{
    rs_txn *txn;
    rs_key key;
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = rs_key_open(txn, RS_HKLM, path, &key);
    if (status == RS_OK) {
        status =
            name != NULL ? rs_value_delete(txn, key, name) : rs_key_delete(txn, key, RS_RECURSIVE);
    }
    return end(txn, status);
}

static int delete_value(rs_store *store, const char *path, const char *name)
{
    return delete_at(store, path, name);
}

static int delete_key(rs_store *store, const char *path)
{
    return delete_at(store, path, NULL);
}

static uint64_t count_values(rs_store *store)
{
    rs_txn *txn;
    rs_stat stat = {0};
    must(rs_begin(store, RS_READ, &txn), "a read transaction begins");
    must(rs_stat_get(txn, &stat), "the store tells its state");
    rs_abort(txn);
    return stat.values;
}

/* ---- Filling ---- */

/* One subtree whose records are on as many pages as it has keys. */
static void add_scattered(rs_store *store)
{
    static const char data[NEIGHBOUR_SIZE];
    char path[64];
    rs_txn *txn;
    rs_key key;
    must(rs_begin(store, RS_WRITE, &txn), "a write transaction begins");
    for (unsigned i = 0; i < PAIRS; i++) {
        snprintf(path, sizeof path, "Scattered\\%u", i);
        must(rs_key_create(txn, RS_HKLM, path, &key), "a key is made");
        must(rs_value_set(txn, key, "v", REG_BINARY, data, PAIR_SIZE), "a value is set");
        snprintf(path, sizeof path, "Between\\%u", i);
        must(rs_key_create(txn, RS_HKLM, path, &key), "a key is made");
        must(rs_value_set(txn, key, "v", REG_BINARY, data, NEIGHBOUR_SIZE), "a value is set");
        must(rs_value_set(txn, key, "w", REG_BINARY, data, NEIGHBOUR_SIZE), "a value is set");
    }
    must(rs_commit(txn, NULL), "a commit");
}

static void fill_store(rs_store *store)
{
    char path[64], name[32];
    for (unsigned i = 0; i < KEYS; i++) {
        rs_txn *txn;
        rs_key key;
        snprintf(path, sizeof path, "Small\\%u", i);
        must(rs_begin(store, RS_WRITE, &txn), "a write transaction begins");
        must(rs_key_create(txn, RS_HKLM, path, &key), "a key is made");
        for (uint32_t v = 0; v < VALUES; v++) {
            snprintf(name, sizeof name, "value %u", v);
            must(rs_set_dword(txn, key, name, v), "a value is set");
        }
        must(rs_commit(txn, NULL), "a commit");
    }
    for (unsigned i = 0; i < BULK; i++) {
        snprintf(name, sizeof name, "bulk %u", i);
        must(set_value(store, "Bulk", name, BULK_SIZE), "a big value is set");
    }
    add_scattered(store);
    must(set_value(store, "Huge", "huge", HUGE_SIZE), "a huge value is set");
}

/* Takes what is left on the disk. */
static void fill_disk(const char *path)
{
    static const char block[4096] = {1};
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        must(RS_EIO, "the file that fills the disk");
    }
    while (write(fd, block, sizeof block) > 0) {
    }
    must(errno == ENOSPC ? RS_OK : RS_EIO, "the disk becomes full");
    fsync(fd); /* some file systems find out only now what they have */
    while (write(fd, block, sizeof block) > 0) {
    }
    close(fd);
}

/* Adds values until there is no room; gives the status. */
static int add_until_full(rs_store *store, size_t size)
{
    char name[32];
    static unsigned number;
    int status = RS_OK;
    for (unsigned i = 0; status == RS_OK && i < STEPS; i++) {
        snprintf(name, sizeof name, "more %u", number++);
        status = set_value(store, "More", name, size);
    }
    return status;
}

/* ---- Without room ---- */

static int read_all(rs_store *store)
{
    char path[64], name[32];
    rs_txn *txn;
    int status = rs_begin(store, RS_READ, &txn);
    if (status != RS_OK) {
        return status;
    }
    for (unsigned i = 0; status == RS_OK && i < KEYS * VALUES; i++) {
        rs_key key;
        uint32_t number = 0;
        snprintf(path, sizeof path, "Small\\%u", i / VALUES);
        snprintf(name, sizeof name, "value %u", i % VALUES);
        status = rs_key_open(txn, RS_HKLM, path, &key);
        if (status == RS_OK) {
            status = rs_get_dword(txn, key, name, &number);
        }
        if (status == RS_OK && number != i % VALUES) {
            status = RS_EDATA;
        }
    }
    rs_abort(txn);
    return status;
}

static void expect_reading(rs_store *store, const char *dir)
{
    int status = read_all(store);
    expect(status == RS_OK, "reads go on", status);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        rs_store *own = NULL;
        status = rs_open(dir, 0, &own, NULL);
        _exit(status != RS_OK ? -status : -read_all(own));
    }
    int ended = 0;
    waitpid(child, &ended, 0);
    expect(WIFEXITED(ended) && WEXITSTATUS(ended) == 0, "another process opens and reads it",
           WIFEXITED(ended) ? -WEXITSTATUS(ended) : RS_EIO);
}

static void expect_no_room(rs_store *store)
{
    uint64_t before = count_values(store);
    int status = RS_OK;
    for (int i = 0; i < 20; i++) {
        status = set_value(store, "More", "one more", BULK_SIZE);
        if (status != full) {
            break;
        }
    }
    expect(status == full, "additions are refused, and say why", status);
    expect(count_values(store) == before, "what was refused is not there", RS_OK);
}

/* With a reader that keeps all old pages, and then without: one at a time. */
static void expect_deletions(rs_store *store)
{
    char path[64];
    rs_txn *reader;
    uint64_t before = count_values(store);
    int status = rs_begin(store, RS_READ, &reader);
    unsigned i = 0;
    for (; status == RS_OK && i < 10; i++) {
        snprintf(path, sizeof path, "Small\\%u", i);
        status = delete_value(store, path, "value 0");
    }
    rs_abort(reader);
    expect(status == RS_OK, "values are deleted beside a reader", status);
    for (; status == RS_OK && i < KEYS; i++) {
        snprintf(path, sizeof path, "Small\\%u", i);
        status = delete_value(store, path, "value 0");
    }
    expect(status == RS_OK, "a value of each key is deleted", status);
    expect(count_values(store) == before - KEYS, "they are gone", RS_OK);
    for (i = 0; status == RS_OK && i < KEYS / 2; i++) {
        snprintf(path, sizeof path, "Small\\%u", i);
        status = delete_key(store, path);
    }
    expect(status == RS_OK, "half of the keys are deleted", status);
}

static void fill_again(rs_store *store)
{
    int status = add_until_full(store, BULK_SIZE);
    if (status == full) {
        status = add_until_full(store, PAGE_FULL);
    }
    expect(status == full, "it is full again", status);
}

/* ---- Deletions that are to be confirmed ---- */

#define PASSERS 4u
#define UNCONFIRMED 30u /* rounds */
#define STEP_US 40u     /* each round's passers-by are killed so much later */

/* Its time is over at once. */
static int delete_unconfirmed(rs_store *store, const char *path, const char *name)
{
    rs_txn *txn;
    rs_key key;
    must(rs_begin(store, RS_WRITE, &txn), "a write transaction begins");
    int status = rs_key_open(txn, RS_HKLM, path, &key);
    if (status == RS_OK) {
        status =
            name != NULL ? rs_value_delete(txn, key, name) : rs_key_delete(txn, key, RS_RECURSIVE);
    }
    if (status == RS_OK) {
        status = rs_txn_confirm(txn, 0);
    }
    return end(txn, status);
}

/* Whoever opens the store takes the change back. Each is killed, at some time. */
static void kill_passers(const char *dir, unsigned microseconds)
{
    for (unsigned i = 0; i < PASSERS; i++) {
        rs_store *own;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            _exit(rs_open(dir, 0, &own, NULL) == RS_OK ? 0 : 1);
        }
        usleep(microseconds * (i + 1));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

static uint64_t revision_of(rs_store *store)
{
    rs_txn *txn;
    must(rs_begin(store, RS_READ, &txn), "a read transaction begins");
    uint64_t revision = rs_revision(txn);
    rs_abort(txn);
    return revision;
}

/* One round: it is refused, or taken back once. False if it is refused. */
static bool expect_taken_back(rs_store *store, const char *dir, unsigned round)
{
    uint64_t values = count_values(store);
    uint64_t revision = revision_of(store);
    int status = delete_unconfirmed(store, "Small\\0", "value 1");
    if (status == full) {
        expect(count_values(store) == values, "what cannot be taken back is not done", status);
        return false;
    }
    must(status, "a value is deleted, to be confirmed");
    kill_passers(dir, round * STEP_US);
    status = rs_confirm_due(store, NULL, NULL);
    expect(status == RS_OK, "it is taken back on a full disk", status);
    expect(revision_of(store) == revision + 2, "it is taken back once", status);
    expect(count_values(store) == values, "what was deleted is there again", status);
    status = rs_confirm(store, NULL, NULL);
    return expect(status == RS_ENOTFOUND, "nothing waits any more", status);
}

static void expect_unconfirmed(rs_store *store, const char *dir)
{
    uint64_t values = count_values(store);
    int status = delete_unconfirmed(store, "Bulk", NULL);
    expect(status == full, "what cannot be taken back is refused", status);
    expect(count_values(store) == values, "what was refused is there", status);
    unsigned rounds = 0;
    while (rounds < UNCONFIRMED && expect_taken_back(store, dir, rounds)) {
        rounds++;
    }
    expect(rounds > 0, "something can be confirmed on a full disk", RS_OK);
    printf("%u deletions taken back\n", rounds);
}

/* From a full store, whole or not at all: the first call does it on a full disk. */
static void expect_big_deletion(rs_store *store, const char *path, const char *name,
                                uint64_t values)
{
    unsigned tries = 0;
    uint64_t before = count_values(store);
    int status;
    do {
        status = delete_at(store, path, name);
        tries++;
        expect(count_values(store) == before - (status == RS_OK ? values : 0),
               "a deletion is done whole or not at all", status);
    } while (status == full && full == RS_EFULL && tries < TRIES);
    expect(status == RS_OK, path, status);
    printf("%s: %llu values deleted at try %u\n", path, (unsigned long long)values, tries);
}

/* What a watch is told of a deletion whose record did not fit: which value it was, not what. */
static void expect_nothing_kept(rs_watch *watch)
{
    const rs_batch *batch;
    int status = rs_watch_next(watch, &batch);
    if (expect(status == RS_OK && batch->count == 1, "a watch is told of the deletion", status)) {
        const rs_change *change = &batch->changes[0];
        expect(change->kind == RS_VALUE_DELETED && strcmp(change->name, "huge") == 0,
               "it is told which value was deleted", RS_OK);
        expect(change->old_value == NULL, "a full disk kept no copy of it", RS_OK);
    }
}

static void expect_big_deletions(rs_store *store)
{
    rs_watch *watch;
    expect_big_deletion(store, "Bulk", NULL, BULK);
    fill_again(store);
    expect_big_deletion(store, "Scattered", NULL, PAIRS);
    fill_again(store);
    must(rs_watch_open(store, "HKLM\\Huge", 0, RS_NOW, &watch, NULL), "a watch is opened");
    expect_big_deletion(store, "Huge", "huge", 1);
    expect_nothing_kept(watch);
    rs_watch_close(watch);
    fill_again(store);
    expect_big_deletion(store, "Between", NULL, 2u * PAIRS);
    fill_again(store);
    uint64_t rest = (uint64_t)KEYS / 2 * (VALUES - 1);
    expect_big_deletion(store, "More", NULL, count_values(store) - rest);
    expect_big_deletion(store, "Small", NULL, rest);
}

static void expect_undamaged(rs_store *store)
{
    rs_txn *txn;
    rs_check_report report = {0};
    must(rs_begin(store, RS_READ, &txn), "a read transaction begins");
    int status = rs_check(txn, NULL, &report);
    expect(status == RS_OK && report.damages == 0, "the store is not damaged", status);
    rs_abort(txn);
}

static void try_store(const char *top, bool on_disk)
{
    char dir[PATH_MAX], ballast[PATH_MAX];
    rs_store *store;
    snprintf(dir, sizeof dir, "%s/store", top);
    snprintf(ballast, sizeof ballast, "%s/ballast", top);
    must(rs_open(dir, RS_CREATE, &store, NULL), "a store is made");
    fill_store(store);
    if (on_disk) {
        fill_disk(ballast);
    }
    int status = add_until_full(store, BULK_SIZE);
    expect(status == full, "big values are added until it is full", status);
    status = add_until_full(store, PAGE_FULL);
    expect(status == full, "values of a page are added until it is full", status);
    status = add_until_full(store, 100);
    expect(status == full, "small values are added until it is full", status);
    expect_no_room(store);
    expect_reading(store, dir);
    expect_unconfirmed(store, dir);
    expect_deletions(store);
    fill_again(store);
    expect_big_deletions(store);
    expect_undamaged(store);
    if (on_disk) {
        unlink(ballast);
    }
    status = set_value(store, "More", "at last", BULK_SIZE);
    expect(status == RS_OK, "there is room again", status);
    rs_close(store);
}

int main(int argc, char **argv)
{
    bool on_disk = argc == 3 && strcmp(argv[1], "disk") == 0;
    bool in_map = argc == 3 && strcmp(argv[1], "map") == 0;
    if (!on_disk && !in_map) {
        fputs("usage: full_disk disk|map DIRECTORY\n", stderr);
        return 2;
    }
    full = on_disk ? RS_EDISK : RS_EFULL;
    if (in_map) {
        struct rlimit space = {SMALL_SPACE, SMALL_SPACE};
        setrlimit(RLIMIT_AS, &space);
    }
    try_store(argv[2], on_disk);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
