/*
 * test_format_regf_log.c - dirty hives with transaction logs beside them, made here: what the logs
 * hold is in the hive that is read, and what is damaged, missing or not the hive's is not.
 */
#include "harness.h"
#include "recorder.h"
#include "transfer_helpers.h"
#include "../regstore/format_regf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern const struct format format_regf;

#define PAGE 4096u
#define FIRST 100u /* the last sequence number of a hive that is dirty */

/* ---- Hives and logs ---- */

static void put32(struct buffer *buffer, size_t at, uint32_t number)
{
    number = htole32(number);
    memcpy(buffer->data + at, &number, sizeof number);
}

static void put64(struct buffer *buffer, size_t at, uint64_t number)
{
    number = htole64(number);
    memcpy(buffer->data + at, &number, sizeof number);
}

static void seal(struct buffer *file)
{
    put32(file, BASE_SUM, regf_sum((unsigned char *)file->data));
}

static void set_numbers(struct buffer *file, uint32_t first, uint32_t last)
{
    put32(file, BASE_FIRST_SEQUENCE, first);
    put32(file, BASE_LAST_SEQUENCE, last);
    seal(file);
}

static size_t bins_of(const struct buffer *hive)
{
    return hive->size - REGF_BASE;
}

/* A log without entries, for a hive. */
static struct buffer log_for(const struct buffer *hive, uint32_t type)
{
    struct buffer log = BUFFER_INIT;

    CU_ASSERT_EQUAL_FATAL(buffer_append(&log, hive->data, 512), RS_OK);
    put32(&log, BASE_TYPE, type);
    set_numbers(&log, FIRST, FIRST);
    return log;
}

static void hash_entry(struct buffer *log, size_t at)
{
    const unsigned char *entry = (unsigned char *)log->data + at;

    put64(log, at + 24, regf_hash(entry + 40, regf_get32(entry + 4) - 40));
    put64(log, at + 32, regf_hash(entry, 32));
}

/* An entry with pages of a hive; its place in the log. */
static size_t add_entry(struct buffer *log, uint32_t sequence, const struct buffer *hive,
                        size_t first, size_t count)
{
    size_t at = log->size;
    size_t size = (40 + 8 * count + PAGE * count + 511) / 512 * 512;
    size_t to = at + 40;

    CU_ASSERT_EQUAL_FATAL(buffer_reserve(log, size), RS_OK);
    memset(log->data + at, 0, size);
    log->size += size;
    memcpy(log->data + at, "HvLE", 4);
    put32(log, at + 4, (uint32_t)size);
    put32(log, at + 12, sequence);
    put32(log, at + 16, (uint32_t)bins_of(hive));
    put32(log, at + 20, (uint32_t)count);
    for (size_t i = 0; i < count; i++, to += 8) {
        put32(log, to, (uint32_t)((first + i) * PAGE));
        put32(log, to + 4, PAGE);
    }
    memcpy(log->data + to, hive->data + REGF_BASE + first * PAGE, count * PAGE);
    hash_entry(log, at);
    return at;
}

static size_t add_whole(struct buffer *log, uint32_t sequence, const struct buffer *hive)
{
    return add_entry(log, sequence, hive, 0, bins_of(hive) / PAGE);
}

/* ---- Reading ---- */

struct place {
    struct format_input input; /* the first member */
};

static int read_place(struct format_input *input, void *buffer, size_t size, size_t *got)
{
    ssize_t count = read(input->descriptor, buffer, size);

    *got = count > 0 ? (size_t)count : 0;
    return count >= 0 ? RS_OK : RS_EIO;
}

/* The events of the hive in the scratch directory; "" where it is refused. The caller frees. */
static char *events_here(void)
{
    const char *path = scratch_path("h.hiv");
    struct place place = {{read_place, path, open(path, O_RDONLY | O_CLOEXEC)}};
    struct recorder recorder;
    rs_error error = RS_ERROR_INIT;

    recorder_begin(&recorder);
    if (format_regf.read(&place.input, &recorder.sink, &error) != RS_OK) {
        CU_ASSERT_NOT_EQUAL(error.status, RS_OK);
        recorder.lines.size = 0;
    }
    buffer_append(&recorder.lines, "", 1);
    close(place.input.descriptor);
    return recorder.lines.data;
}

/* Takes the line of the loss out of the events; whether it was there. */
static bool take_stale(char *events)
{
    char line[20];

    snprintf(line, sizeof line, "loss %d\n", RS_LOSS_STALE);
    char *at = strstr(events, line);
    if (at) {
        memmove(at, at + strlen(line), strlen(at + strlen(line)) + 1);
    }
    return at != NULL;
}

