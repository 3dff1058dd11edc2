/*
 * The values of one key as a .reg text. A store that nobody else sees holds the key as it was,
 * another one the key as the text has it; what is different between the two is what is written, if
 * the key itself still is as it was.
 */
#include "edit_key.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edit_file.h"
#include "edit_note.h"
#include "report.h"
#include "rule_page.h"
#include "scratch.h"

struct key_edit {
    const struct tool *tool;
    const char *asked;
    char *path; /* the key's own, without links */
    struct scratch before;
    rs_key key;  /* in before */
    char *about; /* what the rules say, as comments */
    size_t about_size;
};

/* ---- The text ---- */

static int copy_values(rs_txn *from, rs_key source, rs_txn *to, rs_key target)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(from, source, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        status = rs_value_set_n(to, target, value.name, value.name_len, value.type, value.data,
                                value.size);
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int put_rule(void *context, const rs_rule *rule)
{
    return rule_page_short(context, "; ", rule);
}

static int fetch_rules(struct key_edit *edit, rs_txn *txn)
{
    FILE *out = open_memstream(&edit->about, &edit->about_size);
    int status;

    if (out == NULL) {
        return RS_ENOMEM;
    }
    status = rs_rules(txn, edit->path, RS_NTS, put_rule, out);
    return fclose(out) == 0 ? status : RS_ENOMEM;
}

static int fetch(struct key_edit *edit, rs_txn *txn)
{
    const char *path;
    rs_key key;
    int status = rs_key_open(txn, RS_NO_KEY, edit->asked, &key);

    if (status == RS_OK) {
        status = rs_key_path(txn, key, &path, NULL);
    }
    if (status != RS_OK) {
        return status;
    }
    edit->path = strdup(path);
    if (edit->path == NULL) {
        return RS_ENOMEM;
    }
    status = fetch_rules(edit, txn);
    if (status == RS_OK) {
        status = rs_key_create(edit->before.txn, RS_NO_KEY, edit->path, &edit->key);
    }
    return status == RS_OK ? copy_values(txn, key, edit->before.txn, edit->key) : status;
}

/* In a write transaction, so that who may not write is told before they type. */
static int read_store(struct key_edit *edit)
{
    struct session session;
    int status;
    int result = 0;

    if (session_begin(edit->tool, RS_WRITE, &session) != 0) {
        return 1;
    }
    status = fetch(edit, session.txn);
    if (status != RS_OK) {
        result = session_report(&session, status, edit->asked);
    }
    session_end(&session);
    return result;
}

static void put_explanation(const struct key_edit *edit, FILE *out)
{
    fputs(
        "; The values of one key; its subkeys are not here. A line that is taken out deletes\n"
        "; the value. Nothing is written if the text is unchanged or empty when the editor ends.\n",
        out);
    if (edit->about_size > 0) {
        fprintf(out, ";\n; What is known about values of it:\n;\n%s;\n", edit->about);
    }
}

/* Copies the export, with the explanation below its first line. */
static int copy_text(const struct key_edit *edit, FILE *in, FILE *out)
{
    int c;
    bool explained = false;

    while ((c = getc(in)) != EOF) {
        putc(c, out);
        if (c == '\n' && !explained) {
            put_explanation(edit, out);
            explained = true;
        }
    }
    return ferror(in) ? EIO : 0;
}

static int read_export(const struct key_edit *edit, const char *file, char **text, size_t *len)
{
    FILE *in = fopen(file, "re");
    FILE *out = open_memstream(text, len);
    int error = in == NULL || out == NULL ? errno : copy_text(edit, in, out);

    if (in != NULL) {
        fclose(in);
    }
    if (out != NULL && fclose(out) != 0 && error == 0) {
        error = ENOMEM;
    }
    return error == 0 ? 0 : report("%s: %s", file, strerror(error));
}

static int make(void *context, const char *dir, char **text, size_t *len)
{
    const struct key_edit *edit = context;
    const rs_export_options options = {.format = "reg-utf8"};
    rs_error error = RS_ERROR_INIT;
    char *file;
    int status;
    int result;

    if (asprintf(&file, "%s/export.reg", dir) < 0) {
        return report_status(RS_ENOMEM, NULL, edit->path);
    }
    status = rs_export(edit->before.txn, edit->key, file, &options, &error);
    result =
        status == RS_OK ? read_export(edit, file, text, len) : report_status(status, &error, file);
    unlink(file);
    free(file);
    return result;
}

/* ---- What came back ---- */

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    uint64_t *losses = context;
    const char *what = value != NULL ? value : path;

    if (++*losses <= 10) {
        report("%s%s%s", what != NULL ? what : "", what != NULL ? ": " : "", rs_loss_text(kind));
    }
}

