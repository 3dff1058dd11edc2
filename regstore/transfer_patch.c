/*
 * transfer_patch.c - a patch's events become edits of the tree.
 *
 * Needs tree and format. Each key of a patch is a path from a root, or below the key that the
 * caller names; it is made as far as it is not there. The last word on a value counts. What is
 * taken away need not be there. With RS_KEEP nothing that was set before the import is overwritten
 * or taken away; what is told of the import's own values and keys counts as ever. A key that was
 * there before stays as a whole when it is to go, with what the import has put into it.
 *
 * Links are followed as in any path. A key that is a link itself means the link if the first thing
 * that is told of it is the link's target, else what it points to.
 */
#include "transfer_importer.h"

#include <stdlib.h>
#include <string.h>

static bool keeps(const struct importer *importer)
{
    return (importer->options->flags & RS_KEEP) != 0;
}

static struct frame *open_frame(struct importer *importer)
{
    return &importer->frames[importer->depth - 1];
}

/* A key of the patch says where it is, or the caller does: one of them. */
static int check_place(struct importer *importer, const struct format_key *told)
{
    if (told->absolute && importer->options->key) {
        importer->no_place = true;
        return fail(&importer->why, RS_EPATH,
                    "this file says itself where its keys belong: name no key");
    }
    if (!told->absolute && !importer->options->key) {
        importer->no_place = true;
        return fail(&importer->why, RS_EPATH,
                    "this file does not say where it belongs: name a key");
    }
    return RS_OK;
}

/* Whether a patch means a root: a view, too, although the key that it leads to is none. */
static bool is_root(const struct format_key *told)
{
    return told->absolute && path_root_by_name(told->name, told->name_len) != NULL;
}

/* Where a key of the patch is. */
struct place {
    rs_key base;
    const char *path;
    size_t len;
};

static int find_place(struct importer *importer, const struct format_key *told, struct place *place)
{
    int status = check_place(importer, told);

    place->base = told->absolute ? RS_NO_KEY : importer->mount;
    place->path = told->name;
    place->len = told->name_len;
    if (status == RS_OK && told->absolute) {
        status = importer_view(importer, &place->path, &place->len);
    }
    return status;
}

/* ---- The trail ---- */

/* What leads where may be another thing from here on. */
static void forget_trail(struct importer *importer)
{
    importer->trail.count = 0;
}

/* If one of the trail's keys is above the place, the place is told from there. What else is on the
 * trail is behind us. */
static void follow_trail(struct importer *importer, struct place *place)
{
    struct trail *trail = &importer->trail;

    while (trail->count > 0) {
        const struct trail_step *step = &trail->steps[trail->count - 1];
        if (place->len > step->len + 1 && place->path[step->len] == '\\' &&
            place->path[step->len + 1] != '\\' &&
            memcmp(place->path, trail->path.data, step->len) == 0) {
            place->base = step->key;
            place->path += step->len + 1;
            place->len -= step->len + 1;
            return;
        }
        trail->count--;
    }
}

/* The key that was opened at a place becomes the trail's last. A link is none: it may come to lead
 * elsewhere. */
static int lengthen_trail(struct importer *importer, const char *path, size_t len, rs_key key)
{
    struct trail *trail = &importer->trail;

    if (len == 0 || path[0] == '/') { /* there a backslash is part of a name */
        forget_trail(importer);
        return RS_OK;
    }
    if (trail->count == trail->capacity) {
        size_t capacity = trail->capacity ? trail->capacity * 2 : 32;
        struct trail_step *steps = realloc(trail->steps, capacity * sizeof *steps);
        if (!steps) {
            return RS_ENOMEM;
        }
        trail->steps = steps;
        trail->capacity = capacity;
    }
    trail->steps[trail->count++] = (struct trail_step){len, key};
    trail->path.size = 0;
    return buffer_append(&trail->path, path, len);
}

