/*
 * regtool compare: two keys side by side, as reg.exe shows them. Values are compared by type and
 * bytes; a key that one side has alone, with /s, is named and not gone into. Class names and write
 * times are not compared. Exit status: 0 identical, 2 different, 1 failed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "differ_print.h"
#include "report.h"
#include "show.h"

struct comparison {
    struct session session;
    struct differ_print print; /* the paths, and lines of JSON */
    const char *name;          /* of the one value to compare; NULL: all */
    bool subtree;
    bool show_same;
    bool show_different;
    bool found; /* the one value, on either side */
    bool different;
    struct keypath alone; /* the key that one side has alone and that was named last */
    bool has_alone;
    bool alone_left;
};

static void put_place(const struct comparison *comparison, const char *what, bool left,
                      const rs_difference *difference)
{
    const struct keypath *base = left ? &comparison->print.left : &comparison->print.right;
    bool escaped = comparison->print.tool->terminal;

    printf("%s: ", what);
    show_text(stdout, base->text, base->len, escaped);
    fputs(difference->path_len > 0 ? "\\" : "", stdout);
    show_text(stdout, difference->path, difference->path_len, escaped);
}

static int put_value(const struct comparison *comparison, char sign, bool left,
                     const rs_difference *difference)
{
    const rs_value *value = left ? difference->left : difference->right;
    bool escaped = comparison->print.tool->terminal;
    char type[SHOW_TYPE_SIZE];
    char what[] = {sign, ' ', 'V', 'a', 'l', 'u', 'e', '\0'};
    int status;

    show_type(value->type, type);
    put_place(comparison, what, left, difference);
    putchar(' ');
    show_value_name(stdout, value->name, value->name_len, escaped);
    printf(" %s ", type);
    status = show_data(stdout, value, NULL, escaped);
    putchar('\n');
    return status;
}

static int put_text(const struct comparison *comparison, const rs_difference *difference)
{
    int status = RS_OK;

    if (difference->kind == RS_DIFFERS_KEY) {
        bool left = difference->left_key != NULL;
        put_place(comparison, left ? "< Key" : "> Key", left, difference);
        putchar('\n');
        return RS_OK;
    }
    if (difference->same) {
        return put_value(comparison, '=', true, difference);
    }
    if (difference->left != NULL) {
        status = put_value(comparison, '<', true, difference);
    }
    if (status == RS_OK && difference->right != NULL) {
        status = put_value(comparison, '>', false, difference);
    }
    return status;
}

static bool is_named(const struct comparison *comparison, const rs_difference *difference)
{
    const rs_value *value = difference->left != NULL ? difference->left : difference->right;

    return comparison->name == NULL ||
           (value != NULL && rs_name_compare(value->name, value->name_len, comparison->name,
                                             strlen(comparison->name)) == 0);
}

/* Whether it is inside the key that was named for being on one side alone. */
static bool is_inside(const struct comparison *comparison, const rs_difference *difference)
{
    size_t len = comparison->alone.len;
    bool left = difference->left_key != NULL;

    return comparison->has_alone &&
           (difference->left_key == NULL || difference->right_key == NULL) &&
           left == comparison->alone_left && difference->path_len >= len &&
           memcmp(difference->path, comparison->alone.text, len) == 0 &&
           (difference->path_len == len || difference->path[len] == '\\');
}

static int note_alone(struct comparison *comparison, const rs_difference *difference)
{
    if (difference->kind != RS_DIFFERS_KEY || difference->same) {
        return RS_OK;
    }
    comparison->has_alone = true;
    comparison->alone_left = difference->left_key != NULL;
    if (comparison->alone.text != NULL) {
        keypath_cut(&comparison->alone, 0);
    }
    return keypath_add(&comparison->alone, difference->path, difference->path_len);
}

