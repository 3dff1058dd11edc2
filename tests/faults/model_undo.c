/*
 * model_undo.c - what undo has to do, done to the model by its own record of what was changed.
 *
 * The newest change first: where what is there is what it left, it becomes what it was; all else is
 * a conflict, and so is a created key in which later revisions changed something. A write time goes
 * back where nobody has written since, and is that of the undo otherwise. A part of model_state.
 */
#include <string.h>

#include "model_state.h"

#define TAKES_BACK (RS_REVISION_UNDO | RS_REVISION_REDO | RS_REVISION_ROLLBACK)

/* A key, or a value of it: "" for its link. */
struct thing {
    rs_key key;
    bool of_value;
    bool of_link;
    struct model_name name;
};

struct undo {
    struct model *model;
    struct model_undo *told;
    bool refused;
    bool touched_known;
    unsigned touched_count;
    rs_key touched[MODEL_KEYS];
    unsigned left_out_count;
    struct thing left_out[MODEL_KEPT * 4];
    unsigned passing_count;
    rs_key passing[MODEL_CHANGES];
    unsigned revived_count;
    rs_key revived[MODEL_KEPT * 4];
};

enum met { CLEAN, CONFLICT, LASTING };

/* ---- What was left out ---- */

static struct thing thing_of(const struct model_change *change)
{
    return (struct thing){
        .key = change->key,
        .of_value = change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED,
        .of_link = change->kind == RS_KEY_RELINKED,
        .name = change->has ? change->value_after.name : change->value_before.name,
    };
}

static bool is_left_out(const struct undo *undo, const struct model_change *change)
{
    struct thing thing = thing_of(change);
    for (unsigned i = 0; i < undo->left_out_count; i++) {
        const struct thing *out = &undo->left_out[i];
        bool whole = !out->of_value && !out->of_link;
        bool same = out->key == thing.key && out->of_link == thing.of_link &&
                    out->of_value == thing.of_value &&
                    (!thing.of_value || model_spelled_alike(&out->name, &thing.name));
        if (same || (whole && (out->key == change->key || out->key == change->parent))) {
            return true;
        }
    }
    return false;
}

static void leave_out(struct undo *undo, const struct model_change *change)
{
    undo->told->ending.flags |= RS_REVISION_PARTIAL;
    if (undo->left_out_count == sizeof undo->left_out / sizeof *undo->left_out) {
        undo->model->overflow = true;
        return;
    }
    undo->left_out[undo->left_out_count++] = thing_of(change);
}

/* ---- Keys in which something was changed since ---- */

static bool is_touched(const struct undo *undo, rs_key key)
{
    for (unsigned i = 0; i < undo->touched_count; i++) {
        if (undo->touched[i] == key) {
            return true;
        }
    }
    return false;
}

/* The key, or the one it was in, and all above it. */
static void touch(struct undo *undo, const struct model_change *change)
{
    struct model_state *state = &undo->model->now;
    struct model_key *key = model_find(state, change->key);
    key = key != NULL ? key : model_find(state, change->parent);
    for (; key != NULL && !is_touched(undo, key->id); key = model_find(state, key->parent)) {
        undo->touched[undo->touched_count++] = key->id;
    }
}

/* What a revision took back, wholly and none of it from before, counts for nothing, nor does it. */
static bool cancels(const struct model_record *record, uint64_t revision, uint64_t after)
{
    return (record->flags & TAKES_BACK) != 0 && (record->flags & RS_REVISION_PARTIAL) == 0 &&
           record->from > after && record->to < revision;
}

static void find_touched(struct undo *undo)
{
    struct model *model = undo->model;
    bool cancelled[MODEL_KEPT] = {false};
    for (uint64_t i = model->latest; i > undo->told->to; i--) {
        const struct model_record *record = model_record(model, i);
        if (!cancelled[i % MODEL_KEPT] && cancels(record, i, undo->told->to)) {
            cancelled[i % MODEL_KEPT] = true;
            for (uint64_t j = record->from; j <= record->to; j++) {
                cancelled[j % MODEL_KEPT] = true;
            }
        }
        for (unsigned j = 0; !cancelled[i % MODEL_KEPT] && j < record->change_count; j++) {
            touch(undo, &record->changes[j]);
        }
    }
    undo->touched_known = true;
}

