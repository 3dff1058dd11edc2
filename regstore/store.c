#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

/* FILETIME's origin is 1601, Unix's 1970. */
#define FILETIME_OF_UNIX UINT64_C(116444736000000000)

uint64_t store_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return store_filetime(now);
}

uint64_t store_filetime(struct timespec moment)
{
    return FILETIME_OF_UNIX + (uint64_t)moment.tv_sec * 10000000 + (uint64_t)moment.tv_nsec / 100;
}

/* ---- The state record ---- */

static const struct slice state_key = {"state", 5};

int store_state_read(struct env_txn *txn, struct store_state *state)
{
    struct slice found;
    struct record record;
    int status = env_get(txn, TABLE_META, state_key, &found);
    if (status != RS_OK) {
        return status == RS_ENOTFOUND ? RS_EDAMAGED : status;
    }
    record_begin(&record, found.data, found.size);
    state->revision = record_u64(&record);
    state->txn_number = record_u64(&record);
    state->tree.next_id = record_u64(&record);
    state->tree.keys = record_u64(&record);
    state->tree.values = record_u64(&record);
    state->journal_bytes = record_u64(&record);
    return record_end(&record);
}

int store_state_write(struct env_txn *txn, const struct store_state *state)
{
    const uint64_t numbers[] = {state->revision,  state->txn_number,  state->tree.next_id,
                                state->tree.keys, state->tree.values, state->journal_bytes};
    struct buffer record = BUFFER_INIT;
    int status = RS_OK;
    for (size_t i = 0; status == RS_OK && i < sizeof numbers / sizeof *numbers; i++) {
        status = record_put_u64(&record, numbers[i]);
    }
    if (status == RS_OK) {
        status = env_put(txn, TABLE_META, state_key, (struct slice){record.data, record.size});
    }
    buffer_free(&record);
    return status;
}

/* ---- Opening and closing ---- */

/* The first records of a new store: its roots and its state, revision 0. */
static int init_store(struct env_txn *txn)
{
    struct tree tree;
    struct arena arena = ARENA_INIT;
    struct store_state state = {.txn_number = env_txn_number(txn)};
    int status = tree_begin_write(&tree, txn, &arena, &state.tree, NULL, store_now());
    if (status == RS_OK) {
        status = tree_create_roots(&tree);
    }
    if (status == RS_OK) {
        status = tree_flush(&tree);
    }
    state.tree = tree.state;
    tree_end(&tree);
    arena_free(&arena);
    return status == RS_OK ? store_state_write(txn, &state) : status;
}

/* The group of the store's directory may write in watches, whoever makes it, and whatever the
 * umask. The directory's owner may have put a link in its place. */
static int give_to_group(const char *dir, const char *watches, rs_error *error)
{
    struct stat st;
    int status = RS_OK;
    int fd = open(watches, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(error, "%s", watches);
    }
    if (stat(dir, &st) == 0 && fchown(fd, (uid_t)-1, st.st_gid) != 0 && errno != EPERM) {
        status = fail_errno(error, "%s", watches);
    } else if (fchmod(fd, 0770) != 0) {
        status = fail_errno(error, "%s", watches);
    }
    close(fd);
    return status;
}

/* What a store has beside LMDB's files. */
static int make_files(const struct rs_store *store, rs_error *error)
{
    char *watches;
    int status = bell_create(store->dir, error);
    if (status != RS_OK) {
        return status;
    }
    if (asprintf(&watches, "%s/%s", store->dir, STORE_WATCHES_DIR) < 0) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    if (mkdir(watches, 0770) == 0) {
        status = give_to_group(store->dir, watches, error);
    } else if (errno != EEXIST) {
        status = fail_errno(error, "%s: cannot be made", watches);
    }
    free(watches);
    return status;
}

static int open_store(struct rs_store *store, const char *dir, unsigned flags, rs_error *error)
{
    int status = env_open(dir, flags, init_store, &store->env, error);
    if (status != RS_OK) {
        return status;
    }
    store->readonly = (flags & RS_READONLY) != 0 || env_readonly(store->env);
    store->dir = realpath(dir, NULL);
    if (store->dir == NULL) {
        status = fail_errno(error, "%s", dir);
    } else if ((flags & RS_CREATE) && !store->readonly) {
        status = make_files(store, error);
    }
    if (status != RS_OK) {
        free(store->dir);
        env_close(store->env);
    }
    return status;
}

