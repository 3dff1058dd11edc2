#include <string.h>

#include "journal_digest.h"
#include "journal_part.h"

/* ---- Writing ---- */

static int write_chunk(struct journal *journal, const char *data, size_t size)
{
    struct journal_key key;
    struct slice chunk = journal_key(&key, journal->revision, journal->chunk + 1);
    int status = env_put(journal->txn, TABLE_JOURNAL, chunk, (struct slice){data, size});
    if (status == RS_OK) {
        journal->chunk++;
        journal->bytes += chunk.size + size;
    }
    return status;
}

static int write_full_chunks(struct journal *journal)
{
    int status = RS_OK;
    const struct buffer *pending = &journal->pending;
    while (status == RS_OK && pending->size - journal->written >= JOURNAL_CHUNK) {
        status = write_chunk(journal, pending->data + journal->written, JOURNAL_CHUNK);
        journal->written += status == RS_OK ? JOURNAL_CHUNK : 0;
    }
    return status;
}

static void drop_written(struct journal *journal)
{
    struct buffer *pending = &journal->pending;
    if (journal->written > 0) {
        pending->size -= journal->written;
        memmove(pending->data, pending->data + journal->written, pending->size);
        journal->written = 0;
    }
}

static bool only_deletes(const struct change *change)
{
    switch (change->kind) {
    case RS_KEY_DELETED:
    case RS_VALUE_DELETED:
        return true;
    case RS_KEY_RELINKED:
        return !change->after.present;
    default:
        return false;
    }
}

static int append_change(struct buffer *pending, const struct change *change)
{
    size_t start = pending->size;
    int status = record_put_u32(pending, 0); /* the length, known below */
    if (status == RS_OK) {
        status = journal_put_change(pending, change);
    }
    if (status == RS_OK) {
        struct buffer length = {pending->data + start, 0, sizeof(uint32_t)};
        record_put_u32(&length, (uint32_t)(pending->size - start - sizeof(uint32_t)));
    }
    return status;
}

static int append_briefly(struct buffer *pending, const struct change *change)
{
    struct change brief = *change;
    if (change->inner) {
        return RS_OK;
    }
    brief.lost = true;
    brief.before.size = 0;
    return append_change(pending, &brief);
}

static int add_change(struct change_sink *sink, const struct change *change)
{
    struct journal *journal = (struct journal *)sink;
    int status = journal->brief ? append_briefly(&journal->pending, change)
                                : append_change(&journal->pending, change);
    if (status != RS_OK) {
        return status;
    }
    journal->changes++;
    journal->adds = journal->adds || !only_deletes(change);
    if (journal->adds) {
        status = write_full_chunks(journal);
        drop_written(journal);
    }
    return status;
}

int journal_told(const struct journal *journal, size_t *at, struct change *change)
{
    struct record length;
    const struct buffer *pending = &journal->pending;
    if (*at == pending->size) {
        return RS_END;
    }
    record_begin(&length, pending->data + *at, sizeof(uint32_t));
    size_t size = record_u32(&length);
    struct slice told = {pending->data + *at + sizeof(uint32_t), size};
    *at += sizeof(uint32_t) + size;
    return journal_get_change(told, change);
}

void journal_begin(struct journal *journal, struct env_txn *txn, uint64_t revision)
{
    *journal = (struct journal){.sink = {add_change}, .txn = txn, .revision = revision};
}

static int put_head(struct buffer *buffer, const struct journal *journal,
                    const struct journal_head *head)
{
    int status = record_put_u64(buffer, head->time);
    if (status == RS_OK) {
        status = record_put_u32(buffer, head->uid);
    }
    if (status == RS_OK) {
        status = record_put_u32(buffer, head->pid);
    }
    if (status == RS_OK) {
        status = record_put_u32(buffer, head->flags);
    }
    if (status == RS_OK) {
        status = record_put_u64(buffer, head->from);
    }
    if (status == RS_OK) {
        status = record_put_u64(buffer, head->to);
    }
    if (status == RS_OK) {
        status = record_put_u32(buffer, journal->chunk);
    }
    if (status == RS_OK) {
        status = record_put_bytes(buffer, head->program, strlen(head->program));
    }
    if (status == RS_OK) {
        status = record_put_bytes(buffer, head->message, strlen(head->message));
    }
    size_t rest = journal->pending.size - journal->written;
    const char *data = rest > 0 ? journal->pending.data + journal->written : ""; /* not of NULL */
    return status == RS_OK ? record_put_bytes(buffer, data, rest) : status;
}