static void write_logs(const struct buffer *log1, const struct buffer *log2)
{
    unlink(scratch_path("h.hiv.LOG1"));
    unlink(scratch_path("h.hiv.LOG2"));
    if (log1) {
        write_bytes("h.hiv.LOG1", log1->data, log1->size);
    }
    if (log2) {
        write_bytes("h.hiv.LOG2", log2->data, log2->size);
    }
}

/* Reads the hive with the logs beside it, and compares with another. */
static void expect(const struct buffer *log1, const struct buffer *log2,
                   const struct buffer *expected, bool stale)
{
    char *wanted = events_as(&format_regf, expected->data, expected->size, NULL);

    write_logs(log1, log2);
    char *events = events_here();
    take_stale(wanted);
    CU_ASSERT_EQUAL(take_stale(events), stale);
    CU_ASSERT_STRING_EQUAL(events, wanted);
    free(events);
    free(wanted);
}

struct scene {
    struct buffer old; /* the dirty hive */
    struct buffer new; /* what the logs make it */
    struct buffer last;
    struct buffer log1;
    struct buffer log2;
};

static void begin(struct scene *scene)
{
    scene->old = hive_of('a', 9000);
    scene->new = hive_of('b', 30000);
    scene->last = hive_of('c', 100);
    set_numbers(&scene->old, FIRST + 1, FIRST);
    write_bytes("h.hiv", scene->old.data, scene->old.size);
    scene->log1 = log_for(&scene->old, 6);
    scene->log2 = log_for(&scene->old, 6);
}

static void end(struct scene *scene)
{
    buffer_free(&scene->old);
    buffer_free(&scene->new);
    buffer_free(&scene->last);
    buffer_free(&scene->log1);
    buffer_free(&scene->log2);
    write_logs(NULL, NULL);
}

/* ---- Tests ---- */

static uint32_t folded_hash(const char *text)
{
    uint64_t hash = regf_hash((const unsigned char *)text, strlen(text));

    return (uint32_t)(hash >> 32) ^ (uint32_t)hash;
}

/* What others have published for this seed, with both halves xored. */
static void test_hash(void)
{
    CU_ASSERT_EQUAL(folded_hash(""), 0xb00892ac);
    CU_ASSERT_EQUAL(folded_hash("h"), 0xf41a608e);
    CU_ASSERT_EQUAL(folded_hash("he"), 0x11107c6b);
    CU_ASSERT_EQUAL(folded_hash("hel"), 0x24056a46);
    CU_ASSERT_EQUAL(folded_hash("hell"), 0x7f91e021);
    CU_ASSERT_EQUAL(folded_hash("hello, world!"), 0x00c18515);
}

/* The hive grows, shrinks, and gets its pages from several entries. */
static void test_entries(void)
{
    struct scene scene;

    begin(&scene);
    expect(NULL, NULL, &scene.old, true);
    expect(&scene.log1, &scene.log2, &scene.old, true);
    add_entry(&scene.log1, FIRST, &scene.new, 0, 1);
    add_entry(&scene.log1, FIRST + 1, &scene.new, 3, bins_of(&scene.new) / PAGE - 3);
    add_entry(&scene.log1, FIRST + 2, &scene.new, 1, 2);
    expect(&scene.log1, NULL, &scene.new, false);
    expect(NULL, &scene.log1, &scene.new, false);
    add_whole(&scene.log2, FIRST + 3, &scene.last);
    expect(&scene.log1, &scene.log2, &scene.last, false);
    expect(&scene.log2, &scene.log1, &scene.last, false);
    end(&scene);
}

/* Entries that were applied before come first, and remnants of older ones behind. */
static void test_order(void)
{
    struct scene scene;

    begin(&scene);
    add_whole(&scene.log1, FIRST - 2, &scene.last);
    add_whole(&scene.log1, FIRST - 1, &scene.last);
    expect(&scene.log1, NULL, &scene.old, true);
    add_whole(&scene.log1, FIRST, &scene.new);
    add_whole(&scene.log1, FIRST - 50, &scene.last);
    expect(&scene.log1, NULL, &scene.new, false);
    add_whole(&scene.log2, FIRST + 2, &scene.last); /* and where is FIRST + 1? */
    expect(&scene.log1, &scene.log2, &scene.new, false);
    expect(&scene.log2, NULL, &scene.last, false);
    end(&scene);
}

