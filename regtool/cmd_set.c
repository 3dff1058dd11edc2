/*
 * regtool set: sets one value, and says nothing where that went well. The type is the one that the
 * value's rule says, else the one that the value has; it is never guessed from the data.
 */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "json.h"
#include "keypath.h"
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
    struct keypath spelled; /* what is printed */
    bool typed;             /* the type was given */
    uint32_t type;
};

/* The rule comes first: a value that was stored with another type could not be mended else. */
static int find_type(struct setting *setting, rs_key key)
{
    rs_value old;
    rs_rule rule;
    int status = rs_rule_get(setting->session.txn, setting->path, setting->name, &rule);

    if (status == RS_OK) {
        setting->type = rule.type;
        return RS_OK;
    }
    session_forget(&setting->session);
    if (status != RS_ENOTFOUND && status != RS_ERULE) {
        return status;
    }
    status = rs_value_get(setting->session.txn, key, setting->name, &old);
    if (status == RS_OK) {
        setting->type = old.type;
    }
    return status == RS_ENOTFOUND ? RS_OK : status;
}

static int store(struct setting *setting, rs_key key)
{
    rs_error error = RS_ERROR_INIT;
    void *data;
    size_t size;
    int status = rs_data_parse(setting->type, setting->text, strlen(setting->text),
                               setting->separator, &data, &size, &error);

    if (status != RS_OK) {
        session_drop(&setting->session);
        return report("%s: value \"%s\": %s", setting->path, setting->name, error.text);
    }
    status = rs_value_set(setting->session.txn, key, setting->name, setting->type, data, size);
    rs_free(data);
    return status == RS_OK ? 0 : session_report(&setting->session, status, setting->path);
}

static void put_json(const struct setting *setting, uint64_t revision)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, setting->spelled.text, setting->spelled.len);
    json_member_text(&json, "name", setting->name);
    json_member_number(&json, "type", setting->type);
    json_member_number(&json, "revision", revision);
    json_close(&json, '}');
    json_line(&json);
}

static int set_value(struct setting *setting)
{
    uint64_t revision;
    rs_key key;
    int status = rs_key_create(setting->session.txn, RS_NO_KEY, setting->path, &key);

    if (status == RS_OK && !setting->typed) {
        status = find_type(setting, key);
    }
    if (status == RS_OK && setting->tool->json) {
        status =
            keypath_spell(setting->session.txn, setting->path, setting->hidden, &setting->spelled);
    }
    if (status != RS_OK) {
        return session_report(&setting->session, status, setting->path);
    }
    if (store(setting, key) != 0 || session_commit(&setting->session, &revision) != 0) {
        return 1;
    }
    if (setting->tool->json) {
        put_json(setting, revision);
    }
    return 0;
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
    keypath_free(&setting.spelled);
    session_end(&setting.session);
    return result;
}
