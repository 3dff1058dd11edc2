/* Who set a value: the history of its key, from the newest revision back. */
#include "setter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "who.h"

#define ALL_FOUND 1 /* ends the history */

struct search {
    rs_txn *txn;
    const char *path; /* of the key, as it was called then */
    size_t len;
    struct setter *rows;
    size_t count;
    size_t missing;
    const rs_revision_info *revision;
    int status;
};

void setter_free(struct setter *setter)
{
    free(setter->program);
    free(setter->message);
    setter->program = setter->message = NULL;
}

/* ---- Finding ---- */

static void note(struct search *search, struct setter *row, enum rs_change_kind kind)
{
    const rs_revision_info *revision = search->revision;

    if (row->program == NULL) { /* else the same revision did several things: the last counts */
        row->program = strdup(revision->program);
        row->message = strdup(revision->message);
        search->missing--;
    }
    if (row->program == NULL || row->message == NULL) {
        search->status = RS_ENOMEM;
    }
    row->kind = kind;
    row->revision = revision->revision;
    row->time = revision->time;
    row->uid = revision->uid;
}

static bool is_open(const struct search *search, const struct setter *row)
{
    return row->revision == 0 || row->revision == search->revision->revision;
}

/* Whether the change is of the key, or of one above it. */
static bool is_on_way(const struct search *search, const rs_change *change)
{
    if (change->path_len > search->len ||
        (change->path_len < search->len && search->path[change->path_len] != '\\')) {
        return false;
    }
    return rs_name_compare(change->path, change->path_len, search->path, change->path_len) == 0;
}

static void note_value(struct search *search, const rs_change *change)
{
    for (size_t i = 0; i < search->count; i++) {
        struct setter *row = &search->rows[i];
        if (is_open(search, row) &&
            rs_name_compare(row->name, row->name_len, change->name, change->name_len) == 0) {
            note(search, row, change->kind);
        }
    }
}

static void note_key(struct search *search, const rs_change *change)
{
    for (size_t i = 0; i < search->count; i++) {
        if (is_open(search, &search->rows[i])) {
            note(search, &search->rows[i], change->kind);
        }
    }
}

static int on_change(void *context, const rs_change *change)
{
    struct search *search = context;

    if (change->inner || !is_on_way(search, change)) {
        return 0;
    }
    if (change->kind == RS_KEY_CREATED) {
        note_key(search, change);
    } else if ((change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED) &&
               change->path_len == search->len) {
        note_value(search, change);
    }
    return search->status;
}

/* A key that came here by its new name, or by that of one above it: its values are older. */
static void note_renamed(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        if (search->rows[i].revision == 0) {
            note(search, &search->rows[i], RS_KEY_RENAMED);
        }
    }
}

/* Whether change gave a key the name that the path has now. */
static bool is_renaming(const struct search *search, const rs_change *change)
{
    size_t above = change->path_len;
    size_t end;

    while (above > 0 && change->path[above - 1] != '\\') {
        above--;
    }
    end = above + change->name_len;
    return end <= search->len && (end == search->len || search->path[end] == '\\') &&
           rs_name_compare(change->path, above, search->path, above) == 0 &&
           rs_name_compare(change->name, change->name_len, search->path + above,
                           change->name_len) == 0;
}

static int on_renaming(void *context, const rs_change *change)
{
    struct search *search = context;

    if (!change->inner && change->kind == RS_KEY_RENAMED && is_renaming(search, change)) {
        note_renamed(search);
    }
    return search->status;
}

static int on_revision(void *context, const rs_revision_info *revision)
{
    struct search *search = context;
    int status;

    search->revision = revision;
    status = rs_history_changes(search->txn, revision->revision, on_change, search);
    if (status == RS_OK && search->missing > 0) {
        status = rs_history_changes(search->txn, revision->revision, on_renaming, search);
    }
    if (status == RS_EBEHIND) { /* the oldest one may be trimmed meanwhile */
        return ALL_FOUND;
    }
    return status == RS_OK && search->missing == 0 ? ALL_FOUND : status;
}

int setters_find(rs_txn *txn, const char *path, size_t len, struct setter *rows, size_t count)
{
    struct search search = {
        .txn = txn, .path = path, .len = len, .rows = rows, .count = count, .missing = count};
    int status;

    if (count == 0) {
        return RS_OK;
    }
    status = rs_history_key_n(txn, path, len, 0, RS_NOW, 0, on_revision, &search);
    return status == ALL_FOUND ? RS_OK : status;
}

/* ---- Showing ---- */

void setter_show(FILE *out, const struct setter *setter)
{
    struct who who = {.known = false};
    char time[SHOW_TIME_SIZE];

    show_local_time(setter->time, time);
    fprintf(out, "revision %" PRIu64 " by ", setter->revision);
    show_safely(out, who_name(&who, setter->uid));
    fprintf(out, " on %s (", time);
    show_safely(out, setter->program);
    putc(')', out);
    if (setter->message[0] != '\0') {
        fputs(": ", out);
        show_safely(out, setter->message);
    }
}

void setter_json(struct json *json, const struct setter *setter)
{
    struct who who = {.known = false};

    if (setter->revision == 0) {
        return;
    }
    json_member_number(json, "revision", setter->revision);
    show_json_time(json, "time", setter->time);
    json_member_number(json, "uid", setter->uid);
    json_member_text(json, "user", who_name(&who, setter->uid));
    json_member_text(json, "program", setter->program);
    json_member_text(json, "message", setter->message);
}
