/* Revisions and their changes in print. */
#include "history_print.h"

#include <inttypes.h>
#include <string.h>

#include "show.h"

/* Bytes of data in a line for a revision. */
#define LONGEST_DATA 48

/* ---- A change in a few words ---- */

/* The path with the short name of its root. */
static void put_path(FILE *out, const char *path, size_t len)
{
    static const struct {
        const char *alias;
        const char *name;
    } roots[] = {
#define ROW(alias, name) {#alias, name},
        RS_ROOT_LIST(ROW)
#undef ROW
    };

    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        size_t root = strlen(roots[i].name);
        if (len >= root && memcmp(path, roots[i].name, root) == 0 &&
            (len == root || path[root] == '\\')) {
            fputs(roots[i].alias, out);
            path += root;
            len -= root;
            break;
        }
    }
    show_text(out, path, len, true);
}

/* The length of a text's start that ends with a whole character. */
static size_t cut(const char *text, size_t len)
{
    if (len <= LONGEST_DATA) {
        return len;
    }
    for (len = LONGEST_DATA; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;) {
        len--;
    }
    return len;
}

static int put_data(FILE *out, const rs_value *value)
{
    char *text;
    size_t len;
    int status = rs_data_print(value->type, value->data, value->size, NULL, &text, &len);

    if (status != RS_OK) {
        return status;
    }
    show_text(out, text, cut(text, len), true);
    fputs(cut(text, len) < len ? "..." : "", out);
    rs_free(text);
    return RS_OK;
}

static int put_value(FILE *out, const rs_change *change)
{
    int status = RS_OK;

    fputs(": ", out);
    show_value_name(out, change->name, change->name_len, true);
    if (change->new_value == NULL) {
        fputs(" deleted", out);
        return RS_OK;
    }
    if (change->old_value != NULL) {
        fputs(" ", out);
        status = put_data(out, change->old_value);
        fputs(" -> ", out);
    } else {
        fputs(" = ", out);
    }
    return status == RS_OK ? put_data(out, change->new_value) : status;
}

int history_print_short(FILE *out, const rs_change *change)
{
    put_path(out, change->path, change->path_len);
    switch (change->kind) {
    case RS_VALUE_SET:
    case RS_VALUE_DELETED:
        return put_value(out, change);
    case RS_KEY_CREATED:
        fputs(" created", out);
        break;
    case RS_KEY_DELETED:
        fputs(" deleted", out);
        break;
    case RS_KEY_RENAMED:
        fputs(" renamed to ", out);
        show_text(out, change->name, change->name_len, true);
        break;
    case RS_KEY_CLASS:
        fputs(": class or write time set", out);
        break;
    case RS_KEY_RELINKED:
        fputs(": link changed", out);
        break;
    }
    return RS_OK;
}

/* ---- A revision ---- */

/* "undo of 3..5, in part: " where it is not an ordinary one. */
static void put_flags(FILE *out, const rs_revision_info *revision, const char *end)
{
    const char *what = revision->flags & RS_REVISION_ROLLBACK ? "not confirmed: rollback of"
                       : revision->flags & RS_REVISION_REDO   ? "redo, that is undo of"
                       : revision->flags & RS_REVISION_UNDO   ? "undo of"
                                                              : NULL;

    if (revision->flags & RS_REVISION_FORCED) {
        fprintf(out, "against the rules%s", what != NULL ? ", " : end);
    }
    if (what == NULL) {
        return;
    }
    fprintf(out, "%s %" PRIu64, what, revision->from);
    if (revision->to != revision->from) {
        fprintf(out, "..%" PRIu64, revision->to);
    }
    fprintf(out, "%s%s", revision->flags & RS_REVISION_PARTIAL ? ", in part" : "", end);
}

void history_print_line(struct history_print *print, const rs_revision_info *revision,
                        const char *summary, uint64_t count)
{
    bool colours = print->tool->colours;
    char time[SHOW_TIME_SIZE];

    show_local_time(revision->time, time);
    printf("%s%6" PRIu64 "%s  %s  %-8s  ", colours ? "\033[33m" : "", revision->revision,
           colours ? "\033[0m" : "", time, who_name(&print->who, revision->uid));
    show_text(stdout, revision->program, strlen(revision->program), true);
    fputs("  ", stdout);
    put_flags(stdout, revision, summary[0] != '\0' ? ": " : "");
    fputs(summary, stdout);
    if (count > 1) {
        printf(" and %" PRIu64 " more", count - 1);
    }
    if (revision->message[0] != '\0') {
        fputs(colours ? "  \033[1m# " : "  # ", stdout);
        show_text(stdout, revision->message, strlen(revision->message), true);
        fputs(colours ? "\033[0m" : "", stdout);
    }
    putchar('\n');
}