/* Makes the key of a place as far as it is not there. */
static int make_key(struct importer *importer, const struct place *asked, rs_key *key,
                    bool *created)
{
    struct tree *tree = importer->tree;
    struct place place = *asked;
    int status;

    follow_trail(importer, &place);
    bool near = importer->trail.count > 0;
    if (near && !memchr(place.path, '\\', place.len)) {
        status = tree_create_child(tree, place.base, place.path, place.len, 0, key, created);
    } else {
        status = tree_create(tree, place.base, place.path, place.len, RS_NOFOLLOW, key, created);
    }
    return status == RS_OK ? lengthen_trail(importer, asked->path, asked->len, *key) : status;
}

/* ---- Keys ---- */

/* For a call that may find nothing: that is no failure of the import. */
static int allow_missing(struct importer *importer, int status)
{
    if (status != RS_ENOTFOUND) {
        return status;
    }
    importer->why = (rs_error)RS_ERROR_INIT;
    return RS_OK;
}

/* Opens a key that is not to be made; if there is none, what is told of it is left out. */
static int open_existing(struct importer *importer, const struct place *place, rs_key *key)
{
    int status = tree_open(importer->tree, place->base, place->path, place->len, RS_NOFOLLOW, key);

    importer->left_out = status == RS_ENOTFOUND;
    return status;
}

static int patch_key_begin(struct format_sink *sink, const struct format_key *told)
{
    struct importer *importer = (struct importer *)sink;
    uint64_t keys = importer->tree->state.keys;
    struct place place;
    rs_key key;
    bool created = false;
    int status = find_place(importer, told, &place);

    if (status == RS_OK) {
        importer->begun = true;
        status = told->only_if_there ? open_existing(importer, &place, &key)
                                     : make_key(importer, &place, &key, &created);
    }
    if (importer->left_out > 0) {
        return allow_missing(importer, status);
    }
    if (status == RS_OK) {
        status = importer_enter(importer, key, created, told);
    }
    if (status == RS_OK) {
        open_frame(importer)->root = is_root(told);
    }
    if (status == RS_OK && open_frame(importer)->link) {
        forget_trail(importer);
    }
    if (status == RS_OK && created) { /* with those on its way */
        importer->report.keys_added += importer->tree->state.keys - keys - 1;
    }
    arena_reset(&importer->arena);
    return status;
}

/* Something else than a link's target is told of a key that is a link: what it points to is meant.
 */
static int follow(struct importer *importer)
{
    struct frame *frame = open_frame(importer);
    struct node node;

    if (!frame->link) {
        return RS_OK;
    }
    frame->link = false;
    int status = tree_node(importer->tree, frame->key, &node);
    return status == RS_OK
               ? tree_open(importer->tree, node.parent, node.name, node.name_len, 0, &frame->key)
               : status;
}

static int patch_key_end(struct format_sink *sink)
{
    struct importer *importer = (struct importer *)sink;

    if (importer->left_out > 0) {
        importer->left_out = 0;
        return RS_OK;
    }
    int status = tree_batch_write(&importer->batch, importer->tree);
    return status == RS_OK ? importer_leave(importer) : status;
}

/* In a key of this import's own making values wait in a batch. The second one of a name is set over
 * the first, which must have been written then. */
static int put_in_new_key(struct importer *importer, const struct frame *frame,
                          const rs_value *value)
{
    int status = tree_batch_add(&importer->batch, importer->tree, frame->key, value);

    if (status != RS_EEXIST) {
        importer->report.values_added += status == RS_OK;
        return status;
    }
    status = tree_batch_write(&importer->batch, importer->tree);
    return status == RS_OK ? tree_value_set(importer->tree, frame->key, value->name,
                                            value->name_len, value->type, value->data, value->size)
                           : status;
}

/* What a set of values of many keys knows a value by; it lives until the next call. */
static int name_own(struct importer *importer, const struct frame *frame, const rs_value *value)
{
    struct buffer *name = &importer->path;

    name->size = 0;
    int status = buffer_printf(name, "%llu\\", (unsigned long long)frame->key);
    return status == RS_OK ? buffer_append(name, value->name, value->name_len) : status;
}

/* Remembers a value that the patch has set. */
static int note_own(struct importer *importer, const struct frame *frame, const rs_value *value)
{
    bool known;
    int status = name_own(importer, frame, value);

    return status == RS_OK
               ? seen_names_add(&importer->own, importer->path.data, importer->path.size, &known)
               : status;
}

