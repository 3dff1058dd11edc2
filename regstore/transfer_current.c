/*
 * transfer_current.c - HKLM\SYSTEM\CurrentControlSet, which no dump holds.
 *
 * Hives hold ControlSet001 and which set is current, but not CurrentControlSet: NT makes that link
 * when it starts, and so does an import that brings or changes the selection. The link is volatile,
 * so that it does not come into dumps, and SYSTEM's write time does not tell of it. Needs tree.
 */
#include "transfer_importer.h"

#include <stdio.h>

#define SYSTEM "HKEY_LOCAL_MACHINE\\SYSTEM"

struct selection selection_now(struct tree *tree)
{
    static const char path[] = SYSTEM "\\Select";
    struct selection selection = {false, 0};
    rs_error *error = tree->error;
    rs_value value;
    rs_key key;

    tree->error = NULL;
    if (tree_open(tree, RS_NO_KEY, path, sizeof path - 1, 0, &key) == RS_OK) {
        selection.exists = true;
        if (tree_value_get(tree, key, "Current", 7, &value) == RS_OK && value.type == REG_DWORD &&
            value_to_dword(value.type, value.data, value.size, &selection.current) != RS_OK) {
            selection.current = 0;
        }
    }
    tree->error = error;
    return selection;
}

/* True if CurrentControlSet is not there, or is the system's own link. */
static bool may_link(struct tree *tree, rs_key system)
{
    struct node node;
    rs_key key;
    int status = tree_child(tree, system, "CurrentControlSet", 17, &key, NULL);

    if (status != RS_OK) {
        return status == RS_ENOTFOUND;
    }
    return tree_node(tree, key, &node) == RS_OK && (node.flags & RS_KEY_LINK) &&
           (node.flags & RS_KEY_VOLATILE);
}

int selection_link(struct importer *importer, const struct selection *before)
{
    static const char link_path[] = SYSTEM "\\CurrentControlSet";
    struct tree *tree = importer->tree;
    struct selection now = selection_now(tree);
    char target[64];
    struct node node;
    rs_key system;
    rs_key key;

    if (!now.exists || now.current == 0 || now.current > 999 ||
        (before->exists && before->current == now.current)) {
        return RS_OK;
    }
    int len = snprintf(target, sizeof target, SYSTEM "\\ControlSet%03u", (unsigned)now.current);
    tree->error = NULL;
    bool wanted = tree_open(tree, RS_NO_KEY, target, (size_t)len, 0, &key) == RS_OK &&
                  tree_open(tree, RS_NO_KEY, SYSTEM, sizeof SYSTEM - 1, 0, &system) == RS_OK &&
                  may_link(tree, system) && tree_node(tree, system, &node) == RS_OK;
    tree->error = &importer->why;
    if (!wanted) {
        return RS_OK;
    }
    uint64_t written = node.written;
    int status = tree_link_create(tree, RS_NO_KEY, link_path, sizeof link_path - 1, target,
                                  (size_t)len, RS_VOLATILE, &key);
    return status == RS_OK ? tree_set_written(tree, system, written) : status;
}
