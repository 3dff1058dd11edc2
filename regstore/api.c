/*
 * api.c - the public calls: arguments are checked and handed over, nothing else.
 *
 * Stores, transactions, keys, listing, watching and dumps; values are in api_values.c. Needs
 * everything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "backup.h"
#include "check.h"
#include "confirm.h"
#include "transfer.h"
#include "watch.h"

#define RS_VERSION "0.1.0"

const char *rs_version(void)
{
    return RS_VERSION;
}

void rs_free(void *memory)
{
    free(memory);
}

/* ---- The store ---- */

static int join(char **dir, const char *head, const char *tail)
{
    size_t size = strlen(head) + strlen(tail) + 1;
    char *joined = malloc(size);
    if (joined == NULL) {
        return RS_ENOMEM;
    }
    memcpy(joined, head, strlen(head) + 1);
    memcpy(joined + strlen(head), tail, strlen(tail) + 1);
    *dir = joined;
    return RS_OK;
}

static bool is_set(const char *variable)
{
    return variable != NULL && *variable != '\0';
}

int rs_default_dir(char **dir)
{
    const char *named = secure_getenv("REGSTORE");
    const char *state = secure_getenv("XDG_STATE_HOME");
    const char *home = secure_getenv("HOME");
    if (is_set(named)) {
        return join(dir, named, "");
    }
    if (geteuid() == 0) {
        return join(dir, "/var/lib/regstore", "");
    }
    if (is_set(state)) {
        return join(dir, state, "/regstore");
    }
    return is_set(home) ? join(dir, home, "/.local/state/regstore") : RS_ENOTFOUND;
}

int rs_open(const char *dir, unsigned flags, rs_store **store, rs_error *error)
{
    char *chosen = NULL;
    if (store == NULL || (flags > RS_READONLY && flags != (RS_CREATE | RS_NEW))) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    if (dir == NULL) {
        int status = rs_default_dir(&chosen);
        if (status != RS_OK) {
            return fail(error, status,
                        "no directory of a store is named and the environment has no home");
        }
        dir = chosen;
    }
    int status = confirm_open(dir, flags, store, error);
    free(chosen);
    return status;
}

void rs_close(rs_store *store)
{
    if (store != NULL) {
        store_close(store);
    }
}

const char *rs_store_dir(const rs_store *store)
{
    return store->dir;
}

/* ---- Transactions ---- */

int rs_begin(rs_store *store, unsigned mode, rs_txn **txn)
{
    if (store == NULL || txn == NULL || mode > RS_WRITE) {
        return RS_EINVAL;
    }
    return store_begin(store, mode == RS_WRITE, txn, NULL);
}

int rs_commit(rs_txn *txn, uint64_t *revision)
{
    if (txn == NULL || !txn->env.write) {
        return RS_EINVAL;
    }
    return store_commit(txn, revision);
}

void rs_abort(rs_txn *txn)
{
    if (txn != NULL) {
        store_abort(txn);
    }
}

uint64_t rs_revision(const rs_txn *txn)
{
    /* Looking it up fills a place in the transaction; what is seen does not change. */
    return store_revision((rs_txn *)(uintptr_t)txn);
}

void rs_txn_errors(rs_txn *txn, rs_error *error)
{
    txn->tree.error = error;
}

static int set_note(rs_txn *txn, const char *text, const char **note)
{
    size_t units;
    int status = api_check(txn, text != NULL && txn->env.write);
    if (status != RS_OK) {
        return status;
    }
    size_t len = strlen(text);
    if (len > JOURNAL_MAX_NOTE) {
        return fail(txn->tree.error, RS_ETOOLONG, "more than %u bytes of text", JOURNAL_MAX_NOTE);
    }
    status = text_units(text, len, &units);
    if (status != RS_OK) {
        return fail(txn->tree.error, status, "%s", rs_strerror(status));
    }
    const char *copy = arena_copy(&txn->arena, text, len);
    if (copy == NULL) {
        return RS_ENOMEM;
    }
    *note = copy;
    return RS_OK;
}

int rs_txn_message(rs_txn *txn, const char *message)
{
    return txn != NULL ? set_note(txn, message, &txn->message) : RS_EINVAL;
}

int rs_txn_program(rs_txn *txn, const char *program)
{
    return txn != NULL ? set_note(txn, program, &txn->program) : RS_EINVAL;
}

int rs_txn_confirm(rs_txn *txn, uint32_t seconds)
{
    int status = api_check(txn, txn != NULL && txn->env.write);
    return status == RS_OK ? confirm_ask(txn, seconds) : status;
}

