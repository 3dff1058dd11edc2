/*
 * transfer_replace.c - an import takes away what is not in the dump, as RS_REPLACE asks for.
 *
 * Needs tree and the importer. What this import has made is never taken away; of what was found,
 * the names and keys that the dump has shown are known (transfer_seen.c).
 */
#include "transfer_importer.h"

int importer_delete_value(struct importer *importer, rs_key key, const char *name, size_t len)
{
    int status = tree_value_delete(importer->tree, key, name, len);

    importer->report.values_deleted += status == RS_OK;
    return status;
}

int importer_delete_key(struct importer *importer, rs_key key)
{
    const struct tree_state before = importer->tree->state;
    int status = tree_delete(importer->tree, key, true);

    if (status == RS_OK) {
        importer->report.keys_deleted += before.keys - importer->tree->state.keys;
        importer->report.values_deleted += before.values - importer->tree->state.values;
    }
    return status;
}

int importer_sweep_values(struct importer *importer, struct frame *frame)
{
    struct tree_list values = {0};
    rs_value value;
    bool seen;

    if (!(importer->options->flags & RS_REPLACE) || frame->swept ||
        frame->key >= importer->first_new) {
        return RS_OK;
    }
    frame->swept = true;
    int status = tree_list_values(&values, importer->tree, frame->key);
    while (status == RS_OK && (status = tree_list_next_value(&values, &value)) == RS_OK) {
        status = seen_names_add(&importer->names, value.name, value.name_len, &seen);
        if (status == RS_OK && !seen) {
            status = importer_delete_value(importer, frame->key, value.name, value.name_len);
        }
    }
    tree_list_free(&values);
    return status == RS_END ? RS_OK : status;
}

/* The same for its subkeys; what the system made stays. */
static int sweep_subkeys(struct importer *importer, const struct frame *frame)
{
    struct tree_list subkeys = {0};
    struct node node;
    bool met = false;

    int status = tree_list_subkeys(&subkeys, importer->tree, frame->key);
    while (status == RS_OK && (status = tree_list_next_key(&subkeys, &node)) == RS_OK) {
        if (node.id >= importer->first_new || (node.flags & RS_KEY_VOLATILE)) {
            continue;
        }
        rs_key subkey = node.id;
        status = seen_keys_add(&importer->met, subkey, &met);
        if (status == RS_OK && !met) {
            status = importer_delete_key(importer, subkey);
        }
    }
    tree_list_free(&subkeys);
    return status == RS_END ? RS_OK : status;
}

int importer_sweep(struct importer *importer, struct frame *frame)
{
    if (!(importer->options->flags & RS_REPLACE) || frame->key >= importer->first_new) {
        return RS_OK;
    }
    int status = importer_sweep_values(importer, frame);
    return status == RS_OK ? sweep_subkeys(importer, frame) : status;
}

int importer_replace_link(struct importer *importer, struct frame *frame)
{
    struct tree *tree = importer->tree;
    struct node link;
    bool created;
    int status = tree_node(tree, frame->key, &link);

    if (status != RS_OK) {
        return status;
    }
    const char *name = arena_copy(&importer->arena, link.name, link.name_len);
    const char *class_name = arena_copy(&importer->arena, link.class_name, link.class_len);
    if (!name || !class_name) {
        return RS_ENOMEM;
    }
    status = importer_delete_key(importer, frame->key);
    if (status == RS_OK) {
        status =
            tree_create_child(tree, link.parent, name, link.name_len, 0, &frame->key, &created);
    }
    if (status == RS_OK && link.class_len > 0) {
        status = tree_set_class(tree, frame->key, class_name, link.class_len);
    }
    frame->link = false;
    importer->report.keys_found--;
    importer->report.keys_added++;
    return status;
}
