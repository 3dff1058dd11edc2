/*
 * store_pending.c - the change that waits for confirmation: its record, and how long it waits.
 *
 * There is one at most. Its record lies beside the store's state, and holds its end by two clocks:
 * as long as the machine runs the time since its start counts, which nobody can set, and after
 * another start the time of day. Time namespaces shift the former, so they are a part of the
 * start's name. A part of store.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define TIME_NAMESPACE "/proc/self/ns/time"
#define SECOND_NS UINT64_C(1000000000)
#define SECOND_FILETIME UINT64_C(10000000)
#define MS_NS UINT64_C(1000000)
#define MS_FILETIME UINT64_C(10000)

/* ---- Clocks ---- */

static uint64_t since_boot(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* A clock that shows a time before 1601 has not come to any end. */
static uint64_t time_of_day(void)
{
    static const time_t origin = -11644473600;
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > origin ? store_now() : 0;
}

/* Which start of the machine this is; "" where that cannot be told. */
static void name_boot(char boot[STORE_BOOT_SIZE])
{
    char id[64];
    struct stat st;
    int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, id, sizeof id - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    boot[0] = '\0';
    if (size > 0) {
        id[size] = '\0';
        id[strcspn(id, "\n")] = '\0';
        unsigned long long space = stat(TIME_NAMESPACE, &st) == 0 ? st.st_ino : 0;
        snprintf(boot, STORE_BOOT_SIZE, "%s %llu", id, space);
    }
}

/* Until a time, in units of which a millisecond has so many; rounded up. */
static uint64_t left_until(uint64_t end, uint64_t now, uint64_t ms)
{
    return end > now ? (end - now - 1) / ms + 1 : 0;
}

uint64_t store_pending_left(const struct store_pending *pending)
{
    char boot[STORE_BOOT_SIZE];
    name_boot(boot);
    if (boot[0] != '\0' && strcmp(boot, pending->boot) == 0) {
        return left_until(pending->boot_deadline, since_boot(), MS_NS);
    }
    return left_until(pending->deadline, time_of_day(), MS_FILETIME);
}

/* ---- The record ---- */

static const struct slice pending_key = {"pending", 7};

int store_pending_read(struct env_txn *txn, struct store_pending *pending)
{
    struct slice found;
    struct record record;
    size_t size;
    int status = env_get(txn, TABLE_META, pending_key, &found);
    if (status != RS_OK) {
        return status;
    }
    record_begin(&record, found.data, found.size);
    pending->revision = record_u64(&record);
    pending->seconds = record_u32(&record);
    pending->deadline = record_u64(&record);
    pending->boot_deadline = record_u64(&record);
    const char *boot = record_bytes(&record, &size);
    if (size >= sizeof pending->boot) {
        return RS_EDAMAGED;
    }
    memcpy(pending->boot, boot, size + 1);
    return record_end(&record);
}

int store_pending_write(struct env_txn *txn, const struct store_pending *pending)
{
    struct buffer record = BUFFER_INIT;
    int status = record_put_u64(&record, pending->revision);
    if (status == RS_OK) {
        status = record_put_u32(&record, pending->seconds);
    }
    if (status == RS_OK) {
        status = record_put_u64(&record, pending->deadline);
    }
    if (status == RS_OK) {
        status = record_put_u64(&record, pending->boot_deadline);
    }
    if (status == RS_OK) {
        status = record_put_bytes(&record, pending->boot, strlen(pending->boot));
    }
    if (status == RS_OK) {
        status = env_put(txn, TABLE_META, pending_key, (struct slice){record.data, record.size});
    }
    buffer_free(&record);
    return status;
}

int store_pending_forget(struct env_txn *txn)
{
    int status = env_delete(txn, TABLE_META, pending_key);
    return status == RS_ENOTFOUND ? RS_OK : status;
}

/* ---- At a commit ---- */

/* Of what is committed now. */
static int begin_waiting(struct rs_txn *txn)
{
    struct store_pending pending = {
        .revision = txn->journal.revision,
        .seconds = txn->confirm_seconds,
        .deadline = time_of_day() + txn->confirm_seconds * SECOND_FILETIME,
        .boot_deadline = since_boot() + txn->confirm_seconds * SECOND_NS,
    };
    name_boot(pending.boot);
    return store_pending_write(&txn->env, &pending);
}

/* What is taken back as a whole waits for nothing any more; a rollback takes back what it can. */
static bool is_taken_back(const struct rs_txn *txn)
{
    unsigned how = txn->revision_flags & (RS_REVISION_PARTIAL | RS_REVISION_ROLLBACK);
    return txn->pending != 0 && txn->undone_from <= txn->pending &&
           txn->pending <= txn->undone_to && how != RS_REVISION_PARTIAL;
}

int store_pending_commit(struct rs_txn *txn)
{
    if (txn->to_confirm) {
        return begin_waiting(txn);
    }
    return is_taken_back(txn) ? store_pending_forget(&txn->env) : RS_OK;
}
