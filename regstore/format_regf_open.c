/*
 * format_regf_open.c - a hive is taken into memory and opened by libhivex.
 *
 * The bytes are copied into a file in memory, so that a pipe can be read, and so that nothing
 * changes between a check and its use: libhivex maps the file, and a file that is cut short while
 * it is mapped ends the process. Looks at the base block to say what is wrong, which libhivex does
 * not, and whether the hive was written whole. Needs libhivex.
 *
 * Windows counts up the first sequence number of a hive before it changes it, and the last one when
 * all is written. A hive whose numbers are equal is whole, whatever lies beside it: logs of an
 * older hive of that name mean nothing. One whose numbers differ is dirty, and gets what its logs
 * hold (format_regf_log.c). What they do not bring it to is told as RS_LOSS_STALE.
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

static int map(struct regf_hive *hive)
{
    void *bytes = mmap(NULL, hive->size, PROT_READ, MAP_SHARED, hive->descriptor, 0);

    if (bytes == MAP_FAILED) {
        return fail_errno(hive->error, "%s: cannot be mapped", hive->name);
    }
    hive->bytes = bytes;
    return RS_OK;
}

int regf_resize(struct regf_hive *hive, size_t size)
{
    if (size == hive->size) {
        return RS_OK;
    }
    munmap((void *)hive->bytes, hive->size);
    hive->bytes = NULL;
    hive->size = size;
    if (ftruncate(hive->descriptor, (off_t)size) != 0) {
        return fail_errno(hive->error, "%s: cannot be taken into memory", hive->name);
    }
    return map(hive);
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
    return map(hive);
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

/* The name leads to the file that is read, so that what lies beside it belongs to it. */
static bool has_place(const struct format_input *input)
{
    struct stat named;
    struct stat opened;

    return stat(input->name, &named) == 0 && fstat(input->descriptor, &opened) == 0 &&
           S_ISREG(opened.st_mode) && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

/* A hive that was not written whole. */
static int repair(struct regf_hive *hive, const struct format_input *input)
{
    const unsigned char *base = hive->bytes;

    hive->stale = regf_get32(base + BASE_FIRST_SEQUENCE) != regf_get32(base + BASE_LAST_SEQUENCE);
    return hive->stale && has_place(input) ? regf_replay(hive) : RS_OK;
}

/* ---- The whole ---- */

int regf_check_length(const struct regf_hive *hive)
{
    uint64_t expected = REGF_BASE + (uint64_t)regf_get32(hive->bytes + BASE_BINS);

    return hive->size >= expected
               ? RS_OK
               : regf_bad(hive, hive->size, "the hive is cut short: it should have %llu bytes",
                          (unsigned long long)expected);
}

static int open_handle(struct regf_hive *hive)
{
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", hive->descriptor);
    hive->handle = hivex_open(path, 0);
    if (!hive->handle) {
        /* Its reasons are few: a bin or a cell whose size cannot be, or no root key. */
        int number = errno;
        int status = number == ENOMEM ? RS_ENOMEM : regf_check_length(hive);
        return status != RS_OK ? status
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
        status = repair(hive, input);
    }
    return status == RS_OK ? open_handle(hive) : status;
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
