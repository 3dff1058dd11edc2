/* How a difference is printed. */
#include "differ_print.h"

#include <string.h>

#include "show.h"

/* ---- Text ---- */

static const char *colour_of(char sign)
{
    return sign == '-'   ? "\033[31m"
           : sign == '+' ? "\033[32m"
           : sign == '~' ? "\033[33m"
                         : "\033[1m";
}

static void begin_line(const struct differ_print *print, char sign)
{
    fputs(print->tool->colours ? colour_of(sign) : "", print->out);
    fprintf(print->out, "%c ", sign);
}

static void end_line(const struct differ_print *print)
{
    fputs(print->tool->colours ? "\033[0m\n" : "\n", print->out);
}

/* The side that a thing's key is named by: the left one, if it is there. */
static const struct keypath *base_of(const struct differ_print *print,
                                     const rs_difference *difference)
{
    return difference->left_key != NULL ? &print->left : &print->right;
}

static void put_key(const struct differ_print *print, const rs_difference *difference, char sign)
{
    const struct keypath *base = base_of(print, difference);

    begin_line(print, sign);
    show_text(print->out, base->len > 0 ? base->text : "", base->len, true);
    fputs(base->len > 0 && difference->path_len > 0 ? "\\" : "", print->out);
    show_text(print->out, difference->path, difference->path_len, true);
    end_line(print);
}

static bool is_shown(const struct differ_print *print, const rs_difference *difference)
{
    return print->begun && print->shown.len == difference->path_len &&
           (difference->path_len == 0 ||
            memcmp(print->shown.text, difference->path, difference->path_len) == 0);
}

/* Prints the line of the key that the difference is about, unless it stands there already. */
static int show_key(struct differ_print *print, const rs_difference *difference)
{
    char sign = difference->right_key == NULL ? '-' : difference->left_key == NULL ? '+' : ' ';
    int status = RS_OK;

    if (difference->kind != RS_DIFFERS_KEY && is_shown(print, difference)) {
        return RS_OK;
    }
    put_key(print, difference, sign);
    print->begun = true;
    if (print->shown.text != NULL) {
        keypath_cut(&print->shown, 0);
    }
    if (difference->path_len > 0) {
        status = keypath_add(&print->shown, difference->path, difference->path_len);
    }
    return status;
}

static void put_type(FILE *out, uint32_t number)
{
    char type[SHOW_TYPE_SIZE];

    show_type(number, type);
    fprintf(out, "%s    ", type);
}

/* A value that one side has alone. */
static int put_data(FILE *out, const rs_value *value)
{
    put_type(out, value->type);
    return show_data(out, value, NULL, true);
}

/* What the eye cannot tell: a string with and without its terminator. */
static void put_bytes(FILE *out, const rs_value *left, const rs_value *right)
{
    if (left->size != right->size) {
        fprintf(out, " (%zu bytes -> %zu bytes)", left->size, right->size);
    } else {
        fputs(" (other bytes)", out);
    }
}

static int put_both(FILE *out, const rs_value *left, const rs_value *right)
{
    bool typed = left->type != right->type;
    char *texts[2] = {NULL, NULL};
    size_t lens[2] = {0, 0};
    int status = rs_data_print(left->type, left->data, left->size, NULL, &texts[0], &lens[0]);

    if (status == RS_OK) {
        status = rs_data_print(right->type, right->data, right->size, NULL, &texts[1], &lens[1]);
    }
    if (status == RS_OK) {
        put_type(out, left->type);
        show_text(out, texts[0], lens[0], true);
        fputs(" -> ", out);
        if (typed) {
            put_type(out, right->type);
        }
        show_text(out, texts[1], lens[1], true);
        if (!typed && lens[0] == lens[1] && memcmp(texts[0], texts[1], lens[0]) == 0) {
            put_bytes(out, left, right);
        }
    }
    rs_free(texts[0]);
    rs_free(texts[1]);
    return status;
}

static int put_value(const struct differ_print *print, const rs_difference *difference)
{
    const rs_value *left = difference->left;
    const rs_value *right = difference->right;
    const rs_value *named = left != NULL ? left : right;
    int status;

    begin_line(print, right == NULL ? '-' : left == NULL ? '+' : '~');
    fputs("  ", print->out);
    show_value_name(print->out, named->name, named->name_len, true);
    fputs("    ", print->out);
    status = left != NULL && right != NULL ? put_both(print->out, left, right)
                                           : put_data(print->out, named);
    end_line(print);
    return status;
}

static void put_texts(const struct differ_print *print, const char *what, rs_text left,
                      rs_text right)
{
    begin_line(print, '~');
    fprintf(print->out, "  %s    ", what);
    show_text(print->out, left.text, left.len, true);
    fputs(" -> ", print->out);
    show_text(print->out, right.text, right.len, true);
    end_line(print);
}

