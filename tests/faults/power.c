/*
 * power.c - the power fails at any moment of a commit: what the disk has then is a whole store, and
 * has every revision that was acknowledged.
 *
 * Run with record_storage preloaded. Of data.mdb an account is kept: what is on the disk for sure,
 * and what was written since the last sync. Of the latter a disk may have any part when the power
 * fails: each write wholly, not at all, or up to a sector. So for each of --count verbs there are
 * two copies of the file as they could be found afterwards: one of some moment while the verb was
 * at work, and one of the moment when it had told its revision. Both have to open, to be whole, and
 * to take another revision.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record_storage.h"
#include "scene.h"

#define VERBS 300u
#define PREPARED 50u
#define SECTOR 512u
#define MANY_VALUES 2000u

struct bytes {
    unsigned char *at;
    size_t size;
};

/* A write, or with data NULL a length, that may or may not be on the disk. */
struct pending {
    size_t at;
    size_t size;
    unsigned char *data;
};

struct disk {
    struct bytes sure;
    struct pending *pending;
    size_t count;
    size_t capacity;
    struct rig_random random;
    unsigned moments;  /* of this verb, so far */
    struct bytes cut;  /* what was found of a moment chosen among them */
    const char *place; /* the directory of the copies */
};

/* ---- The account ---- */

static void make_long(struct bytes *bytes, size_t size)
{
    bytes->at = realloc(bytes->at, size + 1);
    RIG_MUST(bytes->at != NULL);
    if (size > bytes->size) {
        memset(bytes->at + bytes->size, 0, size - bytes->size);
    }
    bytes->size = size;
}

/* The first size bytes of a write. */
static void apply(struct bytes *bytes, const struct pending *write, size_t size)
{
    if (write->data == NULL) {
        make_long(bytes, write->at);
    } else if (size > 0) {
        if (bytes->size < write->at + size) {
            make_long(bytes, write->at + size);
        }
        memcpy(bytes->at + write->at, write->data, size);
    }
}

static void add_pending(struct disk *disk, const struct storage_event *event)
{
    struct pending *write;
    if (disk->count == disk->capacity) {
        disk->capacity = disk->capacity * 2 + 16;
        disk->pending = realloc(disk->pending, disk->capacity * sizeof *disk->pending);
        RIG_MUST(disk->pending != NULL);
    }
    write = &disk->pending[disk->count++];
    *write = (struct pending){(size_t)event->at, event->size, NULL};
    if (event->kind == STORAGE_WRITE) {
        write->data = malloc(event->size + 1);
        RIG_MUST(write->data != NULL);
        memcpy(write->data, event->data, event->size);
    }
}

/* The latest write of this place is on the disk, the others still may not be. */
static void write_through(struct disk *disk, const struct storage_event *event)
{
    size_t i = disk->count;
    do {
        RIG_MUST(i-- > 0);
    } while (disk->pending[i].data == NULL || disk->pending[i].at != (size_t)event->at);
    apply(&disk->sure, &disk->pending[i], disk->pending[i].size);
    free(disk->pending[i].data);
    memmove(&disk->pending[i], &disk->pending[i + 1], (--disk->count - i) * sizeof *disk->pending);
}

static void sync_all(struct disk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        apply(&disk->sure, &disk->pending[i], disk->pending[i].size);
        free(disk->pending[i].data);
    }
    disk->count = 0;
}

/* ---- The power fails ---- */

static size_t part_of(struct disk *disk, const struct pending *write)
{
    uint32_t share = rig_below(&disk->random, 3);
    if (share == 0) {
        return 0;
    }
    return share == 1 ? write->size
                      : rig_below(&disk->random, (uint32_t)(write->size / SECTOR) + 1) * SECTOR;
}

/* What a disk could have now: of what is pending all, nothing, or any part. */
static void cut_now(struct disk *disk, struct bytes *found)
{
    uint32_t fate = rig_below(&disk->random, 4);
    make_long(found, disk->sure.size);
    memcpy(found->at, disk->sure.at, disk->sure.size);
    for (size_t i = 0; i < disk->count && fate != 0; i++) {
        const struct pending *write = &disk->pending[i];
        size_t size = fate == 1 ? write->size : part_of(disk, write);
        if (write->data != NULL || fate == 1 || rig_below(&disk->random, 2) == 0) {
            apply(found, write, size);
        }
    }
}

/* Each moment of a verb is chosen as likely as any other. */
static void maybe_cut(struct disk *disk)
{
    if (rig_below(&disk->random, ++disk->moments) == 0) {
        cut_now(disk, &disk->cut);
    }
}

static void on_event(void *context, const struct storage_event *event)
{
    struct disk *disk = context;
    switch (event->kind) {
    case STORAGE_WRITE:
    case STORAGE_LENGTH:
        add_pending(disk, event);
        break;
    case STORAGE_THROUGH:
        write_through(disk, event);
        break;
    case STORAGE_SYNCED:
        sync_all(disk);
        break;
    case STORAGE_SYNC:
        break;
    }
    maybe_cut(disk);
}

