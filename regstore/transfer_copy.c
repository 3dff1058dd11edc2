/*
 * transfer_copy.c - a key, with or without what is below it, copied to another place.
 *
 * Needs the walk, whose events go into an importer: so a copy merges, and treats links, class names
 * and write times, as an import does.
 */
#include "transfer_importer.h"

/* The key itself or one above it. */
static int is_within(struct tree *tree, rs_key key, rs_key above, bool *within)
{
    int status = RS_OK;

    *within = false;
    for (unsigned depth = 0; status == RS_OK && key != RS_NO_KEY && !*within; depth++) {
        struct node node;
        *within = key == above;
        status = depth <= RS_MAX_DEPTH + 1 ? tree_node(tree, key, &node) : RS_EDAMAGED;
        key = status == RS_OK ? node.parent : RS_NO_KEY;
    }
    return status;
}

/* Where the key lies below the one that it is copied to, the same names below the key itself would
 * be copied onto the key. */
static int meets_itself(struct tree *tree, rs_key source, rs_key target, bool *meets)
{
    struct buffer above = BUFFER_INIT;
    struct buffer path = BUFFER_INIT;
    rs_error *error = tree->error;
    rs_key met;
    int status = tree_path(tree, target, &above);

    if (status == RS_OK) {
        status = tree_path(tree, source, &path);
    }
    if (status == RS_OK) {
        tree->error = NULL; /* that there is none is no failure */
        status = tree_open(tree, source, path.data + above.size + 1, path.size - above.size - 1,
                           RS_NOFOLLOW, &met);
        tree->error = error;
        *meets = status == RS_OK;
        status = status == RS_ENOTFOUND ? RS_OK : status;
    }
    buffer_free(&above);
    buffer_free(&path);
    return status;
}

static int check_place(struct importer *importer, rs_key source, bool subtree)
{
    struct tree *tree = importer->tree;
    bool refused;
    int status = is_within(tree, importer->mount, source, &refused);

    if (status == RS_OK && refused) {
        return fail(&importer->why, RS_EINVAL, "a key cannot be copied onto itself or into itself");
    }
    if (status == RS_OK && subtree) {
        status = is_within(tree, source, importer->mount, &refused);
    }
    if (status == RS_OK && subtree && refused) {
        status = meets_itself(tree, source, importer->mount, &refused);
    }
    return status == RS_OK && refused
               ? fail(&importer->why, RS_EINVAL,
                      "the copy would change what is copied: a key below has the same path")
               : status;
}

/* Makes the key that it is copied to, and counts it with those on its way. */
static int make_target(struct importer *importer, rs_key base, const char *path, size_t len)
{
    uint64_t keys = importer->tree->state.keys;
    int status =
        tree_create(importer->tree, base, path, len, 0, &importer->mount, &importer->mount_created);

    if (status == RS_OK && importer->mount_created) {
        importer->begun = true;
        importer->report.keys_added += importer->tree->state.keys - keys - 1;
    }
    return status;
}

static int copy(struct importer *importer, rs_key source, bool subtree)
{
    static const struct buffer mounted = {(char *)(uintptr_t) "", 0, 0};
    struct selection before = selection_now(importer->tree);
    struct node node;
    int status = check_place(importer, source, subtree);

    if (status == RS_OK) {
        status = tree_node(importer->tree, source, &node);
    }
    if (status == RS_OK) {
        status = transfer_walk(importer->tree, &node, &mounted, subtree, &importer->sink,
                               &importer->progress);
    }
    return status == RS_OK ? selection_link(importer, &before) : status;
}

int transfer_copy(struct tree *tree, rs_key source, rs_key base, const char *path, size_t len,
                  unsigned flags, rs_import_report *report)
{
    const rs_import_options options = {.flags = flags & RS_KEEP};
    struct importer importer;
    struct arena *arena = tree->arena;
    rs_error *error = tree->error;

    if (!tree->cache) {
        return fail(error, RS_EREADONLY, "cannot copy in a read-only transaction");
    }
    importer_begin(&importer, tree, &options);
    tree->arena = &importer.arena;
    tree->error = &importer.why;
    int status = make_target(&importer, base, path, len);
    if (status == RS_OK) {
        status = copy(&importer, source, (flags & RS_SUBTREE) != 0);
    }
    tree->arena = arena;
    tree->error = error;
    status = importer_end(&importer, status, report);
    if (status != RS_OK) {
        fail(error, status, "%s",
             importer.why.status != RS_OK ? importer.why.text : rs_strerror(status));
    }
    return status;
}
