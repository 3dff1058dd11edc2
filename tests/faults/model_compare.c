/*
 * model_compare.c - the store, or what it was, against the model. A part of model_state.
 */
#include <stdio.h>
#include <string.h>

#include "model_state.h"

#define ROOT "HKEY_LOCAL_MACHINE"

/* The store tells once what time a transaction had; then it has to keep to that. */
static void compare_time(struct model *model, model_time known, uint64_t time)
{
    if (model->times[known] == 0) {
        model->times[known] = time;
    }
    RIG_MUST(model->times[known] == time);
}

/* ---- Values ---- */

void model_fill(unsigned char *data, const struct model_value *value)
{
    for (size_t i = 0; i < value->size; i++) {
        size_t byte = value->type == REG_DWORD ? value->fill >> (8 * i) : value->fill + i * 7;
        data[i] = (unsigned char)byte;
    }
}

static bool same_bytes(const struct model_value *known, const unsigned char *data)
{
    unsigned char small[64];
    bool equal = true;
    if (known->size <= sizeof small) {
        model_fill(small, known);
        return memcmp(small, data, known->size) == 0;
    }
    for (size_t i = 0; i < known->size; i++) {
        equal = equal && data[i] == (unsigned char)(known->fill + i * 7);
    }
    return equal;
}

static void compare_value(const struct model_value *known, const rs_value *value)
{
    RIG_MUST(strcmp(value->name, model_text(&known->name)) == 0);
    RIG_MUST(value->type == known->type && value->size == known->size);
    RIG_MUST(same_bytes(known, value->data));
}

static void compare_values(const struct model_key *known, rs_txn *txn)
{
    rs_cursor *cursor;
    rs_value value;
    RIG_OK(rs_values(txn, known->id, &cursor));
    for (unsigned i = 0; i < known->value_count; i++) {
        RIG_OK(rs_next_value(cursor, &value));
        compare_value(&known->values[i], &value);
    }
    RIG_GIVES(RS_END, rs_next_value(cursor, &value));
    rs_cursor_close(cursor);
    for (unsigned i = 0; i < known->value_count; i++) {
        RIG_OK(rs_value_get(txn, known->id, model_text(&known->values[i].name), &value));
        compare_value(&known->values[i], &value);
    }
}

/* ---- Links ---- */

void model_target_text(const struct model_target *target, char text[MODEL_TARGET_SIZE])
{
    size_t at = (size_t)snprintf(text, MODEL_TARGET_SIZE, ROOT);
    for (unsigned i = 0; i < target->depth; i++) {
        at += (size_t)snprintf(text + at, MODEL_TARGET_SIZE - at, "\\%s",
                               model_text(&target->names[i]));
    }
}

static void compare_link(const struct model_key *known, rs_txn *txn)
{
    static char wanted[MODEL_TARGET_SIZE];
    const char *target;
    model_target_text(&known->target, wanted);
    RIG_OK(rs_link_target(txn, known->id, &target, NULL));
    RIG_MUST(strcmp(target, wanted) == 0);
}

/* ---- Keys ---- */

void model_compare_key(struct model *model, struct model_state *state, const struct model_key *key,
                       rs_txn *txn)
{
    rs_key_info info;
    RIG_OK(rs_key_info_get(txn, key->id, &info));
    RIG_MUST(info.parent == key->parent);
    RIG_MUST(key->parent == RS_NO_KEY || strcmp(info.name, model_text(&key->name)) == 0);
    RIG_MUST(info.class_len == key->class_len);
    RIG_MUST(strspn(info.class_name, "c") == key->class_len);
    RIG_MUST(info.subkeys == model_children(state, key->id));
    RIG_MUST(((info.flags & RS_KEY_LINK) != 0) == key->link);
    RIG_MUST(info.values == (key->link ? 1 : key->value_count));
    compare_time(model, key->written, info.written);
    if (key->link) {
        compare_link(key, txn);
    } else {
        compare_values(key, txn);
    }
}

static void compare_subkeys(struct model_state *state, rs_key parent, rs_txn *txn)
{
    rs_cursor *cursor;
    rs_key_info info;
    char last[MODEL_KEY_NAME_SIZE] = "";
    unsigned count = 0;
    RIG_OK(rs_subkeys(txn, parent, &cursor));
    while (rs_next_key(cursor, &info) == RS_OK) {
        RIG_MUST(count == 0 || rs_name_compare(last, RS_NTS, info.name, RS_NTS) < 0);
        snprintf(last, sizeof last, "%s", info.name);
        count++;
    }
    rs_cursor_close(cursor);
    RIG_MUST(count == model_children(state, parent));
}

