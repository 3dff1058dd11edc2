#include <string.h>

#include "watch.h"

/* Ends each path in watch_target.links: a byte that no folded name holds. */
#define LINK_END 0xff

/* ---- Looking up the target ---- */

struct lookup {
    struct tree *tree;
    struct watch_target *target;
    struct buffer path; /* canonical, as far as it was walked */
    rs_key key;         /* at path; RS_NO_KEY below a key that does not exist */
    unsigned links;     /* followed */
};

static int append_name(struct buffer *path, const char *name, size_t len)
{
    int status = buffer_append_byte(path, '\\');
    return status == RS_OK ? buffer_append(path, name, len) : status;
}

/* The target of a link. RS_EDATA if it is no path: not worth an error, as the link may be mended.
 */
static int link_target(struct tree *tree, rs_key link, struct buffer *target)
{
    rs_error *error = tree->error;
    tree->error = NULL;
    int status = tree_link_target(tree, link, target);
    tree->error = error;
    return status == RS_ENOTFOUND ? RS_EDATA : status;
}

/* The path that goes on from a link: its target and the names that are left. RS_EDATA if it leads
 * nowhere; no name is taken then. */
static int redirect(struct lookup *lookup, rs_key link, struct path_iter *rest,
                    struct buffer *onward)
{
    const char *name;
    size_t len;
    int status = text_fold_append(&lookup->target->links, lookup->path.data, lookup->path.size);
    if (status == RS_OK) {
        status = buffer_append_byte(&lookup->target->links, LINK_END);
    }
    if (status == RS_OK) {
        status = link_target(lookup->tree, link, onward);
    }
    while (status == RS_OK && (status = path_next(rest, &name, &len, NULL)) == RS_OK) {
        status = append_name(onward, name, len);
    }
    return status == RS_END ? RS_OK : status;
}

/* Walks names, as far as keys exist by looking at them. A link that leads somewhere ends it:
 * *onward gets the path to be walked instead. */
static int walk_names(struct lookup *lookup, struct path_iter *names, struct buffer *onward)
{
    const char *name;
    size_t len;
    int status;
    while ((status = path_next(names, &name, &len, NULL)) == RS_OK) {
        bool link = false;
        rs_key child = RS_NO_KEY;
        if (lookup->key != RS_NO_KEY) {
            status = tree_child(lookup->tree, lookup->key, name, len, &child, &link);
        }
        if (status == RS_ETOOLONG && lookup->links > 0) {
            status = RS_ENOTFOUND; /* in a link's target, where nobody checked it */
        }
        if (status != RS_OK && status != RS_ENOTFOUND) {
            return status;
        }
        lookup->key = child;
        status = append_name(&lookup->path, name, len);
        if (status != RS_OK) {
            return status;
        }
        if (link && lookup->links++ < TREE_MAX_LINKS) {
            status = redirect(lookup, child, names, onward);
            if (status != RS_EDATA) {
                return status;
            }
            lookup->key = RS_NO_KEY;
        }
    }
    return status == RS_END ? RS_OK : status;
}

/* The names of a view, then those of the path. */
static int whole_names(const struct path_root *root, struct path_iter *names, struct buffer *all,
                       rs_error *error)
{
    const char *name;
    size_t len;
    int status = path_view(root, all);
    while (status == RS_OK && (status = path_next(names, &name, &len, error)) == RS_OK) {
        if (all->size > 0) {
            status = buffer_append_byte(all, '\\');
        }
        if (status == RS_OK) {
            status = buffer_append(all, name, len);
        }
    }
    return status == RS_END ? RS_OK : status;
}

int watch_stored_path(struct slice path, struct buffer *stored, rs_error *error)
{
    const struct path_root *root;
    struct path_iter names;
    struct buffer all = BUFFER_INIT;
    int status = path_begin_rooted(&names, path.data, path.size, &root, error);
    if (status == RS_OK) {
        status = whole_names(root, &names, &all, error);
    }
    if (status == RS_OK) {
        status = buffer_append_text(stored, path_root_by_key(root->stored)->name);
    }
    if (status == RS_OK && all.size > 0) {
        status = append_name(stored, all.data, all.size);
    }
    buffer_free(&all);
    return status == RS_OK ? buffer_terminate(stored) : status;
}

static int walk_rooted(struct lookup *lookup, const char *path, size_t len, struct buffer *onward)
{
    const struct path_root *root;
    struct path_iter names;
    struct buffer all = BUFFER_INIT;
    int status = path_begin_rooted(&names, path, len, &root, lookup->tree->error);
    if (status == RS_OK) {
        status = whole_names(root, &names, &all, lookup->tree->error);
    }
    if (status == RS_OK) {
        const struct path_root *stored = path_root_by_key(root->stored);
        lookup->key = stored->key;
        lookup->path.size = 0;
        status = buffer_append_text(&lookup->path, stored->name);
    }
    if (status == RS_OK) {
        path_begin(&names, all.data, all.size);
        status = walk_names(lookup, &names, onward);
    }
    buffer_free(&all);
    return status;
}

