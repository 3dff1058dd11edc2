/*
 * tree_restore_places.c - which places the values of a key have: looked up once for a row of
 * changes in it, and kept as they are made. A part of tree_restore.
 */
#include <string.h>

#include "tree_node.h"
#include "tree_restore.h"

#define PLACES_MORE 64u /* bytes of the bitmap for places that are given while it lasts */

void tree_restore_free(struct tree_restore *restore)
{
    buffer_free(&restore->places);
}

void tree_places_forget(struct tree_restore *restore)
{
    restore->placed = RS_NO_KEY;
}

static bool is_taken(const struct tree_restore *restore, uint32_t place)
{
    return place / 8 < restore->places.size && (restore->places.data[place / 8] >> place % 8 & 1);
}

void tree_places_set(struct tree_restore *restore, rs_key key, uint32_t place, bool taken)
{
    if (restore->placed != key) {
        return;
    }
    if (place / 8 >= restore->places.size) {
        tree_places_forget(restore); /* it has no room */
    } else if (taken) {
        restore->places.data[place / 8] |= (char)(1 << place % 8);
    } else {
        restore->places.data[place / 8] &= (char)~(1 << place % 8);
    }
}

static int start(struct tree_restore *restore, const struct node *node)
{
    size_t size = node->next_position / 4 + PLACES_MORE; /* twice as many as there are */
    tree_places_forget(restore);
    restore->places.size = 0;
    int status = buffer_reserve(&restore->places, size);
    if (status == RS_OK) {
        memset(restore->places.data, 0, size);
        restore->places.size = size;
        restore->placed = node->id;
    }
    return status;
}

static int load(struct tree_restore *restore, const struct node *node)
{
    struct tree_key head;
    struct env_cursor cursor = {NULL};
    struct slice at;
    struct slice record;
    tree_key_head(&head, node->id, TAG_VALUE);
    int status = start(restore, node);
    if (status == RS_OK) {
        status = env_cursor_open(restore->tree->txn, TABLE_TREE, &cursor);
    }
    if (status == RS_OK) {
        status = env_cursor_seek(&cursor, tree_key_slice(&head), &at, &record);
    }
    while (status == RS_OK && tree_key_matches(&head, at)) {
        uint32_t place;
        status = value_position(record, &place);
        if (status == RS_OK) {
            tree_places_set(restore, node->id, place, true);
            status = env_cursor_next(&cursor, &at, &record);
        }
    }
    env_cursor_close(&cursor);
    if (status != RS_OK && status != RS_END) {
        tree_places_forget(restore);
        return status;
    }
    return RS_OK;
}

int tree_places_free(struct tree_restore *restore, const struct node *node, uint32_t from,
                     uint32_t end, bool *free)
{
    int status = RS_OK;
    *free = true;
    if (end > node->next_position) {
        end = node->next_position; /* nobody has that, or one behind it */
    }
    if (from < end && restore->placed != node->id) {
        status = load(restore, node);
    }
    for (uint32_t place = from; status == RS_OK && *free && place < end; place++) {
        *free = !is_taken(restore, place);
    }
    return status;
}