/* Whether the patch itself has set a value, if it is set. */
static int is_own(struct importer *importer, const struct frame *frame, const char *name,
                  size_t len, bool *own)
{
    const rs_value value = {.name = name, .name_len = len};
    int status = RS_OK;

    *own = frame->key >= importer->first_new;
    if (!*own) {
        status = name_own(importer, frame, &value);
    }
    return status == RS_OK && !*own
               ? seen_names_find(&importer->own, importer->path.data, importer->path.size, own)
               : status;
}

/* With RS_KEEP: what the patch itself has set is no reason to keep it. */
static int put_or_keep(struct importer *importer, const struct frame *frame, const rs_value *value)
{
    uint64_t added = importer->report.values_added;
    uint64_t kept = importer->report.values_kept;
    bool own = false;
    int status = importer_merge_value(importer, frame, value);

    if (status == RS_OK && importer->report.values_kept > kept) {
        status = is_own(importer, frame, value->name, value->name_len, &own);
    }
    if (status == RS_OK && own) {
        importer->report.values_kept = kept;
        return tree_value_set(importer->tree, frame->key, value->name, value->name_len, value->type,
                              value->data, value->size);
    }
    return status == RS_OK && importer->report.values_added > added
               ? note_own(importer, frame, value)
               : status;
}

static int put_in_found_key(struct importer *importer, const struct frame *frame,
                            const rs_value *value)
{
    return keeps(importer) ? put_or_keep(importer, frame, value)
                           : importer_merge_value(importer, frame, value);
}

static int patch_value(struct format_sink *sink, const rs_value *value)
{
    struct importer *importer = (struct importer *)sink;
    int status = RS_OK;

    if (importer->left_out > 0) {
        return RS_OK;
    }
    struct frame *frame = open_frame(importer);
    if (importer_is_link_target(value)) {
        frame->link = false;
        forget_trail(importer);
    } else {
        status = follow(importer);
    }
    if (status == RS_OK) {
        status = frame->key >= importer->first_new ? put_in_new_key(importer, frame, value)
                                                   : put_in_found_key(importer, frame, value);
    }
    importer->progress.now.values++;
    arena_reset(&importer->arena);
    return status;
}

/* What is told next must see all values. */
static int begin_edit(struct importer *importer)
{
    forget_trail(importer);
    int status = tree_batch_write(&importer->batch, importer->tree);

    return status == RS_OK ? follow(importer) : status;
}

static int patch_value_add(struct format_sink *sink, const rs_value *value)
{
    struct importer *importer = (struct importer *)sink;

    if (importer->left_out > 0) {
        return RS_OK;
    }
    int status = begin_edit(importer);
    if (status == RS_OK) {
        status = tree_value_add(importer->tree, open_frame(importer)->key, value);
        importer->report.values_added += status == RS_OK;
        importer->report.values_kept += status == RS_EEXIST;
    }
    if (status == RS_OK && keeps(importer)) {
        status = note_own(importer, open_frame(importer), value);
    }
    arena_reset(&importer->arena);
    return status == RS_EEXIST ? RS_OK : status;
}

/* Takes a value of the open key away, unless it is to be kept. */
static int delete_value(struct importer *importer, const char *name, size_t len)
{
    const struct frame *frame = open_frame(importer);
    bool goes = true;
    int status = keeps(importer) ? is_own(importer, frame, name, len, &goes) : RS_OK;

    return status == RS_OK && goes ? importer_delete_value(importer, frame->key, name, len)
                                   : status;
}

static int patch_value_delete(struct format_sink *sink, const char *name, size_t len)
{
    struct importer *importer = (struct importer *)sink;

    if (importer->left_out > 0) {
        return RS_OK;
    }
    int status = begin_edit(importer);
    if (status == RS_OK) {
        status = delete_value(importer, name, len);
    }
    arena_reset(&importer->arena);
    return allow_missing(importer, status);
}

