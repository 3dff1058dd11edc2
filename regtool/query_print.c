/* What regtool query prints. */
#include "query_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "show.h"

static void begin(struct query_print *print)
{
    if (!print->begun) {
        putchar('\n');
    }
    print->begun = true;
}

static void put_key_text(const struct query_print *print, const struct keypath *path)
{
    fputs(print->tool->colours ? "\033[1m" : "", stdout);
    show_text(stdout, path->text, path->len, print->tool->terminal);
    fputs(print->tool->colours ? "\033[0m\n" : "\n", stdout);
}

static void put_key_json(const struct keypath *path, uint64_t written)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, path->text, path->len);
    show_json_time(&json, "written", written);
    json_close(&json, '}');
    json_line(&json);
}

void query_print_key(struct query_print *print, const struct keypath *path, uint64_t written)
{
    query_print_subkey(print, path, written);
    print->in_block = true;
}

static void put_value_start(const struct query_print *print, const rs_value *value)
{
    char type[SHOW_TYPE_SIZE];

    show_type(value->type, type);
    fputs("    ", stdout);
    show_value_name(stdout, value->name, value->name_len, print->tool->terminal);
    printf("    %s", type);
    if (print->numbers) {
        printf(" (%" PRIu32 ")", value->type);
    }
    fputs("    ", stdout);
}

static int put_value_json(const struct keypath *path, const rs_value *value)
{
    struct json json = {.out = stdout};
    int status;

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, path->text, path->len);
    json_member(&json, "name");
    json_text(&json, value->name, value->name_len);
    status = show_json_data(&json, value);
    json_close(&json, '}');
    json_line(&json);
    return status;
}

int query_print_value(struct query_print *print, const struct keypath *path, const rs_value *value)
{
    int status;

    if (print->tool->json) {
        return put_value_json(path, value);
    }
    put_value_start(print, value);
    status = show_data(stdout, value, print->separator, print->tool->terminal);
    putchar('\n');
    return status;
}

void query_print_unset(struct query_print *print)
{
    if (!print->tool->json) {
        puts("    (Default)    REG_SZ    (value not set)");
    }
}

void query_print_end_key(struct query_print *print)
{
    if (print->in_block && !print->tool->json) {
        putchar('\n');
    }
    print->in_block = false;
}

void query_print_subkey(struct query_print *print, const struct keypath *path, uint64_t written)
{
    if (print->tool->json) {
        put_key_json(path, written);
        return;
    }
    begin(print);
    put_key_text(print, path);
}

void query_print_matches(struct query_print *print, uint64_t matches)
{
    if (print->tool->json) {
        return;
    }
    begin(print);
    printf("End of search: %" PRIu64 " match(es) found.\n", matches);
}
