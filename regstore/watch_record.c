#include <string.h>

#include "record.h"
#include "watch.h"

/* A slot: magic, bytes in all, checksum of what comes after it, and the fields. */
#define HEAD 16u /* bytes in front of what is summed */

/* FLAG_BESIDE: further keys stand at the end. */
enum { FLAG_SUBTREE = 1, FLAG_ENDED = 2, FLAG_RULES = 4, FLAG_BESIDE = 8, FLAGS_ALL = 15 };

/* FNV-1a: tells a torn write from a whole one, which is all that is asked. */
uint64_t watch_record_sum(const void *bytes, size_t size)
{
    const unsigned char *data = bytes;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ data[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* ---- Writing ---- */

/* The numbers of a record, in the order in which they are stored. */
#define NUMBERS (9 + 2 * WATCH_ROWS)

static void list_numbers(struct watch_record *record, uint64_t *numbers[NUMBERS])
{
    uint64_t *const single[] = {&record->counter,    &record->started,  &record->store,
                                &record->position,   &record->answered, &record->restart_since,
                                &record->restart_to, &record->rows,     &record->forgotten};
    const size_t count = sizeof single / sizeof *single;
    memcpy(numbers, single, sizeof single);
    for (size_t i = 0; i < WATCH_ROWS; i++) {
        numbers[count + 2 * i] = &record->rejected[i].from;
        numbers[count + 2 * i + 1] = &record->rejected[i].to;
    }
}

static int put_numbers(struct buffer *slot, struct watch_record *record)
{
    uint64_t *numbers[NUMBERS];
    unsigned flags = (record->subtree ? FLAG_SUBTREE : 0u) | (record->ended ? FLAG_ENDED : 0u) |
                     (record->rules ? FLAG_RULES : 0u) |
                     (record->beside_size > 0 ? FLAG_BESIDE : 0u);
    int status = record_put_u32(slot, record->pid);
    list_numbers(record, numbers);
    for (size_t i = 0; status == RS_OK && i < NUMBERS; i++) {
        status = record_put_u64(slot, *numbers[i]);
    }
    if (status == RS_OK) {
        status = record_put_u8(slot, (uint8_t)flags);
    }
    return status == RS_OK ? record_put_u8(slot, (uint8_t)record->answer) : status;
}

static int put_texts(struct buffer *slot, const struct watch_record *record)
{
    const char *const texts[] = {record->program, record->path, record->reason, record->refusal};
    int status = RS_OK;
    for (size_t i = 0; status == RS_OK && i < sizeof texts / sizeof *texts; i++) {
        status = record_put_bytes(slot, texts[i], strlen(texts[i]));
    }
    if (status == RS_OK && record->beside_size > 0) {
        status = record_put_bytes(slot, record->beside, record->beside_size);
    }
    return status;
}

int watch_record_put(struct buffer *slot, struct watch_record *record)
{
    struct buffer head = BUFFER_INIT;
    static const char room[HEAD] = {0};
    slot->size = 0;
    int status = buffer_append(slot, room, sizeof room);
    if (status == RS_OK) {
        status = put_numbers(slot, record);
    }
    if (status == RS_OK) {
        status = put_texts(slot, record);
    }
    if (status == RS_OK) {
        status = record_put_u32(&head, WATCH_RECORD_MAGIC);
    }
    if (status == RS_OK) {
        status = record_put_u32(&head, (uint32_t)slot->size);
    }
    if (status == RS_OK) {
        status = record_put_u64(&head, watch_record_sum(slot->data + HEAD, slot->size - HEAD));
    }
    if (status == RS_OK) {
        memcpy(slot->data, head.data, HEAD);
    }
    buffer_free(&head);
    return status;
}

/* ---- Reading ---- */

/* A text of the record, which holds no NUL; at most so many bytes. */
static void get_text(struct record *from, char *text, size_t most)
{
    size_t size;
    const char *found = record_bytes(from, &size);
    if (size > most || memchr(found, '\0', size) != NULL) {
        from->damaged = true;
        return;
    }
    memcpy(text, found, size);
    text[size] = '\0';
}

/* Paths, none of them empty, each with its NUL. */
static void get_beside(struct record *from, struct watch_record *record)
{
    size_t size;
    const char *found = record_bytes(from, &size);
    if (size == 0 || size > WATCH_MAX_BESIDE || found[0] == '\0' || found[size - 1] != '\0' ||
        memmem(found, size, "\0", 2) != NULL) {
        from->damaged = true;
        return;
    }
    memcpy(record->beside, found, size);
    record->beside[size] = '\0';
    record->beside_size = size;
}

static int get_fields(struct record *from, struct watch_record *record)
{
    uint64_t *numbers[NUMBERS];
    list_numbers(record, numbers);
    record->pid = record_u32(from);
    for (size_t i = 0; i < NUMBERS; i++) {
        *numbers[i] = record_u64(from);
    }
    unsigned flags = record_u8(from);
    unsigned answer = record_u8(from);
    record->subtree = (flags & FLAG_SUBTREE) != 0;
    record->ended = (flags & FLAG_ENDED) != 0;
    record->rules = (flags & FLAG_RULES) != 0;
    record->answer = (enum rs_answer)answer;
    get_text(from, record->program, WATCH_MAX_PROGRAM);
    get_text(from, record->path, WATCH_MAX_PATH);
    get_text(from, record->reason, WATCH_MAX_REASON);
    get_text(from, record->refusal, WATCH_MAX_REASON);
    record->beside[0] = '\0';
    record->beside_size = 0;
    if ((flags & FLAG_BESIDE) != 0) {
        get_beside(from, record);
    }
    if ((flags & ~(unsigned)FLAGS_ALL) != 0 || answer > RS_ANSWER_REJECTED) {
        return RS_EDAMAGED;
    }
    return record_end(from);
}

static int get_slot(struct slice slot, struct watch_record *record)
{
    struct record from;
    const char *fields = (const char *)slot.data + HEAD;
    record_begin(&from, slot.data, slot.size);
    uint32_t magic = record_u32(&from);
    uint32_t whole = record_u32(&from);
    uint64_t sum = record_u64(&from);
    if (from.damaged || magic != WATCH_RECORD_MAGIC || whole < HEAD || whole > slot.size ||
        watch_record_sum(fields, whole - HEAD) != sum) {
        return RS_EDAMAGED;
    }
    record_begin(&from, fields, whole - HEAD);
    return get_fields(&from, record);
}

/* The counter that a slot has, if it is whole; it comes after the process's number. */
static uint64_t counter_of(struct slice slot)
{
    struct record from;
    record_begin(&from, slot.data, slot.size);
    record_take(&from, HEAD + sizeof(uint32_t));
    return record_u64(&from);
}

static struct slice slot_at(const char *file, size_t size, size_t at)
{
    size_t left = size > at ? size - at : 0;
    return (struct slice){file + (size > at ? at : 0), left < WATCH_SLOT ? left : WATCH_SLOT};
}

/* Summing up takes longer than all else, so that the older slot is looked at only if it is needed.
 */
int watch_record_get(const void *file, size_t size, struct watch_record *record)
{
    struct slice newer = slot_at(file, size, 0);
    struct slice older = slot_at(file, size, WATCH_SLOT);
    if (counter_of(older) > counter_of(newer)) {
        struct slice first = newer;
        newer = older;
        older = first;
    }
    return get_slot(newer, record) == RS_OK ? RS_OK : get_slot(older, record);
}

/* ---- Further keys ---- */

int watch_record_add_beside(struct watch_record *record, struct slice path)
{
    for (const char *at = record->beside; *at != '\0'; at += strlen(at) + 1) {
        if (strlen(at) == path.size && memcmp(at, path.data, path.size) == 0) {
            return RS_OK;
        }
    }
    if (path.size >= WATCH_MAX_BESIDE - record->beside_size) {
        return RS_ETOOLONG;
    }
    memcpy(record->beside + record->beside_size, path.data, path.size);
    record->beside_size += path.size + 1;
    record->beside[record->beside_size - 1] = '\0';
    record->beside[record->beside_size] = '\0';
    return RS_OK;
}

/* ---- Answers ---- */

/* As much of a text as there is room for, not cutting a character of UTF-8. */
static void copy_reason(char *to, const char *reason)
{
    size_t len = strnlen(reason, WATCH_MAX_REASON + 1);
    if (len > WATCH_MAX_REASON) {
        for (len = WATCH_MAX_REASON; len > 0 && ((unsigned char)reason[len] & 0xc0) == 0x80;) {
            len--;
        }
    }
    memmove(to, reason, len);
    to[len] = '\0';
}

static void add_rejection(struct watch_record *record, uint64_t from, uint64_t to)
{
    struct watch_row *last = &record->rejected[(record->rows - 1) % WATCH_ROWS];
    if (record->answer == RS_ANSWER_REJECTED && record->rows > 0) {
        last->to = to;
        return;
    }
    struct watch_row *next = &record->rejected[record->rows % WATCH_ROWS];
    if (next->to > record->forgotten) {
        record->forgotten = next->to;
    }
    *next = (struct watch_row){from, to};
    record->rows++;
}

void watch_record_answer(struct watch_record *record, uint64_t revision, enum rs_answer answer,
                         const char *reason)
{
    uint64_t first = record->answered < revision ? record->answered + 1 : revision;
    if (answer == RS_ANSWER_REJECTED) {
        add_rejection(record, first, revision);
        copy_reason(record->refusal, reason);
    } else if (answer == RS_ANSWER_RESTART) {
        if (record->restart_since == 0) {
            record->restart_since = revision;
        }
        record->restart_to = revision;
    } else if (answer == RS_ANSWER_SETTLED) {
        record->restart_since = 0;
        record->restart_to = 0;
        answer = RS_ANSWER_APPLIED;
    }
    copy_reason(record->reason, reason);
    record->answer = answer;
    record->answered = revision;
    if (record->position < revision || record->position == WATCH_LOST) {
        record->position = revision;
    }
}

static bool was_rejected(const struct watch_record *record, uint64_t revision)
{
    for (size_t i = 0; i < WATCH_ROWS; i++) {
        const struct watch_row *row = &record->rejected[i];
        if (row->from <= revision && revision <= row->to) {
            return true;
        }
    }
    return false;
}

enum rs_answer watch_record_judge(const struct watch_record *record, uint64_t revision,
                                  const char **reason)
{
    *reason = "";
    if (record->answer == RS_ANSWER_NONE || record->answered < revision) {
        return RS_ANSWER_NONE;
    }
    if (was_rejected(record, revision)) {
        *reason = record->refusal;
        return RS_ANSWER_REJECTED;
    }
    if (revision <= record->forgotten) {
        return RS_ANSWER_NONE; /* it may have been rejected */
    }
    if (revision <= record->restart_to) {
        *reason = record->answer == RS_ANSWER_RESTART ? record->reason : "";
        return RS_ANSWER_RESTART;
    }
    *reason = record->answer == RS_ANSWER_APPLIED ? record->reason : "";
    return RS_ANSWER_APPLIED;
}
