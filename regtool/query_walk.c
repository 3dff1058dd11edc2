/* The walk through keys and values; what it prints is in query_print. */
#include "query_walk.h"

/* ---- What is wanted ---- */

/* A key that a search by type has found by its name shows all its values of that type. */
enum values { VALUES_MATCHING, VALUES_ALL };

static int is_wanted(const struct query *query, const rs_value *value, enum values values,
                     bool *wanted)
{
    *wanted = false;
    if ((query->typed && value->type != query->type) ||
        (query->names != NULL && !search_text(query->names, value->name, value->name_len, NULL))) {
        return RS_OK;
    }
    *wanted =
        query->text == NULL || values == VALUES_ALL ||
        ((query->in & IN_NAMES) && search_text(query->text, value->name, value->name_len, NULL));
    if (*wanted || !(query->in & IN_DATA)) {
        return RS_OK;
    }
    return search_data(query->text, value, query->print.separator, wanted);
}

/* Whether a search has found the key by its name. */
static bool is_found(const struct query *query, const rs_key_info *info)
{
    return query->text != NULL && (query->in & IN_KEYS) &&
           search_text(query->text, info->name, info->name_len, NULL);
}

/* ---- A key and its values ---- */

/* Prints a value if it is wanted; its key is printed with the first one. */
static int show_value(struct query *query, const rs_key_info *info, const rs_value *value,
                      enum values values)
{
    bool wanted;
    int status = is_wanted(query, value, values, &wanted);

    if (status != RS_OK || !wanted) {
        return status;
    }
    query->matches++;
    if (!query->print.in_block) {
        query_print_key(&query->print, &query->path, info->written);
    }
    status = query_print_value(&query->print, &query->path, value);
    return status == RS_OK && output_lost(query->print.tool) ? RS_ECANCELLED : status;
}

static int show_named(struct query *query, const rs_key_info *info)
{
    rs_value value;
    int status = rs_value_get(query->session.txn, info->key, query->name, &value);

    if (status == RS_OK) {
        return show_value(query, info, &value, VALUES_MATCHING);
    }
    if (status != RS_ENOTFOUND) {
        return status;
    }
    session_forget(&query->session);
    return RS_OK;
}

static int show_all(struct query *query, const rs_key_info *info, enum values values)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(query->session.txn, info->key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if ((status = show_value(query, info, &value, values)) != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

/* Whether the key is named whatever its values are. As in reg.exe, the key asked for is not, where
 * it has but subkeys to show. */
static bool always_named(const struct query *query, const rs_key_info *info, bool top)
{
    if (query->search || query->name != NULL) {
        return false;
    }
    return query->print.tool->json || !top || info->values > 0 || info->subkeys == 0;
}

static int show_values(struct query *query, const rs_key_info *info, enum values values)
{
    if (info->values == 0) {
        return RS_OK;
    }
    return query->name != NULL ? show_named(query, info) : show_all(query, info, values);
}

static int show_key(struct query *query, const rs_key_info *info, bool top)
{
    bool found = !top && is_found(query, info);
    int status;

    if (always_named(query, info, top)) {
        query_print_key(&query->print, &query->path, info->written);
    }
    status = show_values(query, info, found && query->typed ? VALUES_ALL : VALUES_MATCHING);
    if (found && !query->typed) {
        query->matches++;
        if (!query->print.in_block) {
            query_print_subkey(&query->print, &query->path, info->written);
        }
    }
    query_print_end_key(&query->print);
    return status;
}

/* A search without recursion looks at the names of subkeys, too, but not into them. */
static int show_found(struct query *query, const rs_key_info *info)
{
    if (!is_found(query, info)) {
        return RS_OK;
    }
    if (query->typed) {
        int status = show_all(query, info, VALUES_ALL);
        query_print_end_key(&query->print);
        return status;
    }
    query->matches++;
    query_print_subkey(&query->print, &query->path, info->written);
    return RS_OK;
}

/* ---- The walk ---- */

static int walk(struct query *query, const rs_key_info *info, bool top);

static int show_subkey(struct query *query, const rs_key_info *info)
{
    size_t len = query->path.len;
    int status = keypath_add(&query->path, info->name, info->name_len);

    if (status != RS_OK) {
        return status;
    }
    if (query->recursive) {
        status = ++query->depth <= RS_MAX_DEPTH ? walk(query, info, false) : RS_EDAMAGED;
        query->depth--;
    } else if (query->search) {
        status = show_found(query, info);
    } else {
        query_print_subkey(&query->print, &query->path, info->written);
    }
    keypath_cut(&query->path, len);
    if (status == RS_OK && output_lost(query->print.tool)) {
        return RS_ECANCELLED;
    }
    return status;
}

static int show_subkeys(struct query *query, rs_cursor *cursor)
{
    rs_key_info info;
    int status;

    while ((status = rs_next_key(cursor, &info)) == RS_OK) {
        if ((status = show_subkey(query, &info)) != RS_OK) {
            break;
        }
    }
    return status == RS_END ? RS_OK : status;
}

static bool has_subkeys_to_show(const struct query *query, const rs_key_info *info)
{
    if (info->subkeys == 0) {
        return false;
    }
    return query->recursive || (!query->search && query->name == NULL) ||
           (query->text != NULL && (query->in & IN_KEYS));
}

/* Recursion is bounded by RS_MAX_DEPTH; damaged records could lead in a circle. The subkeys are
 * listed before the values are read, for so they stand in the store, and their own records behind
 * both: a walk through all of it goes forward, which takes half the time. */
static int walk(struct query *query, const rs_key_info *info, bool top)
{
    rs_cursor *subkeys = NULL;
    int status = RS_OK;

    if (has_subkeys_to_show(query, info)) {
        status = rs_subkeys(query->session.txn, info->key, &subkeys);
    }
    if (status == RS_OK) {
        status = show_key(query, info, top);
    }
    if (status == RS_OK && subkeys != NULL) {
        status = show_subkeys(query, subkeys);
    }
    rs_cursor_close(subkeys);
    return status;
}

/* The root key of a view is there for its user even where nothing was stored in it yet: it is shown
 * as an empty key then, with RS_NO_KEY. */
static int open_asked(struct query *query, rs_key_info *info)
{
    rs_key key;
    int status = rs_key_open(query->session.txn, RS_NO_KEY, query->asked, &key);

    if (status == RS_OK) {
        status = rs_key_info_get(query->session.txn, key, info);
    }
    if (status != RS_ENOTFOUND || !keypath_is_root(query->asked)) {
        return status;
    }
    session_forget(&query->session);
    *info = (rs_key_info){.key = RS_NO_KEY};
    return RS_OK;
}

int query_walk(struct query *query)
{
    rs_key_info info;
    int status = open_asked(query, &info);

    if (status != RS_OK) {
        return status;
    }
    query->written = info.written;
    status = keypath_spell(query->session.txn, query->asked, query->hidden, &query->path);
    if (status != RS_OK) {
        return status;
    }
    if (info.key != RS_NO_KEY) {
        status = walk(query, &info, true);
        return status == RS_OK && query->text != NULL && query->text->no_memory ? RS_ENOMEM
                                                                                : status;
    }
    if (always_named(query, &info, true)) {
        query_print_key(&query->print, &query->path, info.written);
    }
    query_print_end_key(&query->print);
    return RS_OK;
}