static size_t count_components(const struct buffer *path)
{
    size_t count = 1;
    for (size_t i = 0; i < path->size; i++) {
        count += path->data[i] == '\\';
    }
    return count;
}

/* Where the key's own rules lie: the names of its path below HKRS\Rules, the root by its alias. */
static int add_rule_path(struct watch_target *target)
{
    static const char rules[] = "HKEY_REGSTORE\\RULES\\";
    const struct buffer *path = &target->path;
    const char *below = memchr(path->data, '\\', path->size);
    size_t root = below != NULL ? (size_t)(below - path->data) : path->size;
    const struct path_root *row = path_root_by_name(path->data, root);
    int status = row != NULL ? buffer_append_text(&target->rules, rules) : RS_EPATH;
    if (status == RS_OK) {
        status = buffer_append_text(&target->rules, row->alias);
    }
    return status == RS_OK ? buffer_append(&target->rules, path->data + root, path->size - root)
                           : status;
}

int watch_resolve(struct watch_target *target, struct tree *tree, struct slice path)
{
    struct watch_target found = {BUFFER_INIT, BUFFER_INIT, BUFFER_INIT, 0};
    struct lookup lookup = {.tree = tree, .target = &found};
    struct buffer from = BUFFER_INIT;
    struct buffer onward = BUFFER_INIT;
    int status = buffer_append(&from, path.data, path.size);
    while (status == RS_OK) {
        onward.size = 0;
        status = walk_rooted(&lookup, from.data, from.size, &onward);
        if (status != RS_OK || onward.size == 0) {
            break;
        }
        from.size = 0;
        status = buffer_append(&from, onward.data, onward.size);
    }
    if (status == RS_OK) {
        status = text_fold_append(&found.path, lookup.path.data, lookup.path.size);
        found.components = count_components(&found.path);
    }
    if (status == RS_OK) {
        status = add_rule_path(&found);
    }
    if (status == RS_OK) {
        watch_target_free(target);
        *target = found;
    } else {
        watch_target_free(&found);
    }
    buffer_free(&from);
    buffer_free(&onward);
    buffer_free(&lookup.path);
    return status;
}

void watch_target_free(struct watch_target *target)
{
    buffer_free(&target->path);
    buffer_free(&target->links);
    buffer_free(&target->rules);
}

/* ---- Matching a change ---- */

/* Is path the same as below, or above it? Both folded. */
static bool at_or_above(struct slice path, const char *below, size_t len)
{
    return path.size <= len && memcmp(path.data, below, path.size) == 0 &&
           (path.size == len || below[path.size] == '\\');
}

static bool touches_link(const struct watch_target *target, struct slice path)
{
    const char *link = target->links.data;
    size_t left = target->links.size;
    while (left > 0) {
        const char *end = memchr(link, LINK_END, left);
        size_t len = (size_t)(end - link);
        if (at_or_above(path, link, len)) {
            return true;
        }
        link += len + 1;
        left -= len + 1;
    }
    return false;
}

static bool moves_keys(enum rs_change_kind kind)
{
    return kind == RS_KEY_CREATED || kind == RS_KEY_DELETED || kind == RS_KEY_RENAMED ||
           kind == RS_KEY_RELINKED;
}

/* Below the target and deeper than a direct subkey? */
static bool deep_below(const struct watch_target *target, struct slice path)
{
    const char *rest = (const char *)path.data + target->path.size + 1;
    size_t len = path.size - target->path.size - 1;
    return memchr(rest, '\\', len) != NULL;
}

static enum watch_match match_below(const struct watch_target *target, bool subtree,
                                    enum rs_change_kind kind, struct slice path)
{
    struct slice root = {target->path.data, target->path.size};
    if (!at_or_above(root, path.data, path.size)) {
        return WATCH_NOTHING;
    }
    if (subtree || path.size == root.size) {
        return WATCH_ENTRY;
    }
    return moves_keys(kind) && !deep_below(target, path) ? WATCH_ENTRY : WATCH_NOTHING;
}

/* ---- Matching a change of a rule ---- */

/* ControlSet001 and the like, for which CurrentControlSet may stand in a rule's path. */
static bool is_control_set(struct slice name)
{
    static const char head[] = "CONTROLSET";
    const char *text = name.data;
    size_t at = sizeof head - 1;
    if (name.size != at + 3 || memcmp(text, head, at) != 0) {
        return false;
    }
    while (at < name.size && text[at] >= '0' && text[at] <= '9') {
        at++;
    }
    return at == name.size;
}

