/*
 * test_job_state - how far a job is: written in place, in two blocks, so that wherever a writing is
 * torn the one before is there, and what may have been begun counts as begun.
 */
#include "harness.h"
#include "stores.h"

#include "../services/printing/job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "00000042"
#define BLOCK 4096
#define SIZE (2 * BLOCK)

/* ---- The file -------------------------------------------------------------------------------- */

static int open_directory(void)
{
    int fd = open(scratch_dir(), O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static void get_bytes(char *bytes)
{
    int fd = open(scratch_path("state"), O_RDONLY);
    CU_ASSERT_EQUAL_FATAL(read(fd, bytes, SIZE + 1), SIZE);
    close(fd);
}

static void put_bytes(const char *bytes, size_t size)
{
    int fd = open(scratch_path("state"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_EQUAL_FATAL(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

/* A block of this text, which its sum follows. */
static void put_block(char *block, const char *text)
{
    char whole[256];
    int length =
        snprintf(whole, sizeof(whole), "%s%08" PRIx32 "\n", text, job_sum(0, text, strlen(text)));
    memset(block, ' ', BLOCK - 1);
    block[BLOCK - 1] = '\n';
    memcpy(block, whole, (size_t)length);
}

static void put_unused(char *block)
{
    memset(block, ' ', BLOCK - 1);
    block[BLOCK - 1] = '\n';
}

static void begin(int directory, unsigned total)
{
    struct line problem = LINE_INIT;
    CU_ASSERT_TRUE_FATAL(job_begin_state(directory, NAME, total, &problem));
    EQUAL_TEXT(problem.text, "");
}

static struct job_state read_it(int directory)
{
    struct line problem = LINE_INIT;
    struct job_state state = {0};
    CU_ASSERT_EQUAL_FATAL(job_read_state(directory, NAME, &state, &problem), JOB_READ);
    EQUAL_TEXT(problem.text, "");
    return state;
}

static void write_it(int directory, struct job_state *state, unsigned printed, bool sending)
{
    struct line problem = LINE_INIT;
    state->printed = printed;
    state->sending = sending;
    CU_ASSERT_TRUE_FATAL(job_write_state(directory, NAME, state, &problem));
}

static bool is_at(const struct job_state *state, unsigned printed, bool sending)
{
    return state->printed == printed && state->sending == sending;
}

/* The reason if it cannot be read. */
static const char *reading_of(int directory, enum job_reading expected)
{
    static struct line problem;
    struct job_state state = {7, 7, false, 7};
    problem = (struct line)LINE_INIT;
    CU_ASSERT_EQUAL(job_read_state(directory, NAME, &state, &problem), expected);
    CU_ASSERT_EQUAL(state.written, 7); /* nothing is said of it */
    return problem.text;
}

/* ---- Whole ----------------------------------------------------------------------------------- */

static void states_come_back(void)
{
    int directory = open_directory();
    begin(directory, 5200);
    struct job_state state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 0, false) && state.total == 5200 && state.written == 0);
    for (unsigned i = 0; i < 6; i++) {
        write_it(directory, &state, (i + 1) / 2, i % 2 == 0);
        struct job_state read = read_it(directory);
        CU_ASSERT_TRUE(is_at(&read, (i + 1) / 2, i % 2 == 0));
        CU_ASSERT_TRUE(read.total == 5200 && read.written == i + 1 && state.written == i + 1);
    }
    write_it(directory, &state, 5200, false);
    state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 5200, false));
    close(directory);
}

/* The text is told of in job_state.c, and others read it. */
static void blocks_take_turns(void)
{
    char bytes[SIZE + 1];
    char expected[SIZE];
    struct stat file;
    int directory = open_directory();
    begin(directory, 3);
    struct job_state state = read_it(directory);
    put_block(expected, "job " NAME " 0 printed 0/3 ");
    put_unused(expected + BLOCK);
    get_bytes(bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, expected, SIZE), 0);
    CU_ASSERT_TRUE(stat(scratch_path("state"), &file) == 0 && (file.st_mode & 07777) == 0600);
    write_it(directory, &state, 0, true);
    write_it(directory, &state, 1, false);
    put_block(expected, "job " NAME " 2 printed 1/3 ");
    put_block(expected + BLOCK, "job " NAME " 1 printed 0/3 sending ");
    get_bytes(bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, expected, SIZE), 0);
    close(directory);
}

