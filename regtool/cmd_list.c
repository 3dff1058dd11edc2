/*
 * regtool list: the subkeys and values of a key, a name a line, sorted. Values are sorted here, as
 * a store keeps them in the order in which they were made.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "asked.h"
#include "columns.h"
#include "names.h"
#include "query_print.h"
#include "show.h"

/* The column of the types begins here at the latest; a longer name moves its own line only. */
#define WIDEST_NAME 40
#define TYPE_WIDTH 13

struct list {
    struct tool *tool;
    struct asked asked;
    struct query_print print; /* for JSON */
    struct columns columns;
    struct names values;
    bool details;
    size_t width; /* of the column of names */
};

static int collect_values(struct list *list)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(list->asked.session.txn, list->asked.key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if ((status = names_add(&list->values, value.name, value.name_len)) != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    names_sort(&list->values);
    return status == RS_END ? RS_OK : status;
}

static size_t width_of_value(const struct list *list, const struct name *name)
{
    if (name->len == 0) {
        return strlen("(Default)");
    }
    return columns_of(&list->columns, name->text, name->len, list->tool->terminal);
}

static void widen(struct list *list, size_t width)
{
    if (width > list->width && width <= WIDEST_NAME) {
        list->width = width;
    }
}

static void pad(const struct list *list, size_t width)
{
    printf("%*s", width < list->width ? (int)(list->width - width) + 2 : 2, "");
}

static void put_time(uint64_t written)
{
    char text[SHOW_TIME_SIZE];

    if (written != 0) {
        show_time(written, text);
        printf("%.19sZ, ", text);
    }
}

static int put_target(struct list *list, rs_key key)
{
    const char *target;
    size_t len;
    int status = rs_link_target(list->asked.session.txn, key, &target, &len);

    if (status == RS_OK) {
        fputs("-> ", stdout);
        show_in_line(stdout, target, len, list->tool->terminal);
        putchar('\n');
    }
    return status;
}

static int put_subkey_details(struct list *list, const rs_key_info *info)
{
    bool link = (info->flags & RS_KEY_LINK) != 0;

    pad(list, columns_of(&list->columns, info->name, info->name_len, list->tool->terminal) + 1);
    printf("%-*s  ", TYPE_WIDTH, link ? "link" : "key");
    if (link) {
        return put_target(list, info->key);
    }
    put_time(info->written);
    printf("%" PRIu32 " subkey%s, %" PRIu32 " value%s\n", info->subkeys,
           info->subkeys == 1 ? "" : "s", info->values, info->values == 1 ? "" : "s");
    return RS_OK;
}

static int put_subkey(struct list *list, const rs_key_info *info)
{
    struct keypath *path = &list->asked.path;
    size_t len = path->len;
    int status;

    if (list->tool->json) {
        status = keypath_add(path, info->name, info->name_len);
        if (status == RS_OK) {
            query_print_subkey(&list->print, path, info->written);
        }
        keypath_cut(path, len);
        return status;
    }
    fputs(list->tool->colours ? "\033[1m" : "", stdout);
    show_in_line(stdout, info->name, info->name_len, list->tool->terminal);
    fputs(list->tool->colours ? "\\\033[0m" : "\\", stdout);
    if (list->details) {
        return put_subkey_details(list, info);
    }
    putchar('\n');
    return RS_OK;
}

static int measure_subkey(struct list *list, const rs_key_info *info)
{
    widen(list, columns_of(&list->columns, info->name, info->name_len, list->tool->terminal) + 1);
    return RS_OK;
}

static int each_subkey(struct list *list, int (*each)(struct list *, const rs_key_info *))
{
    rs_cursor *cursor;
    rs_key_info info;
    int status = rs_subkeys(list->asked.session.txn, list->asked.key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_key(cursor, &info)) == RS_OK) {
        status = each(list, &info);
        if (status == RS_OK && output_lost(list->tool)) {
            status = RS_ECANCELLED;
        }
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int put_value_details(struct list *list, const struct name *name, const rs_value *value)
{
    char type[SHOW_TYPE_SIZE];
    int status;

    show_type(value->type, type);
    pad(list, width_of_value(list, name));
    printf("%-*s  ", TYPE_WIDTH, type);
    status = show_data(stdout, value, NULL, list->tool->terminal);
    putchar('\n');
    return status;
}

static int put_value(struct list *list, const struct name *name)
{
    bool json = list->tool->json;
    rs_value value;
    int status = RS_OK;

    if (json || list->details) {
        status =
            rs_value_get_n(list->asked.session.txn, list->asked.key, name->text, name->len, &value);
    }
    if (status != RS_OK) {
        return status;
    }
    if (json) {
        return query_print_value(&list->print, &list->asked.path, &value);
    }
    show_value_name(stdout, name->text, name->len, list->tool->terminal);
    if (list->details) {
        return put_value_details(list, name, &value);
    }
    putchar('\n');
    return RS_OK;
}

static int put_values(struct list *list)
{
    int status = RS_OK;

    for (size_t i = 0; i < list->values.count && status == RS_OK; i++) {
        status = put_value(list, &list->values.each[i]);
        if (status == RS_OK && output_lost(list->tool)) {
            status = RS_ECANCELLED;
        }
    }
    return status;
}

static int measure(struct list *list)
{
    for (size_t i = 0; i < list->values.count; i++) {
        widen(list, width_of_value(list, &list->values.each[i]));
    }
    return each_subkey(list, measure_subkey);
}

static int put_all(struct list *list)
{
    int status = collect_values(list);

    if (status == RS_OK && list->details && !list->tool->json) {
        status = measure(list);
    }
    if (status == RS_OK) {
        status = each_subkey(list, put_subkey);
    }
    return status == RS_OK ? put_values(list) : status;
}

int cmd_list(struct tool *tool, const struct arguments *arguments)
{
    struct list list = {
        .tool = tool, .print = {.tool = tool}, .details = has_switch(arguments, SWITCH_LONG)};
    int status = RS_OK;
    int result = 1;

    if (asked_begin(tool, arguments, &list.asked) != 0) {
        return 1;
    }
    columns_begin(&list.columns);
    if (list.asked.key != RS_NO_KEY) {
        status = put_all(&list);
    }
    if (status == RS_OK) {
        result = 0;
    } else if (status != RS_ECANCELLED) {
        result = session_report(&list.asked.session, status, arguments->operands[0]);
    }
    columns_end(&list.columns);
    names_free(&list.values);
    asked_end(&list.asked);
    return result;
}