/* ---- What is found ---- */

static void write_copy(const struct disk *disk, const struct bytes *found)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/data.mdb", disk->place);
    FILE *file = fopen(path, "we");
    RIG_MUST(file != NULL && fwrite(found->at, 1, found->size, file) == found->size);
    RIG_MUST(fchmod(fileno(file), 0640) == 0 && fclose(file) == 0);
}

/* Gives the revision that was found. */
static uint64_t check_copy(const struct disk *disk, const struct bytes *found)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    rs_check_report report;
    write_copy(disk, found);
    int status = rs_open(disk->place, 0, &store, &error);
    if (status != RS_OK) {
        fprintf(stderr, "%s\n", error.text);
    }
    RIG_OK(status);
    rs_txn *txn = rig_begin(store, RS_READ);
    uint64_t revision = rs_revision(txn);
    scene_check(txn);
    RIG_OK(rs_check(txn, NULL, &report));
    RIG_MUST(report.damages == 0);
    rs_abort(txn);
    RIG_MUST(scene_do(store, SCENE_NOTE, NULL) == revision + 1);
    rs_close(store);
    return revision;
}

/* Now and then more than a few pages, so that the file becomes longer and its tables deeper. */
static void widen(rs_store *store, unsigned number)
{
    char name[32];
    rs_key key;
    rs_txn *txn = rig_begin(store, RS_WRITE);
    uint32_t stamp = (uint32_t)rs_revision(txn) + 1;
    RIG_OK(rs_key_open(txn, RS_NO_KEY, SCENE_ROOT "\\Note", &key));
    RIG_OK(rs_set_dword(txn, key, "stamp", stamp));
    for (unsigned i = 0; i < MANY_VALUES; i++) {
        snprintf(name, sizeof name, "many %u", number * MANY_VALUES + i);
        RIG_OK(rs_set_dword(txn, key, name, i));
    }
    RIG_OK(rs_commit(txn, NULL));
}

static uint64_t do_verb(rs_store *store, struct rig_random *random, unsigned number)
{
    rs_txn *txn;
    uint64_t revision;
    if (number % 30 != 29) {
        return scene_do(store, scene_any(random), rig_path("dump.xml"));
    }
    widen(store, number / 30);
    txn = rig_begin(store, RS_READ);
    revision = rs_revision(txn);
    rs_abort(txn);
    return revision;
}

static void read_file(struct bytes *bytes, const char *path)
{
    struct stat st;
    FILE *file = fopen(path, "re");
    RIG_MUST(file != NULL && fstat(fileno(file), &st) == 0);
    make_long(bytes, (size_t)st.st_size);
    RIG_MUST(fread(bytes->at, 1, bytes->size, file) == bytes->size);
    fclose(file);
}

static void run(struct disk *disk, rs_store *store, uint64_t told, unsigned count)
{
    struct rig_random random = rig_random(rig_seed(), 1);
    struct bytes after = {NULL, 0};
    unsigned between = 0;
    unsigned moments = 0;
    for (unsigned i = 0; i < count; i++) {
        disk->moments = 0;
        uint64_t made = do_verb(store, &random, i);
        cut_now(disk, &after);
        RIG_MUST(made == told + 1 && disk->moments > 0);
        uint64_t found = check_copy(disk, &disk->cut);
        RIG_MUST(found == told || found == made);
        between += found == told;
        RIG_MUST(check_copy(disk, &after) == made);
        moments += disk->moments;
        told = made;
    }
    RIG_MUST(between > 0 && between < count);
    rig_pass(
        "the power failed in %u commits, at one of %u moments: %u times as before, %u as after",
        count, moments, between, count - between);
    rig_pass("and %u times just after one: it was there", count);
    free(after.at);
}

int main(int argc, char **argv)
{
    rig_start(argc, argv, VERBS);
    record_storage_call *record = (record_storage_call *)dlsym(RTLD_DEFAULT, "record_storage");
    if (record == NULL) {
        rig_skip("record_storage is not preloaded");
        return rig_finish();
    }
    struct disk disk = {.random = rig_random(rig_seed(), 0), .place = rig_path("copy")};
    struct rig_random random = rig_random(rig_seed(), 2);
    const char *file = rig_path("store/data.mdb");
    RIG_MUST(mkdir(disk.place, 0750) == 0);
    rs_store *store = rig_open(RS_CREATE);
    scene_prepare(store, PREPARED, &random);
    uint64_t told = scene_do(store, SCENE_NOTE, NULL);
    read_file(&disk.sure, file);
    record(file, on_event, &disk);
    run(&disk, store, told, rig_count());
    rs_close(store);
    sync_all(&disk);
    free(disk.pending);
    free(disk.sure.at);
    free(disk.cut.at);
    return rig_finish();
}
