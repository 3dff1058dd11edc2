#include <stdlib.h>
#include <string.h>

#include "watch.h"

struct rs_watch {
    struct rs_store *store;
    char *path; /* as given */
    size_t path_len;
    unsigned flags; /* RS_SUBTREE, RS_WATCH_RULES */
    uint64_t position;
    bool replaced; /* at the last look, the store's files were others */
    struct bell_wait wait;
    struct watch_entry entry;
    struct watch_named *named; /* NULL: it has no name */
    bool given;                /* the last call gave what moved the position */
    struct watch_target target;
    struct journal_reader reader;
    struct arena arena;    /* of the batch given last */
    struct buffer changes; /* its array */
    struct buffer scratch;
    rs_batch batch;
};

/* ---- Building a batch ---- */

static const rs_value *keep_side(struct rs_watch *watch, const struct change_side *side)
{
    rs_value *value = arena_alloc(&watch->arena, sizeof *value);
    if (value != NULL) {
        *value = (rs_value){
            .name = arena_copy(&watch->arena, side->name, side->name_len),
            .name_len = side->name_len,
            .type = side->type,
            .data = arena_copy(&watch->arena, side->data, side->size),
            .size = side->size,
        };
    }
    return value != NULL && value->name != NULL && value->data != NULL ? value : NULL;
}

static int keep_values(struct rs_watch *watch, const struct change *change, rs_change *entry)
{
    if (change->before.present) {
        entry->old_value = keep_side(watch, &change->before);
    }
    if (change->after.present) {
        entry->new_value = keep_side(watch, &change->after);
    }
    const rs_value *spelled = entry->new_value != NULL ? entry->new_value : entry->old_value;
    if (spelled == NULL || (change->before.present && entry->old_value == NULL) ||
        (change->after.present && entry->new_value == NULL)) {
        return RS_ENOMEM;
    }
    entry->name = spelled->name;
    entry->name_len = spelled->name_len;
    if (change->lost) {
        entry->old_value = NULL; /* only its name was kept */
    }
    return RS_OK;
}

static int add_entry(struct rs_watch *watch, const struct change *change, enum watch_match match,
                     const char *relative)
{
    size_t skipped = (size_t)(relative - change->path);
    const char *path = arena_copy(&watch->arena, change->path, change->path_len);
    if (path == NULL) {
        return RS_ENOMEM;
    }
    rs_change entry = {
        .kind = change->kind,
        .key = change->key,
        .path = path,
        .path_len = change->path_len,
        .relative = path + skipped,
        .relative_len = change->path_len - skipped,
        .name = "",
        .old_name = "",
        .lost = change->lost,
        .rule = match == WATCH_RULE,
        .old_written = change->written_before,
        .new_written = change->written_after,
    };
    int status = RS_OK;
    if (change->kind == RS_VALUE_SET || change->kind == RS_VALUE_DELETED) {
        status = keep_values(watch, change, &entry);
    } else if (change->kind == RS_KEY_RENAMED) {
        entry.name = arena_copy(&watch->arena, change->after.name, change->after.name_len);
        entry.name_len = change->after.name_len;
        status = entry.name != NULL ? RS_OK : RS_ENOMEM;
    }
    return status == RS_OK ? buffer_append(&watch->changes, &entry, sizeof entry) : status;
}

/* The changes of the revision that the reader is at. *moved: the watched key has to be looked up
 * again. */
static int read_changes(struct rs_watch *watch, bool *moved)
{
    struct change change;
    int status;
    while ((status = journal_next(&watch->reader, &change)) == RS_OK) {
        enum watch_match match;
        const char *relative;
        if (change.inner) {
            continue;
        }
        status =
            watch_match(&watch->target, watch->flags, &change, &watch->scratch, &match, &relative);
        if (status == RS_OK && match != WATCH_NOTHING) {
            *moved = *moved || match == WATCH_MOVED;
            status = add_entry(watch, &change, match, relative);
        }
        if (status != RS_OK) {
            return status;
        }
    }
    return status == RS_END ? RS_OK : status;
}

static int keep_head(struct rs_watch *watch, const struct journal_head *head)
{
    watch->batch = (rs_batch){
        .revision = head->revision,
        .time = head->time,
        .uid = head->uid,
        .pid = head->pid,
        .program = arena_copy(&watch->arena, head->program, strlen(head->program)),
        .message = arena_copy(&watch->arena, head->message, strlen(head->message)),
        .count = watch->changes.size / sizeof(rs_change),
        .changes = (const rs_change *)(const void *)watch->changes.data,
    };
    return watch->batch.program != NULL && watch->batch.message != NULL ? RS_OK : RS_ENOMEM;
}

static struct slice watched_path(const struct rs_watch *watch)
{
    return (struct slice){watch->path, watch->path_len};
}

