/*
 * job_state - how far a job is, in two blocks of a file; see job.h.
 *
 *     job 00000042 7 printed 1/3 sending 12345678
 *
 * is the text of a block: the job's name, how often its state was written, what is printed of all,
 * whether the next one was begun, and the sum of what stands before it. The number's last bit is
 * the block's number, so each writing leaves the one before as it was. The rest of a block is
 * spaces, its last byte a newline, as is all of one that was not used yet.
 */
#include "job.h"
#include "job_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096 /* bytes: what a disk writes at once is no part of two of them */
#define BLOCKS 2
#define TEXT 128 /* bytes of a block's text, at most */

enum kind { BLOCK_OURS, BLOCK_ANOTHERS, BLOCK_UNUSED, BLOCK_TORN };

struct block {
    enum kind kind;
    struct job_state state; /* of this job, */
    char name[JOB_NAME];    /* or the name of another */
};

/* ---- Writing --------------------------------------------------------------------------------- */

static void put_unused(char *block)
{
    memset(block, ' ', BLOCK - 1);
    block[BLOCK - 1] = '\n';
}

static void put_block(const char *name, const struct job_state *state, char *block)
{
    char text[TEXT];
    int length =
        snprintf(text, sizeof(text), "job %s %" PRIu32 " printed %u/%u %s", name, state->written,
                 state->printed, state->total, state->sending ? "sending " : "");
    uint32_t sum = job_sum(0, text, (size_t)length);
    length += snprintf(text + length, sizeof(text) - (size_t)length, "%08" PRIx32 "\n", sum);
    put_unused(block);
    memcpy(block, text, (size_t)length);
}

static bool fail(int error, struct line *problem)
{
    line_add(problem, JOB_STATE ": %s", strerror(error));
    errno = error;
    return false;
}

bool job_begin_state(int directory, const char *name, unsigned total, struct line *problem)
{
    char blocks[BLOCKS * BLOCK];
    const struct job_state state = {.total = total};
    if (!job_is_name(name)) {
        return fail(EINVAL, problem);
    }
    put_block(name, &state, blocks);
    put_unused(blocks + BLOCK);
    int error = job_write_file(directory, JOB_STATE, blocks, sizeof(blocks));
    return error == 0 || fail(error, problem);
}

/* What failed is written to the same block the next time: the other one is whole. That nothing is
 * being sent is not waited for: what a loss of power takes of it is a document that is sent again,
 * and marked. */
bool job_write_state(int directory, const char *name, struct job_state *state, struct line *problem)
{
    char block[BLOCK];
    struct job_state next = *state;
    next.written++;
    put_block(name, &next, block);
    int fd = job_open_file(directory, JOB_STATE, O_WRONLY);
    if (fd < 0) {
        return fail(errno, problem);
    }
    int error = job_write_at(fd, block, BLOCK, (off_t)(next.written % BLOCKS) * BLOCK);
    if (error == 0 && next.sending && fdatasync(fd) != 0) {
        error = errno;
    }
    close(fd);
    if (error != 0) {
        return fail(error, problem);
    }
    *state = next;
    return true;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool take_word(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0) {
        return false;
    }
    *text += length;
    return true;
}

static bool take_name(const char **text, char *name)
{
    size_t length = strcspn(*text, " ");
    if (length >= JOB_NAME) {
        return false;
    }
    memcpy(name, *text, length);
    name[length] = '\0';
    *text += length;
    return job_is_name(name);
}

static bool take_count(const char **text, unsigned *count)
{
    uint64_t number;
    if (!job_take_number(text, UINT_MAX, &number)) {
        return false;
    }
    *count = (unsigned)number;
    return true;
}