/* Over another job's, whatever that was. */
static void states_begin_over_others(void)
{
    struct line problem = LINE_INIT;
    static const char longer[SIZE + 100];
    int directory = open_directory();
    struct job_state other = {.total = 9};
    CU_ASSERT_TRUE(job_begin_state(directory, "00000041", 9, &problem));
    for (unsigned i = 1; i <= 3; i++) {
        other.printed = i;
        CU_ASSERT_TRUE(job_write_state(directory, "00000041", &other, &problem));
    }
    EQUAL_TEXT(reading_of(directory, JOB_ANOTHER), "state: is of job 00000041");
    begin(directory, 1);
    struct job_state state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 0, false) && state.total == 1);
    put_bytes(longer, sizeof(longer));
    begin(directory, 2);
    char bytes[SIZE + 1];
    get_bytes(bytes);
    state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 0, false) && state.total == 2);
    CU_ASSERT_FALSE(job_begin_state(directory, "../x", 1, &problem));
    CU_ASSERT_EQUAL(errno, EINVAL);
    close(directory);
}

/* After 2^32 writings the number begins again; a job of that many documents has a copy or two. */
static void the_number_begins_again(void)
{
    char bytes[SIZE];
    int directory = open_directory();
    put_block(bytes, "job " NAME " 4294967294 printed 7/4294967295 sending ");
    put_block(bytes + BLOCK, "job " NAME " 4294967295 printed 8/4294967295 ");
    put_bytes(bytes, SIZE);
    struct job_state state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 8, false) && state.total == UINT32_MAX);
    for (unsigned i = 9; i < 12; i++) {
        write_it(directory, &state, i, false);
        CU_ASSERT_EQUAL(state.written, i - 9);
        struct job_state read = read_it(directory);
        CU_ASSERT_TRUE(is_at(&read, i, false) && read.written == i - 9);
    }
    close(directory);
}

/* A job without documents is printed as soon as it is there. */
static void nothing_is_printed_at_once(void)
{
    int directory = open_directory();
    begin(directory, 0);
    struct job_state state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 0, false) && state.total == 0);
    close(directory);
}

/* ---- Torn ------------------------------------------------------------------------------------ */

struct writing {
    char before[SIZE + 1];
    char after[SIZE + 1];
    size_t block; /* where the block is that differs */
    struct job_state old;
    struct job_state new;
};

/* The file in the middle of it is read, and the next writing brings all back. */
static void check_torn(int directory, const struct writing *writing, const char *mixed)
{
    size_t at = writing->block;
    bool none = memcmp(mixed + at, writing->before + at, BLOCK) == 0;
    bool all = memcmp(mixed + at, writing->after + at, BLOCK) == 0;
    const struct job_state *expected = all ? &writing->new : &writing->old;
    put_bytes(mixed, SIZE);
    struct job_state state = read_it(directory);
    bool begun = all || none ? expected->sending : expected->printed < expected->total;
    CU_ASSERT_TRUE(is_at(&state, expected->printed, begun));
    CU_ASSERT_EQUAL(state.written, expected->written);
    write_it(directory, &state, expected->total, false);
    state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, expected->total, false));
}

/* The writing's first bytes were written, or its last ones. */
static void tear(int directory, const struct writing *writing)
{
    char mixed[SIZE];
    for (size_t i = 0; i <= BLOCK; i++) {
        if (i > 128 && i % 509 != 0 && i < BLOCK - 2) {
            continue; /* spaces */
        }
        memcpy(mixed, writing->before, SIZE);
        memcpy(mixed + writing->block, writing->after + writing->block, i);
        check_torn(directory, writing, mixed);
        memcpy(mixed, writing->after, SIZE);
        memcpy(mixed + writing->block, writing->before + writing->block, i);
        check_torn(directory, writing, mixed);
        memcpy(mixed, writing->before, SIZE);
        memset(mixed + writing->block, i % 2 == 0 ? 0 : 0xff, i); /* what some disks leave */
        if (i > 0) {
            check_torn(directory, writing, mixed);
        }
    }
}