static int patch_values_delete(struct format_sink *sink)
{
    struct importer *importer = (struct importer *)sink;
    struct tree_list values = {0};
    rs_value value;

    if (importer->left_out > 0) {
        return RS_OK;
    }
    int status = begin_edit(importer);
    if (status != RS_OK) {
        return status;
    }
    status = tree_list_values(&values, importer->tree, open_frame(importer)->key);
    while (status == RS_OK && (status = tree_list_next_value(&values, &value)) == RS_OK) {
        status = delete_value(importer, value.name, value.name_len);
    }
    tree_list_free(&values);
    arena_reset(&importer->arena);
    return status == RS_END ? RS_OK : status;
}

/* What a root holds is not a file's to take away as a whole, as a root itself is not. */
static int refuse_root(struct importer *importer)
{
    const struct frame *frame = open_frame(importer);
    struct node node;
    int status = tree_node(importer->tree, frame->key, &node);

    return status == RS_OK && (frame->root || node.parent == RS_NO_KEY)
               ? fail(&importer->why, RS_EROOT, "a root key cannot be emptied")
               : status;
}

/* Takes a key away, unless it is to be kept. */
static int delete_key(struct importer *importer, rs_key key)
{
    return keeps(importer) && key < importer->first_new ? RS_OK
                                                        : importer_delete_key(importer, key);
}

static int patch_subkeys_delete(struct format_sink *sink)
{
    struct importer *importer = (struct importer *)sink;
    struct tree_list subkeys = {0};
    struct node node;

    if (importer->left_out > 0) {
        return RS_OK;
    }
    int status = begin_edit(importer);
    if (status == RS_OK) {
        status = refuse_root(importer);
    }
    if (status != RS_OK) {
        return status;
    }
    status = tree_list_subkeys(&subkeys, importer->tree, open_frame(importer)->key);
    while (status == RS_OK && (status = tree_list_next_key(&subkeys, &node)) == RS_OK) {
        status = delete_key(importer, node.id);
    }
    tree_list_free(&subkeys);
    arena_reset(&importer->arena);
    return status == RS_END ? RS_OK : status;
}

static int patch_key_delete(struct format_sink *sink, const struct format_key *told)
{
    struct importer *importer = (struct importer *)sink;
    struct place place;
    rs_key key;
    int status = find_place(importer, told, &place);

    if (status == RS_OK && is_root(told)) {
        return fail(&importer->why, RS_EROOT, "a root key cannot be deleted");
    }
    if (status != RS_OK) {
        return status;
    }
    importer->begun = true;
    forget_trail(importer);
    status = tree_open(importer->tree, place.base, place.path, place.len, RS_NOFOLLOW, &key);
    if (status == RS_OK) {
        status = delete_key(importer, key);
    }
    arena_reset(&importer->arena);
    return allow_missing(importer, status);
}

static int patch_left_out(struct format_sink *sink, enum rs_loss_kind kind,
                          const struct format_key *told, const char *value, size_t value_len)
{
    struct importer *importer = (struct importer *)sink;
    int status = check_place(importer, told);

    return status == RS_OK
               ? importer_tell_loss(importer, kind, told->name, told->name_len, value, value_len)
               : status;
}

int importer_take_patch(struct importer *importer)
{
    const char *path = importer->options->key;
    bool created = false;

    importer->sink.key_begin = patch_key_begin;
    importer->sink.value = patch_value;
    importer->sink.key_end = patch_key_end;
    importer->sink.value_add = patch_value_add;
    importer->sink.value_delete = patch_value_delete;
    importer->sink.values_delete = patch_values_delete;
    importer->sink.subkeys_delete = patch_subkeys_delete;
    importer->sink.key_delete = patch_key_delete;
    importer->sink.left_out = patch_left_out;
    if (importer->options->flags & RS_REPLACE) {
        importer->no_place = true;
        return fail(&importer->why, RS_EINVAL,
                    "a %s file is a row of edits: it cannot replace a key",
                    importer->report.format);
    }
    if (!path) {
        return RS_OK;
    }
    size_t len = strlen(path);
    int status = importer_view(importer, &path, &len);
    if (status != RS_OK) {
        return status;
    }
    status = tree_create(importer->tree, RS_NO_KEY, path, len, 0, &importer->mount, &created);
    if (status == RS_OK && created) {
        importer->begun = true;
        importer->report.keys_added++;
    }
    return status;
}
