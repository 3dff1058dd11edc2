/*
 * model_apply.c - the operations, done to the model and to the store. A part of model_state.
 */
#include <stdlib.h>
#include <string.h>

#include "model_state.h"

#define FOLLOWED_MOST 100 /* links; more is a loop */
#define FOLLOWED_SURELY 8 /* the library follows so many */
#define LARGE_DATA 300000u

/* ---- Picking ---- */

static struct model_key *pick_key(struct model *model, uint32_t number, bool link)
{
    for (uint32_t i = 0; i < MODEL_KEYS; i++) {
        struct model_key *key = &model->now.keys[(number + i) % MODEL_KEYS];
        if (key->id != RS_NO_KEY && !key->fixed && key->link == link) {
            return key;
        }
    }
    return NULL;
}

static unsigned depth_of(struct model *model, const struct model_key *key)
{
    unsigned depth = 0;
    for (; key->parent != RS_NO_KEY; key = model_find(&model->now, key->parent)) {
        depth++;
    }
    return depth;
}

/* A key that can have subkeys; at times HKLM itself. */
static struct model_key *pick_parent(struct model *model, uint32_t number)
{
    struct model_key *root = model_find(&model->now, RS_HKLM);
    struct model_key *key = number % 16 == 0 ? root : pick_key(model, number >> 4, false);
    return key != NULL && depth_of(model, key) < MODEL_DEPTH - 1 ? key : root;
}

/* NULL: there are enough. */
static struct model_key *place_for_key(struct model *model)
{
    unsigned live = 0;
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        live += model->now.keys[i].id != RS_NO_KEY;
    }
    return live < MODEL_LIVE ? model_free_key(model) : NULL;
}

/* ---- Keys ---- */

static struct model_key *add_key(struct model *model, struct model_key *place,
                                 struct model_key *parent, const struct model_key *made)
{
    *place = *made;
    place->id = model->next_id++;
    place->parent = parent->id;
    place->written = model->time;
    struct model_change *change = model_tell(model, RS_KEY_CREATED, place);
    change->written_before = 0;
    change->parent_after = model->time;
    parent->written = model->time;
    return place;
}

static void create(struct model *model, const struct model_op *op, rs_txn *txn)
{
    struct model_key *parent = pick_parent(model, op->a);
    struct model_key made = {.name = model_name(op->b, false)};
    struct model_key *known = model_child(&model->now, parent->id, &made.name);
    struct model_key *place = known != NULL ? known : place_for_key(model);
    rs_key id = RS_NO_KEY;
    int created = 0;
    if (place == NULL || (known != NULL && known->link)) {
        return;
    }
    RIG_OK(rs_key_create_n(txn, parent->id, model_text(&made.name), RS_NTS, 0, &id, &created));
    RIG_MUST(created == (known == NULL));
    if (known == NULL) {
        known = add_key(model, place, parent, &made);
    }
    RIG_MUST(id == known->id);
}

static void delete_key(struct model *model, const struct model_op *op, rs_txn *txn)
{
    struct model_key *key = pick_key(model, op->a, op->b % 8 == 0);
    bool recursive = op->c % 4 == 0;
    if (key == NULL) {
        return;
    }
    bool possible = recursive || model_children(&model->now, key->id) == 0;
    RIG_GIVES(possible ? RS_OK : RS_ENOTEMPTY,
              rs_key_delete(txn, key->id, recursive ? RS_RECURSIVE : 0));
    if (possible) {
        model_remove(model, key, model->time);
    }
}

static void rename_key(struct model *model, const struct model_op *op, rs_txn *txn)
{
    struct model_key *key = pick_key(model, op->a, op->c % 8 == 0);
    struct model_name name = model_name(op->b, false);
    if (key == NULL) {
        return;
    }
    struct model_key *known = model_child(&model->now, key->parent, &name);
    bool possible = known == NULL || known == key;
    RIG_GIVES(possible ? RS_OK : RS_EEXIST, rs_key_rename(txn, key->id, model_text(&name)));
    if (!possible || model_spelled_alike(&key->name, &name)) {
        return;
    }
    struct model_change *change = model_tell(model, RS_KEY_RENAMED, key);
    change->name_after = name;
    change->parent_after = model->time;
    key->name = name;
    key->written = model->time;
    model_find(&model->now, key->parent)->written = model->time;
}

