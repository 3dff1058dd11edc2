/*
 * regtool describe: a page for a person about the values of a key, or about one of them: what the
 * rules say, what is set, and who has set it. The key need not exist: rules know it all the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "key_facts.h"
#include "keypath.h"
#include "report.h"
#include "rule_page.h"
#include "show.h"
#include "tool.h"

#define INDENT "    "

struct description {
    struct tool *tool;
    struct session session;
    const char *asked;
    size_t hidden; /* of the path, see keypath_spell() */
    struct keypath path;
    struct key_facts known;
};

/* ---- What there is ---- */

static int open_key(struct description *page, rs_key *key)
{
    int status = rs_key_open(page->session.txn, RS_NO_KEY, page->asked, key);

    if (status == RS_ENOTFOUND) {
        session_forget(&page->session);
        *key = RS_NO_KEY;
        return keypath_add(&page->path, page->asked, strlen(page->asked));
    }
    if (status == RS_OK) {
        status = keypath_spell(page->session.txn, page->asked, page->hidden, &page->path);
    }
    return status;
}

/* name is NULL for all values that rules know. */
static int look(struct description *page, const char *name)
{
    rs_key key = RS_NO_KEY;
    int status = open_key(page, &key);

    return status == RS_OK ? key_facts_read(&page->session, page->asked, key, name, &page->known)
                           : status;
}

/* ---- The page ---- */

static int put_now(const struct value_facts *facts)
{
    const rs_value *value = value_facts_effective(facts);
    char type[SHOW_TYPE_SIZE];
    int status = RS_OK;

    printf(INDENT "%-*s", RULE_PAGE_INDENT, "Now");
    if (value != NULL) {
        status = rule_page_data(stdout, value, facts->has_rule ? &facts->rule : NULL);
        if (!facts->has_rule) {
            show_type(value->type, type);
            printf(" (%s)", type);
        }
        fputs(", ", stdout);
    }
    value_facts_origin(stdout, facts);
    putchar('\n');
    return status;
}

static int put_value(const struct value_facts *facts)
{
    int status;

    putchar('\n');
    show_value_name(stdout, facts->name, facts->name_len, true);
    putchar('\n');
    status = put_now(facts);
    if (facts->wrong.text[0] != '\0') {
        rule_page_text(stdout, INDENT, "Wrong", facts->wrong.text);
    }
    if (!facts->has_rule) {
        rule_page_text(stdout, INDENT, "Rule", "none");
        return status;
    }
    return status == RS_OK ? rule_page_write(stdout, INDENT, &facts->rule) : status;
}

static void put_others(const struct names *others)
{
    if (others->count == 0) {
        return;
    }
    fputs("\nNo rule knows: ", stdout);
    for (size_t i = 0; i < others->count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        show_value_name(stdout, others->each[i].text, others->each[i].len, true);
    }
    putchar('\n');
}

static int put_page(struct description *page)
{
    int status = RS_OK;

    show_text(stdout, page->path.text, page->path.len, true);
    puts(page->known.key == RS_NO_KEY ? " (there is no such key)" : "");
    for (size_t i = 0; status == RS_OK && i < page->known.count; i++) {
        status = output_lost(page->tool) ? RS_OK : put_value(&page->known.facts[i]);
    }
    put_others(&page->known.others);
    return status;
}

static int put_json(const struct description *page)
{
    struct json json = {.out = stdout};
    int status = RS_OK;

    for (size_t i = 0; status == RS_OK && i < page->known.count; i++) {
        json_open(&json, '{');
        json_member(&json, "key");
        json_text(&json, page->path.text, page->path.len);
        status = value_facts_json(&json, &page->known.facts[i]);
        json_close(&json, '}');
        json_line(&json);
    }
    return status;
}

static int describe(struct description *page, const char *name)
{
    int status = look(page, name);

    if (status != RS_OK) {
        return session_report(&page->session, status, page->asked);
    }
    if (page->known.key == RS_NO_KEY &&
        (page->known.count == 0 || !page->known.facts[0].has_rule)) {
        return report("%s: no such key, and no rule knows it", page->asked);
    }
    if (page->known.count == 0) {
        return report("%s: no rule knows a value of it", page->path.text);
    }
    if (name != NULL && !page->known.facts[0].has_rule && !page->known.facts[0].is_set) {
        return report("%s: value \"%s\": not set, and no rule knows it", page->path.text, name);
    }
    status = page->tool->json ? put_json(page) : put_page(page);
    return status == RS_OK ? 0 : session_report(&page->session, status, page->asked);
}

int cmd_describe(struct tool *tool, const struct arguments *arguments)
{
    struct description page = {.tool = tool,
                               .asked = arguments->operands[0],
                               .hidden =
                                   keypath_hidden(arguments->asked[0], arguments->operands[0])};
    const char *name = arguments->switches[SWITCH_VALUE];
    int result;

    if (session_begin(tool, RS_READ, &page.session) != 0) {
        return 1;
    }
    result = describe(&page, has_switch(arguments, SWITCH_DEFAULT) ? "" : name);
    key_facts_free(&page.known);
    keypath_free(&page.path);
    session_end(&page.session);
    return result;
}