/* Numbers go on behind the largest one. */
static void test_wrap(void)
{
    struct scene scene;

    begin(&scene);
    set_numbers(&scene.old, 0, 0xffffffffu);
    write_bytes("h.hiv", scene.old.data, scene.old.size);
    add_whole(&scene.log1, 0xfffffffeu, &scene.last);
    add_whole(&scene.log1, 0xffffffffu, &scene.last);
    add_whole(&scene.log1, 0, &scene.new);
    expect(&scene.log1, NULL, &scene.new, false);
    end(&scene);
}

/* What lies beside a hive that was written whole is not its own. */
static void test_clean(void)
{
    struct scene scene;

    begin(&scene);
    set_numbers(&scene.old, FIRST, FIRST);
    write_bytes("h.hiv", scene.old.data, scene.old.size);
    add_whole(&scene.log1, FIRST, &scene.new);
    add_whole(&scene.log1, FIRST + 1, &scene.new);
    expect(&scene.log1, NULL, &scene.old, false);
    set_numbers(&scene.old, FIRST + 1, FIRST);
    write_bytes("h.hiv", scene.old.data, scene.old.size);
    expect(&scene.log1, NULL, &scene.new, false);
    end(&scene);
}

/* Each byte of an entry is under a hash: one that is changed ends the log, and is told. */
static void test_damaged_entry(void)
{
    struct scene scene;

    begin(&scene);
    add_whole(&scene.log1, FIRST, &scene.last);
    size_t at = add_whole(&scene.log1, FIRST + 1, &scene.new);
    expect(&scene.log1, NULL, &scene.new, false);
    for (size_t i = 16; i < 4000; i += i < 60 ? 1 : 97) {
        scene.log1.data[at + i] ^= 4;
        expect(&scene.log1, NULL, &scene.last, true);
        scene.log1.data[at + i] ^= 4;
    }
    for (size_t size = at + 512; size < scene.log1.size; size += 512) {
        struct buffer part = {.data = scene.log1.data, .size = size};
        expect(&part, NULL, &scene.last, true);
    }
    scene.log1.data[BASE_WRITTEN] ^= 1; /* of the base block, which has a sum of its own */
    expect(&scene.log1, NULL, &scene.old, true);
    end(&scene);
}

