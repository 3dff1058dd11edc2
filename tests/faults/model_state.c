#include "model_state.h"

#include <string.h>

/* ---- Finding ---- */

struct model_record *model_record(struct model *model, uint64_t revision)
{
    return &model->records[revision % MODEL_KEPT];
}

struct model_key *model_find(struct model_state *state, rs_key id)
{
    for (unsigned i = 0; id != RS_NO_KEY && i < MODEL_KEYS; i++) {
        if (state->keys[i].id == id) {
            return &state->keys[i];
        }
    }
    return NULL;
}

struct model_key *model_child(struct model_state *state, rs_key parent,
                              const struct model_name *name)
{
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        struct model_key *key = &state->keys[i];
        if (key->id != RS_NO_KEY && key->parent == parent && model_folds_alike(&key->name, name)) {
            return key;
        }
    }
    return NULL;
}

unsigned model_children(const struct model_state *state, rs_key parent)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        count += state->keys[i].id != RS_NO_KEY && state->keys[i].parent == parent;
    }
    return count;
}

struct model_value *model_value_of(struct model_key *key, const struct model_name *name)
{
    for (unsigned i = 0; i < key->value_count; i++) {
        if (model_folds_alike(&key->values[i].name, name)) {
            return &key->values[i];
        }
    }
    return NULL;
}

bool model_same_data(const struct model_value *a, const struct model_value *b)
{
    return a->type == b->type && a->size == b->size && (a->size == 0 || a->fill == b->fill);
}

bool model_same_target(const struct model_target *a, const struct model_target *b)
{
    bool same = a->depth == b->depth;
    for (unsigned i = 0; same && i < a->depth; i++) {
        same = model_spelled_alike(&a->names[i], &b->names[i]);
    }
    return same;
}

struct model_key *model_free_key(struct model *model)
{
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        if (model->now.keys[i].id == RS_NO_KEY) {
            return &model->now.keys[i];
        }
    }
    model->overflow = true;
    return NULL;
}

/* ---- Telling ---- */

/* What happens inside a key that the transaction made is not recorded, as the key stands for it. */
static bool is_told(const struct model *model, const struct model_change *change)
{
    bool of_parent = change->kind == RS_KEY_CREATED || change->kind == RS_KEY_DELETED ||
                     change->kind == RS_KEY_RENAMED;
    return (of_parent ? change->parent : change->key) < model->first_new;
}

struct model_change *model_tell(struct model *model, enum rs_change_kind kind,
                                const struct model_key *key)
{
    static struct model_change nowhere;
    struct model_record *record = model_record(model, model->latest + 1);
    struct model_key *parent = model_find(&model->now, key->parent);
    struct model_change change = {
        .kind = kind,
        .key = key->id,
        .parent = key->parent,
        .written_before = key->written,
        .written_after = model->time,
        .parent_before = parent != NULL ? parent->written : 0,
        .parent_after = parent != NULL ? parent->written : 0,
        .next_before = key->next_place,
        .next_after = key->next_place,
        .name_before = key->name,
        .name_after = key->name,
        .class_before = key->class_len,
        .class_after = key->class_len,
        .first_copy = record->copy_count,
    };
    struct model_change *told = &nowhere;
    if (is_told(model, &change)) {
        if (record->change_count < MODEL_CHANGES) {
            told = &record->changes[record->change_count++];
        } else {
            model->overflow = true;
        }
    }
    *told = change;
    return told;
}

/* ---- Deleting ---- */

static void copy_key(struct model *model, const struct model_key *key, bool contents)
{
    struct model_record *record = model_record(model, model->latest + 1);
    if (record->copy_count == MODEL_COPIES) {
        model->overflow = true;
        return;
    }
    struct model_key *copy = &record->copies[record->copy_count++];
    *copy = *key;
    copy->value_count = contents ? key->value_count : 0;
    copy->link = contents && key->link;
    for (unsigned i = 0; contents && i < MODEL_KEYS; i++) {
        if (model->now.keys[i].id != RS_NO_KEY && model->now.keys[i].parent == key->id) {
            copy_key(model, &model->now.keys[i], true);
        }
    }
}

static void forget(struct model_state *state, struct model_key *key)
{
    rs_key id = key->id;
    state->gone[state->gone_count++ % MODEL_GONE] = id;
    key->id = RS_NO_KEY;
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        if (state->keys[i].id != RS_NO_KEY && state->keys[i].parent == id) {
            forget(state, &state->keys[i]);
        }
    }
}

void model_remove(struct model *model, struct model_key *key, model_time parent_written)
{
    struct model_record *record = model_record(model, model->latest + 1);
    struct model_key *parent = model_find(&model->now, key->parent);
    struct model_change *change = model_tell(model, RS_KEY_DELETED, key);
    change->written_after = 0;
    change->parent_after = parent_written;
    change->passing = key->id >= model->first_new;
    if (is_told(model, change)) {
        copy_key(model, key, key->id < model->first_new);
        change->copies = record->copy_count - change->first_copy;
    }
    forget(&model->now, key);
    parent->written = parent_written;
}

/* ---- Values ---- */

static void take_out(struct model_key *key, const struct model_name *name)
{
    struct model_value *old = model_value_of(key, name);
    if (old != NULL) {
        size_t at = (size_t)(old - key->values);
        key->value_count--;
        memmove(old, old + 1, (key->value_count - at) * sizeof *old);
    }
}

void model_put_value(struct model_key *key, const struct model_name *name,
                     const struct model_value *wanted)
{
    unsigned at = 0;
    take_out(key, name);
    if (wanted == NULL) {
        return;
    }
    while (at < key->value_count && key->values[at].place < wanted->place) {
        at++;
    }
    RIG_MUST(key->value_count < MODEL_PLACES);
    memmove(&key->values[at + 1], &key->values[at],
            (key->value_count - at) * sizeof key->values[0]);
    key->values[at] = *wanted;
    key->value_count++;
}