void model_compare(struct model *model, struct model_state *state, rs_txn *txn)
{
    rs_stat stat;
    uint64_t keys = 0;
    uint64_t values = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        const struct model_key *key = &state->keys[i];
        if (key->id != RS_NO_KEY) {
            model_compare_key(model, state, key, txn);
            compare_subkeys(state, key->id, txn);
            keys += key->parent != RS_NO_KEY;
            values += key->link ? 1 : key->value_count;
        }
    }
    RIG_OK(rs_stat_get(txn, &stat));
    RIG_MUST(stat.keys == keys && stat.values == values);
}

/* ---- A revision's record ---- */

struct comparison {
    struct model *model;
    const struct model_record *record;
    unsigned at; /* changes */
    unsigned inner;
};

static void compare_sides(const struct model_change *known, const rs_change *change)
{
    RIG_MUST((change->old_value != NULL) == known->had);
    RIG_MUST((change->new_value != NULL) == known->has);
    if (known->kind != RS_KEY_RELINKED && known->had) {
        compare_value(&known->value_before, change->old_value);
    }
    if (known->kind != RS_KEY_RELINKED && known->has) {
        compare_value(&known->value_after, change->new_value);
    }
    if (known->kind == RS_KEY_RENAMED) {
        RIG_MUST(strcmp(change->old_name, model_text(&known->name_before)) == 0);
        RIG_MUST(strcmp(change->name, model_text(&known->name_after)) == 0);
    }
}

static int compare_change(void *context, const rs_change *change)
{
    struct comparison *comparison = context;
    const struct model_record *record = comparison->record;
    if (change->inner) {
        comparison->inner++;
        return 0;
    }
    RIG_MUST(comparison->at < record->change_count);
    const struct model_change *known = &record->changes[comparison->at++];
    RIG_MUST(change->kind == known->kind && change->key == known->key && !change->lost);
    RIG_MUST((change->old_written == 0) == (known->written_before == 0));
    RIG_MUST((change->new_written == 0) == (known->written_after == 0));
    if (known->written_before != 0) {
        compare_time(comparison->model, known->written_before, change->old_written);
    }
    if (known->written_after != 0) {
        compare_time(comparison->model, known->written_after, change->new_written);
    }
    compare_sides(known, change);
    return 0;
}

static int compare_head(void *context, const rs_revision_info *revision)
{
    struct comparison *comparison = context;
    const struct model_record *record = comparison->record;
    RIG_MUST(revision->revision == comparison->model->latest);
    RIG_MUST(revision->flags == record->flags);
    RIG_MUST(revision->from == record->from && revision->to == record->to);
    return 0;
}

void model_compare_record(struct model *model, rs_txn *txn)
{
    const struct model_record *record = model_record(model, model->latest);
    struct comparison comparison = {.model = model, .record = record};
    unsigned inner = 0;
    for (unsigned i = 0; i < record->change_count; i++) {
        const struct model_change *change = &record->changes[i];
        for (unsigned j = 0; j < change->copies; j++) {
            const struct model_key *copy = &record->copies[change->first_copy + j];
            inner += (j > 0) + (copy->link ? 1 : copy->value_count);
        }
    }
    RIG_OK(rs_history(txn, model->latest, model->latest, compare_head, &comparison));
    RIG_OK(rs_history_changes(txn, model->latest, compare_change, &comparison));
    RIG_MUST(comparison.at == record->change_count && comparison.inner == inner);
}

/* ---- The model with itself ---- */

static bool equal_keys(const struct model_key *a, const struct model_key *b)
{
    bool equal = a->parent == b->parent && model_spelled_alike(&a->name, &b->name) &&
                 a->written == b->written && a->class_len == b->class_len && a->link == b->link &&
                 a->next_place >= b->next_place && a->value_count == b->value_count &&
                 model_same_target(&a->target, &b->target);
    for (unsigned i = 0; equal && i < a->value_count; i++) {
        equal = model_spelled_alike(&a->values[i].name, &b->values[i].name) &&
                a->values[i].place == b->values[i].place &&
                model_same_data(&a->values[i], &b->values[i]);
    }
    return equal;
}

bool model_equal(struct model_state *a, struct model_state *b)
{
    bool equal = true;
    for (unsigned i = 0; equal && i < MODEL_KEYS; i++) {
        const struct model_key *key = &a->keys[i];
        const struct model_key *other = model_find(b, key->id);
        equal = key->id == RS_NO_KEY || (other != NULL && equal_keys(key, other));
        equal = equal && (b->keys[i].id == RS_NO_KEY || model_find(a, b->keys[i].id) != NULL);
    }
    return equal;
}
