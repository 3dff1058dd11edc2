/*
 * transfer_difference.c - what makes one key into another becomes a patch's events.
 *
 * Needs transfer_compare.c and format. Keys are named by their paths on the left side. A key that
 * only the left side has is deleted, with one event; one that only the right side has is told
 * whole; of others the values that differ are set or deleted. A patch follows a link unless the
 * first thing that it tells of it is the link's target, so that is told first of a key that is one.
 * Keys below links, which only ids lead to, cannot be named in a patch: their paths would lead to
 * keys below the target. So they are told as losses, as are class names.
 */
#include "transfer.h"

#include <string.h>

struct patcher {
    const struct transfer_pair *pair;
    struct format_sink *sink;
    struct format_output *output;
    struct transfer_progress *progress;
    struct buffer base;    /* the left key's path; empty if the paths are whole */
    struct buffer path;    /* of the key that is told */
    struct buffer deleted; /* the relative path of the key that was deleted last */
    bool has_deleted;
    bool open;          /* the sink has a key open: path */
    struct buffer lost; /* the relative path of the key below a link that was told last */
    bool has_lost;
    struct { /* whether there is a link above a key, as was found out last */
        const struct tree *tree;
        rs_key parent;
        bool below;
    } known;
};

static int close_key(struct patcher *patcher)
{
    bool open = patcher->open;

    patcher->open = false;
    return open ? patcher->sink->key_end(patcher->sink) : RS_OK;
}

/* Copies a text into a buffer. */
static int set_text(struct buffer *buffer, const char *text, size_t len)
{
    buffer->size = 0;
    int status = buffer_append(buffer, text, len);

    return status == RS_OK ? buffer_terminate(buffer) : status;
}

/* The whole path of what differs. */
static int join(struct patcher *patcher, const rs_difference *difference)
{
    int status = set_text(&patcher->path, patcher->base.data, patcher->base.size);

    if (status == RS_OK && patcher->base.size > 0 && difference->path_len > 0) {
        status = buffer_append_byte(&patcher->path, '\\');
    }
    if (status == RS_OK) {
        status = buffer_append(&patcher->path, difference->path, difference->path_len);
    }
    return status == RS_OK ? buffer_terminate(&patcher->path) : status;
}

static struct format_key told_key(const struct patcher *patcher, const rs_key_info *info)
{
    return (struct format_key){
        .name = patcher->path.data,
        .name_len = patcher->path.size,
        .absolute = true,
        .class_name = info->class_name,
        .class_len = info->class_len,
        .written = info->written,
        .flags = info->flags,
    };
}

/* Is it inside a key that was deleted whole? */
static bool is_deleted(const struct patcher *patcher, const rs_difference *difference)
{
    size_t len = patcher->deleted.size;

    if (difference->right_key || !patcher->has_deleted || difference->path_len < len ||
        memcmp(difference->path, patcher->deleted.data, len) != 0) {
        return false;
    }
    return difference->path_len == len || len == 0 || difference->path[len] == '\\';
}

static int delete_key(struct patcher *patcher, const rs_difference *difference)
{
    const struct format_key key = told_key(patcher, difference->left_key);
    int status = patcher->sink->key_delete(patcher->sink, &key);

    patcher->has_deleted = true;
    return status == RS_OK ? set_text(&patcher->deleted, difference->path, difference->path_len)
                           : status;
}

/* The target of a link that both sides have, before anything else of it. */
static int tell_target(struct patcher *patcher, const rs_key_info *link)
{
    rs_value target;
    int status = tree_value_get(patcher->pair->right, link->key, TREE_LINK_VALUE,
                                TREE_LINK_VALUE_LEN, &target);

    return status == RS_OK ? patcher->sink->value(patcher->sink, &target) : status;
}

static int open_key(struct patcher *patcher, const rs_difference *difference)
{
    const struct format_key key = told_key(patcher, difference->right_key);
    int status = patcher->sink->key_begin(patcher->sink, &key);

    patcher->open = status == RS_OK;
    patcher->progress->now.keys++;
    if (status == RS_OK && difference->left_key && (difference->right_key->flags & RS_KEY_LINK)) {
        status = tell_target(patcher, difference->right_key);
    }
    return status;
}

static bool is_open(const struct patcher *patcher, const rs_difference *difference)
{
    size_t base = patcher->base.size + (patcher->base.size > 0 && difference->path_len > 0);

    return patcher->open && patcher->path.size == base + difference->path_len &&
           memcmp(patcher->path.data + base, difference->path, difference->path_len) == 0;
}