/* ---- Keys ---- */

int api_refuse(rs_txn *txn, bool good)
{
    int status = good ? RS_EFORK : RS_EINVAL;
    return txn != NULL ? fail(txn->tree.error, status, "%s", rs_strerror(status)) : RS_EINVAL;
}

/* No text has no length, and may not be passed to memcpy() even so. */
static const char *given(const char *text)
{
    return text != NULL ? text : "";
}

int rs_key_open_n(rs_txn *txn, rs_key base, const char *path, size_t len, unsigned flags,
                  rs_key *key)
{
    int status = api_check(txn, key != NULL && (flags & ~RS_NOFOLLOW) == 0);
    return status == RS_OK
               ? tree_open(&txn->tree, base, given(path), text_length(path, len), flags, key)
               : status;
}

int rs_key_create_n(rs_txn *txn, rs_key base, const char *path, size_t len, unsigned flags,
                    rs_key *key, int *created)
{
    bool made = false;
    int status = api_check(txn, key != NULL && (flags & ~(RS_NOFOLLOW | RS_VOLATILE)) == 0);
    if (status == RS_OK) {
        status =
            tree_create(&txn->tree, base, given(path), text_length(path, len), flags, key, &made);
    }
    if (status == RS_OK && created != NULL) {
        *created = made;
    }
    return status;
}

int rs_key_delete(rs_txn *txn, rs_key key, unsigned flags)
{
    int status = api_check(txn, key != RS_NO_KEY && (flags & ~RS_RECURSIVE) == 0);
    if (status != RS_OK) {
        return status;
    }
    if (path_root_by_key(key) != NULL) {
        return fail(txn->tree.error, RS_EROOT, "a root key cannot be deleted");
    }
    return tree_delete(&txn->tree, key, (flags & RS_RECURSIVE) != 0);
}

int rs_key_rename_n(rs_txn *txn, rs_key key, const char *name, size_t len)
{
    int status = api_check(txn, key != RS_NO_KEY);
    if (status != RS_OK) {
        return status;
    }
    if (path_root_by_key(key) != NULL) {
        return fail(txn->tree.error, RS_EROOT, "a root key cannot be renamed");
    }
    return tree_rename(&txn->tree, key, name, text_length(name, len));
}

int rs_key_set_class_n(rs_txn *txn, rs_key key, const char *name, size_t len)
{
    int status = api_stored_key(txn, &key, true);
    return status == RS_OK ? tree_set_class(&txn->tree, key, given(name), text_length(name, len))
                           : status;
}

/* Texts of nodes live in the cache of a write transaction; what a transaction returns has to live
 * longer. */
static int give_info(rs_txn *txn, const struct node *node, rs_key_info *info)
{
    const char *name = node->name;
    const char *class_name = node->class_name;
    if (txn->env.write) {
        name = arena_copy(&txn->arena, name, node->name_len);
        class_name = arena_copy(&txn->arena, class_name, node->class_len);
        if (name == NULL || class_name == NULL) {
            return RS_ENOMEM;
        }
    }
    *info = (rs_key_info){
        .key = node->id,
        .parent = node->parent,
        .name = name,
        .name_len = node->name_len,
        .class_name = class_name,
        .class_len = node->class_len,
        .written = node->written,
        .subkeys = node->subkeys,
        .values = node->values,
        .flags = node->flags,
    };
    return RS_OK;
}

int rs_key_info_get(rs_txn *txn, rs_key key, rs_key_info *info)
{
    struct node node;
    int status = api_stored_key(txn, &key, info != NULL);
    if (status != RS_OK) {
        return status;
    }
    status = tree_node(&txn->tree, key, &node);
    return status == RS_OK ? give_info(txn, &node, info)
                           : fail(txn->tree.error, status, "%s", rs_strerror(status));
}

/* Moves a text that was built in a buffer into the transaction. */
static int give_text(rs_txn *txn, struct buffer *buffer, int status, const char **text, size_t *len)
{
    if (status == RS_OK) {
        const char *copy = arena_copy(&txn->arena, buffer->data, buffer->size);
        status = copy != NULL ? RS_OK : RS_ENOMEM;
        if (status == RS_OK) {
            *text = copy;
        }
        if (status == RS_OK && len != NULL) {
            *len = buffer->size;
        }
    }
    buffer_free(buffer);
    return status;
}