/* Whether the text is about that key and no other. */
static int check_keys(const struct key_edit *edit, rs_txn *after, rs_key *key)
{
    rs_stat wanted, found;
    int status = rs_key_open(after, RS_NO_KEY, edit->path, key);

    if (status == RS_OK) {
        status = rs_stat_get(edit->before.txn, &wanted);
    }
    if (status == RS_OK) {
        status = rs_stat_get(after, &found);
    }
    if (status == RS_OK && wanted.keys == found.keys) {
        return 0;
    }
    return report("the text has to hold the key [%s] and no other", edit->path);
}

static int read_text(const struct key_edit *edit, const char *file, rs_txn *after, rs_key *key)
{
    uint64_t losses = 0;
    const rs_import_options options = {.loss = on_loss, .context = &losses};
    rs_import_report found;
    rs_error error = RS_ERROR_INIT;
    int status = rs_import(after, file, &options, &found, &error);

    if (status != RS_OK) {
        return report_status(status, &error, file);
    }
    return losses == 0 ? check_keys(edit, after, key) : 1;
}

/* ---- Writing ---- */

struct target {
    rs_txn *txn;
    rs_key key;
    bool changed; /* since it was read */
};

static int note_change(void *context, const rs_difference *difference)
{
    struct target *target = context;

    if (difference->kind == RS_DIFFERS_VALUE) {
        target->changed = true;
    }
    return 0;
}

static int apply(void *context, const rs_difference *difference)
{
    const struct target *target = context;
    const rs_value *value = difference->right;

    if (difference->kind != RS_DIFFERS_VALUE) {
        return RS_OK;
    }
    if (value == NULL) {
        return rs_value_delete_n(target->txn, target->key, difference->left->name,
                                 difference->left->name_len);
    }
    return rs_value_set_n(target->txn, target->key, value->name, value->name_len, value->type,
                          value->data, value->size);
}

/* Writes what is different between before and after, if the key is as it was before. */
static int write_differences(const struct key_edit *edit, struct target *target, rs_txn *after,
                             rs_key after_key)
{
    const rs_compare_options look = {.each = note_change, .context = target};
    const rs_compare_options change = {.each = apply, .context = target};
    int status = rs_key_open(target->txn, RS_NO_KEY, edit->path, &target->key);

    if (status == RS_OK) {
        status = rs_compare(target->txn, target->key, edit->before.txn, edit->key, &look, NULL);
    }
    if (status != RS_OK || target->changed) {
        return status;
    }
    return rs_compare(edit->before.txn, edit->key, after, after_key, &change, NULL);
}

static enum edit_outcome write_store(const struct key_edit *edit, const struct edited *edited,
                                     rs_txn *after, rs_key after_key)
{
    enum edit_outcome outcome = EDIT_FAILED;
    struct target target = {.changed = false};
    struct session session;
    uint64_t before, revision;
    int status;
    int result;

    if (session_begin(edit->tool, RS_WRITE, &session) != 0) {
        return EDIT_FAILED;
    }
    target.txn = session.txn;
    before = rs_revision(session.txn);
    status = write_differences(edit, &target, after, after_key);
    if (status != RS_OK) {
        result = session_report(&session, status, edit->path);
    } else if (target.changed) {
        session_drop(&session);
        result = report("%s: changed while it was edited: nothing was written", edit->path);
    } else {
        result = session_commit(&session, &revision);
    }
    if (result != 0 && session.found.count > 0) { /* other values may be allowed */
        edit_note(edited, ';', violations_lines(&session.found));
        outcome = EDIT_BAD;
    }
    session_end(&session);
    if (result != 0) {
        return outcome;
    }
    if (revision == before) {
        return edit_cancelled("unchanged");
    }
    puts("The operation completed successfully.");
    return EDIT_DONE;
}

static enum edit_outcome take(void *context, const struct edited *edited)
{
    const struct key_edit *edit = context;
    struct scratch after = {.store = NULL};
    enum edit_outcome outcome = EDIT_BAD;
    rs_key key;

    if (scratch_begin(&after) != 0) {
        return EDIT_FAILED;
    }
    if (read_text(edit, edited->path, after.txn, &key) == 0) {
        outcome = write_store(edit, edited, after.txn, key);
    }
    scratch_end(&after);
    return outcome;
}

int edit_key(const struct tool *tool, const char *path)
{
    struct key_edit edit = {.tool = tool, .asked = path};
    int result = 1;

    if (scratch_begin(&edit.before) != 0) {
        return 1;
    }
    if (read_store(&edit) == 0) {
        result = edit_file("key.reg", make, take, &edit);
    }
    scratch_end(&edit.before);
    free(edit.path);
    free(edit.about);
    return result;
}
