/*
 * regtool get: prints one value so that a script can use it as it is, without layout around it.
 * What is printed is the effective value.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "query_print.h"
#include "report.h"
#include "show.h"
#include "tool.h"

struct get {
    struct tool *tool;
    struct session session;
    const char *asked; /* the key */
    size_t hidden;     /* of its path, see keypath_spell() */
    const char *name;  /* of the value, "" for the default value */
    const char *fallback;
    bool raw;
    bool type; /* print the type alone */
};

static int report_value(const struct get *get, const char *why)
{
    if (get->name[0] == '\0') {
        return report("%s: default value: %s", get->asked, why);
    }
    return report("%s: value \"%s\": %s", get->asked, get->name, why);
}

static int put_list(const struct get *get, rs_key key)
{
    const char *const *strings;
    size_t count;
    int status = rs_get_multi(get->session.txn, key, get->name, &strings, &count);

    for (size_t i = 0; status == RS_OK && i < count; i++) {
        show_text(stdout, strings[i], strlen(strings[i]), get->tool->terminal);
        putchar('\n');
    }
    return status;
}

static int put_number(const rs_value *value)
{
    rs_decoded *decoded;
    int status = rs_decode(value->type, value->data, value->size, &decoded);

    if (status != RS_OK) {
        return status;
    }
    if (decoded->kind == RS_DECODED_NUMBER) {
        printf("%" PRIu64 "\n", decoded->number);
    } else {
        status = RS_EDATA;
    }
    rs_free(decoded);
    return status;
}

static int put_data(const struct get *get, rs_key key, const rs_value *value)
{
    const char *text;
    size_t len;
    int status;

    switch (value->type) {
    case REG_MULTI_SZ:
        return put_list(get, key);
    case REG_DWORD:
    case REG_DWORD_BIG_ENDIAN:
    case REG_QWORD:
        return put_number(value);
    case REG_SZ:
    case REG_EXPAND_SZ:
        status = rs_get_string_n(get->session.txn, key, get->name, RS_NTS, &text, &len);
        if (status == RS_OK) {
            show_text(stdout, text, len, get->tool->terminal);
        }
        break;
    default:
        status = show_data(stdout, value, NULL, get->tool->terminal);
        break;
    }
    if (status == RS_OK) {
        putchar('\n');
    }
    return status;
}

static int put_json(const struct get *get, const rs_value *value)
{
    struct query_print print = {.tool = get->tool};
    struct keypath path = {.text = NULL};
    int status = keypath_spell(get->session.txn, get->asked, get->hidden, &path);

    if (status == RS_OK) {
        status = query_print_value(&print, &path, value);
    }
    keypath_free(&path);
    return status;
}

static int put_value(const struct get *get, rs_key key, const rs_value *value)
{
    char type[SHOW_TYPE_SIZE];

    if (get->tool->json) {
        return put_json(get, value);
    }
    if (get->type) {
        show_type(value->type, type);
        puts(type);
        return RS_OK;
    }
    if (get->raw) {
        fwrite(value->data, 1, value->size, stdout);
        return RS_OK;
    }
    return put_data(get, key, value);
}

static int find(struct get *get, rs_key *key, rs_value *value)
{
    rs_txn *txn = get->session.txn;
    enum rs_origin origin = RS_ORIGIN_NONE;
    int status = rs_key_open(txn, RS_NO_KEY, get->asked, key);

    if (status == RS_OK) {
        status = rs_effective(txn, *key, get->name, value, &origin);
    }
    if (status == RS_OK && origin == RS_ORIGIN_NONE) {
        status = RS_ENOTFOUND;
    }
    return status;
}

/* The text that stands for a value that is not set: of no type, as nothing is stored. */
static int put_fallback(const struct get *get)
{
    struct json json = {.out = stdout};
    struct keypath path = {.text = NULL};
    int status;

    if (!get->tool->json) {
        show_text(stdout, get->fallback, strlen(get->fallback), get->tool->terminal);
        putchar('\n');
        return 0;
    }
    status = keypath_spell(get->session.txn, get->asked, get->hidden, &path);
    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, status == RS_OK ? path.text : get->asked,
              status == RS_OK ? path.len : strlen(get->asked));
    json_member_text(&json, "name", get->name);
    json_member(&json, "type");
    json_null(&json);
    json_member_text(&json, "data", get->fallback);
    json_close(&json, '}');
    json_line(&json);
    keypath_free(&path);
    return 0;
}

static int report_absent(struct get *get)
{
    if (get->session.error.text[0] != '\0') {
        return session_report(&get->session, RS_ENOTFOUND, get->asked);
    }
    if (get->name[0] == '\0') {
        return report("%s: the default value is not set", get->asked);
    }
    return report("%s: no value \"%s\"", get->asked, get->name);
}

static int get_value(struct get *get)
{
    rs_key key;
    rs_value value;
    int status = find(get, &key, &value);

    if (status == RS_ENOTFOUND) {
        return get->fallback != NULL ? put_fallback(get) : report_absent(get);
    }
    if (status == RS_OK) {
        status = put_value(get, key, &value);
    }
    if (status == RS_EDATA) {
        return report_value(get, "the data does not fit the type (--raw prints it as it is)");
    }
    return status == RS_OK ? 0 : session_report(&get->session, status, get->asked);
}

int cmd_get(struct tool *tool, const struct arguments *arguments)
{
    const char *name = arguments->operands[1];
    struct get get = {.tool = tool,
                      .asked = arguments->operands[0],
                      .hidden = keypath_hidden(arguments->asked[0], arguments->operands[0]),
                      .name = name != NULL ? name : "",
                      .fallback = arguments->switches[SWITCH_FALLBACK],
                      .raw = has_switch(arguments, SWITCH_RAW),
                      .type = has_switch(arguments, SWITCH_TYPE)};
    int result;

    if (get.raw && tool->terminal && !tool->json) {
        return report("get: --raw is not for a terminal");
    }
    if (session_begin(tool, RS_READ, &get.session) != 0) {
        return 1;
    }
    result = get_value(&get);
    session_end(&get.session);
    return result;
}