int rs_key_path(rs_txn *txn, rs_key key, const char **path, size_t *len)
{
    struct buffer buffer = BUFFER_INIT;
    int status = api_stored_key(txn, &key, path != NULL);
    if (status != RS_OK) {
        return status;
    }
    status = tree_path(&txn->tree, key, &buffer);
    if (status != RS_OK) {
        fail(txn->tree.error, status, "%s", rs_strerror(status));
    }
    return give_text(txn, &buffer, status, path, len);
}

int rs_link_create_n(rs_txn *txn, rs_key base, const char *path, size_t len, const char *target,
                     size_t target_len, unsigned flags, rs_key *key)
{
    int status = api_check(txn, target != NULL && (flags & ~RS_VOLATILE) == 0);
    return status == RS_OK ? tree_link_create(&txn->tree, base, path, text_length(path, len),
                                              target, text_length(target, target_len), flags, key)
                           : status;
}

int rs_link_target(rs_txn *txn, rs_key key, const char **target, size_t *len)
{
    struct buffer buffer = BUFFER_INIT;
    int status = api_stored_key(txn, &key, target != NULL);
    if (status == RS_OK) {
        status = tree_link_target(&txn->tree, key, &buffer);
    }
    return give_text(txn, &buffer, status, target, len);
}

/* ---- Listing ---- */

static int open_cursor(rs_txn *txn, rs_key key, bool values, rs_cursor **out)
{
    int status = api_stored_key(txn, &key, out != NULL);
    if (status != RS_OK) {
        return status;
    }
    rs_cursor *cursor = txn->free_cursors;
    if (cursor != NULL) {
        txn->free_cursors = cursor->next_free;
    } else {
        cursor = calloc(1, sizeof *cursor);
        if (cursor == NULL) {
            return RS_ENOMEM;
        }
    }
    cursor->txn = txn;
    cursor->values = values;
    status = values ? tree_list_values(&cursor->list, &txn->tree, key)
                    : tree_list_subkeys(&cursor->list, &txn->tree, key);
    if (status != RS_OK) {
        rs_cursor_close(cursor);
        return status;
    }
    *out = cursor;
    return RS_OK;
}

int rs_subkeys(rs_txn *txn, rs_key key, rs_cursor **cursor)
{
    return open_cursor(txn, key, false, cursor);
}

int rs_values(rs_txn *txn, rs_key key, rs_cursor **cursor)
{
    return open_cursor(txn, key, true, cursor);
}

int rs_next_key(rs_cursor *cursor, rs_key_info *info)
{
    struct node node;
    if (cursor == NULL || info == NULL || cursor->values) {
        return RS_EINVAL;
    }
    if (env_forked(cursor->txn->store->env)) {
        return RS_EFORK;
    }
    int status = tree_list_next_key(&cursor->list, &node);
    return status == RS_OK ? give_info(cursor->txn, &node, info) : status;
}

int rs_next_value(rs_cursor *cursor, rs_value *value)
{
    if (cursor == NULL || value == NULL || !cursor->values) {
        return RS_EINVAL;
    }
    return env_forked(cursor->txn->store->env) ? RS_EFORK
                                               : tree_list_next_value(&cursor->list, value);
}

void rs_cursor_close(rs_cursor *cursor)
{
    if (cursor != NULL) {
        cursor->next_free = cursor->txn->free_cursors;
        cursor->txn->free_cursors = cursor;
    }
}

/* ---- Watching ---- */

int rs_watch_open_n(rs_store *store, const char *path, size_t len, unsigned flags, uint64_t since,
                    rs_watch **watch, rs_error *error)
{
    if (store == NULL || path == NULL || watch == NULL ||
        (flags & ~(RS_SUBTREE | RS_WATCH_RULES)) != 0) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    return watch_open(store, (struct slice){path, text_length(path, len)}, flags, since, watch,
                      error);
}

int rs_watch_fd(const rs_watch *watch)
{
    return watch_fd(watch);
}

int rs_watch_next(rs_watch *watch, const rs_batch **batch)
{
    return watch != NULL && batch != NULL ? watch_next(watch, batch) : RS_EINVAL;
}

uint64_t rs_watch_position(const rs_watch *watch)
{
    return watch_position(watch);
}

void rs_watch_close(rs_watch *watch)
{
    watch_close(watch);
}

int rs_watchers(rs_store *store, int (*each)(void *context, const rs_watcher *watcher),
                void *context)
{
    if (store == NULL || each == NULL) {
        return RS_EINVAL;
    }
    return env_forked(store->env) ? RS_EFORK : watch_list(store->dir, each, context);
}

/* ---- Checking ---- */

int rs_check(rs_txn *txn, const rs_check_options *options, rs_check_report *report)
{
    int status = api_check(txn, report != NULL && txn != NULL && !txn->env.write);
    return status == RS_OK ? check_store(txn, options, report) : status;
}

