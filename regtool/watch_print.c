/* What regtool watch prints. */
#include "watch_print.h"

#include <inttypes.h>
#include <string.h>

#include "show.h"
#include "who.h"

struct kind {
    const char *word; /* in JSON */
    const char *text;
};

static const struct kind *kind_of(enum rs_change_kind kind)
{
    static const struct kind kinds[] = {
        [RS_KEY_CREATED] = {"key-created", "key created"},
        [RS_KEY_DELETED] = {"key-deleted", "key deleted"},
        [RS_KEY_RENAMED] = {"key-renamed", "key renamed"},
        [RS_KEY_CLASS] = {"key-class", "class or write time set"},
        [RS_KEY_RELINKED] = {"key-relinked", "link changed"},
        [RS_VALUE_SET] = {"value-set", "value set"},
        [RS_VALUE_DELETED] = {"value-deleted", "value deleted"},
    };
    static const struct kind unknown = {"unknown", "changed"};

    if ((size_t)kind >= sizeof(kinds) / sizeof(kinds[0]) || kinds[kind].word == NULL) {
        return &unknown;
    }
    return &kinds[kind];
}

static int is_value(const rs_change *change)
{
    return change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED;
}

/* "REG_DWORD    0x1", or that there is none. */
static int put_side(FILE *out, const rs_value *value, const char *none)
{
    char type[SHOW_TYPE_SIZE];

    if (value == NULL) {
        fputs(none, out);
        return RS_OK;
    }
    show_type(value->type, type);
    fprintf(out, "%s    ", type);
    return show_data(out, value, NULL, true);
}

static int put_value_change(FILE *out, const rs_change *change)
{
    int status;

    fputs("    ", out);
    show_value_name(out, change->name, change->name_len, true);
    fputs("    ", out);
    status = put_side(out, change->old_value,
                      change->kind == RS_VALUE_DELETED ? "(not kept)" : "(not set)");
    fputs(" -> ", out);
    if (status == RS_OK && change->old_value != NULL && change->new_value != NULL &&
        change->old_value->type == change->new_value->type) {
        status = show_data(out, change->new_value, NULL, true);
    } else if (status == RS_OK) {
        status = put_side(out, change->new_value, "(not set)");
    }
    putc('\n', out);
    return status;
}

static void put_key_change(FILE *out, const rs_change *change)
{
    fprintf(out, "    %s", kind_of(change->kind)->text);
    if (change->kind == RS_KEY_RENAMED) {
        fputs(" to ", out);
        show_text(out, change->name, change->name_len, true);
    }
    putc('\n', out);
}

static int same_key(const rs_change *a, const rs_change *b)
{
    return a->path_len == b->path_len && memcmp(a->path, b->path, a->path_len) == 0;
}

static void put_heading(FILE *out, const rs_batch *batch)
{
    char time[SHOW_TIME_SIZE];
    struct who who = {.known = false};

    show_time(batch->time, time);
    fprintf(out, "revision %" PRIu64 ", %s, %s, ", batch->revision, time,
            who_name(&who, batch->uid));
    show_text(out, batch->program, strlen(batch->program), true);
    fprintf(out, " (pid %" PRIu32 ")%s", batch->pid, batch->message[0] != '\0' ? ": " : "");
    show_text(out, batch->message, strlen(batch->message), true);
    putc('\n', out);
}

int watch_print_text(FILE *out, const rs_batch *batch)
{
    int status = RS_OK;

    put_heading(out, batch);
    for (size_t i = 0; i < batch->count && status == RS_OK; i++) {
        const rs_change *change = &batch->changes[i];
        if (i == 0 || !same_key(change, change - 1)) {
            show_text(out, change->path, change->path_len, true);
            putc('\n', out);
        }
        if (is_value(change)) {
            status = put_value_change(out, change);
        } else {
            put_key_change(out, change);
        }
    }
    return status;
}

int watch_print_json_change(struct json *json, const rs_change *change)
{
    int status;

    json_member_text(json, "change", kind_of(change->kind)->word);
    json_member(json, "key");
    json_text(json, change->path, change->path_len);
    json_member(json, "relative");
    json_text(json, change->relative, change->relative_len);
    if (is_value(change) || change->kind == RS_KEY_RENAMED) {
        json_member(json, is_value(change) ? "name" : "new_name");
        json_text(json, change->name, change->name_len);
    }
    if (!is_value(change)) {
        return RS_OK;
    }
    status = show_json_side(json, "old", change->old_value);
    return status == RS_OK ? show_json_side(json, "new", change->new_value) : status;
}

int watch_print_json(FILE *out, const rs_batch *batch)
{
    struct json json = {.out = out};
    int status = RS_OK;

    for (size_t i = 0; i < batch->count && status == RS_OK; i++) {
        json_open(&json, '{');
        json_member_number(&json, "revision", batch->revision);
        show_json_time(&json, "time", batch->time);
        json_member_number(&json, "uid", batch->uid);
        json_member_number(&json, "pid", batch->pid);
        json_member_text(&json, "program", batch->program);
        json_member_text(&json, "message", batch->message);
        status = watch_print_json_change(&json, &batch->changes[i]);
        json_close(&json, '}');
        json_line(&json);
    }
    return status;
}

void watch_print_behind(FILE *out, int as_json, uint64_t revision)
{
    if (as_json) {
        fprintf(out, "{\"behind\":true,\"revision\":%" PRIu64 "}\n", revision);
    } else {
        fprintf(out,
                "changes up to revision %" PRIu64
                " were missed, the journal does not reach back that far: read everything again\n",
                revision);
    }
}