/* ---- Conflicts ---- */

static const struct model_name *value_name(const struct model_change *change)
{
    return change->has ? &change->value_after.name : &change->value_before.name;
}

static enum met meet_value(const struct model_change *change, struct model_key *key)
{
    if (key == NULL) {
        return change->had ? LASTING : CONFLICT;
    }
    if (change->kind == RS_KEY_RELINKED) {
        return model_same_target(&key->target, &change->target_after) ? CLEAN : CONFLICT;
    }
    const struct model_value *value = model_value_of(key, value_name(change));
    if (value == NULL || !change->has) {
        return (value != NULL) == change->has ? CLEAN : CONFLICT;
    }
    bool same = model_same_data(value, &change->value_after) &&
                model_spelled_alike(&value->name, &change->value_after.name);
    return same ? CLEAN : CONFLICT;
}

static enum met meet_created(struct undo *undo, const struct model_change *change,
                             const struct model_key *key)
{
    if (key == NULL || !model_spelled_alike(&key->name, &change->name_after)) {
        return CONFLICT;
    }
    if (!undo->touched_known) {
        find_touched(undo);
    }
    return is_touched(undo, change->key) ? CONFLICT : CLEAN;
}

static enum met meet_deleted(struct model_state *state, const struct model_change *change,
                             const struct model_key *key)
{
    if (model_find(state, change->parent) == NULL) {
        return LASTING;
    }
    bool taken = model_child(state, change->parent, &change->name_before) != NULL;
    return key != NULL || taken ? CONFLICT : CLEAN;
}

static enum met meet_renamed(struct model_state *state, const struct model_change *change,
                             const struct model_key *key)
{
    if (key == NULL) {
        return LASTING;
    }
    const struct model_key *taker = model_child(state, change->parent, &change->name_before);
    bool same = model_spelled_alike(&key->name, &change->name_after);
    return !same || (taker != NULL && taker != key) ? CONFLICT : CLEAN;
}

static enum met meet_class(const struct model_change *change, const struct model_key *key)
{
    if (key == NULL) {
        return LASTING;
    }
    bool of_time = change->class_before == change->class_after;
    return of_time || key->class_len == change->class_after ? CLEAN : CONFLICT;
}

static enum met meet(struct undo *undo, const struct model_change *change)
{
    struct model_state *state = &undo->model->now;
    struct model_key *key = model_find(state, change->key);
    switch (change->kind) {
    case RS_KEY_CREATED:
        return meet_created(undo, change, key);
    case RS_KEY_DELETED:
        return meet_deleted(state, change, key);
    case RS_KEY_RENAMED:
        return meet_renamed(state, change, key);
    case RS_KEY_CLASS:
        return meet_class(change, key);
    default:
        return meet_value(change, key);
    }
}

/* ---- Taking back ---- */

static model_time time_back(const struct model *model, model_time present, model_time after,
                            model_time before)
{
    bool back = present == after && model->wrong != MODEL_UNDO_TOUCHES;
    return back ? before : model->time;
}

static model_time parent_time_back(const struct model *model, const struct model_key *parent,
                                   const struct model_change *change)
{
    return time_back(model, parent->written, change->parent_after, change->parent_before);
}

/* The place that it had, unless another one has it. */
static unsigned place_back(const struct model_key *key, unsigned wanted)
{
    for (unsigned i = 0; i < key->value_count; i++) {
        if (key->values[i].place == wanted) {
            return key->next_place;
        }
    }
    return wanted;
}

/* Whether nobody has a place from one on, when the value that goes has gone. */
static bool is_free_from(const struct model_key *key, unsigned from,
                         const struct model_value *going)
{
    for (unsigned i = 0; i < key->value_count; i++) {
        if (key->values[i].place >= from && &key->values[i] != going) {
            return false;
        }
    }
    return true;
}

/* The next place goes back where nothing else has been put in since. */
static unsigned next_back(const struct model_key *key, const struct model_change *change,
                          const struct model_value *present, const struct model_value *wanted)
{
    unsigned next = key->next_place;
    const struct model_value *going = wanted == NULL ? present : NULL;
    if (next == change->next_after && is_free_from(key, change->next_before, going)) {
        next = change->next_before;
    }
    return wanted != NULL && wanted->place >= next ? wanted->place + 1 : next;
}