void history_print_heading(struct history_print *print, const rs_revision_info *revision)
{
    bool colours = print->tool->colours;
    char time[SHOW_TIME_SIZE];

    show_local_time(revision->time, time);
    printf("%srevision %" PRIu64 "%s, %s, %s, ", colours ? "\033[33m" : "", revision->revision,
           colours ? "\033[0m" : "", time, who_name(&print->who, revision->uid));
    show_text(stdout, revision->program, strlen(revision->program), true);
    printf(" (pid %" PRIu32 ")\n", revision->pid);
    put_flags(stdout, revision, "\n");
    if (revision->message[0] != '\0') {
        fputs("# ", stdout);
        show_text(stdout, revision->message, strlen(revision->message), true);
        putchar('\n');
    }
}

static void put_json_flags(struct json *json, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *word;
    } words[] = {
        {RS_REVISION_FORCED, "forced"},   {RS_REVISION_UNDO, "undo"},
        {RS_REVISION_REDO, "redo"},       {RS_REVISION_ROLLBACK, "rollback"},
        {RS_REVISION_PARTIAL, "partial"},
    };

    json_member(json, "flags");
    json_open(json, '[');
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (flags & words[i].flag) {
            json_text(json, words[i].word, strlen(words[i].word));
        }
    }
    json_close(json, ']');
}

void history_print_json(struct history_print *print, struct json *json,
                        const rs_revision_info *revision)
{
    json_member_number(json, "revision", revision->revision);
    show_json_time(json, "time", revision->time);
    json_member_number(json, "uid", revision->uid);
    json_member_text(json, "user", who_name(&print->who, revision->uid));
    json_member_number(json, "pid", revision->pid);
    json_member_text(json, "program", revision->program);
    json_member_text(json, "message", revision->message);
    put_json_flags(json, revision->flags);
    if (revision->from != 0) {
        json_member_number(json, "undone_from", revision->from);
        json_member_number(json, "undone_to", revision->to);
    }
}

/* ---- A change as a difference ---- */

static int put_class(struct differ_print *print, const rs_change *change, rs_difference *difference,
                     rs_key_info sides[2])
{
    bool named = change->old_name_len != change->name_len ||
                 memcmp(change->old_name, change->name, change->name_len) != 0;
    int status = RS_OK;

    sides[0].class_name = change->old_name;
    sides[0].class_len = change->old_name_len;
    sides[1].class_name = change->name;
    sides[1].class_len = change->name_len;
    if (named) {
        difference->kind = RS_DIFFERS_CLASS;
        status = differ_print(print, difference);
    }
    if (status == RS_OK && !named && sides[0].written != sides[1].written) {
        difference->kind = RS_DIFFERS_TIME;
        status = differ_print(print, difference);
    }
    return status;
}

static int put_deleted(struct differ_print *print, const rs_change *change,
                       rs_difference *difference)
{
    int status;

    difference->right_key = NULL;
    status = differ_print(print, difference);
    if (status == RS_OK && change->lost) {
        status = differ_print_lost(print, difference, (rs_text){NULL, 0});
    }
    return status;
}

static int put_value_of(struct differ_print *print, const rs_change *change,
                        rs_difference *difference)
{
    if (change->inner) { /* its key is gone */
        difference->right_key = NULL;
    }
    if (change->old_value == NULL && change->new_value == NULL) {
        return differ_print_lost(print, difference, (rs_text){change->name, change->name_len});
    }
    difference->kind = RS_DIFFERS_VALUE;
    difference->left = change->old_value;
    difference->right = change->new_value;
    return differ_print(print, difference);
}

int history_print_change(struct differ_print *print, const rs_change *change)
{
    rs_key_info sides[2] = {{.class_name = "", .written = change->old_written},
                            {.class_name = "", .written = change->new_written}};
    rs_difference difference = {.kind = RS_DIFFERS_KEY,
                                .path = change->path,
                                .path_len = change->path_len,
                                .left_key = &sides[0],
                                .right_key = &sides[1]};

    switch (change->kind) {
    case RS_KEY_CREATED:
        difference.left_key = NULL;
        return differ_print(print, &difference);
    case RS_KEY_DELETED:
        return put_deleted(print, change, &difference);
    case RS_KEY_RENAMED:
        return differ_print_renamed(print, &difference,
                                    (rs_text){change->old_name, change->old_name_len},
                                    (rs_text){change->name, change->name_len});
    case RS_KEY_CLASS:
        return put_class(print, change, &difference, sides);
    case RS_KEY_RELINKED:
    case RS_VALUE_SET:
    case RS_VALUE_DELETED:
        break;
    }
    return put_value_of(print, change, &difference);
}
