/*
 * fuzz_position.c - fuzz target: the files in which named watches keep their positions.
 *
 * The input is such a file, read as it is and, as a checksum keeps most noise out, as a slot whose
 * checksum is right. What is read must be writable and then be the same again. Needs watch.
 */
#include "fuzz.h"
#include "../../regstore/watch.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 16u

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static bool is_text(const char *text, size_t most)
{
    return strnlen(text, most + 1) <= most;
}

static bool same(const struct watch_record *a, const struct watch_record *b)
{
    return a->counter == b->counter && a->pid == b->pid && a->started == b->started &&
           a->store == b->store && a->subtree == b->subtree && a->ended == b->ended &&
           a->rules == b->rules && a->position == b->position && a->answered == b->answered &&
           a->answer == b->answer && a->rows == b->rows && a->forgotten == b->forgotten &&
           memcmp(a->rejected, b->rejected, sizeof a->rejected) == 0 &&
           a->restart_since == b->restart_since && a->restart_to == b->restart_to &&
           strcmp(a->program, b->program) == 0 && strcmp(a->path, b->path) == 0 &&
           strcmp(a->reason, b->reason) == 0 && strcmp(a->refusal, b->refusal) == 0 &&
           a->beside_size == b->beside_size &&
           memcmp(a->beside, b->beside, a->beside_size + 1) == 0;
}

static size_t end_of_beside(const struct watch_record *record)
{
    const char *at = record->beside;
    while (*at != '\0') {
        at += strlen(at) + 1;
    }
    return (size_t)(at - record->beside);
}

static void look_at(struct watch_record *record)
{
    const char *reason;
    struct watch_record again;
    struct buffer slot = BUFFER_INIT;

    FUZZ_CHECK(is_text(record->program, WATCH_MAX_PROGRAM) &&
               is_text(record->path, WATCH_MAX_PATH));
    FUZZ_CHECK(is_text(record->reason, WATCH_MAX_REASON) &&
               is_text(record->refusal, WATCH_MAX_REASON));
    FUZZ_CHECK(record->beside_size <= WATCH_MAX_BESIDE &&
               end_of_beside(record) == record->beside_size);
    enum rs_answer answer = watch_record_judge(record, record->answered, &reason);
    FUZZ_CHECK(answer <= RS_ANSWER_REJECTED && is_text(reason, WATCH_MAX_REASON));
    FUZZ_CHECK(watch_record_put(&slot, record) == RS_OK && slot.size <= WATCH_SLOT);
    FUZZ_CHECK(watch_record_get(slot.data, slot.size, &again) == RS_OK && same(record, &again));
    watch_record_answer(record, record->answered, RS_ANSWER_REJECTED, record->refusal);
    enum rs_answer now = watch_record_judge(record, record->answered, &reason);
    FUZZ_CHECK(now <= RS_ANSWER_REJECTED && is_text(reason, WATCH_MAX_REASON));
    buffer_free(&slot);
}

/* Fields of the input behind a head that is right. */
static void read_fields(const uint8_t *data, size_t size)
{
    struct watch_record record = {0};
    struct buffer slot = BUFFER_INIT;

    size = size <= WATCH_SLOT - HEAD ? size : WATCH_SLOT - HEAD;
    uint64_t sum = watch_record_sum(data, size);
    FUZZ_CHECK(record_put_u32(&slot, WATCH_RECORD_MAGIC) == RS_OK &&
               record_put_u32(&slot, (uint32_t)(HEAD + size)) == RS_OK &&
               record_put_u64(&slot, sum) == RS_OK && buffer_append(&slot, data, size) == RS_OK);
    if (watch_record_get(slot.data, slot.size, &record) == RS_OK) {
        look_at(&record);
    }
    buffer_free(&slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct watch_record record = {0};
    char *copy = malloc(size + 1);

    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    if (watch_record_get(copy, size, &record) == RS_OK) {
        look_at(&record);
    }
    free(copy);
    read_fields(data, size);
    return 0;
}