/* One revision; the batch has no entries if it does not concern the watch. */
static int read_revision(struct rs_watch *watch, struct rs_txn *txn, uint64_t revision)
{
    struct journal_head head;
    bool moved = false;
    arena_reset(&watch->arena);
    watch->changes.size = 0;
    int status = journal_open(&watch->reader, &txn->env, revision, &head);
    if (status != RS_OK) {
        return status == RS_ENOTFOUND ? RS_EBEHIND : status;
    }
    status = read_changes(watch, &moved);
    if (status == RS_OK && moved) {
        status = watch_resolve(&watch->target, &txn->tree, watched_path(watch));
    }
    return status == RS_OK ? keep_head(watch, &head) : status;
}

/* ---- The watch ---- */

/* Goes on from a revision without having read those before it. Always fails: RS_EBEHIND, or what
 * kept it from skipping. */
static int skip_to(struct rs_watch *watch, struct rs_txn *txn, uint64_t revision)
{
    int status = watch_resolve(&watch->target, &txn->tree, watched_path(watch));
    if (status != RS_OK) {
        return status;
    }
    watch->position = revision;
    return RS_EBEHIND;
}

static int next_batch(struct rs_watch *watch, struct rs_txn *txn, const rs_batch **batch)
{
    uint64_t latest = store_revision(txn);
    if (watch->position > latest) {
        return skip_to(watch, txn, latest); /* the store was replaced by an older one */
    }
    while (watch->position < latest) {
        int status = read_revision(watch, txn, watch->position + 1);
        if (status == RS_ENOMEM) {
            return status;
        }
        if (status != RS_OK) {
            /* Gone or damaged: what the watch missed can only be read from the keys themselves. */
            return skip_to(watch, txn, latest);
        }
        watch->position++;
        if (watch->batch.count > 0) {
            *batch = &watch->batch;
            return RS_OK;
        }
    }
    return RS_END;
}

/* What was given is done with when the next is asked for. What concerns nobody is noted once a
 * second: whoever writes a file wakes those who wait for answers. */
static void keep_position(struct rs_watch *watch, int status, bool second)
{
    if (watch->named != NULL && status == RS_END && second) {
        watch_named_reach(watch->named, watch->position);
    }
    if (watch->named != NULL && second) {
        watch_named_touch(watch->named);
    }
    watch->given = status == RS_OK || status == RS_EBEHIND;
}

int watch_next(struct rs_watch *watch, const rs_batch **batch)
{
    struct rs_txn *txn;
    if (env_forked(watch->store->env)) {
        return RS_EFORK; /* before it takes the parent's wake-ups away */
    }
    if (watch->named != NULL && watch->given) {
        watch_named_reach(watch->named, watch->position);
        watch->given = false;
    }
    /* Cleared before looking: what comes after that rings again. */
    bool second = bell_wait_clear(&watch->wait, watch->store->dir);
    int status = store_begin(watch->store, false, &txn, NULL);
    if (status == RS_OK) {
        status = next_batch(watch, txn, batch);
        keep_position(watch, status, second);
        if (second) {
            watch->replaced = env_replaced(watch->store->env, watch->store->dir);
        }
        store_abort(txn);
    }
    return status == RS_END && watch->replaced ? RS_EREPLACED : status;
}