/* Each step of a job with two documents, torn at each byte. */
static void torn_writings(void)
{
    static const struct job_state steps[] = {{.printed = 0, .sending = true},
                                             {.printed = 1, .sending = false},
                                             {.printed = 1, .sending = true},
                                             {.printed = 1, .sending = false},
                                             {.printed = 2, .sending = false}};
    static struct writing writing;
    int directory = open_directory();
    begin(directory, 2);
    struct job_state state = read_it(directory);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        writing.old = state;
        get_bytes(writing.before);
        write_it(directory, &state, steps[i].printed, steps[i].sending);
        writing.new = state;
        writing.block = state.written % 2 * BLOCK;
        get_bytes(writing.after);
        tear(directory, &writing);
        put_bytes(writing.after, SIZE);
    }
    close(directory);
}

/* The beginning of a job over that of another one, which nobody was told of yet. */
static void torn_beginnings(void)
{
    struct line problem = LINE_INIT;
    char old[SIZE + 1];
    char fresh[SIZE + 1];
    char mixed[SIZE];
    int directory = open_directory();
    struct job_state other = {.total = 1};
    CU_ASSERT_TRUE(job_begin_state(directory, "00000041", 1, &problem));
    other.sending = true;
    CU_ASSERT_TRUE(job_write_state(directory, "00000041", &other, &problem));
    other = (struct job_state){1, 1, false, other.written};
    CU_ASSERT_TRUE(job_write_state(directory, "00000041", &other, &problem));
    get_bytes(old);
    begin(directory, 1);
    get_bytes(fresh);
    memcpy(mixed, fresh, BLOCK);
    memcpy(mixed + BLOCK, old + BLOCK, BLOCK);
    put_bytes(mixed, SIZE); /* the second block is the other's: this one was not begun */
    struct job_state state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 0, false) && state.written == 0);
    memcpy(mixed, old, BLOCK);
    memcpy(mixed + BLOCK, fresh + BLOCK, BLOCK);
    put_bytes(mixed, SIZE);
    EQUAL_TEXT(reading_of(directory, JOB_ANOTHER), "state: is of job 00000041");
    memcpy(mixed, fresh, 13);
    put_bytes(mixed, SIZE);
    EQUAL_TEXT(reading_of(directory, JOB_DAMAGED), "state: is damaged");
    close(directory);
}

/* ---- Not right ------------------------------------------------------------------------------- */

static void wrong_blocks_are_told(void)
{
    static const char *const wrong[] = {
        "job " NAME " 0 printed 2/1 ",
        "job " NAME " 0 printed 1/1 sending ",
        "job " NAME " 0 printed 4294967295/4294967295 sending ",
        "job " NAME " 0 printed 4294967296/4294967297 ",
        "job " NAME " 4294967296 printed 0/1 ",
        "job " NAME " 1 printed 0/1 ",
        "job " NAME " 00 printed 0/1 ",
        "job " NAME " 0 printed -0/1 ",
        "job " NAME " 0 printed 0/1",
        "job " NAME " 0 printed 0/1 sending",
        "job " NAME " 0 printed 0/1 sending sending ",
        "job " NAME " 0 printed /1 ",
        "job " NAME " 0  printed 0/1 ",
        "job  0 printed 0/1 ",
        "job x 0 printed 0/1 ",
        "job 1234567890123456 0 printed 0/1 ",
        "job " NAME " printed 0/1 ",
        "printed 0\n",
        "",
    };
    char bytes[SIZE];
    int directory = open_directory();
    put_unused(bytes + BLOCK);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        put_block(bytes, wrong[i]);
        put_bytes(bytes, SIZE);
        EQUAL_TEXT(reading_of(directory, JOB_DAMAGED), "state: is damaged");
    }
    put_block(bytes, "job " NAME " 0 printed 0/1 ");
    put_bytes(bytes, SIZE);
    CU_ASSERT_EQUAL(read_it(directory).total, 1);
    close(directory);
}

