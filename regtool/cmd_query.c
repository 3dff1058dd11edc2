/*
 * regtool query: shows a key, its values and its subkeys, or searches in them. The walk is in
 * query_walk.
 */
#include <stdbool.h>
#include <string.h>

#include "arguments.h"
#include "query_walk.h"
#include "report.h"
#include "separator.h"

/* What the switches ask for, which the walk only points to. */
struct wishes {
    struct search text;
    struct search names;
};

/* What a walk without a match means. A default value that is not set is no failure in reg.exe. */
static int finish(struct query *query)
{
    if (query->search) {
        query_print_matches(&query->print, query->matches);
        return query->matches > 0 ? 0 : 1;
    }
    if (query->name == NULL || query->matches > 0) {
        return 0;
    }
    if (query->name[0] != '\0') {
        return report("%s: no value \"%s\"", query->path.text, query->name);
    }
    query_print_key(&query->print, &query->path, query->written);
    query_print_unset(&query->print);
    query_print_end_key(&query->print);
    return 0;
}

/* Without /f these mean nothing, and reg.exe refuses them. */
static int check_search(const struct arguments *arguments)
{
    static const struct {
        enum switch_id id;
        const char *letters;
    } rows[] = {
        {SWITCH_SEARCH_KEYS, "k"},
        {SWITCH_SEARCH_DATA, "d"},
        {SWITCH_SEARCH_CASE, "c"},
        {SWITCH_SEARCH_EXACT, "e"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (has_switch(arguments, rows[i].id) && !has_switch(arguments, SWITCH_SEARCH)) {
            return report("query: /%s needs /f TEXT", rows[i].letters);
        }
    }
    return 0;
}

/* Where the text is looked for: where the switches say, else everywhere. The data alone, if the
 * value's name is given. */
static unsigned read_places(const struct query *query, const struct arguments *arguments)
{
    unsigned in = (has_switch(arguments, SWITCH_SEARCH_KEYS) ? IN_KEYS : 0) |
                  (has_switch(arguments, SWITCH_SEARCH_NAMES) ? IN_NAMES : 0) |
                  (has_switch(arguments, SWITCH_SEARCH_DATA) ? IN_DATA : 0);

    if (in != 0) {
        return in;
    }
    return query->name != NULL || query->names != NULL ? IN_DATA : IN_KEYS | IN_NAMES | IN_DATA;
}

/* As in reg.exe, a name with wildcards means all values that have such a name. */
static int read_name(struct query *query, const struct arguments *arguments, struct wishes *wishes)
{
    const char *name = arguments->switches[SWITCH_VALUE];

    query->name = has_switch(arguments, SWITCH_DEFAULT) ? "" : name;
    if (has_switch(arguments, SWITCH_SEARCH_NAMES)) {
        query->name = NULL; /* /v stands alone */
    } else if (name != NULL && strpbrk(name, "*?") != NULL) {
        query->name = NULL;
        query->names = &wishes->names;
        return search_begin(&wishes->names, "query", name, SEARCH_WHOLE | SEARCH_WILDCARDS);
    }
    return 0;
}

static int read_text(struct query *query, const struct arguments *arguments, struct wishes *wishes)
{
    unsigned flags = SEARCH_WILDCARDS |
                     (has_switch(arguments, SWITCH_SEARCH_CASE) ? SEARCH_CASE : 0) |
                     (has_switch(arguments, SWITCH_SEARCH_EXACT) ? SEARCH_WHOLE : 0);

    if (!has_switch(arguments, SWITCH_SEARCH)) {
        return check_search(arguments);
    }
    query->text = &wishes->text;
    query->in = read_places(query, arguments);
    return search_begin(&wishes->text, "query", arguments->switches[SWITCH_SEARCH], flags);
}

static int read_switches(struct query *query, const struct arguments *arguments,
                         struct wishes *wishes)
{
    const char *type = arguments->switches[SWITCH_TYPE];

    query->asked = arguments->operands[0];
    query->hidden = keypath_hidden(arguments->asked[0], query->asked);
    query->recursive = has_switch(arguments, SWITCH_RECURSIVE);
    query->typed = type != NULL;
    query->print.numbers = has_switch(arguments, SWITCH_NUMBERS);
    query->print.separator = arguments->switches[SWITCH_SEPARATOR];
    if (type != NULL && rs_type_parse(type, &query->type) != RS_OK) {
        return report("query: unknown type \"%s\"", type);
    }
    if (separator_check("query", query->print.separator) != 0 ||
        read_name(query, arguments, wishes) != 0 || read_text(query, arguments, wishes) != 0) {
        return 1;
    }
    query->search = query->typed || query->text != NULL || query->names != NULL ||
                    (query->recursive && query->name != NULL);
    return 0;
}

static int run(struct query *query)
{
    int status = query_walk(query);

    if (status == RS_OK) {
        return finish(query);
    }
    return status == RS_ECANCELLED ? 1 : session_report(&query->session, status, query->asked);
}

int cmd_query(struct tool *tool, const struct arguments *arguments)
{
    struct wishes wishes = {.text = {.flags = 0}};
    struct query query = {.print = {.tool = tool}};
    int result = read_switches(&query, arguments, &wishes);

    query.print.search = query.search;
    query.print.text = query.text;
    query.print.in = query.in;
    if (result == 0) {
        result = session_begin(tool, RS_READ, &query.session);
    }
    if (result == 0) {
        result = run(&query);
        session_end(&query.session);
    }
    keypath_free(&query.path);
    search_free(&wishes.text);
    search_free(&wishes.names);
    return result;
}
