/*
 * format_regf_log.c - a hive that was not written whole gets what its transaction logs hold.
 *
 * Two kinds of log are known, by the public description of the format (M. Suhanov, "Windows
 * registry file format specification"). Since Windows 8.1 a log is a row of entries ("HvLE"): each
 * has a sequence number, the size of all bins, pages and two hashes. Entries are applied in the
 * order of their numbers, from the hive's last number on and without a gap, whichever log holds
 * them; the first one may be later, because Windows can write old entries' pages without saying so.
 * An entry whose hash is wrong ends its log. Before, a log was one set of pages ("DIRT") with a bit
 * for each 512 bytes of the bins; it belongs to the hive if both have the same write time.
 *
 * The logs of FILE are FILE.LOG, FILE.LOG1 and FILE.LOG2. Windows does not look at the case of
 * names and keeps ntuser.dat.LOG1 beside NTUSER.DAT: where there is none of the name as it is
 * written, one that differs in case only is it.
 *
 * Changes the hive in memory only. What a log says is checked before any of it is used, but not
 * whether the hive makes sense afterwards: that is looked at as for any other hive. A hive whose
 * base block is damaged is not recovered from its logs. Needs format_regf.h.
 */
#include "format_regf.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR ((size_t)512)
#define PAGE 4096u
#define LARGEST 0x7ffff000u /* bytes of all bins; offsets have 31 bits */
#define HASH_SEED 0x82ef4d887a4e55c5u

/* Fields of an entry, and of one of its references to a page. */
enum {
    ENTRY_SIZE = 4,
    ENTRY_SEQUENCE = 12,
    ENTRY_BINS = 16,
    ENTRY_PAGES = 20,
    ENTRY_BODY_HASH = 24, /* of all behind the head */
    ENTRY_HEAD_HASH = 32, /* of all before it */
    ENTRY_HEAD = 40,
    REFERENCE = 8,
    REFERENCE_SIZE = 4
};
enum { TYPE_LOG = 1, TYPE_LOG_TOO = 2, TYPE_LOG_OF_ENTRIES = 6 };

struct log {
    int file;
    uint64_t size;
    unsigned char base[SECTOR]; /* a copy of the hive's base block, as far as it goes */
    uint64_t at;                /* of the entry; 0: it has no entries */
    struct buffer entry;        /* empty: there is none any more */
    uint32_t sequence;          /* of the entry, or of the damaged one that ended the log */
    bool damaged;
};

#define MOST_LOGS 6

/* ---- The hash ---- */

static uint32_t turn(uint32_t number, unsigned bits)
{
    return number << bits | number >> (32 - bits);
}

/* Marvin32, which is public: two halves, into which the words are mixed. */
static void mix(uint32_t *low, uint32_t *high, uint32_t word)
{
    *low += word;
    *high ^= *low;
    *low = turn(*low, 20) + *high;
    *high = turn(*high, 9) ^ *low;
    *low = turn(*low, 27) + *high;
    *high = turn(*high, 19);
}

uint64_t regf_hash(const unsigned char *data, size_t size)
{
    uint32_t low = (uint32_t)HASH_SEED;
    uint32_t high = (uint32_t)(HASH_SEED >> 32);
    uint32_t last = 0x80; /* ends what is left, so that zeros count */

    for (; size >= 4; data += 4, size -= 4) {
        mix(&low, &high, regf_get32(data));
    }
    while (size > 0) {
        last = last << 8 | data[--size];
    }
    mix(&low, &high, last);
    mix(&low, &high, 0);
    return (uint64_t)high << 32 | low;
}

/* ---- The hive in memory ---- */

static int patch(struct regf_hive *hive, size_t offset, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = pwrite(hive->descriptor, (const char *)data + done, size - done,
                               (off_t)(offset + done));
        if (count < 0) {
            return fail_errno(hive->error, "%s: cannot be taken into memory", hive->name);
        }
        done += (size_t)count;
    }
    return RS_OK;
}

static void put(unsigned char *base, size_t at, uint32_t number)
{
    number = htole32(number);
    memcpy(base + at, &number, sizeof number);
}