/* What a write transaction knows of the rules is good for the next one, if nobody came between. */
static void keep_rules(struct rs_txn *txn)
{
    if (txn->rules != NULL && !env_forked(txn->store->env)) {
        schema_cache_free(atomic_exchange(&txn->store->rules, txn->rules));
        txn->rules = NULL;
    }
}

/* Releases a transaction that is not pooled; its env transaction has ended. */
static void free_txn(struct rs_txn *txn)
{
    while (txn->free_cursors != NULL) {
        struct rs_cursor *cursor = txn->free_cursors;
        txn->free_cursors = cursor->next_free;
        tree_list_free(&cursor->list);
        free(cursor);
    }
    schema_cache_free(txn->rules);
    schema_exempt_free(&txn->undone);
    tree_end(&txn->tree);
    arena_free(&txn->arena);
    free(txn);
}

/* A place of the pool is empty, has an idle transaction, or is kept for one that is in use. So a
 * transaction goes back to where it came from with a plain store, which costs a fraction of an
 * atomic exchange. */
#define IN_USE ((struct rs_txn *)1)

static void drain_pool(struct rs_store *store)
{
    for (unsigned i = 0; i < STORE_POOL; i++) {
        struct rs_txn *txn = atomic_load(&store->pool[i]);
        if (txn != NULL && txn != IN_USE &&
            atomic_compare_exchange_strong(&store->pool[i], &txn, NULL)) {
            env_abort(&txn->env);
            free_txn(txn);
        }
    }
}

static void let_go(struct env_guest *guest)
{
    drain_pool((struct rs_store *)((char *)guest - offsetof(struct rs_store, guest)));
}

int store_open(const char *dir, unsigned flags, struct rs_store **out, rs_error *error)
{
    struct rs_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    int status = open_store(store, dir, flags, error);
    if (status != RS_OK) {
        free(store);
        return status;
    }
    store->guest.let_go = let_go;
    env_guest_join(store->env, &store->guest);
    *out = store;
    return RS_OK;
}

void store_close(struct rs_store *store)
{
    env_guest_leave(store->env, &store->guest);
    drain_pool(store);
    schema_cache_free(atomic_load(&store->rules));
    env_close(store->env);
    free(store->dir);
    free(store);
}

/* ---- Read transactions ---- */

/* Threads begin at different places, so that they do not take each other's cache lines. */
static unsigned pool_start(void)
{
    static atomic_uint threads;
    /* This way it is found without a call, in a shared library, too. */
    static _Thread_local unsigned start __attribute__((tls_model("initial-exec")));
    if (start == 0) {
        start = atomic_fetch_add(&threads, 1) % STORE_POOL + 1;
    }
    return start - 1;
}

static struct rs_txn *pool_take(struct rs_store *store)
{
    unsigned start = pool_start();
    for (unsigned i = 0; i < STORE_POOL; i++) {
        pool_place *place = &store->pool[(start + i) % STORE_POOL];
        struct rs_txn *idle = atomic_load_explicit(place, memory_order_relaxed);
        if (idle != NULL && idle != IN_USE &&
            atomic_compare_exchange_strong(place, &idle, IN_USE)) {
            return idle;
        }
    }
    return NULL;
}

/* Keeps a place for a new transaction; NULL if there is none. */
static pool_place *pool_keep(struct rs_store *store)
{
    unsigned start = pool_start();
    for (unsigned i = 0; i < STORE_POOL; i++) {
        pool_place *place = &store->pool[(start + i) % STORE_POOL];
        struct rs_txn *empty = NULL;
        if (atomic_compare_exchange_strong(place, &empty, IN_USE)) {
            return place;
        }
    }
    return NULL;
}

/* Puts it into its place of the pool, or NULL for one that is gone. */
static void pool_give(pool_place *place, struct rs_txn *txn)
{
    atomic_store_explicit(place, txn, memory_order_release);
}

/* Its place in the pool is empty then. */
static RS_APART void drop_read(struct rs_txn *txn)
{
    if (txn->place != NULL) {
        pool_give(txn->place, NULL);
    }
    env_abort(&txn->env);
    free_txn(txn);
}

static void give_read(struct rs_txn *txn, struct rs_txn **out)
{
    txn->state_loaded = false;
    tree_begin_read(&txn->tree, &txn->env, &txn->arena);
    *out = txn;
}

