/*
 * fuzz_regf_log.c - fuzz target: the transaction logs of a hive that was not written whole.
 *
 * The hive is always the same; the input is what stands in its two logs behind their base blocks,
 * after bytes that say what the blocks are. Hashes of entries are made right where the input asks
 * for it, as they keep all noise out. A log with which the hive is read must change nothing but
 * what it says: without an entry that is whole, the hive is as it was. Needs fuzz_hive.
 */
#include "fuzz.h"
#include "fuzz_hive.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR ((size_t)512)
#define FIRST 100u /* the last sequence number of the hive, and the first of an entry */
#define ENTRY_HEAD 40u
#define LOGS 2

/* What an input says of its logs. */
enum { HASHED = 1, OLD_KIND = 2, BOTH = 4, FIELDS = 8 };

static struct buffer hive;
static char *unchanged; /* its events without logs */

/* ---- Reading ---- */

static int read_file_input(struct format_input *input, void *buffer, size_t size, size_t *got)
{
    ssize_t count = read(input->descriptor, buffer, size);

    *got = count > 0 ? (size_t)count : 0;
    return count >= 0 ? RS_OK : RS_EIO;
}

static void reopen(struct format_input *input)
{
    FUZZ_CHECK(lseek(input->descriptor, 0, SEEK_SET) == 0);
}

static char *read_here(void)
{
    const char *path = fuzz_path("h.hiv");
    struct format_input input = {read_file_input, path, open(path, O_RDONLY | O_CLOEXEC)};

    FUZZ_CHECK(input.descriptor >= 0);
    char *lines = fuzz_read_hive(&input, reopen);
    close(input.descriptor);
    return lines;
}

/* ---- Logs ---- */

static const char *log_path(unsigned number)
{
    static const char *const names[LOGS] = {"h.hiv.LOG1", "h.hiv.LOG2"};

    return fuzz_path(names[number]);
}

static void write_file(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

static void put64(unsigned char *at, uint64_t number)
{
    number = htole64(number);
    memcpy(at, &number, sizeof number);
}

/* Makes the hashes of all entries right that fit into the log. */
static void hash_entries(unsigned char *log, size_t size)
{
    for (size_t at = SECTOR; size - at >= ENTRY_HEAD && memcmp(log + at, "HvLE", 4) == 0;) {
        uint32_t entry = regf_get32(log + at + 4);
        if (entry < ENTRY_HEAD || entry > size - at) {
            return;
        }
        put64(log + at + 24, regf_hash(log + at + ENTRY_HEAD, entry - ENTRY_HEAD));
        put64(log + at + 32, regf_hash(log + at, 32));
        at += entry;
    }
}

/* A log that ends on a whole sector, as its entries do. */
static void write_log(unsigned number, unsigned kind, struct fuzz_input *input, size_t content)
{
    size_t got, fields;
    char *base = fuzz_bytes(input, kind & FIELDS ? 44 : 0, &fields);
    char *bytes = fuzz_bytes(input, content, &got);
    size_t size = SECTOR + (got + SECTOR - 1) / SECTOR * SECTOR;
    unsigned char *log = calloc(1, size);

    FUZZ_CHECK(log != NULL);
    memcpy(log, hive.data, SECTOR);
    fuzz_put32(log + BASE_FIRST_SEQUENCE, FIRST);
    fuzz_put32(log + BASE_TYPE, kind & OLD_KIND ? 1 : 6);
    memcpy(log, base, fields);
    fuzz_seal(log);
    memcpy(log + SECTOR, bytes, got);
    if (kind & HASHED) {
        hash_entries(log, size);
    }
    write_file(log_path(number), log, size);
    free(log);
    free(bytes);
    free(base);
}

/* ---- The target ---- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    hive = hive_of('a', 3000);
    FUZZ_CHECK(hive.size > 0);
    fuzz_put32((unsigned char *)hive.data + BASE_FIRST_SEQUENCE, FIRST + 1);
    fuzz_put32((unsigned char *)hive.data + BASE_LAST_SEQUENCE, FIRST);
    fuzz_seal((unsigned char *)hive.data);
    write_file(fuzz_path("h.hiv"), hive.data, hive.size);
    unchanged = read_here();
    FUZZ_CHECK(*unchanged != '\0');
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    unsigned kind = fuzz_u8(&input);
    size_t first = kind & BOTH ? fuzz_u16(&input) : input.left;

    write_log(0, kind, &input, first);
    if (kind & BOTH) {
        write_log(1, fuzz_u8(&input), &input, input.left);
    } else {
        unlink(log_path(1));
    }
    char *lines = read_here();
    if (memmem(data, size, "HvLE", 4) == NULL && memmem(data, size, "DIRT", 4) == NULL) {
        FUZZ_CHECK(strcmp(lines, unchanged) == 0);
    }
    free(lines);
    return 0;
}
