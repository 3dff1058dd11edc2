/*
 * regtool edit: one value in an editor, or those of a key (edit_key). No transaction is open while
 * somebody types; when the text comes back, the value must be as it was when the editor began.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "edit_file.h"
#include "edit_key.h"
#include "edit_note.h"
#include "edit_text.h"
#include "keypath.h"
#include "report.h"
#include "rule_page.h"
#include "tool.h"

struct edit {
    struct tool *tool;
    const char *asked; /* the key */
    size_t hidden;     /* what of its path is not printed; see keypath_spell() */
    const char *name;  /* the value, as it was asked for */
    const char *type;  /* of a value that is not set yet; NULL: REG_SZ */
    struct keypath path;
    struct edit_subject subject; /* as it was when the editor began */
    char *about;                 /* what the rule says; NULL: there is none */
};

/* ---- What there is ---- */

/* Copies what belongs to the transaction: name and data in one block. */
static int keep_value(struct edit *edit, const rs_value *value)
{
    char *copy = malloc(value->name_len + 1 + value->size + 1);

    if (copy == NULL) {
        return RS_ENOMEM;
    }
    memcpy(copy, value->name, value->name_len);
    copy[value->name_len] = '\0';
    if (value->size > 0) {
        memcpy(copy + value->name_len + 1, value->data, value->size);
    }
    edit->subject.value = *value;
    edit->subject.value.name = copy;
    edit->subject.value.data = copy + value->name_len + 1;
    return RS_OK;
}

/* A value that is not set yet has the type that its rule says, unless another was asked for. */
static int fetch_rule(struct edit *edit, struct session *session, uint32_t *type)
{
    rs_rule rule;
    int status = rs_rule_get(session->txn, edit->asked, edit->name, &rule);

    if (status == RS_ENOTFOUND || status == RS_ERULE) {
        session_forget(session);
        return RS_OK;
    }
    if (status == RS_OK) {
        *type = rule.type;
        status = rule_page_make("# ", &rule, &edit->about);
        edit->subject.about = edit->about;
    }
    return status;
}

static int fetch_value(struct edit *edit, struct session *session, rs_key key)
{
    uint32_t type = REG_SZ;
    rs_value value;
    int status = fetch_rule(edit, session, &type);

    if (status != RS_OK) {
        return status;
    }
    status = rs_value_get(session->txn, key, edit->name, &value);

    edit->subject.is_set = status == RS_OK;
    if (status == RS_ENOTFOUND) {
        session_forget(session);
        value = (rs_value){.name = edit->name, .name_len = strlen(edit->name), .type = type};
        if (edit->type != NULL && rs_type_parse(edit->type, &value.type) != RS_OK) {
            return RS_EINVAL;
        }
        status = RS_OK;
    }
    return status == RS_OK ? keep_value(edit, &value) : status;
}

static int fetch(struct edit *edit, struct session *session)
{
    rs_key_info info;
    rs_key key;
    int status = rs_key_open(session->txn, RS_NO_KEY, edit->asked, &key);

    if (status == RS_OK) {
        status = rs_key_info_get(session->txn, key, &info);
    }
    if (status == RS_OK) {
        edit->subject.written = info.written;
        status = keypath_spell(session->txn, edit->asked, edit->hidden, &edit->path);
    }
    if (status == RS_OK) {
        status = fetch_value(edit, session, key);
    }
    edit->subject.path = edit->path.text;
    edit->subject.path_len = edit->path.len;
    return status;
}

/* Reads the value in a write transaction, so that who may not write is told before they type. */
static int read_store(struct edit *edit)
{
    struct session session;
    int status;
    int result = 0;

    if (session_begin(edit->tool, RS_WRITE, &session) != 0) {
        return 1;
    }
    status = fetch(edit, &session);
    if (status == RS_EINVAL) {
        session_drop(&session);
        result = report("edit: unknown type \"%s\"", edit->type);
    } else if (status != RS_OK) {
        result = session_report(&session, status, edit->asked);
    } else if (edit->type != NULL && edit->subject.is_set) {
        session_drop(&session);
        result = report("%s: value \"%s\" is set, /t is for one that is not", edit->path.text,
                        edit->name);
    }
    session_end(&session);
    return result;
}