/* One that the pool does not have. */
static RS_APART int new_read(struct rs_store *store, struct rs_txn **out, rs_error *error)
{
    struct rs_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    txn->store = store;
    txn->place = pool_keep(store);
    int status = env_begin(store->env, false, &txn->env, error);
    if (status != RS_OK) {
        drop_read(txn);
        return status;
    }
    give_read(txn, out);
    return RS_OK;
}

static int begin_read(struct rs_store *store, struct rs_txn **out, rs_error *error)
{
    struct rs_txn *txn = pool_take(store);
    if (txn == NULL) {
        return new_read(store, out, error);
    }
    int status = env_renew(&txn->env, error);
    if (status != RS_OK) {
        drop_read(txn);
        return status;
    }
    give_read(txn, out);
    return RS_OK;
}

static void end_read(struct rs_txn *txn)
{
    env_reset(&txn->env);
    arena_reset(&txn->arena);
    if (txn->place != NULL) {
        pool_give(txn->place, txn);
    } else {
        drop_read(txn);
    }
}

uint64_t store_revision(struct rs_txn *txn)
{
    if (!txn->state_loaded) {
        struct store_state state = {0};
        txn->state_loaded = store_state_read(&txn->env, &state) == RS_OK;
        txn->revision = state.revision;
    }
    return txn->revision;
}

/* ---- Write transactions ---- */

int store_start_writing(struct rs_txn *txn)
{
    struct store_state state;
    int status = store_state_read(&txn->env, &state);
    if (status != RS_OK) {
        return status;
    }
    struct store_pending pending = {0};
    status = store_pending_read(&txn->env, &pending);
    if (status != RS_OK && status != RS_ENOTFOUND) {
        return status;
    }
    txn->pending = pending.revision;
    txn->revision = state.revision;
    txn->journal_bytes = state.journal_bytes;
    txn->state_loaded = true;
    journal_begin(&txn->journal, &txn->env, state.revision + 1);
    return tree_begin_write(&txn->tree, &txn->env, &txn->arena, &state.tree, &txn->journal.sink,
                            store_now());
}

static RS_APART int begin_write(struct rs_store *store, struct rs_txn **out, rs_error *error)
{
    if (store->readonly) {
        return fail(error, RS_EREADONLY, "%s: the store is read-only", store->dir);
    }
    struct rs_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL) {
        return fail(error, RS_ENOMEM, "out of memory");
    }
    txn->store = store;
    int status = env_begin(store->env, true, &txn->env, error);
    if (status == RS_OK) {
        txn->rules = atomic_exchange(&store->rules, NULL);
        status = store_start_writing(txn);
    }
    if (status != RS_OK) {
        fail(error, status, "%s: %s", store->dir, rs_strerror(status));
        env_abort(&txn->env);
        free_txn(txn);
        return status;
    }
    *out = txn;
    return RS_OK;
}

int store_begin(struct rs_store *store, bool write, struct rs_txn **txn, rs_error *error)
{
    if (env_forked(store->env)) {
        return fail(error, RS_EFORK, "%s: opened before a fork; the child has to open it itself",
                    store->dir);
    }
    return write ? begin_write(store, txn, error) : begin_read(store, txn, error);
}

static void end_write(struct rs_txn *txn)
{
    env_abort(&txn->env);
    journal_free(&txn->journal);
    keep_rules(txn);
    free_txn(txn);
}

/* The process's name is whatever it was started under. */
static const char *own_name(void)
{
    size_t units;
    size_t len = strlen(program_invocation_short_name);
    bool good =
        len <= JOURNAL_MAX_NOTE && text_units(program_invocation_short_name, len, &units) == RS_OK;
    return good ? program_invocation_short_name : "unknown";
}

/* *bytes is the size of the journal then. */
static int write_journal(struct rs_txn *txn, uint64_t *bytes)
{
    struct journal_limits limits;
    struct journal_head head = {
        .time = store_now(),
        .uid = (uint32_t)getuid(),
        .pid = (uint32_t)getpid(),
        .flags = txn->revision_flags | (txn->mixed ? RS_REVISION_PARTIAL : 0),
        .from = txn->undone_from,
        .to = txn->undone_to,
        .program = txn->program != NULL ? txn->program : own_name(),
        .message = txn->message != NULL ? txn->message : "",
    };
    /* Whose bounds cannot be read removes nothing: the next commit does, and history is not lost.
     */
    const bool bounded = store_history_limits(txn, &limits) == RS_OK;
    int status = journal_finish(&txn->journal, &head);
    *bytes = txn->journal_bytes + txn->journal.bytes;
    return status == RS_OK && bounded
               ? journal_trim(&txn->env, txn->journal.revision, &limits, bytes)
               : status;
}