/* The hive is as it was when its last sequence number was this one. */
static int set_base(struct regf_hive *hive, uint32_t sequence, uint32_t bins)
{
    unsigned char base[SECTOR];

    memcpy(base, hive->bytes, sizeof base);
    put(base, BASE_FIRST_SEQUENCE, sequence);
    put(base, BASE_LAST_SEQUENCE, sequence);
    put(base, BASE_BINS, bins);
    put(base, BASE_SUM, regf_sum(base));
    return patch(hive, 0, base, sizeof base);
}

static bool is_size_of_bins(uint32_t size)
{
    return size > 0 && size <= LARGEST && size % PAGE == 0;
}

/* ---- Logs of entries ---- */

static bool read_at(const struct log *log, uint64_t at, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = pread(log->file, (char *)data + done, size - done, (off_t)(at + done));
        if (count <= 0) {
            return false;
        }
        done += (size_t)count;
    }
    return true;
}

/* Whether all pages lie in the entry and go into the bins. */
static bool are_pages(const unsigned char *entry, size_t size)
{
    uint64_t count = regf_get32(entry + ENTRY_PAGES);
    uint64_t bins = regf_get32(entry + ENTRY_BINS);
    uint64_t end = ENTRY_HEAD + count * REFERENCE;

    for (uint64_t i = 0; end <= size && i < count; i++) {
        const unsigned char *reference = entry + ENTRY_HEAD + i * REFERENCE;
        uint64_t page = regf_get32(reference + REFERENCE_SIZE);
        if (regf_get32(reference) + page > bins) {
            return false;
        }
        end += page;
    }
    return end <= size;
}

static bool is_entry(const unsigned char *entry, size_t size)
{
    return is_size_of_bins(regf_get32(entry + ENTRY_BINS)) &&
           regf_hash(entry + ENTRY_HEAD, size - ENTRY_HEAD) ==
               regf_get64(entry + ENTRY_BODY_HASH) &&
           are_pages(entry, size);
}

/* Takes the entry that begins where the last one ended; none if there is no sound one. */
static int take_entry(struct log *log)
{
    unsigned char head[ENTRY_HEAD];
    uint32_t size;

    log->at += log->entry.size;
    log->entry.size = 0;
    if (!read_at(log, log->at, head, sizeof head) || memcmp(head, "HvLE", 4) != 0) {
        return RS_OK;
    }
    log->sequence = regf_get32(head + ENTRY_SEQUENCE);
    log->damaged = true;
    size = regf_get32(head + ENTRY_SIZE);
    if (regf_hash(head, ENTRY_HEAD_HASH) != regf_get64(head + ENTRY_HEAD_HASH) ||
        size < ENTRY_HEAD || size % SECTOR != 0 || size > log->size - log->at) {
        return RS_OK;
    }
    int status = buffer_reserve(&log->entry, size);
    if (status == RS_OK && read_at(log, log->at, log->entry.data, size) &&
        memcmp(log->entry.data, head, sizeof head) == 0 &&
        is_entry((const unsigned char *)log->entry.data, size)) {
        log->entry.size = size;
        log->damaged = false;
    }
    return status;
}

/* Goes on to the first entry that has this number or a later one. */
static int find_entry(struct log *log, uint32_t sequence)
{
    int status = RS_OK;

    while (status == RS_OK && log->entry.size > 0 && (int32_t)(log->sequence - sequence) < 0) {
        status = take_entry(log);
    }
    return status;
}

static int apply_entry(struct regf_hive *hive, const struct log *log)
{
    const unsigned char *entry = (const unsigned char *)log->entry.data;
    uint32_t bins = regf_get32(entry + ENTRY_BINS);
    uint32_t count = regf_get32(entry + ENTRY_PAGES);
    const unsigned char *reference = entry + ENTRY_HEAD;
    const unsigned char *page = reference + (size_t)count * REFERENCE;
    int status = regf_resize(hive, REGF_BASE + bins);

    for (; status == RS_OK && count > 0; count--, reference += REFERENCE) {
        size_t size = regf_get32(reference + REFERENCE_SIZE);
        status = patch(hive, REGF_BASE + regf_get32(reference), page, size);
        page += size;
    }
    return status == RS_OK ? set_base(hive, log->sequence, bins) : status;
}

