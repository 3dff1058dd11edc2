/*
 * regtool describe: a page for a person about the values of a key, or about one of them: what the
 * rules say, what is set, and who has set it. The key need not exist: rules know it all the same.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "keypath.h"
#include "names.h"
#include "report.h"
#include "rule_page.h"
#include "show.h"
#include "tool.h"
#include "value_facts.h"

#define INDENT "    "

struct description {
    struct tool *tool;
    struct session session;
    const char *asked;
    size_t hidden; /* of the path, see keypath_spell() */
    struct keypath path;
    rs_key key; /* RS_NO_KEY: there is none */
    struct value_facts *facts;
    size_t count;
    struct names others; /* values that are set and that no rule knows */
};

/* ---- What there is ---- */

static int open_key(struct description *page)
{
    int status = rs_key_open(page->session.txn, RS_NO_KEY, page->asked, &page->key);

    if (status == RS_ENOTFOUND) {
        session_forget(&page->session);
        page->key = RS_NO_KEY;
        return keypath_add(&page->path, page->asked, strlen(page->asked));
    }
    if (status == RS_OK) {
        status = keypath_spell(page->session.txn, page->asked, page->hidden, &page->path);
    }
    return status;
}

static int add_name(void *context, const rs_rule *rule)
{
    return names_add(context, rule->name, rule->name_len);
}

static int read_facts(struct description *page, const struct names *names)
{
    int status = RS_OK;

    page->facts = calloc(names->count + 1, sizeof(*page->facts));
    if (page->facts == NULL) {
        return RS_ENOMEM;
    }
    while (status == RS_OK && page->count < names->count) {
        const struct name *name = &names->each[page->count];
        status = value_facts_read(&page->session, page->asked, page->key, name->text, name->len,
                                  &page->facts[page->count++]);
    }
    if (status == RS_OK && page->key != RS_NO_KEY) {
        status = value_facts_history(&page->session, page->key, page->facts, page->count);
    }
    return status;
}

static bool is_described(const struct description *page, const rs_value *value)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct value_facts *facts = &page->facts[i];
        if (rs_name_compare(facts->name, facts->name_len, value->name, value->name_len) == 0) {
            return true;
        }
    }
    return false;
}

static int find_others(struct description *page)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(page->session.txn, page->key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if (!is_described(page, &value)) {
            status = names_add(&page->others, value.name, value.name_len);
        }
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

/* name is NULL for all values that rules know. */
static int look(struct description *page, const char *name)
{
    struct names names = {.each = NULL};
    int status = open_key(page);

    if (status == RS_OK) {
        status = name != NULL ? names_add(&names, name, strlen(name))
                              : rs_rules(page->session.txn, page->asked, RS_NTS, add_name, &names);
    }
    if (status == RS_OK) {
        status = read_facts(page, &names);
    }
    if (status == RS_OK && name == NULL && page->key != RS_NO_KEY) {
        status = find_others(page);
    }
    names_free(&names);
    return status;
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
    puts(page->key == RS_NO_KEY ? " (there is no such key)" : "");
    for (size_t i = 0; status == RS_OK && i < page->count; i++) {
        status = output_lost(page->tool) ? RS_OK : put_value(&page->facts[i]);
    }
    put_others(&page->others);
    return status;
}

static int put_json(const struct description *page)
{
    struct json json = {.out = stdout};
    int status = RS_OK;

    for (size_t i = 0; status == RS_OK && i < page->count; i++) {
        json_open(&json, '{');
        json_member(&json, "key");
        json_text(&json, page->path.text, page->path.len);
        status = value_facts_json(&json, &page->facts[i]);
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
    if (page->key == RS_NO_KEY && (page->count == 0 || !page->facts[0].has_rule)) {
        return report("%s: no such key, and no rule knows it", page->asked);
    }
    if (page->count == 0) {
        return report("%s: no rule knows a value of it", page->path.text);
    }
    if (name != NULL && !page->facts[0].has_rule && !page->facts[0].is_set) {
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
    for (size_t i = 0; i < page.count; i++) {
        value_facts_free(&page.facts[i]);
    }
    free(page.facts);
    names_free(&page.others);
    keypath_free(&page.path);
    session_end(&page.session);
    return result;
}
