/*
 * store_pending.c - the record of a revision that is taken back unless somebody confirms it.
 *
 * Time is that since the machine was started, which nobody sets; after another start the wall
 * clock decides. So the deadline may come late, but never early. Needs env. A part of store.
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define NS UINT64_C(1000000000)

static const struct slice pending_key = {"pending", 7};

int store_pending_read(struct env_txn *txn, struct store_pending *pending)
{
    struct slice found;
    struct record record;
    size_t len;
    int status = env_get(txn, TABLE_META, pending_key, &found);
    if (status != RS_OK) {
        return status;
    }
    record_begin(&record, found.data, found.size);
    pending->revision = record_u64(&record);
    pending->deadline = record_u64(&record);
    pending->boot_deadline = record_u64(&record);
    const char *boot = record_bytes(&record, &len);
    if (record_end(&record) != RS_OK || len >= sizeof pending->boot) {
        return RS_EDAMAGED;
    }
    memcpy(pending->boot, boot, len + 1);
    return RS_OK;
}

int store_pending_write(struct env_txn *txn, const struct store_pending *pending)
{
    struct buffer record = BUFFER_INIT;
    int status = record_put_u64(&record, pending->revision);
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

int store_pending_remove(struct env_txn *txn)
{
    int status = env_delete(txn, TABLE_META, pending_key);
    return status == RS_ENOTFOUND ? RS_OK : status;
}

/* Up to its line end; "" if there is none. */
static void read_boot(char *boot, size_t size)
{
    ssize_t got = 0;
    int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, boot, size - 1);
        close(fd);
    }
    boot[got > 0 ? got : 0] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
}

static uint64_t since_boot(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

struct store_pending store_pending_from_now(uint64_t revision, uint32_t seconds)
{
    struct store_pending pending = {
        .revision = revision,
        .deadline = store_now() + (uint64_t)seconds * 10000000,
        .boot_deadline = since_boot() + seconds * NS,
    };
    read_boot(pending.boot, sizeof pending.boot);
    return pending;
}

static uint64_t until(uint64_t deadline, uint64_t now, uint64_t to_ms)
{
    return deadline > now ? (deadline - now + to_ms - 1) / to_ms : 0;
}

uint64_t store_pending_left(const struct store_pending *pending)
{
    char boot[sizeof pending->boot];
    read_boot(boot, sizeof boot);
    bool same = boot[0] != '\0' && strcmp(boot, pending->boot) == 0;
    return same ? until(pending->boot_deadline, since_boot(), NS / 1000)
                : until(pending->deadline, store_now(), 10000);
}
