/*
 * journal_read.c - revisions read back: one with its changes, or the heads of many.
 *
 * A part of journal.
 */
#include <string.h>

#include "journal_part.h"

/* ---- One revision ---- */

/* The head of a revision from its chunk 0; its texts point into it. */
static int decode_head(uint64_t revision, struct slice found, struct journal_head *head,
                       uint32_t *chunks, struct slice *tail)
{
    struct record record;
    size_t len;
    record_begin(&record, found.data, found.size);
    head->revision = revision;
    head->time = record_u64(&record);
    head->uid = record_u32(&record);
    head->pid = record_u32(&record);
    head->flags = record_u32(&record);
    head->from = record_u64(&record);
    head->to = record_u64(&record);
    *chunks = record_u32(&record);
    head->program = record_bytes(&record, &len);
    head->message = record_bytes(&record, &len);
    tail->data = record_bytes(&record, &tail->size);
    return record_end(&record);
}

int journal_time(struct env_txn *txn, uint64_t revision, uint64_t *time)
{
    struct journal_key key;
    struct slice found;
    struct record record;
    int status = env_get(txn, TABLE_JOURNAL, journal_key(&key, revision, 0), &found);
    if (status == RS_OK) {
        record_begin(&record, found.data, found.size);
        *time = record_u64(&record);
        status = record.damaged ? RS_EDAMAGED : RS_OK;
    }
    return status;
}

int journal_open(struct journal_reader *reader, struct env_txn *txn, uint64_t revision,
                 struct journal_head *head)
{
    struct journal_key key;
    struct slice found;
    int status = env_get(txn, TABLE_JOURNAL, journal_key(&key, revision, 0), &found);
    if (status != RS_OK) {
        return status;
    }
    reader->txn = txn;
    reader->revision = revision;
    reader->chunk = 1;
    reader->ended = false;
    reader->buffer.size = 0;
    reader->offset = 0;
    reader->at = 0;
    return decode_head(revision, found, head, &reader->chunks, &reader->tail);
}

/* What is read in a write transaction moves when something is written: then the tail is looked up
 * again. */
static int read_tail(struct journal_reader *reader, struct slice *tail)
{
    struct journal_key key;
    struct journal_head head;
    struct slice found;
    *tail = reader->tail;
    if (!reader->txn->write || reader->unwritten) {
        return RS_OK;
    }
    int status =
        env_get(reader->txn, TABLE_JOURNAL, journal_key(&key, reader->revision, 0), &found);
    return status == RS_OK ? decode_head(reader->revision, found, &head, &reader->chunks, tail)
                           : status;
}

/* More of the stream into the buffer. RS_END if there is none. */
static int read_more(struct journal_reader *reader)
{
    struct journal_key key;
    struct slice piece;
    if (reader->ended) {
        return RS_END;
    }
    if (reader->chunk <= reader->chunks) {
        int status = env_get(reader->txn, TABLE_JOURNAL,
                             journal_key(&key, reader->revision, reader->chunk), &piece);
        if (status != RS_OK) {
            return status == RS_ENOTFOUND ? RS_EDAMAGED : status;
        }
        reader->chunk++;
    } else {
        int status = read_tail(reader, &piece);
        if (status != RS_OK) {
            return status;
        }
        reader->ended = true;
    }
    if (reader->at > 0) {
        memmove(reader->buffer.data, reader->buffer.data + reader->at,
                reader->buffer.size - reader->at);
        reader->buffer.size -= reader->at;
        reader->offset += reader->at;
        reader->at = 0;
    }
    return buffer_append(&reader->buffer, piece.data, piece.size);
}

/* At least size bytes of the stream at reader->at. RS_END only if nothing at all is left. */
static int want(struct journal_reader *reader, size_t size)
{
    while (reader->buffer.size - reader->at < size) {
        int status = read_more(reader);
        if (status == RS_END) {
            return reader->buffer.size == reader->at ? RS_END : RS_EDAMAGED;
        }
        if (status != RS_OK) {
            return status;
        }
    }
    return RS_OK;
}

int journal_next(struct journal_reader *reader, struct change *change)
{
    struct record length;
    int status = want(reader, sizeof(uint32_t));
    if (status != RS_OK) {
        return status;
    }
    record_begin(&length, reader->buffer.data + reader->at, sizeof(uint32_t));
    size_t size = record_u32(&length);
    reader->at += sizeof(uint32_t);
    status = want(reader, size);
    if (status != RS_OK) {
        return status == RS_END ? RS_EDAMAGED : status;
    }
    struct slice stored = {reader->buffer.data + reader->at, size};
    reader->at += size;
    return journal_get_change(stored, change);
}