static void put_value_back(struct model *model, const struct model_change *change,
                           struct model_key *key)
{
    struct model_value *present = model_value_of(key, value_name(change));
    struct model_value wanted = change->value_before;
    if (present == NULL && !change->had) {
        return;
    }
    wanted.place = present != NULL ? present->place : place_back(key, wanted.place);
    struct model_change *back =
        model_tell(model, change->had ? RS_VALUE_SET : RS_VALUE_DELETED, key);
    back->had = present != NULL;
    back->has = change->had;
    back->value_before = present != NULL ? *present : back->value_before;
    back->value_after = wanted;
    back->next_after = next_back(key, change, present, change->had ? &wanted : NULL);
    back->written_after =
        time_back(model, key->written, change->written_after, change->written_before);
    key->next_place = back->next_after;
    key->written = back->written_after;
    if (key->value_count == MODEL_PLACES && present == NULL) {
        model->overflow = true;
        return;
    }
    model_put_value(key, value_name(change), change->had ? &wanted : NULL);
}

static void point_back(struct model *model, const struct model_change *change,
                       struct model_key *key)
{
    struct model_change *back = model_tell(model, RS_KEY_RELINKED, key);
    back->had = true;
    back->has = true;
    back->target_before = key->target;
    back->target_after = change->target_before;
    back->written_after =
        time_back(model, key->written, change->written_after, change->written_before);
    key->target = change->target_before;
    key->written = back->written_after;
}

static void put_copies(struct model *model, const struct model_record *record,
                       const struct model_change *change)
{
    for (unsigned i = 0; i < change->copies && !model->overflow; i++) {
        struct model_key *place = model_free_key(model);
        if (place != NULL) {
            *place = record->copies[change->first_copy + i];
        }
    }
}

static bool is_revived(const struct undo *undo, rs_key key)
{
    for (unsigned i = 0; i < undo->revived_count; i++) {
        if (undo->revived[i] == key) {
            return true;
        }
    }
    return false;
}

/* The keys that a deletion has given back. */
static void revive(struct undo *undo, const struct model_record *record,
                   const struct model_change *change)
{
    for (unsigned i = 0; i < change->copies; i++) {
        if (undo->revived_count == sizeof undo->revived / sizeof *undo->revived) {
            undo->model->overflow = true;
            return;
        }
        undo->revived[undo->revived_count++] = record->copies[change->first_copy + i].id;
    }
}

/* By force what has its number or its name goes. */
static void put_key_back(struct model *model, const struct model_record *record,
                         const struct model_change *change)
{
    struct model_key *parent = model_find(&model->now, change->parent);
    struct model_key *key = model_find(&model->now, change->key);
    model_time written = parent_time_back(model, parent, change);
    if (key != NULL) {
        model_remove(model, key, written);
    }
    struct model_key *taker = model_child(&model->now, change->parent, &change->name_before);
    if (taker != NULL) {
        model_remove(model, taker, model->time);
    }
    put_copies(model, record, change);
    key = model_find(&model->now, change->key);
    if (key != NULL) {
        struct model_change *back = model_tell(model, RS_KEY_CREATED, key);
        back->written_before = 0;
        back->written_after = key->written;
        back->parent_after = written;
        parent->written = written;
    }
}

static void name_back(struct model *model, const struct model_change *change, struct model_key *key)
{
    struct model_key *parent = model_find(&model->now, change->parent);
    struct model_key *taker = model_child(&model->now, change->parent, &change->name_before);
    model_time written = parent_time_back(model, parent, change);
    if (taker != NULL && taker != key) {
        model_remove(model, taker, model->time);
    }
    if (model_spelled_alike(&key->name, &change->name_before)) {
        return;
    }
    struct model_change *back = model_tell(model, RS_KEY_RENAMED, key);
    back->name_after = change->name_before;
    back->written_after =
        time_back(model, key->written, change->written_after, change->written_before);
    back->parent_after = written;
    key->name = change->name_before;
    key->written = back->written_after;
    parent->written = written;
}