static void both_blocks_damaged(void)
{
    char bytes[SIZE + 1];
    int directory = open_directory();
    begin(directory, 3);
    struct job_state state = read_it(directory);
    write_it(directory, &state, 0, true);
    get_bytes(bytes);
    bytes[20] ^= 1;
    bytes[BLOCK + 20] ^= 1;
    put_bytes(bytes, SIZE);
    EQUAL_TEXT(reading_of(directory, JOB_DAMAGED), "state: is damaged");
    put_unused(bytes);
    put_unused(bytes + BLOCK);
    put_bytes(bytes, SIZE);
    EQUAL_TEXT(reading_of(directory, JOB_DAMAGED), "state: is damaged");
    put_bytes("", 0);
    EQUAL_TEXT(reading_of(directory, JOB_DAMAGED), "state: is damaged");
    CU_ASSERT_EQUAL(unlink(scratch_path("state")), 0);
    (void)reading_of(directory, JOB_DAMAGED);
    close(directory);
}

/* One block is of this job, and the other one damaged, cut off, or lost. */
static void one_block_is_enough(void)
{
    char bytes[SIZE];
    int directory = open_directory();
    put_block(bytes, "Job " NAME " 8 printed 1/9 ");
    put_block(bytes + BLOCK, "job " NAME " 7 printed 1/9 ");
    put_bytes(bytes, SIZE);
    struct job_state state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 1, true) && state.written == 7);
    put_unused(bytes);
    put_bytes(bytes, SIZE);
    state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 1, true) && state.written == 7);
    put_block(bytes, "job " NAME " 6 printed 9/9 ");
    put_bytes(bytes, BLOCK + 50);
    state = read_it(directory);
    CU_ASSERT_TRUE(is_at(&state, 9, false) && state.written == 6);
    close(directory);
}

/* The directory of a job that was printed has the next one, of which a loss of power let one block
 * come to the disk, and the name in done/ not: that is no reason to print the first one again. */
static void next_job_in_a_block(void)
{
    char bytes[SIZE];
    int directory = open_directory();
    put_block(bytes, "job 00000043 0 printed 0/1 ");
    put_block(bytes + BLOCK, "job " NAME " 1 printed 0/1 sending ");
    put_bytes(bytes, SIZE);
    EQUAL_TEXT(reading_of(directory, JOB_ANOTHER), "state: is of job 00000043");
    put_block(bytes, "job " NAME " 2 printed 0/1 ");
    put_block(bytes + BLOCK, "job 00000043 1 printed 0/1 ");
    put_bytes(bytes, SIZE);
    EQUAL_TEXT(reading_of(directory, JOB_ANOTHER), "state: is of job 00000043");
    close(directory);
}

/* ---- What is not written --------------------------------------------------------------------- */

/* It is as before, and the next writing goes to the same block: the other one stays whole. */
static void failed_writings_are_made_again(void)
{
    struct line problem = LINE_INIT;
    struct rlimit before;
    int directory = open_directory();
    begin(directory, 2);
    struct job_state state = read_it(directory);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct rlimit none = {.rlim_cur = BLOCK, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &none), 0);
    state.sending = true;
    CU_ASSERT_FALSE(job_write_state(directory, NAME, &state, &problem));
    CU_ASSERT_EQUAL(errno, EFBIG);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    CU_ASSERT_EQUAL(state.written, 0);
    CU_ASSERT_FALSE(read_it(directory).sending);
    write_it(directory, &state, 0, true);
    CU_ASSERT_EQUAL(state.written, 1);
    CU_ASSERT_TRUE(read_it(directory).sending);
    close(directory);
}

static const struct test_case cases[] = {
    {"states come back", states_come_back},
    {"blocks take turns", blocks_take_turns},
    {"states begin over others", states_begin_over_others},
    {"the number begins again", the_number_begins_again},
    {"nothing is printed at once", nothing_is_printed_at_once},
    {"torn writings", torn_writings},
    {"torn beginnings", torn_beginnings},
    {"wrong blocks are told", wrong_blocks_are_told},
    {"both blocks damaged", both_blocks_damaged},
    {"one block is enough", one_block_is_enough},
    {"next job in a block", next_job_in_a_block},
    {"failed writings are made again", failed_writings_are_made_again},
    {NULL, NULL},
};

const struct test_suite suite_job_state = {"job_state", cases};
