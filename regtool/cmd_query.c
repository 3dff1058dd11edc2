/*
 * regtool query: shows a key, its values and its subkeys. The walk is here; what it prints is in
 * query_print. Recursion takes links as the keys that they are and never goes through them; the
 * path that was asked for does.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "keypath.h"
#include "query_print.h"
#include "report.h"
#include "separator.h"
#include "tool.h"

struct query {
    struct session session;
    struct query_print print;
    struct keypath path; /* of the key that the walk is at */
    const char *asked;   /* the key */
    size_t hidden;       /* where a name in it is that is not printed; 0: none */
    uint64_t written;    /* its write time */
    const char *name;    /* only the value of this name; NULL: any */
    bool typed;          /* only values of this type */
    uint32_t type;
    bool recursive;
    unsigned depth; /* of the walk */
    bool search;    /* only what matches is shown, and counted */
    uint64_t matches;
};

/* Prints a value if it matches; its key is printed with the first one. */
static int show_value(struct query *query, const rs_key_info *info, const rs_value *value)
{
    if (query->typed && value->type != query->type) {
        return RS_OK;
    }
    query->matches++;
    if (!query->print.in_block) {
        query_print_key(&query->print, &query->path, info->written);
    }
    return query_print_value(&query->print, &query->path, value);
}

static int show_named(struct query *query, const rs_key_info *info)
{
    rs_value value;
    int status = rs_value_get(query->session.txn, info->key, query->name, &value);

    if (status == RS_OK) {
        return show_value(query, info, &value);
    }
    if (status != RS_ENOTFOUND) {
        return status;
    }
    session_forget(&query->session);
    return RS_OK;
}

static int show_all(struct query *query, const rs_key_info *info)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(query->session.txn, info->key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        status = show_value(query, info, &value);
        if (status == RS_OK && output_lost(query->print.tool)) {
            status = RS_ECANCELLED;
        }
        if (status != RS_OK) {
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

static int show_key(struct query *query, const rs_key_info *info, bool top)
{
    int status;

    if (always_named(query, info, top)) {
        query_print_key(&query->print, &query->path, info->written);
    }
    status = query->name != NULL ? show_named(query, info) : show_all(query, info);
    query_print_end_key(&query->print);
    return status;
}

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
    } else {
        query_print_subkey(&query->print, &query->path, info->written);
    }
    keypath_cut(&query->path, len);
    if (status == RS_OK && output_lost(query->print.tool)) {
        return RS_ECANCELLED;
    }
    return status;
}

static int show_subkeys(struct query *query, rs_key key)
{
    rs_cursor *cursor;
    rs_key_info info;
    int status = rs_subkeys(query->session.txn, key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_key(cursor, &info)) == RS_OK) {
        if ((status = show_subkey(query, &info)) != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

/* Recursion is bounded by RS_MAX_DEPTH; damaged records could lead in a circle. */
static int walk(struct query *query, const rs_key_info *info, bool top)
{
    int status = show_key(query, info, top);

    if (status != RS_OK || info->subkeys == 0) {
        return status;
    }
    if (!query->recursive && (query->search || query->name != NULL)) {
        return RS_OK;
    }
    return show_subkeys(query, info->key);
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

static int show(struct query *query)
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
        return walk(query, &info, true);
    }
    if (always_named(query, &info, true)) {
        query_print_key(&query->print, &query->path, info.written);
    }
    query_print_end_key(&query->print);
    return RS_OK;
}

/* What a walk without a match means. A default value that is not set is no failure in reg.exe. */
static int finish(struct query *query)
{
    if (query->search) {
        query_print_matches(&query->print, query->matches);
        return query->matches > 0 ? 0 : 1;
    }
    if (query->name == NULL || query->matches > 0) {
        return 0;
    }
    if (query->name[0] != '\0') {
        return report("%s: no value \"%s\"", query->path.text, query->name);
    }
    query_print_key(&query->print, &query->path, query->written);
    query_print_unset(&query->print);
    query_print_end_key(&query->print);
    return 0;
}

static int read_switches(struct query *query, const struct arguments *arguments)
{
    const char *type = arguments->switches[SWITCH_TYPE];

    query->asked = arguments->operands[0];
    query->hidden = keypath_hidden(arguments->asked[0], query->asked);
    query->name = has_switch(arguments, SWITCH_DEFAULT) ? "" : arguments->switches[SWITCH_VALUE];
    query->recursive = has_switch(arguments, SWITCH_RECURSIVE);
    query->typed = type != NULL;
    query->search = query->typed || (query->recursive && query->name != NULL);
    query->print.numbers = has_switch(arguments, SWITCH_NUMBERS);
    query->print.separator = arguments->switches[SWITCH_SEPARATOR];
    if (type != NULL && rs_type_parse(type, &query->type) != RS_OK) {
        return report("query: unknown type \"%s\"", type);
    }
    return separator_check("query", query->print.separator);
}

int cmd_query(struct tool *tool, const struct arguments *arguments)
{
    struct query query = {.print = {.tool = tool}};
    int status;
    int result = 1;

    if (read_switches(&query, arguments) != 0) {
        return 1;
    }
    if (session_begin(tool, RS_READ, &query.session) != 0) {
        return 1;
    }
    status = show(&query);
    if (status == RS_OK) {
        result = finish(&query);
    } else if (status != RS_ECANCELLED) {
        result = session_report(&query.session, status, query.asked);
    }
    keypath_free(&query.path);
    session_end(&query.session);
    return result;
}