int journal_finish(struct journal *journal, const struct journal_head *head)
{
    struct journal_key key;
    struct buffer record = BUFFER_INIT;
    int status = write_full_chunks(journal);
    size_t rest = journal->pending.size - journal->written;
    /* The head has to fit beside what is left. */
    if (status == RS_OK && rest + 3 * JOURNAL_MAX_NOTE > JOURNAL_CHUNK) {
        status = write_chunk(journal, journal->pending.data + journal->written, rest);
        journal->written = journal->pending.size;
    }
    if (status == RS_OK) {
        status = put_head(&record, journal, head);
    }
    if (status == RS_OK) {
        status = env_put(journal->txn, TABLE_JOURNAL, journal_key(&key, journal->revision, 0),
                         (struct slice){record.data, record.size});
        journal->bytes += sizeof key.bytes + record.size;
    }
    if (status == RS_OK && !journal->brief) { /* there is no room for more than needed */
        status = journal_digest_write(journal->txn, journal->revision, &journal->bytes);
    }
    buffer_free(&record);
    return status;
}

void journal_free(struct journal *journal)
{
    buffer_free(&journal->pending);
}

/* ---- Retention ---- */

/* The first record of a revision: there are only digests before it. RS_END if there is none. */
static int first_record(struct env_cursor *cursor, struct slice *key, struct slice *value)
{
    struct journal_key first;
    return env_cursor_seek(cursor, journal_key(&first, 1, 0), key, value);
}

/* Its revision. */
static int first_key(struct env_txn *txn, uint64_t *revision, bool *head)
{
    struct env_cursor cursor = {NULL};
    struct slice key;
    struct slice value;
    int status = env_cursor_open(txn, TABLE_JOURNAL, &cursor);
    if (status == RS_OK) {
        status = first_record(&cursor, &key, &value);
    }
    if (status == RS_OK && key.size != sizeof(struct journal_key)) {
        status = RS_EDAMAGED;
    }
    if (status == RS_OK) {
        struct journal_key expected;
        *revision = env_get_be64(key.data);
        struct slice first = journal_key(&expected, *revision, 0);
        *head = memcmp(key.data, first.data, first.size) == 0;
    }
    env_cursor_close(&cursor);
    return status;
}

int journal_first(struct env_txn *txn, uint64_t *revision)
{
    uint64_t first;
    bool head;
    int status = first_key(txn, &first, &head);
    if (status == RS_END) {
        *revision = 0;
        return RS_OK;
    }
    if (status == RS_OK) {
        *revision = head ? first : first + 1; /* one that is being trimmed is gone */
    }
    return status;
}

/* In one call. The pages of so many are listed on one page of LMDB's table of free ones, so that
 * trimming needs no pages side by side, which a full disk may not have. */
#define TRIM_CHUNKS 100u

/* Removes a revision from its head on: one that is cut off half way is not found any more, and one
 * of the next calls goes on with it. */
static int remove_revision(struct env_txn *txn, uint64_t revision, unsigned *budget,
                           uint64_t *removed)
{
    struct journal_key key;
    struct slice end = journal_key(&key, revision + 1, 0);
    struct env_cursor cursor = {NULL};
    struct slice at;
    struct slice value;
    int status = env_cursor_open(txn, TABLE_JOURNAL, &cursor);
    while (status == RS_OK && *budget > 0) {
        status = first_record(&cursor, &at, &value);
        if (status != RS_OK || at.size != end.size || memcmp(at.data, end.data, end.size) >= 0) {
            break;
        }
        uint64_t size = at.size + value.size;
        status = env_cursor_delete(&cursor);
        *removed += status == RS_OK ? size : 0;
        --*budget;
    }
    env_cursor_close(&cursor);
    return status == RS_END ? RS_OK : status;
}