static void set_class(struct model *model, const struct model_op *op, rs_txn *txn)
{
    static char text[512];
    struct model_key *key = pick_key(model, op->a, false);
    unsigned len = op->b % (sizeof text - 1);
    if (key == NULL) {
        return;
    }
    memset(text, 'c', len);
    text[len] = '\0';
    RIG_OK(rs_key_set_class(txn, key->id, text));
    if (key->class_len != len) {
        model_tell(model, RS_KEY_CLASS, key)->class_after = len;
        key->class_len = len;
        key->written = model->time;
    }
}

/* ---- Values ---- */

static struct model_value pick_value(const struct model_op *op)
{
    static const uint32_t types[] = {REG_NONE, REG_SZ, REG_BINARY, REG_MULTI_SZ, 0xffffffff, 77};
    struct model_value value = {.name = model_name(op->b, true)};
    value.type = types[op->c % 6];
    value.fill = op->c >> 24;
    value.size = op->c % 49999 == 0 ? RS_MAX_DATA
                 : op->c % 501 == 0 ? LARGE_DATA
                 : op->c % 53 == 0  ? 5000
                                    : (op->c >> 8) % 60;
    return value;
}

/* A value that is there keeps its place and its first spelling. */
static void set_in(struct model *model, struct model_key *key, struct model_value value,
                   rs_txn *txn)
{
    struct model_value *known = model_value_of(key, &value.name);
    unsigned char *data = malloc(value.size + 1);
    RIG_MUST(data != NULL);
    model_fill(data, &value);
    RIG_OK(rs_value_set(txn, key->id, model_text(&value.name), value.type, data, value.size));
    free(data);
    if (known != NULL && model_same_data(known, &value)) {
        return;
    }
    struct model_change *change = model_tell(model, RS_VALUE_SET, key);
    value.place = known != NULL ? known->place : key->next_place++;
    if (known != NULL) {
        value.name = known->name;
        change->had = true;
        change->value_before = *known;
    }
    change->has = true;
    change->value_after = value;
    change->next_after = key->next_place;
    model_put_value(key, &value.name, &value);
    key->written = model->time;
}

static void set_value(struct model *model, const struct model_op *op, rs_txn *txn)
{
    struct model_key *key = pick_key(model, op->a, false);
    struct model_value value = pick_value(op);
    if (key != NULL &&
        (key->value_count < MODEL_VALUES || model_value_of(key, &value.name) != NULL)) {
        set_in(model, key, value, txn);
    }
}

static void keep(struct model *model, const struct model_op *op, rs_txn *txn)
{
    struct model_name name = model_own_name(MODEL_JOURNAL);
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        struct model_key *key = &model->now.keys[i];
        if (key->id != RS_NO_KEY && model_folds_alike(&key->name, &name)) {
            struct model_value value = {.name = model_own_name(MODEL_MAX_REVISIONS),
                                        .type = REG_DWORD,
                                        .size = sizeof(uint32_t),
                                        .fill = 2 + op->a % 50};
            set_in(model, key, value, txn);
        }
    }
}

static void unset_value(struct model *model, const struct model_op *op, rs_txn *txn)
{
    struct model_key *key = pick_key(model, op->a, false);
    struct model_name name = model_name(op->b, true);
    if (key == NULL) {
        return;
    }
    if (op->c % 2 == 0 && key->value_count > 0) { /* one that is there, spelled otherwise */
        name = key->values[op->c / 2 % key->value_count].name;
        name.variant = (op->c >> 8) % 2;
    }
    struct model_value *known = model_value_of(key, &name);
    RIG_GIVES(known == NULL ? RS_ENOTFOUND : RS_OK,
              rs_value_delete(txn, key->id, model_text(&name)));
    if (known == NULL || (model->wrong == MODEL_FORGETS_UNSET && op->c % 16 == 0)) {
        return;
    }
    struct model_change *change = model_tell(model, RS_VALUE_DELETED, key);
    change->had = true;
    change->value_before = *known;
    model_put_value(key, &name, NULL);
    key->written = model->time;
}

/* ---- Links ---- */

/* The names on the way to a key. */
static struct model_target target_to(struct model *model, const struct model_key *key)
{
    struct model_target target = {.depth = depth_of(model, key)};
    for (unsigned i = target.depth; i-- > 0; key = model_find(&model->now, key->parent)) {
        target.names[i] = key->name;
    }
    return target;
}

static void point_elsewhere(struct model *model, struct model_key *link,
                            const struct model_target *target)
{
    if (!model_same_target(&link->target, target)) {
        struct model_change *change = model_tell(model, RS_KEY_RELINKED, link);
        change->had = true;
        change->has = true;
        change->target_before = link->target;
        change->target_after = *target;
        link->target = *target;
        link->written = model->time;
    }
}

