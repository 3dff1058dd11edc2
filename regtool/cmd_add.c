/*
 * regtool add: makes a key and sets one value of it, or changes a REG_MULTI_SZ by one string. All
 * of it is one transaction; a question is put before it begins, never while it holds up other
 * writers.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "confirm.h"
#include "report.h"
#include "separator.h"
#include "tool.h"

struct addition {
    struct session session;
    const char *path;
    const char *name; /* of the value, "" for the default value */
    bool bare;        /* the key alone was asked for; its default value comes with it */
    bool overwrite;   /* a value that exists may be lost */
    uint32_t type;
    void *data; /* rs_free() */
    size_t size;
};

static int read_type(const struct arguments *arguments, uint32_t *type)
{
    const char *text = arguments->switches[SWITCH_TYPE];
    bool list = has_switch(arguments, SWITCH_APPEND) || has_switch(arguments, SWITCH_REMOVE);

    *type = list ? REG_MULTI_SZ : REG_SZ;
    if (text != NULL && rs_type_parse(text, type) != RS_OK) {
        return report("add: unknown type \"%s\"", text);
    }
    if (list && *type != REG_MULTI_SZ) {
        return report("add: --append and --remove are for a REG_MULTI_SZ, not a %s", text);
    }
    return 0;
}

/* Without /d a number is 0 where reg.exe takes it to be: only a REG_QWORD. */
static int read_data(const struct arguments *arguments, struct addition *addition)
{
    const char *text = arguments->switches[SWITCH_DATA];
    rs_error error = RS_ERROR_INIT;
    int status;

    if (text == NULL) {
        text = addition->type == REG_QWORD ? "0" : "";
    }
    status =
        rs_data_parse(addition->type, text, strlen(text), arguments->switches[SWITCH_SEPARATOR],
                      &addition->data, &addition->size, &error);
    if (status == RS_OK) {
        return 0;
    }
    return report("%s: value \"%s\": %s", addition->path, addition->name, error.text);
}

static int read_switches(const struct arguments *arguments, struct addition *addition)
{
    const char *name = arguments->switches[SWITCH_VALUE];

    addition->path = arguments->operands[0];
    addition->name = name != NULL ? name : "";
    addition->bare = name == NULL && !has_switch(arguments, SWITCH_DEFAULT) &&
                     !has_switch(arguments, SWITCH_DATA) && !has_switch(arguments, SWITCH_TYPE);
    addition->overwrite = has_switch(arguments, SWITCH_FORCE);
    if (separator_check("add", arguments->switches[SWITCH_SEPARATOR]) != 0) {
        return 1;
    }
    return read_type(arguments, &addition->type);
}

/* Whether setting the value would lose another. "add KEY" for a key that such a command made before
 * loses nothing. */
static int would_lose(struct addition *addition, rs_key key, bool *lose)
{
    rs_value old;
    int status = rs_value_get(addition->session.txn, key, addition->name, &old);

    *lose = false;
    if (status == RS_ENOTFOUND) {
        session_forget(&addition->session);
        return RS_OK;
    }
    if (status != RS_OK || addition->overwrite) {
        return status;
    }
    *lose = !addition->bare || old.type != addition->type || old.size != addition->size ||
            memcmp(old.data, addition->data, old.size) != 0;
    return RS_OK;
}

static bool may_overwrite(const struct addition *addition)
{
    if (addition->name[0] == '\0') {
        return confirm("f", "overwrite the default value of %s", addition->path);
    }
    return confirm("f", "overwrite the value \"%s\" of %s", addition->name, addition->path);
}

/* Makes the key and sets the value in the transaction, or says that something would be lost. */
static int set(struct addition *addition, bool *lose)
{
    rs_key key;
    int status = rs_key_create(addition->session.txn, RS_NO_KEY, addition->path, &key);

    if (status == RS_OK) {
        status = would_lose(addition, key, lose);
    }
    if (status != RS_OK || *lose) {
        return status;
    }
    return rs_value_set(addition->session.txn, key, addition->name, addition->type, addition->data,
                        addition->size);
}

static int set_value(struct addition *addition)
{
    bool lose;
    int status = set(addition, &lose);

    if (status == RS_OK && lose) {
        session_drop(&addition->session);
        if (!may_overwrite(addition)) {
            return 1;
        }
        addition->overwrite = true;
        if (session_again(&addition->session, RS_WRITE) != 0) {
            return 1;
        }
        status = set(addition, &lose);
    }
    if (status != RS_OK) {
        return session_report(&addition->session, status, addition->path);
    }
    if (session_commit(&addition->session, NULL) != 0) {
        return 1;
    }
    puts("The operation completed successfully.");
    return 0;
}

/* A string that there is not one of is as good as removed. */
static int change_list(struct addition *addition, const char *append, const char *remove,
                       int *changed)
{
    rs_txn *txn = addition->session.txn;
    rs_key key;
    int status = rs_key_create(txn, RS_NO_KEY, addition->path, &key);

    *changed = 0;
    if (status != RS_OK) {
        return status;
    }
    if (append != NULL) {
        return rs_multi_append_n(txn, key, addition->name, RS_NTS, append, changed);
    }
    status = rs_multi_remove_n(txn, key, addition->name, RS_NTS, remove, changed);
    return status == RS_ENOTFOUND ? RS_OK : status;
}

static int edit_list(struct addition *addition, const char *append, const char *remove)
{
    int changed;
    int status = change_list(addition, append, remove, &changed);

    if (status != RS_OK) {
        return session_report(&addition->session, status, addition->path);
    }
    if (!changed) {
        session_drop(&addition->session);
        puts("unchanged");
        return 0;
    }
    if (session_commit(&addition->session, NULL) != 0) {
        return 1;
    }
    puts("The operation completed successfully.");
    return 0;
}

int cmd_add(struct tool *tool, const struct arguments *arguments)
{
    const char *append = arguments->switches[SWITCH_APPEND];
    const char *remove = arguments->switches[SWITCH_REMOVE];
    bool list = append != NULL || remove != NULL;
    struct addition addition = {.data = NULL};
    int result = 1;

    if (read_switches(arguments, &addition) != 0) {
        return 1;
    }
    if (!list && read_data(arguments, &addition) != 0) {
        return 1;
    }
    if (session_begin(tool, RS_WRITE, &addition.session) == 0) {
        result = list ? edit_list(&addition, append, remove) : set_value(&addition);
        session_end(&addition.session);
    }
    rs_free(addition.data);
    return result;
}