static int make(void *context, const char *dir, char **text, size_t *len)
{
    const struct edit *edit = context;
    FILE *out = open_memstream(text, len);
    int status = out != NULL ? edit_text_write(out, &edit->subject) : RS_ENOMEM;

    (void)dir;
    if (out != NULL && fclose(out) != 0) {
        status = RS_ENOMEM;
    }
    return status == RS_OK ? 0 : report_status(status, NULL, edit->path.text);
}

/* ---- What came back ---- */

static bool same_value(const struct edit_subject *subject, int status, const rs_value *now)
{
    if (status != RS_OK) {
        return !subject->is_set;
    }
    return subject->is_set && now->type == subject->value.type &&
           now->size == subject->value.size &&
           memcmp(now->data, subject->value.data, now->size) == 0;
}

/* Sets the value if it still is what was edited; *same tells. */
static int set(const struct edit *edit, struct session *session, const void *data, size_t size,
               bool *same)
{
    const rs_value *value = &edit->subject.value;
    rs_value now;
    rs_key key;
    int status = rs_key_open(session->txn, RS_NO_KEY, edit->asked, &key);

    *same = true;
    if (status != RS_OK) {
        return status;
    }
    status = rs_value_get_n(session->txn, key, value->name, value->name_len, &now);
    if (status != RS_OK && status != RS_ENOTFOUND) {
        return status;
    }
    *same = same_value(&edit->subject, status, &now);
    session_forget(session);
    if (!*same) {
        return RS_OK;
    }
    return rs_value_set_n(session->txn, key, value->name, value->name_len, value->type, data, size);
}

static enum edit_outcome write_store(const struct edit *edit, const struct edited *edited,
                                     const void *data, size_t size)
{
    enum edit_outcome outcome = EDIT_FAILED;
    struct session session;
    bool same;
    int status;
    int result;

    if (session_begin(edit->tool, RS_WRITE, &session) != 0) {
        return EDIT_FAILED;
    }
    status = set(edit, &session, data, size, &same);
    if (status != RS_OK) {
        result = session_report(&session, status, edit->path.text);
    } else if (!same) {
        session_drop(&session);
        result = report("%s: value \"%s\" was changed while it was edited: nothing was written",
                        edit->path.text, edit->name);
    } else {
        result = session_commit(&session, NULL);
    }
    if (result != 0 && session.found.count > 0) { /* another value may be allowed */
        edit_note(edited, '#', violations_lines(&session.found));
        outcome = EDIT_BAD;
    }
    session_end(&session);
    if (result != 0) {
        return outcome;
    }
    puts("The operation completed successfully.");
    return EDIT_DONE;
}

static enum edit_outcome take(void *context, const struct edited *edited)
{
    const struct edit *edit = context;
    const rs_value *value = &edit->subject.value;
    rs_error error = RS_ERROR_INIT;
    enum edit_outcome outcome;
    void *data;
    size_t size;
    int status = edit_text_read(&edit->subject, edited->text, edited->len, &data, &size, &error);

    if (status == RS_END) {
        return edit_cancelled("emptied");
    }
    if (status != RS_OK) {
        report_status(status, &error, edit->path.text);
        return EDIT_BAD;
    }
    if (size > RS_MAX_DATA) {
        report("%s: %s", edit->path.text, rs_strerror(RS_ETOOBIG));
        outcome = EDIT_BAD;
    } else if (edit->subject.is_set && size == value->size &&
               memcmp(data, value->data, size) == 0) {
        outcome = edit_cancelled("unchanged");
    } else {
        outcome = write_store(edit, edited, data, size);
    }
    free(data);
    return outcome;
}

int cmd_edit(struct tool *tool, const struct arguments *arguments)
{
    struct edit edit = {.tool = tool,
                        .asked = arguments->operands[0],
                        .hidden = keypath_hidden(arguments->asked[0], arguments->operands[0]),
                        .name = arguments->switches[SWITCH_VALUE],
                        .type = arguments->switches[SWITCH_TYPE]};
    int result = 1;

    if (has_switch(arguments, SWITCH_DEFAULT)) {
        edit.name = "";
    }
    if (edit.name == NULL) {
        return edit.type == NULL ? edit_key(tool, edit.asked)
                                 : report("edit: /t is for a value: /v NAME or /ve");
    }
    if (read_store(&edit) == 0) {
        result = edit_file("value.txt", make, take, &edit);
    }
    free((char *)edit.subject.value.name);
    free(edit.about);
    keypath_free(&edit.path);
    return result;
}