static int tell_value(struct patcher *patcher, const rs_difference *difference)
{
    if (!difference->right) {
        return patcher->sink->value_delete(patcher->sink, difference->left->name,
                                           difference->left->name_len);
    }
    patcher->progress->now.values++;
    return patcher->sink->value(patcher->sink, difference->right);
}

/* ---- What a patch cannot tell ---- */

static int lose(struct patcher *patcher, const rs_difference *difference, enum rs_loss_kind kind)
{
    int status = close_key(patcher); /* its path is in use */

    if (status == RS_OK) {
        status = join(patcher, difference);
    }
    if (status == RS_OK && patcher->output->loss) {
        patcher->output->loss(patcher->output, kind, patcher->path.data, patcher->path.size, NULL,
                              0);
    }
    return status;
}

/* Whether a key on the way from the compared one, itself included, down to this parent is a link.
 */
static int look_above(struct patcher *patcher, struct tree *tree, rs_key top, rs_key parent)
{
    struct node node;
    int status = RS_OK;

    if (patcher->known.tree == tree && patcher->known.parent == parent) {
        return RS_OK;
    }
    patcher->known.tree = tree;
    patcher->known.parent = parent;
    patcher->known.below = false;
    while (status == RS_OK && parent != RS_NO_KEY && !patcher->known.below) {
        status = tree_node(tree, parent, &node);
        if (status == RS_OK) {
            patcher->known.below = (node.flags & RS_KEY_LINK) != 0;
            parent = parent == top ? RS_NO_KEY : node.parent;
        }
    }
    return status;
}

/* Of each key below a link one loss is told, and nothing else. */
static int lose_below_link(struct patcher *patcher, const rs_difference *difference, bool *below)
{
    const struct transfer_pair *pair = patcher->pair;
    const rs_key_info *key = difference->right_key ? difference->right_key : difference->left_key;
    rs_key top = difference->right_key ? pair->right_key : pair->left_key;

    *below = false;
    if (key->key == top) {
        return RS_OK;
    }
    int status =
        look_above(patcher, difference->right_key ? pair->right : pair->left, top, key->parent);
    *below = patcher->known.below;
    if (status != RS_OK || !*below ||
        (patcher->has_lost && patcher->lost.size == difference->path_len &&
         memcmp(patcher->lost.data, difference->path, difference->path_len) == 0)) {
        return status;
    }
    patcher->has_lost = true;
    status = set_text(&patcher->lost, difference->path, difference->path_len);
    return status == RS_OK ? lose(patcher, difference, RS_LOSS_BELOW_LINK) : status;
}

static bool loses_class(const rs_difference *difference)
{
    return difference->kind == RS_DIFFERS_CLASS ||
           (difference->kind == RS_DIFFERS_KEY && difference->right_key &&
            difference->right_key->class_len > 0);
}

static int tell_difference(struct patcher *patcher, const rs_difference *difference)
{
    bool below;

    if (is_deleted(patcher, difference)) {
        return RS_OK;
    }
    int status = lose_below_link(patcher, difference, &below);
    if (status != RS_OK || below) {
        return status;
    }
    if (loses_class(difference)) {
        status = lose(patcher, difference, RS_LOSS_NO_CLASS);
    }
    if (status != RS_OK || difference->kind == RS_DIFFERS_CLASS) {
        return status;
    }
    if (difference->kind == RS_DIFFERS_KEY || !is_open(patcher, difference)) {
        status = close_key(patcher);
        if (status == RS_OK) {
            status = join(patcher, difference);
        }
        if (status == RS_OK) {
            status = difference->right_key ? open_key(patcher, difference)
                                           : delete_key(patcher, difference);
        }
    }
    return status == RS_OK && difference->kind == RS_DIFFERS_VALUE ? tell_value(patcher, difference)
                                                                   : status;
}

static int on_difference(void *context, const rs_difference *difference)
{
    return tell_difference(context, difference);
}

int transfer_tell_patch(const struct transfer_pair *pair, struct format_sink *sink,
                        struct format_output *output, struct transfer_progress *progress)
{
    struct patcher patcher = {.pair = pair, .sink = sink, .output = output, .progress = progress};
    const rs_compare_options options = {
        .flags = RS_SUBTREE, .each = on_difference, .context = &patcher};
    int status =
        pair->left_key != RS_NO_KEY ? tree_path(pair->left, pair->left_key, &patcher.base) : RS_OK;

    if (status == RS_OK) {
        status = transfer_compare(pair, &options, NULL);
    }
    if (status == RS_OK) {
        status = close_key(&patcher);
    }
    buffer_free(&patcher.base);
    buffer_free(&patcher.path);
    buffer_free(&patcher.deleted);
    buffer_free(&patcher.lost);
    return status;
}