/* The log that holds the next entry; NULL if none does. Before the first one (any) a later one will
 * do, as long as none is earlier. */
static struct log *find_next(struct log *logs, size_t count, uint32_t sequence, bool any)
{
    struct log *next = NULL;

    for (size_t i = 0; i < count; i++) {
        struct log *log = &logs[i];
        if (log->entry.size > 0 && (any || log->sequence == sequence) &&
            (!next || (int32_t)(log->sequence - next->sequence) < 0)) {
            next = log;
        }
    }
    return next;
}

/* Whether the entry that should come next is there and damaged. */
static bool is_cut_short(const struct log *logs, size_t count, uint32_t sequence)
{
    for (size_t i = 0; i < count; i++) {
        if (logs[i].damaged && logs[i].sequence == sequence) {
            return true;
        }
    }
    return false;
}

static int replay_entries(struct regf_hive *hive, struct log *logs, size_t count)
{
    uint32_t sequence = regf_get32(hive->bytes + BASE_LAST_SEQUENCE);
    struct log *next;
    bool any = true;
    int status = RS_OK;

    for (size_t i = 0; status == RS_OK && i < count; i++) {
        status = logs[i].at > 0 ? take_entry(&logs[i]) : RS_OK;
    }
    do {
        for (size_t i = 0; status == RS_OK && i < count; i++) {
            status = find_entry(&logs[i], sequence);
        }
        next = status == RS_OK ? find_next(logs, count, sequence, any) : NULL;
        if (next) {
            status = apply_entry(hive, next);
            sequence = next->sequence + 1;
            any = false;
        }
    } while (next && status == RS_OK);
    hive->stale = any || is_cut_short(logs, count, sequence);
    return status;
}

/* ---- Logs of one set of pages ---- */

/* Whether the log is whole, and was written for the hive as it is. */
static bool fits(const struct regf_hive *hive, const struct log *log)
{
    uint32_t type = regf_get32(log->base + BASE_TYPE);

    return (type == TYPE_LOG || type == TYPE_LOG_TOO) &&
           regf_get32(log->base + BASE_FIRST_SEQUENCE) ==
               regf_get32(log->base + BASE_LAST_SEQUENCE) &&
           regf_get64(log->base + BASE_WRITTEN) == regf_get64(hive->bytes + BASE_WRITTEN) &&
           is_size_of_bins(regf_get32(log->base + BASE_BINS));
}

static bool has_page(const unsigned char *bits, size_t page)
{
    return bits[page / 8] >> page % 8 & 1;
}

static int apply_pages(struct regf_hive *hive, struct log *log, const unsigned char *bits,
                       uint32_t bins)
{
    unsigned char page[SECTOR];
    size_t pages = bins / SECTOR;
    uint64_t at = (SECTOR + 4 + pages / 8 + SECTOR - 1) / SECTOR * SECTOR;
    uint64_t end = at;

    for (size_t i = 0; i < pages; i++) {
        end += has_page(bits, i) ? SECTOR : 0;
    }
    if (end == at || end > log->size) {
        return RS_OK;
    }
    int status = regf_resize(hive, REGF_BASE + bins);
    for (size_t i = 0; status == RS_OK && i < pages; i++) {
        if (!has_page(bits, i)) {
            continue;
        }
        if (!read_at(log, at, page, sizeof page)) {
            return fail_errno(hive->error, "%s: a log of it cannot be read", hive->name);
        }
        status = patch(hive, REGF_BASE + i * SECTOR, page, sizeof page);
        at += SECTOR;
    }
    hive->stale = false;
    return status == RS_OK ? set_base(hive, regf_get32(log->base + BASE_LAST_SEQUENCE), bins)
                           : status;
}

static int replay_pages(struct regf_hive *hive, struct log *log)
{
    uint32_t bins = regf_get32(log->base + BASE_BINS);
    size_t size = 4 + bins / SECTOR / 8;
    int status = RS_OK;

    if (!fits(hive, log) || size > log->size) {
        return RS_OK;
    }
    status = buffer_reserve(&log->entry, size);
    if (status == RS_OK && read_at(log, SECTOR, log->entry.data, size) &&
        memcmp(log->entry.data, "DIRT", 4) == 0) {
        status = apply_pages(hive, log, (const unsigned char *)log->entry.data + 4, bins);
    }
    return status;
}