/* Is the oldest revision beyond the limits? The latest one is so by number alone. */
static int is_beyond(struct env_txn *txn, uint64_t first, uint64_t latest,
                     const struct journal_limits *limits, uint64_t bytes, bool *beyond)
{
    uint64_t time;
    int status = RS_OK;
    *beyond = latest - first >= limits->revisions;
    if (first < latest && limits->bytes != 0 && bytes > limits->bytes) {
        *beyond = true;
    }
    if (limits->needed != 0 && first >= limits->needed) {
        *beyond = false;
    } else if (!*beyond && first < latest && limits->oldest != 0) {
        status = journal_time(txn, first, &time);
        *beyond = status == RS_OK && time < limits->oldest;
    }
    return status;
}

/* Of a journal that never was beyond its limits that is known without a look at the table, as no
 * revision is before the first. Now and then it is looked at all the same, for what is left of a
 * revision whose removal has begun. */
static bool is_within(uint64_t latest, const struct journal_limits *limits, uint64_t bytes)
{
    return latest % JOURNAL_LOOK != 0 && latest <= limits->revisions && limits->oldest == 0 &&
           (limits->bytes == 0 || bytes <= limits->bytes);
}

int journal_trim(struct env_txn *txn, uint64_t latest, const struct journal_limits *limits,
                 uint64_t *bytes)
{
    unsigned budget = TRIM_CHUNKS + limits->chunks;
    uint64_t left = bytes != NULL ? *bytes : 0;
    int status = RS_OK;
    if (is_within(latest, limits, left)) {
        return RS_OK;
    }
    for (unsigned i = 0; status == RS_OK && i < limits->steps && budget > 0; i++) {
        uint64_t first;
        uint64_t removed = 0;
        bool head;
        bool beyond = true;
        status = first_key(txn, &first, &head);
        if (status == RS_OK && head) {
            status = is_beyond(txn, first, latest, limits, left, &beyond);
        }
        if (status != RS_OK || !beyond) {
            break;
        }
        status = remove_revision(txn, first, &budget, &removed);
        if (status == RS_OK) {
            status = journal_digest_trim(txn, first, &removed);
        }
        left -= removed < left ? removed : left;
    }
    if (bytes != NULL) {
        *bytes = left;
    }
    return status == RS_END ? RS_OK : status;
}

/* What is left of a revision whose removal has begun has no head. */
static bool has_head(struct env_txn *txn, uint64_t revision)
{
    struct journal_key key;
    struct slice head;
    return env_get(txn, TABLE_JOURNAL, journal_key(&key, revision, 0), &head) == RS_OK;
}

int journal_cut(struct env_txn *txn, uint64_t last, uint64_t *bytes)
{
    uint64_t removed = 0;
    struct env_cursor cursor = {NULL};
    struct slice key, value;
    int status = env_cursor_open(txn, TABLE_JOURNAL, &cursor);
    while (status == RS_OK) {
        status = env_cursor_last(&cursor, &key, &value);
        if (status == RS_OK && key.size == sizeof(struct journal_key) &&
            env_get_be64(key.data) <= last && has_head(txn, env_get_be64(key.data))) {
            break;
        }
        if (status == RS_OK) {
            removed += key.size + value.size;
            status = env_cursor_delete(&cursor);
        }
    }
    env_cursor_close(&cursor);
    if (status == RS_OK || status == RS_END) {
        status = journal_digest_cut(txn, last, &removed);
    }
    *bytes -= removed;
    return status;
}

int journal_clear(struct env_txn *txn)
{
    struct env_cursor cursor = {NULL};
    struct slice key, value;
    int status = env_cursor_open(txn, TABLE_JOURNAL, &cursor);
    while (status == RS_OK) {
        status = env_cursor_first(&cursor, &key, &value);
        if (status == RS_OK) {
            status = env_cursor_delete(&cursor);
        }
    }
    env_cursor_close(&cursor);
    return status == RS_END ? RS_OK : status;
}
