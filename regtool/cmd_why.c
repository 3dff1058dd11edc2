/*
 * regtool why: where the value comes from that programs see, in one line: the revision that set it
 * and who made that, or the rule whose default it is.
 */
#include <stdbool.h>
#include <stdio.h>

#include "arguments.h"
#include "keypath.h"
#include "report.h"
#include "rule_page.h"
#include "tool.h"
#include "value_facts.h"

struct question {
    struct tool *tool;
    struct session session;
    const char *asked; /* the key */
    size_t hidden;     /* of its path, see keypath_spell() */
    const char *name;  /* of the value, "" for the default value */
    struct value_facts facts;
};

static int look(struct question *question)
{
    rs_txn *txn = question->session.txn;
    rs_key key = RS_NO_KEY;
    int status = rs_key_open(txn, RS_NO_KEY, question->asked, &key);

    if (status == RS_ENOTFOUND) { /* rules know it all the same */
        session_forget(&question->session);
        key = RS_NO_KEY;
        status = RS_OK;
    }
    if (status == RS_OK) {
        status = value_facts_read(&question->session, question->asked, key, question->name, RS_NTS,
                                  &question->facts);
    }
    if (status == RS_OK && key != RS_NO_KEY) {
        status = value_facts_history(&question->session, key, &question->facts, 1);
    }
    return status;
}

static int put_json(struct question *question)
{
    struct json json = {.out = stdout};
    struct keypath path = {.text = NULL};
    int status = keypath_spell(question->session.txn, question->asked, question->hidden, &path);

    if (status == RS_ENOTFOUND) {
        session_forget(&question->session);
    }
    json_open(&json, '{');
    if (path.text != NULL && status == RS_OK) {
        json_member(&json, "key");
        json_text(&json, path.text, path.len);
    } else {
        json_member_text(&json, "key", question->asked);
    }
    status = value_facts_json(&json, &question->facts);
    json_close(&json, '}');
    json_line(&json);
    keypath_free(&path);
    return status;
}

static int put_line(const struct question *question, const rs_value *value)
{
    int status =
        rule_page_data(stdout, value, question->facts.has_rule ? &question->facts.rule : NULL);

    fputs(": ", stdout);
    value_facts_origin(stdout, &question->facts);
    putchar('\n');
    return status;
}

/* Nothing that a program would see: one line says since when, if the journal knows. */
static int report_absent(const struct question *question)
{
    const struct setter *setter = &question->facts.setter;
    const char *has_none =
        question->facts.has_rule ? "its rule has no default" : "no rule knows it";

    if (setter->revision != 0) {
        return report("%s: value \"%s\": deleted in revision %llu, and %s", question->asked,
                      question->name, (unsigned long long)setter->revision, has_none);
    }
    return report("%s: value \"%s\": not set, and %s", question->asked, question->name, has_none);
}

static int answer(struct question *question)
{
    const rs_value *value;
    int status = look(question);

    if (status != RS_OK) {
        return session_report(&question->session, status, question->asked);
    }
    value = value_facts_effective(&question->facts);
    if (value == NULL) {
        return report_absent(question);
    }
    status = question->tool->json ? put_json(question) : put_line(question, value);
    return status == RS_OK ? 0 : session_report(&question->session, status, question->asked);
}

int cmd_why(struct tool *tool, const struct arguments *arguments)
{
    struct question question = {.tool = tool,
                                .asked = arguments->operands[0],
                                .hidden =
                                    keypath_hidden(arguments->asked[0], arguments->operands[0]),
                                .name = arguments->switches[SWITCH_VALUE]};
    int result;

    if (has_switch(arguments, SWITCH_DEFAULT)) {
        question.name = "";
    }
    if (question.name == NULL) {
        return report("why: /v NAME or /ve is missing: it is values that are set");
    }
    if (session_begin(tool, RS_READ, &question.session) != 0) {
        return 1;
    }
    result = answer(&question);
    value_facts_free(&question.facts);
    session_end(&question.session);
    return result;
}