static void put_class(const struct differ_print *print, const rs_difference *difference)
{
    const rs_key_info *left = difference->left_key;
    const rs_key_info *right = difference->right_key;

    put_texts(print, "(class name)", (rs_text){left->class_name, left->class_len},
              (rs_text){right->class_name, right->class_len});
}

static void put_time(const struct differ_print *print, const rs_difference *difference)
{
    char left[SHOW_TIME_SIZE];
    char right[SHOW_TIME_SIZE];

    show_time(difference->left_key->written, left);
    show_time(difference->right_key->written, right);
    begin_line(print, '~');
    fprintf(print->out, "  (write time)    %s -> %s", left, right);
    end_line(print);
}

int differ_print(struct differ_print *print, const rs_difference *difference)
{
    int status = show_key(print, difference);

    if (status == RS_OK && difference->kind == RS_DIFFERS_VALUE) {
        status = put_value(print, difference);
    } else if (status == RS_OK && difference->kind == RS_DIFFERS_CLASS) {
        put_class(print, difference);
    } else if (status == RS_OK && difference->kind == RS_DIFFERS_TIME) {
        put_time(print, difference);
    }
    return status;
}

int differ_print_renamed(struct differ_print *print, const rs_difference *difference, rs_text left,
                         rs_text right)
{
    int status = show_key(print, difference);

    if (status == RS_OK) {
        put_texts(print, "(name)", left, right);
    }
    return status;
}

int differ_print_lost(struct differ_print *print, const rs_difference *difference, rs_text value)
{
    int status = show_key(print, difference);

    if (status != RS_OK) {
        return status;
    }
    begin_line(print, '-');
    fputs("  ", print->out);
    if (value.text != NULL) {
        show_value_name(print->out, value.text, value.len, true);
        fputs("    ", print->out);
    }
    fputs("(not kept)", print->out);
    end_line(print);
    return RS_OK;
}

/* ---- JSON ---- */

static const char *change_of(const rs_difference *difference)
{
    if (difference->same) {
        return "same";
    }
    switch (difference->kind) {
    case RS_DIFFERS_KEY:
        return difference->right_key == NULL ? "key-deleted" : "key-created";
    case RS_DIFFERS_CLASS:
        return "key-class";
    case RS_DIFFERS_VALUE:
        return difference->right == NULL ? "value-deleted" : "value-set";
    case RS_DIFFERS_TIME:
        return "key-time";
    }
    return "unknown";
}

static int put_json_key(struct json *json, const struct differ_print *print,
                        const rs_difference *difference)
{
    const struct keypath *base = base_of(print, difference);
    struct keypath path = {.text = NULL};
    int status = RS_OK;

    if (base->len > 0) {
        status = keypath_add(&path, base->text, base->len);
    }
    if (status == RS_OK && difference->path_len > 0) {
        status = keypath_add(&path, difference->path, difference->path_len);
    }
    if (status == RS_OK) {
        json_member(json, "key");
        json_text(json, path.text, path.len);
        json_member(json, "relative");
        json_text(json, difference->path, difference->path_len);
    }
    keypath_free(&path);
    return status;
}

static void put_json_class(struct json *json, const char *member, const rs_key_info *key)
{
    json_member(json, member);
    json_text(json, key->class_name, key->class_len);
}

static int put_json_values(struct json *json, const rs_difference *difference)
{
    const rs_value *named = difference->left != NULL ? difference->left : difference->right;
    int status;

    json_member(json, "name");
    json_text(json, named->name, named->name_len);
    status = show_json_side(json, "old", difference->left);
    return status == RS_OK ? show_json_side(json, "new", difference->right) : status;
}

int differ_print_json(const struct differ_print *print, const rs_difference *difference)
{
    struct json json = {.out = print->out};
    int status;

    json_open(&json, '{');
    json_member_text(&json, "change", change_of(difference));
    status = put_json_key(&json, print, difference);
    if (status == RS_OK && difference->kind == RS_DIFFERS_VALUE) {
        status = put_json_values(&json, difference);
    } else if (difference->kind == RS_DIFFERS_CLASS) {
        put_json_class(&json, "old", difference->left_key);
        put_json_class(&json, "new", difference->right_key);
    } else if (difference->kind == RS_DIFFERS_TIME) {
        show_json_time(&json, "old", difference->left_key->written);
        show_json_time(&json, "new", difference->right_key->written);
    }
    json_close(&json, '}');
    json_line(&json);
    return status;
}

void differ_print_end(struct differ_print *print)
{
    keypath_free(&print->left);
    keypath_free(&print->right);
    keypath_free(&print->shown);
}
