/*
 * regtool rename: gives a key another name, or a value of it. A path that names a link means the
 * link itself when the key is renamed, and what it points to for values. The library has no
 * renaming of values: in one transaction the value is set under its new name and deleted under its
 * old one, so that it becomes the last one of its key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "json.h"
#include "keypath.h"
#include "report.h"
#include "tool.h"

struct renaming {
    struct session session;
    const char *path;
    size_t hidden;     /* of the path, see keypath_spell() */
    const char *value; /* NULL: the key is renamed */
    const char *name;  /* the new one */
    struct keypath spelled;
};

static int report_exists(const struct renaming *renaming)
{
    return report("%s: a value \"%s\" exists", renaming->path, renaming->name);
}

/* Whether another value than the one that is renamed has the new name. */
static int name_is_taken(struct renaming *renaming, rs_key key, bool *taken)
{
    size_t old_len = strlen(renaming->value), new_len = strlen(renaming->name);
    rs_value other;
    int status;

    *taken = false;
    if (rs_name_compare(renaming->value, old_len, renaming->name, new_len) == 0) {
        return RS_OK;
    }
    status = rs_value_get(renaming->session.txn, key, renaming->name, &other);
    if (status == RS_ENOTFOUND) {
        session_forget(&renaming->session);
        return RS_OK;
    }
    *taken = status == RS_OK;
    return status;
}

/* The bytes are copied: they may not outlive the value that they were read from. */
static int move_value(struct renaming *renaming, rs_key key, const rs_value *value)
{
    rs_txn *txn = renaming->session.txn;
    uint32_t type = value->type;
    size_t size = value->size;
    void *data = malloc(size > 0 ? size : 1);
    int status;

    if (data == NULL) {
        return RS_ENOMEM;
    }
    memcpy(data, value->data, size);
    status = rs_value_delete(txn, key, renaming->value);
    if (status == RS_OK) {
        status = rs_value_set(txn, key, renaming->name, type, data, size);
    }
    free(data);
    return status;
}

static bool keeps_its_name(const struct renaming *renaming, const rs_value *value)
{
    return strlen(renaming->name) == value->name_len &&
           memcmp(renaming->name, value->name, value->name_len) == 0;
}

static int rename_value(struct renaming *renaming)
{
    rs_txn *txn = renaming->session.txn;
    rs_value value;
    rs_key key;
    bool taken;
    int status = rs_key_open(txn, RS_NO_KEY, renaming->path, &key);

    if (status == RS_OK) {
        status = rs_value_get(txn, key, renaming->value, &value);
    }
    if (status == RS_OK && keeps_its_name(renaming, &value)) {
        return 0;
    }
    if (status == RS_OK) {
        status = name_is_taken(renaming, key, &taken);
    }
    if (status == RS_OK && taken) {
        return report_exists(renaming);
    }
    if (status == RS_OK) {
        status = move_value(renaming, key, &value);
    }
    return status == RS_OK ? 0 : session_report(&renaming->session, status, renaming->path);
}

static int rename_key(struct renaming *renaming)
{
    rs_txn *txn = renaming->session.txn;
    rs_key key;
    int status = rs_key_open_n(txn, RS_NO_KEY, renaming->path, RS_NTS, RS_NOFOLLOW, &key);

    if (status == RS_OK) {
        status = rs_key_rename(txn, key, renaming->name);
    }
    return status == RS_OK ? 0 : session_report(&renaming->session, status, renaming->path);
}

static void put_json(const struct renaming *renaming, uint64_t revision)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, renaming->spelled.text, renaming->spelled.len);
    if (renaming->value != NULL) {
        json_member_text(&json, "name", renaming->value);
    }
    json_member_text(&json, "new_name", renaming->name);
    json_member_number(&json, "revision", revision);
    json_close(&json, '}');
    json_line(&json);
}

/* The path is spelled before the key has another one. */
static int rename_it(struct renaming *renaming, bool json)
{
    uint64_t revision;
    int status = RS_OK;

    if (json) {
        status = keypath_spell(renaming->session.txn, renaming->path, renaming->hidden,
                               &renaming->spelled);
    }
    if (status != RS_OK) {
        return session_report(&renaming->session, status, renaming->path);
    }
    if ((renaming->value != NULL ? rename_value(renaming) : rename_key(renaming)) != 0 ||
        session_commit(&renaming->session, &revision) != 0) {
        return 1;
    }
    if (json) {
        put_json(renaming, revision);
    }
    return 0;
}

int cmd_rename(struct tool *tool, const struct arguments *arguments)
{
    struct renaming renaming = {.path = arguments->operands[0],
                                .hidden =
                                    keypath_hidden(arguments->asked[0], arguments->operands[0]),
                                .value = arguments->switches[SWITCH_VALUE],
                                .name = arguments->operands[1]};
    int result;

    /* The library knows the key that a view leads to, but not that a view was named. */
    if (renaming.value == NULL && keypath_is_root(renaming.path)) {
        return report("%s: a root key cannot be renamed", renaming.path);
    }
    if (session_begin(tool, RS_WRITE, &renaming.session) != 0) {
        return 1;
    }
    result = rename_it(&renaming, tool->json);
    keypath_free(&renaming.spelled);
    session_end(&renaming.session);
    return result;
}
