/*
 * journal_change.c - one change as the journal's stream holds it.
 *
 * Gives the change as bytes and back, a look at its kind and path alone, for who searches many, and
 * the way to what was inside a deleted key. A part of journal.
 */
#include "journal_part.h"

enum { FLAG_INNER = 1, FLAG_BEFORE = 2, FLAG_AFTER = 4, FLAG_LOST = 8, FLAG_PASSING = 16 };

/* Of a change, before its path: kind, flags, six numbers of 64 bits, two of 32. */
#define BEFORE_PATH ((size_t)2 + 6 * sizeof(uint64_t) + 2 * sizeof(uint32_t))

static int put_side(struct buffer *buffer, const struct change_side *side)
{
    if (!side->present) {
        return RS_OK;
    }
    int status = record_put_bytes(buffer, side->name, side->name_len);
    if (status == RS_OK) {
        status = record_put_u32(buffer, side->position);
    }
    if (status == RS_OK) {
        status = record_put_u32(buffer, side->type);
    }
    return status == RS_OK ? record_put_bytes(buffer, side->data, side->size) : status;
}

int journal_put_change(struct buffer *buffer, const struct change *change)
{
    const uint64_t numbers[] = {
        change->key,           change->parent,        change->written_before,
        change->written_after, change->parent_before, change->parent_after};
    int flags = (change->inner ? FLAG_INNER : 0) | (change->before.present ? FLAG_BEFORE : 0) |
                (change->after.present ? FLAG_AFTER : 0) | (change->lost ? FLAG_LOST : 0) |
                (change->passing ? FLAG_PASSING : 0);
    int status = record_put_u8(buffer, (uint8_t)change->kind);
    if (status == RS_OK) {
        status = record_put_u8(buffer, (uint8_t)flags);
    }
    for (size_t i = 0; status == RS_OK && i < sizeof numbers / sizeof *numbers; i++) {
        status = record_put_u64(buffer, numbers[i]);
    }
    if (status == RS_OK) {
        status = record_put_u32(buffer, change->next_before);
    }
    if (status == RS_OK) {
        status = record_put_u32(buffer, change->next_after);
    }
    if (status == RS_OK) {
        status = record_put_bytes(buffer, change->path, change->path_len);
    }
    if (status == RS_OK) {
        status = put_side(buffer, &change->before);
    }
    return status == RS_OK ? put_side(buffer, &change->after) : status;
}

static void get_side(struct record *record, struct change_side *side)
{
    side->present = true;
    side->name = record_bytes(record, &side->name_len);
    side->position = record_u32(record);
    side->type = record_u32(record);
    side->data = record_bytes(record, &side->size);
}

int journal_get_change(struct slice stored, struct change *change)
{
    struct record record;
    record_begin(&record, stored.data, stored.size);
    *change = (struct change){.kind = (enum rs_change_kind)record_u8(&record)};
    unsigned flags = record_u8(&record);
    change->inner = (flags & FLAG_INNER) != 0;
    change->lost = (flags & FLAG_LOST) != 0;
    change->passing = (flags & FLAG_PASSING) != 0;
    change->key = record_u64(&record);
    change->parent = record_u64(&record);
    change->written_before = record_u64(&record);
    change->written_after = record_u64(&record);
    change->parent_before = record_u64(&record);
    change->parent_after = record_u64(&record);
    change->next_before = record_u32(&record);
    change->next_after = record_u32(&record);
    change->path = record_bytes(&record, &change->path_len);
    if (flags & FLAG_BEFORE) {
        get_side(&record, &change->before);
    }
    if (flags & FLAG_AFTER) {
        get_side(&record, &change->after);
    }
    if (change->kind < RS_KEY_CREATED || change->kind > RS_VALUE_DELETED) {
        return RS_EDAMAGED;
    }
    return record_end(&record);
}

int journal_glance(struct slice *stream, struct journal_glance *glance)
{
    struct record record;
    if (stream->size == 0) {
        return RS_END;
    }
    record_begin(&record, stream->data, stream->size);
    size_t size = record_u32(&record);
    glance->stored = (struct slice){record.at, size};
    const unsigned char *stored = record_take(&record, size);
    if (stored == NULL || size < BEFORE_PATH) {
        return RS_EDAMAGED;
    }
    *stream = (struct slice){record.at, (size_t)(record.end - record.at)};
    glance->kind = (enum rs_change_kind)stored[0];
    glance->inner = (stored[1] & FLAG_INNER) != 0;
    record_begin(&record, stored + BEFORE_PATH, size - BEFORE_PATH);
    glance->path = record_bytes(&record, &glance->path_len);
    return record.damaged ? RS_EDAMAGED : RS_OK;
}

/* The deletion went depth first: an inner change is in the innermost key, or in one of those on the
 * way. */
int journal_find_level(struct buffer *levels, const struct change *change)
{
    const struct journal_level *level = (const struct journal_level *)(const void *)levels->data;
    size_t count = change->inner ? levels->size / sizeof *level : 0;
    rs_key above = change->kind == RS_KEY_DELETED ? change->parent : change->key;
    while (count > 0 && level[count - 1].key != above) {
        count--;
    }
    levels->size = count * sizeof *level;
    return count > 0 || !change->inner ? RS_OK : RS_EDAMAGED;
}

int journal_add_level(struct buffer *levels, const struct change *change, size_t path_len)
{
    struct journal_level level = {change->key, path_len};
    return change->kind == RS_KEY_DELETED ? buffer_append(levels, &level, sizeof level) : RS_OK;
}
