#include "model_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CJK "\xe4\xb8\xad"
#define LONG_UNITS 250      /* of a key's name, at most 255 */
#define LONGEST_UNITS 16300 /* of a value's name, at most 16,383 */
#define FOLLOWED_MOST 100   /* links; more is a loop */
#define FOLLOWED_SURELY 8   /* the library follows so many */
#define ROOT "HKEY_LOCAL_MACHINE"

/* ---- Names ---- */

/* Spellings that fold alike, and names that must not fold with their neighbours. Folding is by
 * UTF-16 unit, and only where upper case maps back. */
static const char *const spellings[][2] = {
    {"Name", "nAME"},
    {"\xc3\x89t\xc3\xa9", "\xc3\xa9T\xc3\x89"}, /* E acute */
    {"\xc3\x9f", "\xc3\x9f"},                   /* sharp s */
    {"\xe1\xba\x9e", "\xe1\xba\x9e"},           /* capital sharp s */
    {"SS", "ss"},
    {"\xc7\x84", "\xc7\x86"}, /* DZ caron, dz caron */
    {"\xc7\x85", "\xc7\x85"}, /* Dz caron, a title case */
    {"\xc4\xb1", "\xc4\xb1"}, /* dotless i */
    {"I", "i"},
    {"\xce\xa3", "\xcf\x83"},                 /* sigma */
    {"\xcf\x82", "\xcf\x82"},                 /* final sigma */
    {"\xd0\xaf", "\xd1\x8f"},                 /* ya */
    {"\xf0\x90\x90\x80", "\xf0\x90\x90\x80"}, /* Deseret, two units */
    {"\xf0\x90\x90\xa8", "\xf0\x90\x90\xa8"}, /* its small letter */
    {"\xed\xa0\x81", "\xed\xa0\x81"},         /* a lone surrogate */
};
#define SPELLINGS (sizeof spellings / sizeof *spellings)
enum { CLASS_LONG = SPELLINGS, CLASS_LONGEST };

static struct model_name pick_name(uint32_t number, bool of_value)
{
    unsigned class = number % 24;
    struct model_name name = {class, (number >> 8) % 2, (number >> 12) % 3};
    if (of_value && number % 400 == 1) {
        name.class = CLASS_LONGEST;
    } else if (class == SPELLINGS || class == SPELLINGS + 1) {
        name.class = CLASS_LONG;
    } else if (class > SPELLINGS) {
        name.class = 0;
        name.number += 3 * (class - (unsigned)SPELLINGS);
    }
    return name;
}

static bool same(const struct model_name *a, const struct model_name *b)
{
    return a->class == b->class && a->number == b->number;
}

/* Lives until the second call after this one. */
static const char *text_of(const struct model_name *name)
{
    static char texts[2][LONGEST_UNITS * 3 + 64];
    static unsigned turn;
    char *text = texts[turn++ % 2];
    size_t at = 0;
    size_t units = name->class == CLASS_LONG ? LONG_UNITS : LONGEST_UNITS;
    if (name->class < SPELLINGS) {
        snprintf(text, sizeof texts[0], "%s%u", spellings[name->class][name->variant],
                 name->number);
        return text;
    }
    for (size_t i = 0; i < units; i++, at += 3) {
        memcpy(text + at, CJK, 3);
    }
    snprintf(text + at, sizeof texts[0] - at, "%c%u", name->variant ? 'L' : 'l', name->number);
    return text;
}

/* ---- Finding ---- */

static rs_key id_of(const struct model_state *state, int key)
{
    return key < 0 ? RS_HKLM : state->keys[key].id;
}

static int child_of(const struct model_state *state, int parent, const struct model_name *name)
{
    for (int i = 0; i < MODEL_KEYS; i++) {
        const struct model_key *key = &state->keys[i];
        if (key->used && key->parent == parent && same(&key->name, name)) {
            return i;
        }
    }
    return -1;
}

static unsigned children_of(const struct model_state *state, int parent)
{
    unsigned count = 0;
    for (int i = 0; i < MODEL_KEYS; i++) {
        count += state->keys[i].used && state->keys[i].parent == parent;
    }
    return count;
}

static unsigned depth_of(const struct model_state *state, int key)
{
    unsigned depth = 0;
    for (; key >= 0; key = state->keys[key].parent) {
        depth++;
    }
    return depth;
}

/* -1 if there is none of the kind. */
static int pick_key(const struct model_state *state, uint32_t number, bool link)
{
    for (uint32_t i = 0; i < MODEL_KEYS; i++) {
        int key = (int)((number + i) % MODEL_KEYS);
        if (state->keys[key].used && state->keys[key].link == link) {
            return key;
        }
    }
    return -1;
}