static void make_link(struct model *model, const struct model_op *op, rs_txn *txn)
{
    static char text[MODEL_TARGET_SIZE];
    struct model_key *parent = pick_parent(model, op->a);
    struct model_key *pointed = pick_key(model, op->c, op->c % 4 == 0);
    struct model_key made = {.link = true, .next_place = 1, .name = model_name(op->b, false)};
    struct model_key *known = model_child(&model->now, parent->id, &made.name);
    struct model_key *place = known != NULL ? known : place_for_key(model);
    rs_key id = RS_NO_KEY;
    if (place == NULL || pointed == NULL) {
        return;
    }
    bool possible = known == NULL || known->link;
    made.target = target_to(model, pointed);
    model_target_text(&made.target, text);
    RIG_GIVES(possible ? RS_OK : RS_EEXIST,
              rs_link_create(txn, parent->id, model_text(&made.name), text, 0, &id));
    if (possible && known != NULL) {
        point_elsewhere(model, known, &made.target);
    } else if (possible) {
        known = add_key(model, place, parent, &made);
    }
    RIG_MUST(!possible || id == known->id);
}

/* Where a link leads; else NULL, and *loop tells whether it goes round. */
static const struct model_key *follow(struct model *model, const struct model_key *link,
                                      unsigned *followed, bool *loop)
{
    const struct model_key *at = model_find(&model->now, RS_HKLM);
    if (++*followed > FOLLOWED_MOST) {
        *loop = true;
        return NULL;
    }
    for (unsigned i = 0; at != NULL && i < link->target.depth; i++) {
        at = model_child(&model->now, at->id, &link->target.names[i]);
        if (at != NULL && at->link) {
            at = follow(model, at, followed, loop);
        }
    }
    return at;
}

static void look_up(struct model *model, const struct model_op *op, rs_txn *txn)
{
    unsigned followed = 0;
    bool loop = false;
    rs_key found = RS_NO_KEY;
    rs_key_info info;
    rs_key gone = model->now.gone[op->b % MODEL_GONE];
    const struct model_key *link = pick_key(model, op->a, true);
    if (gone != RS_NO_KEY && model_find(&model->now, gone) == NULL) {
        RIG_GIVES(RS_EDELETED, rs_key_info_get(txn, gone, &info));
    }
    if (link == NULL) {
        return;
    }
    const struct model_key *wanted = follow(model, link, &followed, &loop);
    if (!loop && followed > FOLLOWED_SURELY) {
        return;
    }
    RIG_GIVES(loop             ? RS_ELOOP
              : wanted == NULL ? RS_ENOTFOUND
                               : RS_OK,
              rs_key_open(txn, link->parent, model_text(&link->name), &found));
    RIG_MUST(wanted == NULL || found == wanted->id);
}

/* ---- All ---- */

void model_apply(struct model *model, const struct model_op *op, rs_txn *txn)
{
    static void (*const changes[])(struct model *, const struct model_op *, rs_txn *) = {
        create,    delete_key, rename_key, set_value, unset_value,
        set_class, make_link,  keep,       look_up};
    changes[op->kind](model, op, txn);
    struct model_key *key = pick_key(model, op->a, op->kind == MODEL_LINK);
    if (key != NULL) {
        model_compare_key(model, &model->now, key, txn);
    }
}

static struct model_key *add_own(struct model *model, struct model_key *parent,
                                 enum model_own_name which, rs_txn *txn)
{
    struct model_key made = {.fixed = true, .name = model_own_name(which)};
    rs_key id = RS_NO_KEY;
    RIG_OK(rs_key_create(txn, parent->id, model_text(&made.name), &id));
    model->next_id = model->next_id == RS_NO_KEY ? id : model->next_id;
    model->first_new = model->first_new == RS_NO_KEY ? id : model->first_new;
    struct model_key *key = add_key(model, model_free_key(model), parent, &made);
    RIG_MUST(key->id == id);
    return key;
}

void model_prepare(struct model *model, rs_txn *txn, uint32_t revisions)
{
    static const rs_key roots[] = {RS_HKLM, RS_HKRS};
    struct model_key *parent = NULL;
    model->time = 1; /* 0 is none */
    for (unsigned i = 0; i < 2; i++) {
        parent = model_free_key(model);
        *parent = (struct model_key){.id = roots[i], .fixed = true, .written = model->time};
    }
    model_record(model, 0)->after = model->now;
    model_begin(model);
    parent = add_own(model, parent, MODEL_SETTINGS, txn);
    parent = add_own(model, parent, MODEL_JOURNAL, txn);
    keep(model, &(struct model_op){.a = revisions}, txn);
}
