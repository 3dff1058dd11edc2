/*
 * regtool tree: draws the keys below a key, on request with their values. Lines are drawn on a
 * terminal of a UTF-8 locale, and with ASCII elsewhere, so that a pipe always gets the same bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "asked.h"
#include "columns.h"
#include "query_print.h"
#include "report.h"
#include "show.h"

struct lines {
    const char *branch; /* in front of an entry that others follow */
    const char *last;
    const char *trunk; /* in front of what is below an entry that others follow */
    const char *blank;
};

struct tree {
    struct tool *tool;
    struct asked asked;       /* its path is of the key that the walk is at */
    struct query_print print; /* for JSON */
    const struct lines *lines;
    bool values;
    unsigned depth;                       /* levels to be shown */
    unsigned level;                       /* of the key that the walk is at */
    const char *margin[RS_MAX_DEPTH + 1]; /* what stands in front of its entries, by level */
};

static const struct lines *choose_lines(const struct tool *tool)
{
    static const struct lines drawn = {"\u251c\u2500\u2500 ", "\u2514\u2500\u2500 ", "\u2502   ",
                                       "    "};
    static const struct lines ascii = {"|-- ", "`-- ", "|   ", "    "};

    return tool->terminal && columns_locale_is_utf8() ? &drawn : &ascii;
}

static void put_margin(const struct tree *tree, bool last)
{
    for (unsigned i = 0; i < tree->level; i++) {
        fputs(tree->margin[i], stdout);
    }
    fputs(last ? tree->lines->last : tree->lines->branch, stdout);
}

static int put_value(struct tree *tree, const rs_value *value, bool last)
{
    char type[SHOW_TYPE_SIZE];
    int status;

    if (tree->tool->json) {
        return query_print_value(&tree->print, &tree->asked.path, value);
    }
    show_type(value->type, type);
    put_margin(tree, last);
    show_value_name(stdout, value->name, value->name_len, tree->tool->terminal);
    printf("    %s    ", type);
    status = show_data(stdout, value, NULL, tree->tool->terminal);
    putchar('\n');
    return status;
}

/* The status; what nobody reads is not drawn on. */
static int if_heard(const struct tree *tree, int status)
{
    return status == RS_OK && output_lost(tree->tool) ? RS_ECANCELLED : status;
}

static int end_list(rs_cursor *cursor, int status)
{
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

/* left: the entries of the key that come after its values. */
static int put_values(struct tree *tree, rs_key key, uint32_t count, uint32_t left)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(tree->asked.session.txn, key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    for (uint32_t i = 1; (status = rs_next_value(cursor, &value)) == RS_OK; i++) {
        status = if_heard(tree, put_value(tree, &value, left == 0 && i == count));
        if (status != RS_OK) {
            break;
        }
    }
    return end_list(cursor, status);
}

static void put_name(const struct tree *tree, const char *name, size_t len)
{
    fputs(tree->tool->colours ? "\033[1m" : "", stdout);
    show_in_line(stdout, name, len, tree->tool->terminal);
    fputs(tree->tool->colours ? "\033[0m" : "", stdout);
}

static int put_target(struct tree *tree, const rs_key_info *info)
{
    const char *target;
    size_t len;
    int status = rs_link_target(tree->asked.session.txn, info->key, &target, &len);

    if (status == RS_OK) {
        fputs(" -> ", stdout);
        show_in_line(stdout, target, len, tree->tool->terminal);
    }
    return status;
}

static int put_key(struct tree *tree, const rs_key_info *info, bool last)
{
    int status = RS_OK;

    if (tree->tool->json) {
        query_print_subkey(&tree->print, &tree->asked.path, info->written);
        return RS_OK;
    }
    put_margin(tree, last);
    put_name(tree, info->name, info->name_len);
    if ((info->flags & RS_KEY_LINK) != 0) {
        status = put_target(tree, info);
    }
    putchar('\n');
    return status;
}

static int put_below(struct tree *tree, rs_key key, uint32_t values, uint32_t subkeys);

static int put_subkey(struct tree *tree, const rs_key_info *info, bool last)
{
    size_t len = tree->asked.path.len;
    int status = keypath_add(&tree->asked.path, info->name, info->name_len);

    if (status == RS_OK) {
        status = put_key(tree, info, last);
    }
    if (status == RS_OK && tree->level >= RS_MAX_DEPTH) {
        status = RS_EDAMAGED; /* records that lead in a circle */
    }
    if (status == RS_OK) {
        tree->margin[tree->level++] = last ? tree->lines->blank : tree->lines->trunk;
        status = put_below(tree, info->key, info->values, info->subkeys);
        tree->level--;
    }
    keypath_cut(&tree->asked.path, len);
    return status;
}

static int put_subkeys(struct tree *tree, rs_key key, uint32_t count)
{
    rs_cursor *cursor;
    rs_key_info info;
    int status = rs_subkeys(tree->asked.session.txn, key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    for (uint32_t i = 1; (status = rs_next_key(cursor, &info)) == RS_OK; i++) {
        status = if_heard(tree, put_subkey(tree, &info, i == count));
        if (status != RS_OK) {
            break;
        }
    }
    return end_list(cursor, status);
}

/* Recursion is bounded by RS_MAX_DEPTH. */
static int put_below(struct tree *tree, rs_key key, uint32_t values, uint32_t subkeys)
{
    bool deeper = tree->level < tree->depth;
    int status = RS_OK;

    if (tree->values && values > 0) {
        status = put_values(tree, key, values, deeper ? subkeys : 0);
    }
    if (status == RS_OK && deeper && subkeys > 0) {
        status = put_subkeys(tree, key, subkeys);
    }
    return status;
}

static int put_all(struct tree *tree)
{
    const struct asked *asked = &tree->asked;

    if (tree->tool->json) {
        query_print_subkey(&tree->print, &asked->path, asked->written);
    } else {
        put_name(tree, asked->path.text, asked->path.len);
        putchar('\n');
    }
    if (asked->key == RS_NO_KEY) {
        return RS_OK;
    }
    return put_below(tree, asked->key, asked->values, asked->subkeys);
}

static int read_depth(const char *text, unsigned *depth)
{
    char *end;
    unsigned long number;

    *depth = RS_MAX_DEPTH;
    if (text == NULL) {
        return 0;
    }
    errno = 0;
    number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        return report("tree: \"%s\" is no number of levels", text);
    }
    if (number < RS_MAX_DEPTH) {
        *depth = (unsigned)number;
    }
    return 0;
}

int cmd_tree(struct tool *tool, const struct arguments *arguments)
{
    struct tree tree = {.tool = tool,
                        .print = {.tool = tool},
                        .lines = choose_lines(tool),
                        .values = has_switch(arguments, SWITCH_VALUES)};
    int status;
    int result = 1;

    if (read_depth(arguments->switches[SWITCH_DEPTH], &tree.depth) != 0 ||
        asked_begin(tool, arguments, &tree.asked) != 0) {
        return 1;
    }
    status = put_all(&tree);
    if (status == RS_OK) {
        result = 0;
    } else if (status != RS_ECANCELLED) {
        result = session_report(&tree.asked.session, status, arguments->operands[0]);
    }
    asked_end(&tree.asked);
    return result;
}
