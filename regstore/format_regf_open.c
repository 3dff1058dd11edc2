/*
 * format_regf_open.c - a hive is taken into memory and opened by libhivex.
 *
 * The bytes are copied into a file in memory, so that a pipe can be read, and so that nothing
 * changes between a check and its use: libhivex maps the file, and a file that is cut short while
 * it is mapped ends the process. Looks at the base block to say what is wrong, which libhivex does
 * not, and whether the hive's newest changes are in it. Needs libhivex.
 *
 * Windows writes changes to a log first. A hive whose sequence numbers differ was not written
 * whole, and one whose logs hold entries with later numbers is older than these. The logs are not
 * replayed; the hive is read as it stands, which is told as RS_LOSS_STALE.
 */
#include "format_regf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)

int regf_bad(const struct regf_hive *hive, size_t offset, const char *format, ...)
{
    char text[RS_ERROR_TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fail(hive->error, RS_EFORMAT, "%s: offset %llu: %s", hive->name, (unsigned long long)offset,
         text);
    if (hive->error) {
        hive->error->offset = offset;
    }
    return RS_EFORMAT;
}

/* ---- Into memory ---- */

static bool is_zero(const char *data, size_t size)
{
    return size > 0 && data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Zeros become a hole, so that a hive of 4 GiB with nothing in it takes no memory. */
static int write_all(struct regf_hive *hive, const char *data, size_t size)
{
    if (is_zero(data, size)) {
        hive->size += size;
        return lseek(hive->descriptor, (off_t)size, SEEK_CUR) >= 0 &&
                       ftruncate(hive->descriptor, (off_t)hive->size) == 0
                   ? RS_OK
                   : fail_errno(hive->error, "%s: cannot be taken into memory", hive->name);
    }
    for (size_t done = 0; done < size;) {
        ssize_t count = write(hive->descriptor, data + done, size - done);
        if (count < 0 && errno != EINTR) {
            return fail_errno(hive->error, "%s: cannot be taken into memory", hive->name);
        }
        done += count > 0 ? (size_t)count : 0;
    }
    hive->size += size;
    return RS_OK;
}

/* Fills chunk from the input, up to wanted bytes or its end. */
static int read_chunk(struct format_input *input, char *chunk, size_t wanted, size_t *size)
{
    size_t got = 1;
    int status = RS_OK;

    for (*size = 0; status == RS_OK && got > 0 && *size < wanted; *size += got) {
        got = 0;
        status = input->read(input, chunk + *size, wanted - *size, &got);
    }
    return status;
}

/* The base block, then as many bytes as it says; what stands behind them is not part of the hive.
 */
static int take(struct regf_hive *hive, struct format_input *input, struct buffer *chunk)
{
    size_t wanted = REGF_BASE;
    size_t size;
    int status = buffer_reserve(chunk, CHUNK);

    while (status == RS_OK && wanted > 0) {
        size_t most = wanted < CHUNK ? wanted : CHUNK;
        bool first = hive->size == 0;
        status = read_chunk(input, chunk->data, most, &size);
        if (status == RS_OK) {
            status = write_all(hive, chunk->data, size);
        }
        wanted = size < most ? 0 : wanted - size;
        if (first && size == REGF_BASE) {
            wanted = regf_get32((const unsigned char *)chunk->data + BASE_BINS);
        }
    }
    return status;
}

static int take_whole(struct regf_hive *hive, struct format_input *input)
{
    struct buffer chunk = BUFFER_INIT;

    hive->descriptor = memfd_create("regstore-hive", MFD_CLOEXEC);
    if (hive->descriptor < 0) {
        return fail_errno(hive->error, "%s: cannot be taken into memory", hive->name);
    }
    int status = take(hive, input, &chunk);
    buffer_free(&chunk);
    if (status != RS_OK) {
        return status;
    }
    if (hive->size < REGF_BASE) {
        return regf_bad(hive, hive->size, "the hive is cut short: its base block has %zu bytes",
                        REGF_BASE);
    }
    void *map = mmap(NULL, hive->size, PROT_READ, MAP_SHARED, hive->descriptor, 0);
    if (map == MAP_FAILED) {
        return fail_errno(hive->error, "%s: cannot be mapped", hive->name);
    }
    hive->bytes = map;
    return RS_OK;
}

/* ---- The base block ---- */

static int check_base(const struct regf_hive *hive)
{
    const unsigned char *base = hive->bytes;

    if (regf_get32(base + BASE_SUM) != regf_sum(base)) {
        return regf_bad(hive, BASE_SUM, "the base block's checksum is wrong");
    }
    if (regf_get32(base + BASE_MAJOR) != 1) {
        return regf_bad(hive, BASE_MAJOR, "version %lu.%lu is not known",
                        (unsigned long)regf_get32(base + BASE_MAJOR),
                        (unsigned long)regf_get32(base + BASE_MINOR));
    }
    if (regf_get32(base + BASE_TYPE) != 0) {
        return regf_bad(hive, BASE_TYPE, "a transaction log, not a hive");
    }
    return RS_OK;
}

/* ---- Logs ---- */

/* Fields of an entry of a log. */
enum { LOG_FIRST = 512, ENTRY_SIZE = 4, ENTRY_SEQUENCE = 12, ENTRY_HEAD = 40, ENTRY_UNIT = 512 };

/* Whether a log holds an entry that is newer than the hive's last sequence number. */
static bool log_is_newer(int log, uint32_t last)
{
    unsigned char head[ENTRY_HEAD];
    off_t at = LOG_FIRST;

    while (pread(log, head, sizeof head, at) == (ssize_t)sizeof head &&
           memcmp(head, "HvLE", 4) == 0) {
        uint32_t size = regf_get32(head + ENTRY_SIZE);
        if ((int32_t)(regf_get32(head + ENTRY_SEQUENCE) - last) > 0) {
            return true;
        }
        if (size < ENTRY_HEAD || size % ENTRY_UNIT != 0) {
            return false;
        }
        at += size;
    }
    return false;
}

static bool has_newer_log(const char *file, const char *ending, uint32_t last)
{
    struct buffer path = BUFFER_INIT;
    struct stat about;
    bool newer = false;

    if (buffer_printf(&path, "%s%s", file, ending) == RS_OK && buffer_terminate(&path) == RS_OK) {
        int log = open(path.data, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (log >= 0) {
            newer = fstat(log, &about) == 0 && S_ISREG(about.st_mode) && log_is_newer(log, last);
            close(log);
        }
    }
    buffer_free(&path);
    return newer;
}

/* The name leads to the file that is read, so that what lies beside it belongs to it. */
static bool has_place(const struct format_input *input)
{
    struct stat named;
    struct stat opened;

    return stat(input->name, &named) == 0 && fstat(input->descriptor, &opened) == 0 &&
           S_ISREG(opened.st_mode) && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

static bool is_stale(const struct regf_hive *hive, const struct format_input *input)
{
    static const char *const endings[] = {".LOG", ".LOG1", ".LOG2", ".log", ".log1", ".log2"};
    uint32_t last = regf_get32(hive->bytes + BASE_LAST_SEQUENCE);

    if (regf_get32(hive->bytes + BASE_FIRST_SEQUENCE) != last) {
        return true;
    }
    if (!has_place(input)) {
        return false;
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (has_newer_log(input->name, endings[i], last)) {
            return true;
        }
    }
    return false;
}

/* ---- The whole ---- */

static int open_handle(struct regf_hive *hive)
{
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", hive->descriptor);
    hive->handle = hivex_open(path, 0);
    if (!hive->handle) {
        /* Its reasons are few: a bin or a cell whose size cannot be, or no root key. */
        uint64_t expected = REGF_BASE + (uint64_t)regf_get32(hive->bytes + BASE_BINS);
        int number = errno;
        if (hive->size < expected) {
            return regf_bad(hive, hive->size, "the hive is cut short: it should have %llu bytes",
                            (unsigned long long)expected);
        }
        return number == ENOMEM ? RS_ENOMEM
                                : regf_bad(hive, REGF_BASE, "libhivex cannot open the hive: %s",
                                           strerrordesc_np(number));
    }
    return RS_OK;
}

int regf_open(struct regf_hive *hive, struct format_input *input, rs_error *error)
{
    *hive = (struct regf_hive){.name = input->name, .descriptor = -1, .error = error};

    int status = take_whole(hive, input);
    if (status == RS_OK) {
        status = check_base(hive);
    }
    if (status == RS_OK) {
        status = open_handle(hive);
    }
    if (status == RS_OK) {
        hive->stale = is_stale(hive, input);
    }
    return status;
}

void regf_close(struct regf_hive *hive)
{
    if (hive->handle) {
        hivex_close(hive->handle);
    }
    if (hive->bytes) {
        munmap((void *)hive->bytes, hive->size);
    }
    if (hive->descriptor >= 0) {
        close(hive->descriptor);
    }
}