static int write_revision(struct rs_txn *txn)
{
    struct store_state state = {
        .revision = txn->journal.revision,
        .txn_number = env_txn_number(&txn->env),
    };
    int status = tree_flush(&txn->tree);
    if (status == RS_OK) {
        status = write_journal(txn, &state.journal_bytes);
    }
    if (status == RS_OK) {
        state.tree = txn->tree.state;
        status = store_state_write(&txn->env, &state);
    }
    if (status == RS_OK) {
        status = store_pending_commit(txn);
    }
    return status == RS_OK
               ? RS_OK
               : fail(txn->tree.error, status, "cannot commit: %s", rs_strerror(status));
}

/* Ends a transaction after a failure with this status, or none. One that only deletes and found no
 * room for that finds some when it is tried again. */
static RS_APART void end_write_after(struct rs_txn *txn, int status)
{
    struct env *env = txn->store->env;
    bool shorten = store_is_full(status) && !txn->journal.adds;
    end_write(txn);
    if (shorten) {
        store_shorten_history(env);
    }
}

/* What only deletes may take all that there is, unless it is to be taken back: that puts what was
 * deleted, once as it was and once into the journal. */
static int keep_room(struct rs_txn *txn)
{
    rs_error *error = txn->tree.error;
    if (!txn->journal.adds) {
        return txn->to_confirm ? env_keep_last_after(&txn->env, 2 * txn->journal.bytes, error)
                               : RS_OK;
    }
    return txn->revision_flags & RS_REVISION_ROLLBACK ? env_keep_last(&txn->env, error)
                                                      : env_keep_reserve(&txn->env, error);
}

int store_try_commit(struct rs_txn *txn)
{
    uint64_t number = env_txn_number(&txn->env);
    int status = write_revision(txn);
    if (status == RS_OK) {
        status = keep_room(txn);
    }
    if (status == RS_OK) {
        status = env_commit(&txn->env, txn->tree.error);
    }
    if (status == RS_OK) {
        schema_cache_carry(txn->rules, &txn->tree, number);
    }
    return status;
}

/* A failure that is followed by a success is not described. */
static int commit_deletions(struct rs_txn *txn)
{
    rs_error *error = txn->tree.error;
    rs_error first = RS_ERROR_INIT;
    txn->tree.error = &first;
    int status = store_try_commit(txn);
    if (store_is_full(status)) {
        status = store_delete_briefly(txn, status);
    }
    return status == RS_OK ? RS_OK : fail(error, status, "%s", first.text);
}

static int commit_changes(struct rs_txn *txn)
{
    bool undoes = txn->undone_from != 0;
    txn->mixed = txn->mixed || (undoes && txn->journal.changes != txn->undone_changes);
    int status = store_check_rules(txn);
    if (status != RS_OK) {
        return status;
    }
    /* What is to be confirmed has to be recorded as a whole, so that it can be taken back. */
    status = txn->journal.adds || txn->to_confirm ? store_try_commit(txn) : commit_deletions(txn);
    if (status == RS_OK) {
        bell_ring(txn->store->dir);
    }
    return status;
}

int store_commit(struct rs_txn *txn, uint64_t *revision)
{
    uint64_t made = txn->revision;
    int failed = env_forked(txn->store->env) ? RS_EFORK : txn->tree.failed;
    int status = failed;
    if (status == RS_OK && (txn->journal.changes > 0 || txn->recorded)) {
        made = txn->journal.revision;
        status = env_removed(txn->store->env) ? fail(txn->tree.error, RS_EREPLACED, "%s: %s",
                                                     txn->store->dir, rs_strerror(RS_EREPLACED))
                                              : commit_changes(txn);
    }
    end_write_after(txn, failed);
    if (status == RS_OK && revision != NULL) {
        *revision = made;
    }
    return status;
}

void store_abort(struct rs_txn *txn)
{
    if (txn->env.write) {
        end_write_after(txn, txn->tree.failed);
    } else if (env_forked(txn->store->env)) {
        txn->env.mdb = NULL;
        free_txn(txn);
    } else {
        end_read(txn);
    }
}