/* Hashes that are right do not make a page that leads elsewhere right. */
static void test_wrong_pages(void)
{
    static const struct {
        size_t at;
        uint32_t number;
    } rows[] = {{16, 5000},        {16, 0},          {16, 0x80000000u}, {16, PAGE},
                {20, 0xffffffffu}, {20, 2000},       {40, 0xfffff000u}, {44, 0xfffff000u},
                {40, 100 * PAGE},  {4, 0xfffffe00u}, {4, 40},           {4, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene scene;
        begin(&scene);
        size_t at = add_whole(&scene.log1, FIRST, &scene.new);
        size_t size = scene.log1.size - at;
        put32(&scene.log1, at + rows[i].at, rows[i].number);
        const unsigned char *entry = (unsigned char *)scene.log1.data + at;
        put64(&scene.log1, at + 24, regf_hash(entry + 40, size - 40));
        put64(&scene.log1, at + 32, regf_hash(entry, 32));
        expect(&scene.log1, NULL, &scene.old, true);
        end(&scene);
    }
}

static void write_log_as(const char *name, const struct buffer *log)
{
    write_bytes(name, log->data, log->size);
}

/* A name as it is written comes before one that differs in case only; of those, any will do. */
static void test_names(void)
{
    struct scene scene;

    begin(&scene);
    add_whole(&scene.log1, FIRST, &scene.new);
    add_whole(&scene.log2, FIRST, &scene.last);
    write_log_as("H.HIV.Log1", &scene.log1);
    write_log_as("other.LOG1", &scene.log2);
    write_log_as("h.hiv.LOG11", &scene.log2);
    expect(NULL, NULL, &scene.new, false);
    write_log_as("h.Hiv.LOG1", &scene.log2);
    expect(NULL, NULL, &scene.new, false);
    expect(&scene.log2, NULL, &scene.last, false);
    unlink(scratch_path("H.HIV.Log1"));
    unlink(scratch_path("h.Hiv.LOG1"));
    unlink(scratch_path("other.LOG1"));
    unlink(scratch_path("h.hiv.LOG11"));
    expect(NULL, NULL, &scene.old, true);
    end(&scene);
}

/* ---- The older kind of log ---- */

/* All pages of a hive, as a set with a bit for each 512 bytes. */
static void add_pages(struct buffer *log, const struct buffer *hive)
{
    size_t bits = bins_of(hive) / 512 / 8;
    size_t head = (4 + bits + 511) / 512 * 512;

    put32(log, BASE_BINS, (uint32_t)bins_of(hive));
    seal(log);
    CU_ASSERT_EQUAL_FATAL(buffer_reserve(log, head), RS_OK);
    memset(log->data + log->size, 0, head);
    memcpy(log->data + log->size, "DIRT", 4);
    memset(log->data + log->size + 4, 0xff, bits);
    log->size += head;
    CU_ASSERT_EQUAL_FATAL(buffer_append(log, hive->data + REGF_BASE, bins_of(hive)), RS_OK);
}

static void test_pages(void)
{
    struct scene scene;

    begin(&scene);
    struct buffer log = log_for(&scene.old, 1);
    add_pages(&log, &scene.new);
    expect(&log, NULL, &scene.new, false);
    expect(NULL, &log, &scene.new, false);
    log.size -= 1;
    expect(&log, NULL, &scene.old, true);
    log.size += 1;
    log.data[BASE_WRITTEN] ^= 1; /* of another state of the hive */
    seal(&log);
    expect(&log, NULL, &scene.old, true);
    log.data[BASE_WRITTEN] ^= 1;
    set_numbers(&log, FIRST + 1, FIRST); /* not written whole itself */
    expect(&log, NULL, &scene.old, true);
    buffer_free(&log);
    end(&scene);
}

/* One page of eight bits, the others stay. */
static void test_one_page(void)
{
    struct scene scene;

    begin(&scene);
    struct buffer log = log_for(&scene.old, 1);
    struct buffer other = hive_of('z', 9000);
    add_pages(&log, &other);
    memset(log.data + 512 + 4, 0, bins_of(&other) / PAGE);
    log.data[512 + 4 + 1] = (char)0xff;
    memmove(log.data + 1024, log.data + 1024 + PAGE, bins_of(&other) - PAGE);
    memcpy(other.data + REGF_BASE, scene.old.data + REGF_BASE, PAGE);
    memcpy(other.data + REGF_BASE + 2 * PAGE, scene.old.data + REGF_BASE + 2 * PAGE,
           bins_of(&other) - 2 * PAGE);
    expect(&log, NULL, &other, false);
    buffer_free(&log);
    buffer_free(&other);
    end(&scene);
}

/* ---- At random ---- */

#define TRIES 3000

/* Logs in which anything was changed, some with hashes that are right again: the hive is read or
 * refused. */
static void test_random(void)
{
    struct scene scene;
    unsigned seed = (unsigned)getpid();
    size_t read = 0;

    begin(&scene);
    size_t at = add_whole(&scene.log1, FIRST, &scene.new);
    add_pages(&scene.log2, &scene.new);
    put32(&scene.log2, BASE_TYPE, 1);
    seal(&scene.log2);
    srand(seed);
    for (int i = 0; i < TRIES; i++) {
        struct buffer *log = i % 2 ? &scene.log1 : &scene.log2;
        size_t place = i % 2 ? at + (size_t)rand() % 300 : 512 + (size_t)rand() % 600;
        char kept[4];
        memcpy(kept, log->data + place, 4);
        put32(log, place, i % 3 ? (uint32_t)rand() : (uint32_t)rand() % 64 * 512);
        if (i % 2 && regf_get32((unsigned char *)log->data + at + 4) == log->size - at) {
            hash_entry(log, at);
        }
        write_logs(i % 2 ? log : NULL, i % 2 ? NULL : log);
        char *events = events_here();
        read += events[0] != '\0';
        free(events);
        memcpy(log->data + place, kept, 4);
        hash_entry(&scene.log1, at);
    }
    CU_ASSERT(read > 0);
    if (read == 0) {
        printf("    seed %u\n", seed);
    }
    end(&scene);
}

const struct test_suite suite_format_regf_log = {
    "format_regf_log",
    (const struct test_case[]){
        {"hash", test_hash},
        {"entries", test_entries},
        {"order of entries", test_order},
        {"numbers that begin anew", test_wrap},
        {"a hive that is whole", test_clean},
        {"damaged entries", test_damaged_entry},
        {"pages that lead elsewhere", test_wrong_pages},
        {"names of logs", test_names},
        {"a set of pages", test_pages},
        {"one page", test_one_page},
        {"random changes", test_random},
        {NULL, NULL},
    },
};
