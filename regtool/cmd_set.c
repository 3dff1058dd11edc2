/*
 * regtool set: sets one value, and says nothing where that went well. The type is the one that the
 * value has; it is never guessed from the data.
 */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "keypath.h"
#include "query_print.h"
#include "report.h"
#include "separator.h"
#include "tool.h"

struct setting {
    struct tool *tool;
    struct session session;
    const char *path;
    size_t hidden;    /* of the path, see keypath_spell() */
    const char *name; /* of the value, "" for the default value */
    const char *text;
    const char *separator;
    bool typed; /* the type was given */
    uint32_t type;
};

static int find_type(struct setting *setting, rs_key key)
{
    rs_value old;
    int status = rs_value_get(setting->session.txn, key, setting->name, &old);

    if (status == RS_ENOTFOUND) {
        session_forget(&setting->session);
        return RS_OK;
    }
    if (status == RS_OK) {
        setting->type = old.type;
    }
    return status;
}

static int store(struct setting *setting, rs_key key)
{
    rs_error error = RS_ERROR_INIT;
    void *data;
    size_t size;
    int status = rs_data_parse(setting->type, setting->text, strlen(setting->text),
                               setting->separator, &data, &size, &error);

    if (status != RS_OK) {
        return report("%s: value \"%s\": %s", setting->path, setting->name, error.text);
    }
    status = rs_value_set(setting->session.txn, key, setting->name, setting->type, data, size);
    rs_free(data);
    return status == RS_OK ? 0 : session_report(&setting->session, status, setting->path);
}

/* What is stored now, as a value of query. */
static int put_json(struct setting *setting)
{
    struct query_print print = {.tool = setting->tool};
    struct keypath path = {.text = NULL};
    rs_txn *txn = setting->session.txn;
    rs_key key;
    rs_value value;
    int status = rs_key_open(txn, RS_NO_KEY, setting->path, &key);

    if (status == RS_OK) {
        status = rs_value_get(txn, key, setting->name, &value);
    }
    if (status == RS_OK) {
        status = keypath_spell(txn, setting->path, setting->hidden, &path);
    }
    if (status == RS_OK) {
        status = query_print_value(&print, &path, &value);
    }
    keypath_free(&path);
    return status == RS_OK ? 0 : session_report(&setting->session, status, setting->path);
}

static int set_value(struct setting *setting)
{
    rs_key key;
    int status = rs_key_create(setting->session.txn, RS_NO_KEY, setting->path, &key);

    if (status == RS_OK && !setting->typed) {
        status = find_type(setting, key);
    }
    if (status != RS_OK) {
        return session_report(&setting->session, status, setting->path);
    }
    if (store(setting, key) != 0 || session_commit(&setting->session, NULL) != 0) {
        return 1;
    }
    if (!setting->tool->json) {
        return 0;
    }
    return session_again(&setting->session, RS_READ) == 0 ? put_json(setting) : 1;
}

int cmd_set(struct tool *tool, const struct arguments *arguments)
{
    const char *type = arguments->switches[SWITCH_TYPE];
    struct setting setting = {.tool = tool,
                              .path = arguments->operands[0],
                              .hidden = keypath_hidden(arguments->asked[0], arguments->operands[0]),
                              .name = arguments->operands[1],
                              .text = arguments->operands[2],
                              .separator = arguments->switches[SWITCH_SEPARATOR],
                              .typed = type != NULL,
                              .type = REG_SZ};
    int result;

    if (type != NULL && rs_type_parse(type, &setting.type) != RS_OK) {
        return report("set: unknown type \"%s\"", type);
    }
    if (separator_check("set", setting.separator) != 0 ||
        session_begin(tool, RS_WRITE, &setting.session) != 0) {
        return 1;
    }
    result = set_value(&setting);
    session_end(&setting.session);
    return result;
}