/* Only exactly what is written for a state is one, so that nothing torn is. */
static bool parse_block(const char *block, unsigned which, struct block *parsed)
{
    char text[TEXT];
    char expected[BLOCK];
    const char *at = text;
    struct job_state *state = &parsed->state;
    memcpy(text, block, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    if (!take_word(&at, "job ") || !take_name(&at, parsed->name) || !take_word(&at, " ") ||
        !take_count(&at, &state->written) || !take_word(&at, " printed ") ||
        !take_count(&at, &state->printed) || !take_word(&at, "/") ||
        !take_count(&at, &state->total) || !take_word(&at, " ")) {
        return false;
    }
    state->sending = take_word(&at, "sending ");
    put_block(parsed->name, state, expected);
    return memcmp(block, expected, BLOCK) == 0 && state->written % BLOCKS == which &&
           (state->sending ? state->printed < state->total : state->printed <= state->total);
}

/* One that the disk does not give any more is torn. 0 or an errno number. */
static int read_block(int fd, const char *name, unsigned which, struct block *read)
{
    char bytes[BLOCK];
    char unused[BLOCK];
    ssize_t got = job_read_at(fd, bytes, BLOCK, (off_t)which * BLOCK);
    if (got < 0 && errno != EIO) {
        return errno;
    }
    put_unused(unused);
    *read = (struct block){.kind = BLOCK_TORN};
    if (got != BLOCK) {
        return 0;
    }
    if (memcmp(bytes, unused, BLOCK) == 0) {
        read->kind = BLOCK_UNUSED;
    } else if (parse_block(bytes, which, read)) {
        read->kind = strcmp(read->name, name) == 0 ? BLOCK_OURS : BLOCK_ANOTHERS;
    }
    return 0;
}

static int read_blocks(int directory, const char *name, struct block blocks[BLOCKS])
{
    int fd = job_open_file(directory, JOB_STATE, O_RDONLY);
    if (fd < 0) {
        return errno;
    }
    int error = 0;
    for (unsigned i = 0; error == 0 && i < BLOCKS; i++) {
        error = read_block(fd, name, i, &blocks[i]);
    }
    close(fd);
    return error;
}

/* The later one, also where the number has begun again at 0; NULL: there is none. */
static const struct block *latest(const struct block blocks[BLOCKS])
{
    const struct block *first = blocks[0].kind == BLOCK_OURS ? &blocks[0] : NULL;
    const struct block *second = blocks[1].kind == BLOCK_OURS ? &blocks[1] : NULL;
    if (first == NULL || second == NULL) {
        return first != NULL ? first : second;
    }
    return first->state.written - second->state.written <= INT32_MAX ? first : second;
}

static enum job_reading tell_another(const struct block *block, struct line *problem)
{
    line_add(problem, JOB_STATE ": is of job %s", block->name);
    return JOB_ANOTHER;
}

static enum job_reading without_ours(const struct block blocks[BLOCKS], struct line *problem)
{
    bool torn = blocks[0].kind == BLOCK_TORN || blocks[1].kind == BLOCK_TORN;
    for (unsigned i = 0; !torn && i < BLOCKS; i++) {
        if (blocks[i].kind == BLOCK_ANOTHERS) {
            return tell_another(&blocks[i], problem);
        }
    }
    line_add(problem, JOB_STATE ": is damaged");
    return JOB_DAMAGED;
}

/* Once a job's state was written again both blocks are its own. So beside such a one, another job's
 * is that of the job which has the directory since then; and one that is not used was lost, so that
 * nobody knows what it said. */
static enum job_reading with_ours(const struct block *ours, const struct block *other,
                                  struct job_state *state, struct line *problem)
{
    bool again = ours->state.written > 0;
    if (again && other->kind == BLOCK_ANOTHERS) {
        return tell_another(other, problem);
    }
    bool lost = other->kind == BLOCK_TORN || (again && other->kind == BLOCK_UNUSED);
    *state = ours->state;
    state->sending = state->sending || (lost && state->printed < state->total);
    return JOB_READ;
}

enum job_reading job_read_state(int directory, const char *name, struct job_state *state,
                                struct line *problem)
{
    struct block blocks[BLOCKS];
    int error = read_blocks(directory, name, blocks);
    if (error != 0) {
        (void)fail(error, problem);
        return job_failed_reading(error);
    }
    const struct block *ours = latest(blocks);
    return ours != NULL
               ? with_ours(ours, ours == &blocks[0] ? &blocks[1] : &blocks[0], state, problem)
               : without_ours(blocks, problem);
}
