#include "digest_steps.h"

rs_store *digest_store;

void digest_begin(void)
{
    digest_store = open_store();
    env_forget_disk(digest_store->env);
}

uint64_t digest_latest(rs_store *of)
{
    rs_txn *txn = start_reading(of);
    uint64_t revision = rs_revision(txn);
    rs_abort(txn);
    return revision;
}

unsigned digest_count(rs_store *of)
{
    struct env_cursor cursor = {NULL};
    struct slice key, record;
    struct env_txn txn;
    unsigned count = 0;
    SUCCEEDS(env_begin(of->env, false, &txn, NULL));
    SUCCEEDS(env_cursor_open(&txn, TABLE_JOURNAL, &cursor));
    for (int status = env_cursor_first(&cursor, &key, &record);
         status == RS_OK && env_get_be64(key.data) == 0;
         status = env_cursor_next(&cursor, &key, &record)) {
        count++;
    }
    env_cursor_close(&cursor);
    env_abort(&txn);
    return count;
}

void digest_remove_all(void)
{
    struct env_txn txn;
    struct store_state state;
    uint64_t removed = 0;
    SUCCEEDS(env_begin(digest_store->env, true, &txn, NULL));
    SUCCEEDS(journal_digest_cut(&txn, 0, &removed));
    SUCCEEDS(store_state_read(&txn, &state));
    state.journal_bytes -= removed;
    SUCCEEDS(store_state_write(&txn, &state));
    SUCCEEDS(env_commit(&txn, NULL));
    CU_ASSERT_EQUAL_FATAL(digest_count(digest_store), 0);
}

int digest_add_number(void *context, const rs_revision_info *info)
{
    return buffer_append(context, &info->revision, sizeof info->revision);
}

void digest_find(struct buffer *found, const char *path, unsigned flags, uint64_t newest,
                 uint64_t oldest)
{
    const uint64_t end = 0;
    rs_txn *txn = start_reading(digest_store);
    SUCCEEDS(rs_history_key(txn, path, flags, newest, oldest, digest_add_number, found));
    SUCCEEDS(buffer_append(found, &end, sizeof end));
    rs_abort(txn);
}

unsigned digest_unread_for(const char *path)
{
    struct watch_target target = {BUFFER_INIT, BUFFER_INIT, BUFFER_INIT, 0};
    struct journal_wanted wanted = {BUFFER_INIT};
    struct journal_sieve sieve;
    uint64_t at = (digest_latest(digest_store) + 1) / JOURNAL_BLOCK * JOURNAL_BLOCK - 1;
    unsigned unread = (unsigned)at;
    int status;
    rs_txn *txn = start_reading(digest_store);
    SUCCEEDS(watch_resolve(&target, &txn->tree, (struct slice){path, strlen(path)}));
    SUCCEEDS(watch_want(&target, &wanted));
    SUCCEEDS(journal_sieve_begin(&sieve, &txn->env, &wanted));
    while ((status = journal_sieve_next(&sieve, 0, &at)) == RS_OK) {
        unread--;
        at--;
    }
    CU_ASSERT_EQUAL(status, RS_END);
    journal_sieve_end(&sieve);
    journal_wanted_free(&wanted);
    watch_target_free(&target);
    rs_abort(txn);
    return unread;
}
