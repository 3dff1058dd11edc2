/*
 * transfer_current.c - HKLM\SYSTEM\CurrentControlSet, which no dump holds.
 *
 * Hives hold ControlSet001 and which set is current, but not CurrentControlSet: NT makes that link
 * when it starts, and so does an import that brings or changes the selection. The link is volatile,
 * so that it does not come into dumps, and SYSTEM's write time does not tell of it.
 *
 * A running Windows shows CurrentControlSet as a key like any other, and so .reg files hold it,
 * before Select or behind it. Where such a file makes it an ordinary key, that is known for what it
 * is at the end: its content is merged into the control set that Select names, as if it had come
 * through the link, and the link takes its place. A key that was there before stays, and as there
 * is no link then, that is told as a loss. Needs tree.
 */
#include "transfer_importer.h"

#include <stdio.h>

#define SYSTEM "HKEY_LOCAL_MACHINE\\SYSTEM"
#define LINK_PATH SYSTEM "\\CurrentControlSet"

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

/* What CurrentControlSet is. */
enum current_kind {
    CURRENT_NONE,
    CURRENT_LINK,     /* the system's own */
    CURRENT_IMPORTED, /* an ordinary key that this import has made */
    CURRENT_KEY,      /* one that was there before */
    CURRENT_OTHER
};

/* *key is set where there is one. */
static enum current_kind look(const struct importer *importer, rs_key system, rs_key *key)
{
    struct tree *tree = importer->tree;
    struct node node;
    int status = tree_child(tree, system, "CurrentControlSet", 17, key, NULL);

    if (status != RS_OK) {
        return status == RS_ENOTFOUND ? CURRENT_NONE : CURRENT_OTHER;
    }
    if (tree_node(tree, *key, &node) != RS_OK) {
        return CURRENT_OTHER;
    }
    if (node.flags & RS_KEY_LINK) {
        return node.flags & RS_KEY_VOLATILE ? CURRENT_LINK : CURRENT_OTHER;
    }
    return *key >= importer->first_new ? CURRENT_IMPORTED : CURRENT_KEY;
}

/* Merges what the import has put into CurrentControlSet into the control set, and counts it as what
 * it became there. */
static int merge(struct importer *importer, rs_key key, const char *set, size_t len)
{
    rs_import_report *report = &importer->report;
    rs_import_report merged;
    unsigned flags = RS_SUBTREE | (importer->options->flags & RS_KEEP);
    int status = transfer_copy(importer->tree, key, RS_NO_KEY, set, len, flags, &merged);

    if (status != RS_OK) {
        return status;
    }
    const struct tree_state copied = importer->tree->state;
    status = tree_delete(importer->tree, key, true);
    report->keys_added -= copied.keys - importer->tree->state.keys;
    report->values_added -= copied.values - importer->tree->state.values;
    report->keys_added += merged.keys_added;
    report->keys_found += merged.keys_found;
    report->values_added += merged.values_added;
    report->values_changed += merged.values_changed;
    report->values_same += merged.values_same;
    report->values_kept += merged.values_kept;
    return status;
}

/* The current control set, and what stands where the link belongs. */
struct current {
    char set[64];
    size_t set_len;
    bool set_exists;
    struct node system;
    rs_key key;
    enum current_kind kind;
};

/* False if there is no SYSTEM. Failures of looking are not failures of the importer. */
static bool find_current(struct importer *importer, uint32_t number, struct current *current)
{
    struct tree *tree = importer->tree;
    rs_error *error = tree->error;
    rs_key key;

    current->set_len =
        (size_t)snprintf(current->set, sizeof current->set, SYSTEM "\\ControlSet%03u", number);
    tree->error = NULL;
    bool found = tree_open(tree, RS_NO_KEY, SYSTEM, sizeof SYSTEM - 1, 0, &key) == RS_OK &&
                 tree_node(tree, key, &current->system) == RS_OK;
    if (found) {
        current->kind = look(importer, key, &current->key);
        current->set_exists =
            tree_open(tree, RS_NO_KEY, current->set, current->set_len, 0, &key) == RS_OK;
    }
    tree->error = error;
    return found;
}

/* Whether the import is to make the link, or move it. One that brings SYSTEM as a whole is where
 * there is an ordinary key, too. */
static bool is_called_for(const struct importer *importer, const struct current *current,
                          bool selected)
{
    bool whole = importer->mount == RS_HKLM || importer->mount == current->system.id;

    switch (current->kind) {
    case CURRENT_IMPORTED:
        return selected || whole;
    case CURRENT_KEY:
        return (selected || whole) && current->set_exists;
    case CURRENT_OTHER:
        return false;
    default:
        return selected && current->set_exists;
    }
}

static void tell_key_in_the_way(struct importer *importer)
{
    const rs_import_options *options = importer->options;

    importer->report.losses++;
    if (options->loss != NULL) {
        options->loss(options->context, RS_LOSS_CURRENT, LINK_PATH, NULL);
    }
}

int selection_link(struct importer *importer, const struct selection *before)
{
    struct tree *tree = importer->tree;
    struct selection now = selection_now(tree);
    struct current current;
    rs_key key;
    int status = RS_OK;

    if (!now.exists || now.current == 0 || now.current > 999 ||
        !find_current(importer, now.current, &current) ||
        !is_called_for(importer, &current, !before->exists || before->current != now.current)) {
        return RS_OK;
    }
    if (current.kind == CURRENT_KEY) {
        tell_key_in_the_way(importer);
        return RS_OK;
    }
    if (current.kind == CURRENT_IMPORTED) {
        status = merge(importer, current.key, current.set, current.set_len);
    }
    if (status == RS_OK) {
        status = tree_link_create(tree, RS_NO_KEY, LINK_PATH, sizeof LINK_PATH - 1, current.set,
                                  current.set_len, RS_VOLATILE, &key);
    }
    return status == RS_OK ? tree_set_written(tree, current.system.id, current.system.written)
                           : status;
}