/* ---- The logs of a hive ---- */

/* A file that begins as a log does; nothing is opened that may keep the reader waiting. */
static bool open_log(struct log *log, const char *path)
{
    struct stat about;

    *log = (struct log){.file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (log->file < 0) {
        return false;
    }
    if (fstat(log->file, &about) == 0 && S_ISREG(about.st_mode) &&
        read_at(log, 0, log->base, SECTOR) && memcmp(log->base, "regf", 4) == 0 &&
        regf_get32(log->base + BASE_SUM) == regf_sum(log->base)) {
        log->size = (uint64_t)about.st_size;
        log->at = regf_get32(log->base + BASE_TYPE) == TYPE_LOG_OF_ENTRIES ? SECTOR : 0;
        return true;
    }
    close(log->file);
    return false;
}

/* Opens the one that is called so, to the letter. */
static bool open_named(struct log *log, const char *file, const char *ending)
{
    struct buffer path = BUFFER_INIT;
    bool opened = buffer_printf(&path, "%s%s", file, ending) == RS_OK &&
                  buffer_terminate(&path) == RS_OK && open_log(log, path.data);

    buffer_free(&path);
    return opened;
}

/* The files of a directory whose name is a wanted one but for the case; of several, the first one
 * by its bytes, so that it is the same one each time. */
static int find_alike(DIR *files, const char *wanted, struct buffer *found)
{
    const struct dirent *entry;
    int status = RS_OK;

    found->size = 0;
    while (status == RS_OK && (entry = readdir(files)) != NULL) {
        if (text_compare(entry->d_name, RS_NTS, wanted, RS_NTS) != 0 ||
            (found->size > 0 && strcmp(found->data, entry->d_name) <= 0)) {
            continue;
        }
        found->size = 0;
        status = buffer_append(found, entry->d_name, strlen(entry->d_name) + 1);
    }
    return status;
}

/* Opens the one in the hive's directory that is called so but for the case. */
static bool open_alike(struct log *log, const char *file, const char *ending)
{
    const char *slash = strrchr(file, '/');
    int dir_len = slash ? (int)(slash + 1 - file) : 0;
    struct buffer name = BUFFER_INIT;
    struct buffer found = BUFFER_INIT;
    struct buffer path = BUFFER_INIT;
    bool opened = false;

    if (buffer_printf(&path, "%.*s", dir_len, file) == RS_OK && buffer_terminate(&path) == RS_OK &&
        buffer_printf(&name, "%s%s", file + dir_len, ending) == RS_OK &&
        buffer_terminate(&name) == RS_OK) {
        DIR *files = opendir(dir_len > 0 ? path.data : ".");
        opened = files && find_alike(files, name.data, &found) == RS_OK && found.size > 0 &&
                 buffer_append(&path, found.data, found.size) == RS_OK && open_log(log, path.data);
        if (files) {
            closedir(files);
        }
    }
    buffer_free(&name);
    buffer_free(&found);
    buffer_free(&path);
    return opened;
}

static size_t open_logs(struct log *logs, const char *file)
{
    static const char *const endings[][2] = {
        {".LOG", ".log"}, {".LOG1", ".log1"}, {".LOG2", ".log2"}};
    size_t count = 0;

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t before = count;
        count += open_named(&logs[count], file, endings[i][0]);
        count += open_named(&logs[count], file, endings[i][1]);
        if (count == before) {
            count += open_alike(&logs[count], file, endings[i][0]);
        }
    }
    return count;
}

int regf_replay(struct regf_hive *hive)
{
    struct log logs[MOST_LOGS];
    size_t count = open_logs(logs, hive->name);
    int status = replay_entries(hive, logs, count);

    for (size_t i = 0; status == RS_OK && hive->stale && i < count; i++) {
        status = replay_pages(hive, &logs[i]);
    }
    for (size_t i = 0; i < count; i++) {
        buffer_free(&logs[i].entry);
        close(logs[i].file);
    }
    return status;
}