/* ---- Whole stores ---- */

/* NULL for all is right but for what is asked of it here. */
static int check_store_call(const rs_store *store, bool good, rs_error *error)
{
    if (store == NULL || !good) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    return env_forked(store->env) ? fail(error, RS_EFORK, "%s", rs_strerror(RS_EFORK)) : RS_OK;
}

int rs_backup(rs_store *store, const char *file, const rs_backup_options *options,
              rs_backup_report *report, rs_error *error)
{
    bool good = file != NULL && (options == NULL || (options->flags & ~RS_OVERWRITE) == 0);
    int status = check_store_call(store, good, error);
    return status == RS_OK ? backup_write(store, file, options, report, error) : status;
}

int rs_restore(const char *dir, const char *file, const rs_restore_options *options,
               rs_backup_report *report, rs_error *error)
{
    if (dir == NULL || file == NULL || (options != NULL && options->flags > RS_ANEW)) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    return backup_restore(dir, file, options, report, error);
}

int rs_compact(rs_store *store, rs_backup_report *report, rs_error *error)
{
    int status = check_store_call(store, true, error);
    return status == RS_OK ? backup_compact(store, report, error) : status;
}

/* ---- Dumps ---- */

int rs_spool_open(const char *file, const rs_import_options *options, rs_spool **spool,
                  rs_error *error)
{
    return file != NULL && spool != NULL ? transfer_spool(file, options, spool, error)
                                         : fail(error, RS_EINVAL, "%s", rs_strerror(RS_EINVAL));
}

void rs_spool_close(rs_spool *spool)
{
    transfer_spool_free(spool);
}

int rs_import(rs_txn *txn, const char *file, const rs_import_options *options,
              rs_import_report *report, rs_error *error)
{
    int status = api_check(txn, file != NULL);
    if (status != RS_OK) {
        return fail(error, status, "%s", rs_strerror(status));
    }
    return transfer_import(&txn->tree, file, options, report, error);
}

int rs_export(rs_txn *txn, rs_key key, const char *file, const rs_export_options *options,
              rs_error *error)
{
    int status = api_stored_key(txn, &key, file != NULL);
    if (status != RS_OK) {
        return fail(error, status, "%s", rs_strerror(status));
    }
    return transfer_export(&txn->tree, key, file, options, error);
}

/* ---- Copying and comparing ---- */

int rs_key_copy_n(rs_txn *txn, rs_key source, rs_key base, const char *path, size_t len,
                  unsigned flags, rs_import_report *report)
{
    int status = api_stored_key(txn, &source, (flags & ~(RS_SUBTREE | RS_KEEP)) == 0);
    return status == RS_OK ? transfer_copy(&txn->tree, source, base, given(path),
                                           text_length(path, len), flags, report)
                           : status;
}

/* The stored keys that both sides mean, or none on both. */
static int find_pair(rs_txn *left_txn, rs_key left, rs_txn *right_txn, rs_key right,
                     struct transfer_pair *pair, bool good)
{
    int status = api_check(left_txn, good && (left == RS_NO_KEY) == (right == RS_NO_KEY));
    if (status == RS_OK && left != RS_NO_KEY) {
        status = api_stored_key(left_txn, &left, true);
    }
    if (status == RS_OK) {
        status = left != RS_NO_KEY ? api_stored_key(right_txn, &right, true)
                                   : api_check(right_txn, true);
    }
    if (status == RS_OK) {
        *pair = (struct transfer_pair){&left_txn->tree, left, &right_txn->tree, right};
    }
    return status;
}

int rs_compare(rs_txn *left_txn, rs_key left, rs_txn *right_txn, rs_key right,
               const rs_compare_options *options, uint64_t *differences)
{
    struct transfer_pair pair;
    const unsigned known = RS_SUBTREE | RS_SAME | RS_VOLATILE | RS_TIMES;
    int status = find_pair(left_txn, left, right_txn, right, &pair,
                           options == NULL || (options->flags & ~known) == 0);
    return status == RS_OK ? transfer_compare(&pair, options, differences) : status;
}

int rs_export_patch(rs_txn *left_txn, rs_key left, rs_txn *right_txn, rs_key right,
                    const char *file, const rs_export_options *options, rs_error *error)
{
    struct transfer_pair pair;
    int status = find_pair(left_txn, left, right_txn, right, &pair, file != NULL);
    return status == RS_OK ? transfer_export_patch(&pair, file, options, error)
                           : fail(error, status, "%s", rs_strerror(status));
}