/* What reg.exe would tell of. */
static bool is_told(const struct comparison *comparison, const rs_difference *difference)
{
    if (difference->kind == RS_DIFFERS_KEY) {
        return !difference->same && comparison->name == NULL;
    }
    return difference->kind == RS_DIFFERS_VALUE && is_named(comparison, difference);
}

static int on_difference(void *context, const rs_difference *difference)
{
    struct comparison *comparison = context;
    struct tool *tool = comparison->print.tool;
    int status;

    if ((comparison->name == NULL && is_inside(comparison, difference)) ||
        !is_told(comparison, difference)) {
        return RS_OK;
    }
    comparison->found = true;
    comparison->different = comparison->different || !difference->same;
    status = note_alone(comparison, difference);
    if (status != RS_OK ||
        !(difference->same ? comparison->show_same : comparison->show_different)) {
        return status;
    }
    status = tool->json ? differ_print_json(&comparison->print, difference)
                        : put_text(comparison, difference);
    return status == RS_OK && output_lost(tool) ? RS_ECANCELLED : status;
}

static int open_side(struct comparison *comparison, const struct arguments *arguments, int index,
                     rs_key *key)
{
    const char *asked = arguments->operands[index];
    struct keypath *path = index == 0 ? &comparison->print.left : &comparison->print.right;
    rs_txn *txn = comparison->session.txn;
    int status = rs_key_open(txn, RS_NO_KEY, asked, key);

    if (status == RS_OK) {
        status = keypath_spell(txn, asked, keypath_hidden(arguments->asked[index], asked), path);
    }
    return status == RS_OK ? 0 : session_report(&comparison->session, status, asked);
}

static int compare(struct comparison *comparison, const struct arguments *arguments)
{
    const rs_compare_options options = {
        .flags = (comparison->show_same || comparison->name != NULL ? RS_SAME : 0) |
                 (comparison->subtree ? RS_SUBTREE : 0),
        .each = on_difference,
        .context = comparison};
    rs_txn *txn = comparison->session.txn;
    rs_key left;
    rs_key right;
    int status;

    if (open_side(comparison, arguments, 0, &left) != 0 ||
        open_side(comparison, arguments, 1, &right) != 0) {
        return 1;
    }
    status = rs_compare(txn, left, txn, right, &options, NULL);
    if (status != RS_OK) {
        return comparison->print.tool->output_lost != 0
                   ? 1
                   : session_report(&comparison->session, status, arguments->operands[0]);
    }
    if (comparison->name != NULL && !comparison->found) {
        if (comparison->name[0] == '\0') {
            return report("the default value is not set in either key");
        }
        return report("neither key has a value \"%s\"", comparison->name);
    }
    return comparison->different ? 2 : 0;
}

static void put_result(const struct comparison *comparison)
{
    if (!comparison->print.tool->json) {
        printf("Result Compared: %s\n", comparison->different ? "Different" : "Identical");
        puts("The operation completed successfully.");
    }
}

int cmd_compare(struct tool *tool, const struct arguments *arguments)
{
    struct comparison comparison = {.print = {.tool = tool, .out = stdout}};
    int result;

    comparison.name =
        has_switch(arguments, SWITCH_DEFAULT) ? "" : arguments->switches[SWITCH_VALUE];
    comparison.subtree = has_switch(arguments, SWITCH_RECURSIVE);
    comparison.show_same =
        has_switch(arguments, SWITCH_SHOW_ALL) || has_switch(arguments, SWITCH_SHOW_SAME);
    comparison.show_different =
        !has_switch(arguments, SWITCH_SHOW_SAME) && !has_switch(arguments, SWITCH_SHOW_NOTHING);
    if (session_begin(tool, RS_READ, &comparison.session) != 0) {
        return 1;
    }
    result = compare(&comparison, arguments);
    if (result != 1) {
        put_result(&comparison);
    }
    session_end(&comparison.session);
    differ_print_end(&comparison.print);
    keypath_free(&comparison.alone);
    return result;
}