uint64_t journal_at(const struct journal_reader *reader)
{
    return reader->offset + reader->at;
}

/* Each numbered chunk is full, but for the last one where nothing comes after it. */
int journal_seek(struct journal_reader *reader, uint64_t at)
{
    if (at < reader->offset || at - reader->offset >= reader->buffer.size) {
        uint64_t chunk = at / JOURNAL_CHUNK;
        chunk = chunk < reader->chunks ? chunk : reader->chunks;
        reader->chunk = (uint32_t)chunk + 1;
        reader->ended = false;
        reader->buffer.size = 0;
        reader->at = 0;
        reader->offset = chunk * JOURNAL_CHUNK;
        int status = read_more(reader);
        if (status != RS_OK) {
            return status;
        }
    }
    reader->at = (size_t)(at - reader->offset);
    return reader->at <= reader->buffer.size ? RS_OK : RS_EDAMAGED;
}

/* What only deletes is in memory as a whole, and is not copied. */
int journal_review(const struct journal *journal, struct journal_reader *reader,
                   struct change *change)
{
    if (!journal->adds) {
        return journal_told(journal, &reader->at, change);
    }
    if (reader->txn == NULL) {
        *reader = (struct journal_reader){
            .txn = journal->txn,
            .revision = journal->revision,
            .chunk = 1,
            .chunks = journal->chunk,
            .unwritten = true,
            .tail = {journal->pending.data + journal->written,
                     journal->pending.size - journal->written},
        };
    }
    return journal_next(reader, change);
}

void journal_close(struct journal_reader *reader)
{
    buffer_free(&reader->buffer);
    *reader = (struct journal_reader){0};
}

/* ---- Many revisions, newest first ---- */

int journal_scan_begin(struct journal_scan *scan, struct env_txn *txn, uint64_t newest)
{
    *scan = (struct journal_scan){.txn = txn, .newest = newest, .away = true};
    return env_cursor_open(txn, TABLE_JOURNAL, &scan->cursor);
}

void journal_scan_skip(struct journal_scan *scan, uint64_t next)
{
    if (scan->revision == 0 || next < scan->revision - 1) {
        scan->newest = next;
        scan->away = true;
    }
}

/* The last record of the newest revision that is wanted, or of one before it. */
static int scan_last(struct journal_scan *scan, struct slice *key, struct slice *value)
{
    struct journal_key end;
    int status = RS_END;
    if (scan->newest < UINT64_MAX) {
        status = env_cursor_seek(&scan->cursor, journal_key(&end, scan->newest + 1, 0), key, value);
    }
    if (status == RS_OK) {
        return env_cursor_prev(&scan->cursor, key, value);
    }
    return status == RS_END ? env_cursor_last(&scan->cursor, key, value) : status;
}

/* The cursor stands on the last record of a revision; its chunk 0 is wanted, whose absence means
 * that it is being trimmed away, and is the end. So are the digests. */
static int scan_to_head(struct journal_scan *scan, struct slice *key, struct slice *value)
{
    struct journal_key head;
    if (key->size != sizeof head.bytes) {
        return RS_EDAMAGED;
    }
    uint64_t revision = env_get_be64(key->data);
    if (revision == 0) {
        return RS_END;
    }
    if (scan->revision != 0 && revision >= scan->revision) {
        return RS_EDAMAGED; /* what does not descend has no end */
    }
    scan->revision = revision;
    struct slice wanted = journal_key(&head, scan->revision, 0);
    if (memcmp(key->data, wanted.data, wanted.size) == 0) {
        return RS_OK;
    }
    int status = env_cursor_seek(&scan->cursor, wanted, key, value);
    bool found = status == RS_OK && key->size == wanted.size &&
                 memcmp(key->data, wanted.data, wanted.size) == 0;
    return status == RS_OK && !found ? RS_END : status;
}

int journal_scan_next(struct journal_scan *scan, struct journal_head *head)
{
    struct slice key;
    struct slice value;
    uint32_t chunks;
    int status =
        scan->away ? scan_last(scan, &key, &value) : env_cursor_prev(&scan->cursor, &key, &value);
    scan->away = false;
    if (status == RS_OK) {
        status = scan_to_head(scan, &key, &value);
    }
    if (status == RS_OK) {
        status = decode_head(scan->revision, value, head, &chunks, &scan->tail);
        scan->longer = chunks > 0;
    }
    return status;
}

void journal_scan_end(struct journal_scan *scan)
{
    env_cursor_close(&scan->cursor);
}
