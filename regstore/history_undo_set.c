/*
 * history_undo_set.c - what undo has to remember: sets of numbers, and the keys that were changed
 * since. A part of history.
 */
#include <stdlib.h>

#include "history.h"

/* ---- Sets ---- */

static size_t place_of(const struct number_set *set, uint64_t number)
{
    size_t place = (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (set->capacity - 1);
    while (set->slots[place] != 0 && set->slots[place] != number) {
        place = (place + 1) & (set->capacity - 1);
    }
    return place;
}

static int grow(struct number_set *set)
{
    struct number_set larger = {.capacity = set->capacity > 0 ? 2 * set->capacity : 64};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i] != 0) {
            larger.slots[place_of(&larger, set->slots[i])] = set->slots[i];
        }
    }
    larger.count = set->count;
    free(set->slots);
    *set = larger;
    return RS_OK;
}

int number_set_add(struct number_set *set, uint64_t number)
{
    if (2 * (set->count + 1) > set->capacity) {
        int status = grow(set);
        if (status != RS_OK) {
            return status;
        }
    }
    size_t place = place_of(set, number);
    set->count += set->slots[place] == 0;
    set->slots[place] = number;
    return RS_OK;
}

bool number_set_has(const struct number_set *set, uint64_t number)
{
    return set->count > 0 && set->slots[place_of(set, number)] == number;
}

void number_set_free(struct number_set *set)
{
    free(set->slots);
    *set = (struct number_set){0};
}

/* ---- Keys that were changed ---- */

/* The key and all above it, up to one that is known. */
static int add_with_ancestors(struct tree *tree, rs_key key, struct number_set *keys)
{
    struct node node;
    int status = RS_OK;
    while (status == RS_OK && key != RS_NO_KEY && !number_set_has(keys, key)) {
        status = tree_node(tree, key, &node);
        if (status == RS_OK) {
            status = number_set_add(keys, key);
            key = node.parent;
        }
    }
    return status;
}

/* What was deleted since was in a key that is there, or was deleted with one that was. */
static int add_change(struct tree *tree, const struct change *change, struct number_set *keys)
{
    int status = add_with_ancestors(tree, change->key, keys);
    if (status == RS_EDELETED) {
        status = add_with_ancestors(tree, change->parent, keys);
    }
    return status == RS_EDELETED ? RS_OK : status;
}

static int add_revision(struct rs_txn *txn, struct journal_reader *reader, uint64_t revision,
                        struct number_set *keys)
{
    struct journal_head head;
    struct change change;
    int status = journal_open(reader, &txn->env, revision, &head);
    while (status == RS_OK && (status = journal_next(reader, &change)) == RS_OK) {
        status = change.inner ? RS_OK : add_change(&txn->tree, &change, keys);
    }
    return status == RS_END ? RS_OK : status;
}

/* Those of the transaction itself so far. */
int history_touched_here(struct rs_txn *txn, struct number_set *keys)
{
    struct journal_reader reader = {0};
    struct change change;
    int status = RS_OK;
    while (status == RS_OK && (status = journal_review(&txn->journal, &reader, &change)) == RS_OK) {
        status = change.inner ? RS_OK : add_change(&txn->tree, &change, keys);
    }
    journal_close(&reader);
    return status == RS_END ? RS_OK : status;
}

#define TAKES_BACK (RS_REVISION_UNDO | RS_REVISION_REDO | RS_REVISION_ROLLBACK)

/* A revision that took others back, all of them later than the ones that count here, stands for
 * nothing, and so do they. */
static int cancel(const struct journal_head *head, uint64_t after, struct number_set *cancelled)
{
    int status = RS_OK;
    if ((head->flags & TAKES_BACK) == 0 || (head->flags & RS_REVISION_PARTIAL) != 0 ||
        head->from <= after || head->to >= head->revision) {
        return RS_OK;
    }
    for (uint64_t i = head->from; status == RS_OK && i <= head->to; i++) {
        status = number_set_add(cancelled, i);
    }
    return status == RS_OK ? number_set_add(cancelled, head->revision) : status;
}

/* An open scan would be moved by what happens between its steps; numbers are enough. */
int history_touched(struct rs_txn *txn, uint64_t after, struct number_set *keys)
{
    struct number_set cancelled = {0};
    struct journal_reader reader = {0};
    struct journal_head head;
    int status = RS_OK;
    for (uint64_t i = store_revision(txn); status == RS_OK && i > after; i--) {
        if (!number_set_has(&cancelled, i)) {
            status = journal_open(&reader, &txn->env, i, &head);
            status = status == RS_OK ? cancel(&head, after, &cancelled) : status;
        }
        if (status == RS_OK && !number_set_has(&cancelled, i)) {
            status = add_revision(txn, &reader, i, keys);
        }
    }
    journal_close(&reader);
    number_set_free(&cancelled);
    return status;
}