/* A key that can have subkeys; at times HKLM itself. */
static int pick_parent(const struct model_state *state, uint32_t number)
{
    int key = number % 16 == 0 ? -1 : pick_key(state, number >> 4, false);
    return depth_of(state, key) < MODEL_DEPTH - 1 ? key : -1;
}

static int free_slot(const struct model_state *state)
{
    for (int i = 0; i < MODEL_KEYS; i++) {
        if (!state->keys[i].used) {
            return i;
        }
    }
    return -1;
}

/* ---- Comparing one key ---- */

static void fill(unsigned char *data, const struct model_value *value)
{
    for (size_t i = 0; i < value->size; i++) {
        data[i] = (unsigned char)(value->fill + i * 7);
    }
}

static void compare_value(const struct model_value *known, const rs_value *value)
{
    const unsigned char *data = value->data;
    RIG_MUST(strcmp(value->name, text_of(&known->name)) == 0);
    RIG_MUST(value->type == known->type && value->size == known->size);
    bool equal = true;
    for (size_t i = 0; i < known->size; i++) {
        equal = equal && data[i] == (unsigned char)(known->fill + i * 7);
    }
    RIG_MUST(equal);
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
        RIG_OK(rs_value_get(txn, known->id, text_of(&known->values[i].name), &value));
        compare_value(&known->values[i], &value);
    }
}

static void target_text(const struct model_key *link, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, ROOT);
    for (unsigned i = 0; i < link->target_depth; i++) {
        at += (size_t)snprintf(text + at, size - at, "\\%s", text_of(&link->target[i]));
    }
}

static void compare_link(const struct model_key *known, rs_txn *txn)
{
    static char wanted[MODEL_DEPTH * 1000];
    const char *target;
    target_text(known, wanted, sizeof wanted);
    RIG_OK(rs_link_target(txn, known->id, &target, NULL));
    RIG_MUST(strcmp(target, wanted) == 0);
}

static void compare_key(const struct model_state *state, int key, rs_txn *txn)
{
    const struct model_key *known = &state->keys[key];
    rs_key_info info;
    RIG_OK(rs_key_info_get(txn, known->id, &info));
    RIG_MUST(strcmp(info.name, text_of(&known->name)) == 0);
    RIG_MUST(info.parent == id_of(state, known->parent));
    RIG_MUST(info.class_len == known->class_len);
    RIG_MUST(info.subkeys == children_of(state, key));
    RIG_MUST(((info.flags & RS_KEY_LINK) != 0) == known->link);
    RIG_MUST(info.values == (known->link ? 1 : known->value_count));
    if (known->link) {
        compare_link(known, txn);
    } else {
        compare_values(known, txn);
    }
}

/* ---- Operations ---- */

static void create(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    int parent = pick_parent(state, op->a);
    struct model_name name = pick_name(op->b, false);
    int known = child_of(state, parent, &name);
    int slot = known >= 0 ? known : free_slot(state);
    rs_key id = RS_NO_KEY;
    int created = 0;
    if (slot < 0 || (known >= 0 && state->keys[known].link)) {
        return;
    }
    if (txn != NULL) {
        RIG_OK(
            rs_key_create_n(txn, id_of(state, parent), text_of(&name), RS_NTS, 0, &id, &created));
        RIG_MUST(created == (known < 0));
        RIG_MUST(known < 0 || id == state->keys[known].id);
    }
    if (known < 0) {
        state->keys[slot] =
            (struct model_key){.used = true, .id = id, .parent = parent, .name = name};
    }
}

static void forget(struct model_state *state, int key)
{
    state->gone[state->gone_count++ % MODEL_GONE] = state->keys[key].id;
    state->keys[key].used = false;
    for (int i = 0; i < MODEL_KEYS; i++) {
        if (state->keys[i].used && state->keys[i].parent == key) {
            forget(state, i);
        }
    }
}

static void delete_key(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    int key = pick_key(state, op->a, op->b % 8 == 0);
    bool recursive = op->c % 4 == 0;
    if (key < 0) {
        return;
    }
    bool possible = recursive || children_of(state, key) == 0;
    if (txn != NULL) {
        RIG_GIVES(possible ? RS_OK : RS_ENOTEMPTY,
                  rs_key_delete(txn, state->keys[key].id, recursive ? RS_RECURSIVE : 0));
    }
    if (possible) {
        forget(state, key);
    }
}