static bool is_text(struct slice name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

/* Whether a name in a rule's path may stand for that of a key, as schema.c goes by. */
static bool stands_for(struct slice rule, struct slice name)
{
    return (rule.size == name.size && memcmp(rule.data, name.data, name.size) == 0) ||
           is_text(rule, "*") || (is_text(rule, "CURRENTCONTROLSET") && is_control_set(name));
}

/* Takes the first name off a path; false if there is none. */
static bool take_name(struct slice *path, struct slice *name)
{
    const char *end = memchr(path->data, '\\', path->size);
    size_t len = end != NULL ? (size_t)(end - (const char *)path->data) : path->size;
    *name = (struct slice){path->data, len};
    path->data = (const char *)path->data + len + (end != NULL);
    path->size -= len + (end != NULL);
    return len > 0;
}

/* At a rule key for the target, or above one, where only what becomes of keys counts; with
 * RS_SUBTREE also below it. */
static bool concerns_rules(const struct watch_target *target, unsigned flags,
                           enum rs_change_kind kind, struct slice path)
{
    struct slice own = {target->rules.data, target->rules.size};
    struct slice wanted;
    struct slice name;
    while (take_name(&path, &name)) {
        if (!take_name(&own, &wanted)) {
            return (flags & RS_SUBTREE) != 0 && kind != RS_KEY_CLASS;
        }
        if (!stands_for(name, wanted)) {
            return false;
        }
    }
    return own.size == 0 ? kind != RS_KEY_CLASS : moves_keys(kind);
}

static enum watch_match match_path(const struct watch_target *target, unsigned flags,
                                   enum rs_change_kind kind, struct slice path)
{
    if (moves_keys(kind) &&
        (at_or_above(path, target->path.data, target->path.size) || touches_link(target, path))) {
        return WATCH_MOVED;
    }
    enum watch_match match = match_below(target, (flags & RS_SUBTREE) != 0, kind, path);
    if (match == WATCH_NOTHING && (flags & RS_WATCH_RULES) != 0 &&
        concerns_rules(target, flags, kind, path)) {
        match = WATCH_RULE;
    }
    return match;
}

/* What of a path is below its first so many components. */
static const char *skip_components(const char *path, size_t len, size_t count)
{
    const char *at = path;
    const char *end = path + len;
    while (count > 0 && at < end) {
        const char *separator = memchr(at, '\\', (size_t)(end - at));
        at = separator != NULL ? separator + 1 : end;
        count--;
    }
    return at;
}

/* The path that a rename leads to, folded into scratch. */
static int fold_new_path(const struct change *change, struct buffer *scratch)
{
    const char *last = memrchr(change->path, '\\', change->path_len);
    size_t parent = last != NULL ? (size_t)(last - change->path) : 0;
    scratch->size = 0;
    int status = text_fold_append(scratch, change->path, parent);
    if (status == RS_OK) {
        status = buffer_append_byte(scratch, '\\');
    }
    return status == RS_OK ? text_fold_append(scratch, change->after.name, change->after.name_len)
                           : status;
}

int watch_match(const struct watch_target *target, unsigned flags, const struct change *change,
                struct buffer *scratch, enum watch_match *match, const char **relative)
{
    scratch->size = 0;
    int status = text_fold_append(scratch, change->path, change->path_len);
    if (status != RS_OK) {
        return status == RS_ENOMEM ? status : RS_EDAMAGED;
    }
    *match = match_path(target, flags, change->kind, (struct slice){scratch->data, scratch->size});
    if (*match != WATCH_MOVED && change->kind == RS_KEY_RENAMED) {
        status = fold_new_path(change, scratch);
        if (status != RS_OK) {
            return status;
        }
        enum watch_match other =
            match_path(target, flags, change->kind, (struct slice){scratch->data, scratch->size});
        *match = other > *match ? other : *match;
    }
    /* A rule's path has two names more: the root of the store's own, and Rules. */
    *relative = skip_components(change->path, change->path_len,
                                target->components + (*match == WATCH_RULE ? 2 : 0));
    return RS_OK;
}

/* ---- Asking the journal's digests ---- */

/* What match_path() takes: below the target whatever happens, above it and its links what moves
 * keys. */
int watch_want(const struct watch_target *target, struct journal_wanted *wanted)
{
    const char *link = target->links.data;
    size_t left = target->links.size;
    struct slice path = {target->path.data, target->path.size};
    int status = journal_want_below(wanted, path);
    if (status == RS_OK) {
        status = journal_want_above(wanted, path);
    }
    while (status == RS_OK && left > 0) {
        const char *end = memchr(link, LINK_END, left);
        size_t len = (size_t)(end - link);
        status = journal_want_above(wanted, (struct slice){link, len});
        link += len + 1;
        left -= len + 1;
    }
    return status;
}
