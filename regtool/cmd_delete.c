/*
 * regtool delete: deletes a key with everything below it, or values of a key. A path that names a
 * link means the link itself when the key is deleted, and what it points to for values.
 */
#include <stdbool.h>
#include <stdio.h>

#include "arguments.h"
#include "confirm.h"
#include "keypath.h"
#include "report.h"
#include "tool.h"

struct deletion {
    struct session session;
    const char *path;
    const char *name; /* of the value, "" for the default value; NULL: no single value */
    bool all_values;
};

static bool is_key(const struct deletion *deletion)
{
    return deletion->name == NULL && !deletion->all_values;
}

/* Opens what is to be deleted: there must be something before anyone is asked. */
static int find(struct deletion *deletion, rs_key *key)
{
    rs_txn *txn = deletion->session.txn;
    unsigned flags = is_key(deletion) ? RS_NOFOLLOW : 0;
    rs_value value;
    int status = rs_key_open_n(txn, RS_NO_KEY, deletion->path, RS_NTS, flags, key);

    if (status == RS_OK && deletion->name != NULL) {
        status = rs_value_get(txn, *key, deletion->name, &value);
    }
    return status;
}

static int delete_values(rs_txn *txn, rs_key key)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(txn, key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if ((status = rs_value_delete_n(txn, key, value.name, value.name_len)) != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int delete_found(struct deletion *deletion)
{
    rs_txn *txn = deletion->session.txn;
    rs_key key;
    int status = find(deletion, &key);

    if (status != RS_OK) {
        return status;
    }
    if (deletion->all_values) {
        return delete_values(txn, key);
    }
    if (deletion->name != NULL) {
        return rs_value_delete(txn, key, deletion->name);
    }
    return rs_key_delete(txn, key, RS_RECURSIVE);
}

static bool is_wanted(const struct deletion *deletion)
{
    if (deletion->all_values) {
        return confirm("f", "delete all values of %s", deletion->path);
    }
    if (deletion->name == NULL) {
        return confirm("f", "delete %s and everything below it", deletion->path);
    }
    if (deletion->name[0] == '\0') {
        return confirm("f", "delete the default value of %s", deletion->path);
    }
    return confirm("f", "delete the value \"%s\" of %s", deletion->name, deletion->path);
}

/* Asks outside of any transaction, so that nobody waits for the answer but this process. */
static int ask_first(const struct tool *tool, struct deletion *deletion)
{
    rs_key key;
    int status;

    if (session_begin(tool, RS_READ, &deletion->session) != 0) {
        return 1;
    }
    status = find(deletion, &key);
    if (status != RS_OK) {
        session_report(&deletion->session, status, deletion->path);
    }
    session_end(&deletion->session);
    return status == RS_OK && is_wanted(deletion) ? 0 : 1;
}

int cmd_delete(struct tool *tool, const struct arguments *arguments)
{
    struct deletion deletion = {.path = arguments->operands[0]};
    int status;
    int result;

    deletion.name = has_switch(arguments, SWITCH_DEFAULT) ? "" : arguments->switches[SWITCH_VALUE];
    deletion.all_values = has_switch(arguments, SWITCH_ALL);
    /* The library knows the key that a view leads to, but not that a view was named. */
    if (is_key(&deletion) && keypath_is_root(deletion.path)) {
        return report("%s: a root key cannot be deleted", deletion.path);
    }
    if (!has_switch(arguments, SWITCH_FORCE) && ask_first(tool, &deletion) != 0) {
        return 1;
    }
    if (session_begin(tool, RS_WRITE, &deletion.session) != 0) {
        return 1;
    }
    status = delete_found(&deletion);
    if (status != RS_OK) {
        result = session_report(&deletion.session, status, deletion.path);
    } else {
        result = session_commit(&deletion.session, NULL);
    }
    session_end(&deletion.session);
    if (result == 0) {
        puts("The operation completed successfully.");
    }
    return result;
}