static void rename_key(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    int key = pick_key(state, op->a, op->c % 8 == 0);
    struct model_name name = pick_name(op->b, false);
    if (key < 0) {
        return;
    }
    int known = child_of(state, state->keys[key].parent, &name);
    bool possible = known < 0 || known == key;
    if (txn != NULL) {
        RIG_GIVES(possible ? RS_OK : RS_EEXIST,
                  rs_key_rename(txn, state->keys[key].id, text_of(&name)));
    }
    if (possible) {
        state->keys[key].name = name;
    }
}

static int value_at(const struct model_key *key, const struct model_name *name)
{
    for (unsigned i = 0; i < key->value_count; i++) {
        if (same(&key->values[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

static struct model_value pick_value(const struct model_op *op)
{
    static const uint32_t types[] = {REG_NONE, REG_SZ, REG_BINARY, REG_MULTI_SZ, 0xffffffff, 77};
    struct model_value value = {.name = pick_name(op->b, true)};
    value.type = types[op->c % 6];
    value.fill = op->c >> 24;
    value.size = op->c % 4999 == 0  ? RS_MAX_DATA
                 : op->c % 501 == 0 ? 300000
                 : op->c % 53 == 0  ? 5000
                                    : (op->c >> 8) % 60;
    return value;
}

static void store_value(rs_txn *txn, rs_key key, const struct model_value *value)
{
    unsigned char *data = malloc(value->size + 1);
    RIG_MUST(data != NULL);
    fill(data, value);
    RIG_OK(rs_value_set(txn, key, text_of(&value->name), value->type, data, value->size));
    free(data);
}

static void set_value(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    int key = pick_key(state, op->a, false);
    struct model_value value = pick_value(op);
    if (key < 0) {
        return;
    }
    struct model_key *known = &state->keys[key];
    int at = value_at(known, &value.name);
    if (at < 0 && known->value_count == MODEL_VALUES) {
        return;
    }
    if (txn != NULL) {
        store_value(txn, known->id, &value);
    }
    if (at < 0) {
        at = (int)known->value_count++;
    } else {
        value.name = known->values[at].name; /* keeps its first spelling */
    }
    known->values[at] = value;
}

static void unset_value(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    int key = pick_key(state, op->a, false);
    struct model_name name = pick_name(op->b, true);
    if (key < 0) {
        return;
    }
    struct model_key *known = &state->keys[key];
    if (op->c % 2 == 0 && known->value_count > 0) { /* one that is there, spelled otherwise */
        name = known->values[op->c / 2 % known->value_count].name;
        name.variant = (op->c >> 8) % 2;
    }
    int at = value_at(known, &name);
    if (txn != NULL) {
        RIG_GIVES(at < 0 ? RS_ENOTFOUND : RS_OK, rs_value_delete(txn, known->id, text_of(&name)));
    }
    if (at < 0 || (state->wrong && op->c % 16 == 0)) {
        return;
    }
    known->value_count--;
    memmove(&known->values[at], &known->values[at + 1],
            (known->value_count - (unsigned)at) * sizeof known->values[0]);
}

static void set_class(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    static char text[512];
    int key = pick_key(state, op->a, false);
    if (key < 0) {
        return;
    }
    struct model_key *known = &state->keys[key];
    known->class_len = op->b % (sizeof text - 1);
    memset(text, 'c', known->class_len);
    text[known->class_len] = '\0';
    if (txn != NULL) {
        RIG_OK(rs_key_set_class(txn, known->id, text));
    }
}

/* The names on the way to a key. */
static void point_to(struct model_state *state, struct model_key *link, int key)
{
    link->target_depth = depth_of(state, key);
    for (unsigned i = link->target_depth; i-- > 0; key = state->keys[key].parent) {
        link->target[i] = state->keys[key].name;
    }
}

static void make_link(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    static char target[MODEL_DEPTH * 1000];
    int parent = pick_parent(state, op->a);
    struct model_key made = {.used = true, .parent = parent, .link = true};
    int pointed = pick_key(state, op->c, op->c % 4 == 0);
    made.name = pick_name(op->b, false);
    int known = child_of(state, parent, &made.name);
    int slot = known >= 0 ? known : free_slot(state);
    if (slot < 0 || pointed < 0) {
        return;
    }
    bool possible = known < 0 || state->keys[known].link;
    point_to(state, &made, pointed);
    target_text(&made, target, sizeof target);
    if (txn != NULL) {
        RIG_GIVES(
            possible ? RS_OK : RS_EEXIST,
            rs_link_create(txn, id_of(state, parent), text_of(&made.name), target, 0, &made.id));
        RIG_MUST(!possible || known < 0 || made.id == state->keys[known].id);
    }
    if (known < 0) {
        state->keys[slot] = made;
    } else if (possible) {
        point_to(state, &state->keys[known], pointed);
    }
}

/* Where a link leads: a key, -2 for nowhere, -3 for a loop. */
static int follow(const struct model_state *state, int link, unsigned *followed)
{
    const struct model_key *from = &state->keys[link];
    int at = -1;
    if (++*followed > FOLLOWED_MOST) {
        return -3;
    }
    for (unsigned i = 0; i < from->target_depth; i++) {
        at = child_of(state, at, &from->target[i]);
        if (at < 0) {
            return -2;
        }
        if (state->keys[at].link) {
            at = follow(state, at, followed);
            if (at < -1) {
                return at;
            }
        }
    }
    return at;
}

static void look_up(const struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    unsigned followed = 0;
    rs_key found;
    rs_key_info info;
    rs_key gone = state->gone[op->b % MODEL_GONE];
    int link = pick_key(state, op->a, true);
    if (txn == NULL) {
        return;
    }
    if (gone != RS_NO_KEY) {
        RIG_GIVES(RS_EDELETED, rs_key_info_get(txn, gone, &info));
    }
    if (link < 0) {
        return;
    }
    const struct model_key *known = &state->keys[link];
    int wanted = follow(state, link, &followed);
    if (wanted != -3 && followed > FOLLOWED_SURELY) {
        return;
    }
    int status = rs_key_open(txn, id_of(state, known->parent), text_of(&known->name), &found);
    RIG_GIVES(wanted == -3 ? RS_ELOOP : wanted == -2 ? RS_ENOTFOUND : RS_OK, status);
    RIG_MUST(status != RS_OK || found == id_of(state, wanted));
}

void model_apply(struct model_state *state, const struct model_op *op, rs_txn *txn)
{
    static void (*const changes[])(struct model_state *, const struct model_op *, rs_txn *) = {
        create, delete_key, rename_key, set_value, unset_value, set_class, make_link};
    if (op->kind == MODEL_LOOKUP) {
        look_up(state, op, txn);
    } else if (op->kind < MODEL_LOOKUP) {
        changes[op->kind](state, op, txn);
        int key = pick_key(state, op->a, op->kind == MODEL_LINK);
        if (txn != NULL && key >= 0) {
            compare_key(state, key, txn);
        }
    }
}

/* ---- All of it ---- */

/* Parents may stand behind their children, so it goes over all until nothing is left. */
void model_resolve(struct model_state *state, rs_txn *txn)
{
    unsigned left = 1;
    for (unsigned round = 0; left > 0; round++) {
        RIG_MUST(round <= MODEL_DEPTH);
        left = 0;
        for (int i = 0; i < MODEL_KEYS; i++) {
            struct model_key *key = &state->keys[i];
            if (!key->used || key->id != RS_NO_KEY) {
                continue;
            }
            if (id_of(state, key->parent) == RS_NO_KEY) {
                left++;
                continue;
            }
            RIG_OK(rs_key_open_n(txn, id_of(state, key->parent), text_of(&key->name), RS_NTS,
                                 RS_NOFOLLOW, &key->id));
        }
    }
}

static void compare_subkeys(const struct model_state *state, int parent, rs_txn *txn)
{
    rs_cursor *cursor;
    rs_key_info info;
    char last[LONG_UNITS * 3 + 16] = "";
    unsigned count = 0;
    RIG_OK(rs_subkeys(txn, id_of(state, parent), &cursor));
    while (rs_next_key(cursor, &info) == RS_OK) {
        RIG_MUST(count == 0 || rs_name_compare(last, RS_NTS, info.name, RS_NTS) < 0);
        snprintf(last, sizeof last, "%s", info.name);
        count++;
    }
    rs_cursor_close(cursor);
    RIG_MUST(count == children_of(state, parent));
}

void model_compare(struct model_state *state, rs_txn *txn)
{
    rs_stat stat;
    uint64_t keys = MODEL_MORE_KEYS;
    uint64_t values = MODEL_MORE_VALUES;
    compare_subkeys(state, -1, txn);
    for (int i = 0; i < MODEL_KEYS; i++) {
        const struct model_key *key = &state->keys[i];
        if (key->used) {
            compare_key(state, i, txn);
            compare_subkeys(state, i, txn);
            keys++;
            values += key->link ? 1 : key->value_count;
        }
    }
    RIG_OK(rs_stat_get(txn, &stat));
    RIG_MUST(stat.keys == keys && stat.values == values);
}