static void class_back(struct model *model, const struct model_change *change,
                       struct model_key *key)
{
    bool of_time = change->class_before == change->class_after;
    if (of_time && key->written != change->written_after) {
        return;
    }
    struct model_change *back = model_tell(model, RS_KEY_CLASS, key);
    back->class_after = of_time ? key->class_len : change->class_before;
    back->written_after =
        time_back(model, key->written, change->written_after, change->written_before);
    key->class_len = back->class_after;
    key->written = back->written_after;
}

static void take_back(struct model *model, const struct model_record *record,
                      const struct model_change *change)
{
    struct model_key *key = model_find(&model->now, change->key);
    if (change->kind == RS_KEY_DELETED) {
        put_key_back(model, record, change);
    } else if (key == NULL) {
        return;
    } else if (change->kind == RS_KEY_CREATED) {
        struct model_key *parent = model_find(&model->now, change->parent);
        model_remove(model, key, parent_time_back(model, parent, change));
    } else if (change->kind == RS_KEY_RENAMED) {
        name_back(model, change, key);
    } else if (change->kind == RS_KEY_CLASS) {
        class_back(model, change, key);
    } else if (change->kind == RS_KEY_RELINKED) {
        point_back(model, change, key);
    } else {
        put_value_back(model, change, key);
    }
}

/* ---- All of it ---- */

/* Of a key that came and went in one revision only a write time is left: that of its parent. */
static bool has_passed(struct undo *undo, const struct model_change *change)
{
    bool passed = change->passing;
    for (unsigned i = 0; !passed && i < undo->passing_count; i++) {
        passed = undo->passing[i] == change->key;
    }
    if (change->passing && undo->passing_count < MODEL_CHANGES) {
        undo->passing[undo->passing_count++] = change->key;
    }
    return passed;
}

static void parent_back(struct undo *undo, const struct model_change *change)
{
    struct model_key *parent = model_find(&undo->model->now, change->parent);
    bool changed = change->parent_before != change->parent_after;
    if (changed && parent != NULL && parent->written == change->parent_after) {
        model_tell(undo->model, RS_KEY_CLASS, parent)->written_after = change->parent_before;
        parent->written = change->parent_before;
    }
}

static void undo_change(struct undo *undo, const struct model_record *record,
                        const struct model_change *change)
{
    struct model_undo *told = undo->told;
    bool passed = has_passed(undo, change);
    /* What the range made and deleted goes again, whatever was left out of it. */
    bool again = !passed && change->kind == RS_KEY_CREATED && is_revived(undo, change->key);
    if (!again && is_left_out(undo, change)) {
        return;
    }
    if (passed) {
        parent_back(undo, change);
        return;
    }
    enum met met = again ? CLEAN : meet(undo, change);
    told->conflicts += met != CLEAN;
    told->lasting += met == LASTING;
    if (met != CLEAN && (told->flags & RS_UNDO_SKIP) != 0) {
        leave_out(undo, change);
        return;
    }
    undo->refused =
        undo->refused || met == LASTING || (met == CONFLICT && (told->flags & RS_UNDO_FORCE) == 0);
    if (met != LASTING) {
        told->changes++;
        take_back(undo->model, record, change);
        if (change->kind == RS_KEY_DELETED) {
            revive(undo, record, change);
        }
    }
}

static bool check_range(const struct model *model, struct model_undo *told)
{
    told->status = told->to > model->latest    ? RS_ENOTFOUND
                   : told->from < model->first ? RS_EBEHIND
                                               : RS_OK;
    return told->status == RS_OK;
}

void model_undo(struct model *model, struct model_undo *told)
{
    static struct undo undo;
    memset(&undo, 0, sizeof undo);
    undo.model = model;
    undo.told = told;
    if (!check_range(model, told)) {
        return;
    }
    const struct model_record *oldest = model_record(model, told->from);
    bool redo =
        told->from == told->to && (oldest->flags & (RS_REVISION_UNDO | RS_REVISION_ROLLBACK)) != 0;
    told->ending.flags = redo ? RS_REVISION_REDO : RS_REVISION_UNDO;
    told->ending.from = told->from;
    told->ending.to = told->to;
    for (uint64_t i = told->to; i >= told->from && !model->overflow; i--) {
        const struct model_record *record = model_record(model, i);
        for (unsigned j = record->change_count; j-- > 0 && !model->overflow;) {
            undo_change(&undo, record, &record->changes[j]);
        }
    }
    told->status = undo.refused ? RS_ECONFLICT : RS_OK;
}
