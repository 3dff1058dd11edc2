/*
 * regtool find: all that holds a text, in the names of keys and values and in data: what "query KEY
 * /s /f TEXT" finds, below one key or everywhere, and with regular expressions.
 */
#include <stdbool.h>

#include "arguments.h"
#include "query_walk.h"
#include "report.h"

/* Where "everywhere" is. */
static const char *const roots[] = {"HKLM", "HKU", "HKRS"};
#define ROOT_COUNT (sizeof(roots) / sizeof(roots[0]))

static unsigned read_places(const struct arguments *arguments)
{
    unsigned in = (has_switch(arguments, SWITCH_SEARCH_KEYS) ? IN_KEYS : 0) |
                  (has_switch(arguments, SWITCH_SEARCH_NAMES) ? IN_NAMES : 0) |
                  (has_switch(arguments, SWITCH_SEARCH_DATA) ? IN_DATA : 0);

    return in != 0 ? in : IN_KEYS | IN_NAMES | IN_DATA;
}

static int find_below(struct query *query, const char *key, size_t hidden)
{
    int status;

    query->asked = key;
    query->hidden = hidden;
    status = query_walk(query);
    keypath_free(&query->path);
    if (status == RS_OK || status == RS_ECANCELLED) {
        return status == RS_OK ? 0 : 1;
    }
    return session_report(&query->session, status, key);
}

/* In one snapshot. */
static int find(struct query *query, const struct arguments *arguments)
{
    const char *key = arguments->operands[1];
    int result = 0;

    if (key != NULL) {
        result = find_below(query, key, keypath_hidden(arguments->asked[1], key));
    }
    for (size_t i = 0; key == NULL && result == 0 && i < ROOT_COUNT; i++) {
        result = find_below(query, roots[i], 0);
    }
    if (result == 0) {
        query_print_matches(&query->print, query->matches);
        result = query->matches > 0 ? 0 : 1;
    }
    return result;
}

int cmd_find(struct tool *tool, const struct arguments *arguments)
{
    unsigned flags = (has_switch(arguments, SWITCH_SEARCH_CASE) ? SEARCH_CASE : 0) |
                     (has_switch(arguments, SWITCH_REGEX) ? SEARCH_REGEX : 0);
    struct search text;
    struct query query = {.text = &text,
                          .in = read_places(arguments),
                          .recursive = true,
                          .search = true,
                          .print = {.tool = tool, .search = true, .text = &text}};
    int result = search_begin(&text, "find", arguments->operands[0], flags);

    query.print.in = query.in;
    if (result == 0) {
        result = session_begin(tool, RS_READ, &query.session);
    }
    if (result == 0) {
        result = find(&query, arguments);
        session_end(&query.session);
    }
    search_free(&text);
    return result;
}