static int start(struct rs_watch *watch, uint64_t since, rs_error *error)
{
    struct rs_txn *txn;
    int status = store_begin(watch->store, false, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    uint64_t latest = store_revision(txn);
    watch->position = since == RS_NOW ? latest : since;
    txn->tree.error = error;
    if (since != RS_NOW && since > latest) {
        status = fail(error, RS_EINVAL, "revision %llu has not been made yet, the latest is %llu",
                      (unsigned long long)since, (unsigned long long)latest);
    } else {
        status = watch_resolve(&watch->target, &txn->tree, watched_path(watch));
    }
    store_abort(txn);
    return status == RS_OK ? RS_OK
                           : fail(error, status, "%s: %s", watch->path, rs_strerror(status));
}

static int open_watch(struct rs_store *store, struct slice path, unsigned flags, uint64_t since,
                      struct rs_watch **out, rs_error *error)
{
    struct rs_watch *watch = calloc(1, sizeof *watch);
    char *copy = malloc(path.size + 1);
    if (watch == NULL || copy == NULL) {
        free(watch);
        free(copy);
        return fail(error, RS_ENOMEM, "out of memory");
    }
    watch->store = store;
    memcpy(copy, path.data, path.size);
    copy[path.size] = '\0';
    watch->path = copy;
    watch->path_len = path.size;
    watch->flags = flags;
    watch->entry.fd = -1;
    int status = bell_wait_open(&watch->wait, store->dir, error);
    if (status == RS_OK) {
        status = start(watch, since, error);
    }
    if (status != RS_OK) {
        watch_close(watch);
        return status;
    }
    *out = watch;
    return RS_OK;
}

int watch_open(struct rs_store *store, struct slice path, unsigned flags, uint64_t since,
               struct rs_watch **out, rs_error *error)
{
    int status = open_watch(store, path, flags, since, out, error);
    if (status == RS_OK) {
        watch_register(&(*out)->entry, store->dir, (*out)->path);
    }
    return status;
}

/* ---- A watch with a name ---- */

/* What its file begins with, unless it has kept a position. */
static int first_record(const struct rs_watch *watch, struct watch_record *record, rs_error *error)
{
    struct buffer path = BUFFER_INIT;
    *record = (struct watch_record){
        .store = env_data_inode(watch->store->env),
        .subtree = (watch->flags & RS_SUBTREE) != 0,
        .rules = (watch->flags & RS_WATCH_RULES) != 0,
        .position = watch->position,
    };
    int status = watch_stored_path(watched_path(watch), &path, error);
    if (status == RS_OK && path.size > WATCH_MAX_PATH) {
        status = fail(error, RS_ETOOLONG, "the path is too long for a named watch");
    } else if (status == RS_OK) {
        memcpy(record->path, path.data, path.size + 1);
    }
    buffer_free(&path);
    return status;
}

static int give_name(struct rs_watch *watch, const char *name, rs_error *error)
{
    struct watch_record *record = malloc(sizeof *record);
    if (record == NULL) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    int status = first_record(watch, record, error);
    if (status == RS_OK) {
        status = watch_named_open(watch->store->dir, name, record, &watch->named, error);
    }
    if (status == RS_OK) {
        watch->position = watch->named->record.position;
    }
    free(record);
    return status;
}

int watch_open_named(struct rs_store *store, const char *name, struct slice path, unsigned flags,
                     struct rs_watch **out, rs_error *error)
{
    struct rs_watch *watch;
    if (!watch_name_is_good(name)) {
        return fail(error, RS_ENAME, "\"%s\" cannot be the name of a watch", name);
    }
    int status = open_watch(store, path, flags, RS_NOW, &watch, error);
    if (status != RS_OK) {
        return status;
    }
    status = give_name(watch, name, error);
    if (status != RS_OK) {
        watch_close(watch);
        return status;
    }
    watch_register(&watch->entry, store->dir, watch->path);
    *out = watch;
    return RS_OK;
}

/* As it is kept, and known to be a path. */
static int stored_beside(const struct rs_watch *watch, struct slice path, struct buffer *stored,
                         rs_error *error)
{
    struct watch_target target = {BUFFER_INIT, BUFFER_INIT, BUFFER_INIT, 0};
    struct rs_txn *txn;
    int status = store_begin(watch->store, false, &txn, error);
    if (status != RS_OK) {
        return status;
    }
    txn->tree.error = error;
    status = watch_resolve(&target, &txn->tree, path);
    store_abort(txn);
    watch_target_free(&target);
    if (status == RS_OK) {
        status = watch_stored_path(path, stored, error);
    }
    if (status == RS_OK && memchr(stored->data, '\0', stored->size) != NULL) {
        status = RS_ENAME;
    }
    return status;
}

int watch_answer_for(struct rs_watch *watch, struct slice path, rs_error *error)
{
    struct buffer stored = BUFFER_INIT;
    if (watch->named == NULL) {
        return fail(error, RS_EINVAL, "the watch has no name");
    }
    struct watch_record *record = &watch->named->record;
    size_t before = record->beside_size;
    int status = stored_beside(watch, path, &stored, error);
    if (status == RS_OK) {
        status = watch_record_add_beside(record, (struct slice){stored.data, stored.size});
    }
    if (status == RS_OK && record->beside_size > before) {
        status = watch_named_save(watch->named);
    }
    if (status != RS_OK) {
        record->beside_size = before;
        record->beside[before] = '\0';
        status = fail(error, status, "%.*s cannot be answered for: %s", (int)path.size,
                      (const char *)path.data, rs_strerror(status));
    }
    buffer_free(&stored);
    return status;
}

int watch_answer(struct rs_watch *watch, uint64_t revision, enum rs_answer answer,
                 const char *reason)
{
    struct rs_txn *txn;
    if (watch->named == NULL || revision < watch->named->record.answered) {
        return RS_EINVAL;
    }
    int status = store_begin(watch->store, false, &txn, NULL);
    if (status != RS_OK) {
        return status;
    }
    uint64_t latest = store_revision(txn);
    store_abort(txn);
    if (revision > latest) {
        return RS_EINVAL;
    }
    watch_record_answer(&watch->named->record, revision, answer, reason);
    return watch_named_save(watch->named);
}

int watch_fd(const struct rs_watch *watch)
{
    return watch->wait.fd;
}

uint64_t watch_position(const struct rs_watch *watch)
{
    return watch->position;
}

void watch_close(struct rs_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    bool forked = env_forked(watch->store->env);
    watch_unregister(&watch->entry, forked);
    watch_named_close(watch->named, forked);
    bell_wait_close(&watch->wait);
    watch_target_free(&watch->target);
    journal_close(&watch->reader);
    arena_free(&watch->arena);
    buffer_free(&watch->changes);
    buffer_free(&watch->scratch);
    free(watch->path);
    free(watch);
}
